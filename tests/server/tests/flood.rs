//! Floods.

mod common;

use std::time::{Duration, Instant};

use common::{Client, start};
use serde_json::json;

async fn take_numbered(client: &mut Client, from: u64, count: u64, size: usize) {
    for number in from..from + count {
        let text = client.text().await;
        let (digits, padding) = text.split_once(' ').unwrap();
        assert_eq!(digits.parse(), Ok(number));
        assert!(padding.bytes().all(|byte| byte == b'x'));
        assert_eq!(text.len(), size.max(digits.len() + 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_numbers_every_message_for_every_connection() {
    let server = start().await;
    let mut clients = [server.connect().await, server.open("/ws?mode=silent").await];
    let order = json!({ "count": 20_000, "size": 200, "from": 5 });
    assert_eq!(
        server.post("flood", order).await,
        json!({ "id": 1, "connections": 2 })
    );
    let [first, second] = &mut clients;
    tokio::join!(
        take_numbered(first, 5, 20_000, 200),
        take_numbered(second, 5, 20_000, 200)
    );
    let progress = server.get("/control/flood/1?wait=10000").await.json();
    assert_eq!(progress["done"], true);
    assert_eq!(progress["sent"], 40_000);
    assert_eq!(server.wait("sent=40000").await["sent"], 40_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_without_a_size_have_only_their_number() {
    let server = start().await;
    let mut client = server.connect().await;
    server.post("flood", json!({ "count": 3 })).await;
    take_numbered(&mut client, 0, 3, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_keeps_to_its_rate() {
    let server = start().await;
    let mut client = server.connect().await;
    let begun = Instant::now();
    server
        .post("flood", json!({ "count": 101, "rate": 500 }))
        .await;
    take_numbered(&mut client, 0, 101, 0).await;
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(200), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_answers_during_a_flood() {
    let server = start().await;
    let mut client = server.connect().await;
    server
        .post("flood", json!({ "count": 1_000_000, "size": 100 }))
        .await;
    client.send("ping").await;
    let mut before = 0;
    while client.text().await != "pong" {
        before += 1;
    }
    assert!(before < 1_000_000, "the flood went first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_waits_for_a_client_that_does_not_read() {
    let server = start().await;
    let mut client = server.connect().await;
    server
        .post("flood", json!({ "count": 100_000, "size": 1000 }))
        .await;
    // Ten times what the buffers of a loopback connection take in.
    let progress = server.get("/control/flood/1?wait=100").await.json();
    assert_eq!(progress["done"], false);
    assert!(progress["sent"].as_u64().unwrap() < 100_000);
    take_numbered(&mut client, 0, 100_000, 1000).await;
    let progress = server.get("/control/flood/1?wait=10000").await.json();
    assert_eq!(progress["sent"], 100_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_ends_with_its_connection() {
    let server = start().await;
    let client = server.connect().await;
    server
        .post("flood", json!({ "count": 1_000_000, "rate": 1 }))
        .await;
    drop(client);
    let progress = server.get("/control/flood/1?wait=10000").await.json();
    assert_eq!(progress["done"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_nobody_is_done() {
    let server = start().await;
    server.post("flood", json!({ "count": 5 })).await;
    let progress = server.get("/control/flood/1").await.json();
    assert_eq!(
        progress,
        json!({ "done": true, "sent": 0, "elapsed_ms": 0.0, "connections": 0 })
    );
}
