//! A live connection whose client is not heard any more, but is still spoken to.

mod common;

use common::{Fixture, start};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

async fn fault(server: &Fixture, kind: &str) -> Value {
    server.post("fault", json!({ "kind": kind })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_is_swallowed_and_what_is_sent_goes_out() {
    let server = start().await;
    let mut client = server.connect().await;
    fault(&server, "half-open").await;
    let large = "x".repeat(300_000);
    for text in ["ping", "lost", &large] {
        client.send(text).await;
    }
    let stats = server.wait("swallowed=3").await;
    assert_eq!((&stats["received"], &stats["live"]), (&json!(0), &json!(1)));
    let connection = &stats["connections"][0];
    assert_eq!(connection["half_open"], true);
    assert_eq!(connection["swallowed"], 3);
    server.post("broadcast", json!({ "text": "all" })).await;
    assert_eq!(client.text().await, "all", "the ping was answered");
    let flood = json!({ "count": 2 });
    server.post("flood", flood).await;
    assert_eq!(client.text().await, "0 ");
    assert_eq!(client.text().await, "1 ");

    fault(&server, "none").await;
    client.settle().await;
    assert_eq!(server.received().await, ["ping"]);
    assert_eq!(server.stats().await["connections"][0]["half_open"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_connections_are_heard_and_keep_their_fault() {
    let server = start().await;
    let _live = server.connect().await;
    let refuse = json!({ "kind": "refuse", "times": 1 });
    server.post("fault", refuse).await;
    let answer = fault(&server, "half-open").await;
    assert_eq!(answer["connections"], 1);
    assert_eq!(server.refused_with().await, 503);
    server.connect().await.settle().await;
    assert_eq!(server.stats().await["received"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_is_not_answered_but_a_client_that_leaves_is_noticed() {
    let server = start().await;
    let mut client = server.connect().await;
    let mut other = server.connect().await;
    fault(&server, "half-open").await;
    client.0.close(None).await.unwrap();
    client.0.flush().await.unwrap();
    server.post("broadcast", json!({ "text": "still" })).await;
    assert_eq!(client.message().await, Message::text("still"));
    assert_eq!(other.text().await, "still");
    drop(client);
    let stats = server.wait("live=1").await;
    assert_eq!(stats["closes"][0]["by"], "lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_of_the_server_goes_out_and_its_answer_is_not_heard() {
    let server = start().await;
    let mut client = server.connect().await;
    fault(&server, "half-open").await;
    let (answer, code) = tokio::join!(server.post("close", json!({ "code": 4000 })), async {
        let message = client.message().await;
        let Message::Close(Some(frame)) = message else {
            panic!("not a close frame: {message:?}");
        };
        u16::from(frame.code)
    });
    assert_eq!(code, 4000);
    assert_eq!(answer, json!({ "asked": 1, "closed": 1 }));
    let close = &server.stats().await["closes"][0];
    assert_eq!(
        (&close["code"], &close["clean"], &close["by"]),
        (&json!(4000), &json!(false), &json!("server"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_fault_of_live_connections_takes_its_place() {
    let server = start().await;
    let mut client = server.connect().await;
    fault(&server, "half-open").await;
    let delay = json!({ "kind": "delay", "delay_ms": 1, "scope": "live" });
    server.post("fault", delay).await;
    client.settle().await;
}
