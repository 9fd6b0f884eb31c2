//! What each fault does to new and to live connections.

mod common;

use std::time::{Duration, Instant};

use common::{Fixture, is_reset, open, request, start};
use serde_json::{Value, json};

async fn fault(server: &Fixture, order: Value) {
    server.post("fault", order).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_upgrades_get_503_and_others_live_on() {
    let server = start().await;
    let mut live = server.connect().await;
    fault(&server, json!({ "kind": "refuse" })).await;
    assert_eq!(server.refused_with().await, 503);
    assert_eq!(server.refused_with().await, 503);
    live.settle().await;
    let stats = server.stats().await;
    assert_eq!(stats["refused"], 2);
    assert_eq!(stats["upgrades"], 3);
    assert_eq!(stats["fault"], json!({ "kind": "refuse" }));
    fault(&server, json!({ "kind": "none" })).await;
    server.connect().await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_lasts_as_often_as_it_was_ordered() {
    let server = start().await;
    fault(&server, json!({ "kind": "refuse", "times": 2 })).await;
    assert_eq!(server.refused_with().await, 503);
    assert_eq!(server.refused_with().await, 503);
    server.connect().await.settle().await;
    assert_eq!(server.stats().await["fault"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unauthorized_upgrades_get_401() {
    let server = start().await;
    fault(&server, json!({ "kind": "unauthorized" })).await;
    assert_eq!(server.refused_with().await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reset_connections_never_get_an_answer() {
    let server = start().await;
    fault(&server, json!({ "kind": "reset", "times": 1 })).await;
    let error = open(server.wire, "/ws").await.unwrap_err();
    assert!(is_reset(&error), "{error}");
    let stats = server.stats().await;
    assert_eq!(
        (&stats["attempts"], &stats["total"]),
        (&json!(1), &json!(0))
    );
    server.connect().await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_connections_are_closed_with_the_code() {
    let server = start().await;
    fault(&server, json!({ "kind": "accept-then-close" })).await;
    assert_eq!(server.connect().await.closed_with().await.0, 1011);
    fault(
        &server,
        json!({ "kind": "accept-then-close", "code": 4401 }),
    )
    .await;
    assert_eq!(server.connect().await.closed_with().await.0, 4401);
    let stats = server.wait("live=0").await;
    assert_eq!(stats["total"], 2);
    assert_eq!(stats["closes"][1]["code"], 4401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_connection_is_not_read_until_it_is_let_go() {
    let server = start().await;
    let mut hung = server.connect().await;
    fault(&server, json!({ "kind": "hang", "scope": "live" })).await;
    let mut well = server.connect().await;
    hung.send("ping").await;
    hung.send("hello").await;
    well.settle().await;
    let stats = server.stats().await;
    assert_eq!(stats["received"], 1, "the hung one was read");
    assert_eq!(stats["hung"], 1);
    assert_eq!(stats["connections"][0]["hung"], true);

    // Nor is it written: this waits in the server.
    server.post("broadcast", json!({ "text": "all" })).await;
    assert_eq!(well.text().await, "all");
    assert_eq!(server.stats().await["connections"][0]["sent"], 0);

    fault(&server, json!({ "kind": "none" })).await;
    let mut texts = [hung.text().await, hung.text().await, hung.text().await];
    texts.sort();
    assert_eq!(texts, ["all", "hello", "pong"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_connection_answers_no_close_and_stays_open() {
    let server = start().await;
    let mut hung = server.connect().await;
    fault(&server, json!({ "kind": "hang" })).await;
    let answer = server.post("close", json!({ "code": 4000 })).await;
    assert_eq!(answer, json!({ "asked": 1, "closed": 0 }));
    assert_eq!(server.stats().await["live"], 1);
    fault(&server, json!({ "kind": "none" })).await;
    assert_eq!(hung.closed_with().await.0, 4000);
    server.wait("live=0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hung_connection_can_be_cut() {
    let server = start().await;
    let mut hung = server.connect().await;
    fault(&server, json!({ "kind": "hang" })).await;
    server.post("reset", json!({})).await;
    let error = hung.broken().await;
    assert!(is_reset(&error), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_connection_that_hangs_gets_its_answer_when_let_go() {
    let server = start().await;
    fault(&server, json!({ "kind": "hang", "scope": "new" })).await;
    let (mut client, ()) = tokio::join!(server.connect(), async {
        let stats = server.wait("attempts=1").await;
        assert_eq!((&stats["upgrades"], &stats["live"]), (&json!(0), &json!(0)));
        fault(&server, json!({ "kind": "none" })).await;
    });
    client.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_goes_for_plain_requests_on_the_wire_too() {
    let server = start().await;
    fault(&server, json!({ "kind": "hang", "times": 1 })).await;
    let (health, ()) = tokio::join!(
        request(server.wire, "GET", "/api/v1/public/health", ""),
        async {
            server.wait("attempts=1").await;
            server.post("reset", json!({})).await;
        }
    );
    assert_eq!(
        health.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_new_and_of_live_connections_are_independent() {
    let server = start().await;
    let mut hung = server.connect().await;
    fault(&server, json!({ "kind": "hang", "scope": "live" })).await;
    fault(&server, json!({ "kind": "refuse" })).await;
    assert_eq!(server.refused_with().await, 503);
    assert_eq!(server.stats().await["hung"], 1);
    fault(&server, json!({ "kind": "none", "scope": "new" })).await;
    server.connect().await.settle().await;
    assert_eq!(server.stats().await["hung"], 1);
    fault(&server, json!({ "kind": "none", "scope": "live" })).await;
    hung.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_holds_frames_back_each_way_and_keeps_their_order() {
    let server = start().await;
    let mut client = server.connect().await;
    fault(&server, json!({ "kind": "delay", "delay_ms": 100 })).await;
    let begun = Instant::now();
    let texts: Vec<String> = (0..50).map(|n| format!("message {n}")).collect();
    for text in &texts {
        client.send(text).await;
    }
    for text in &texts {
        assert_eq!(client.text().await, *text);
    }
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(
        took < Duration::from_secs(5),
        "one after the other: {took:?}"
    );

    client.send("held back").await;
    let begun = Instant::now();
    client.0.close(None).await.unwrap();
    assert!(client.message().await.is_close());
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(100), "{took:?}");
    assert_eq!(
        server.wait("live=0").await["received"],
        51,
        "the close overtook a frame"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_that_is_held_back_is_not_answered_along_with_a_frame_before_it() {
    let server = start().await;
    let mut client = server.connect().await;
    fault(&server, json!({ "kind": "delay", "delay_ms": 100 })).await;
    client.send("before").await;
    fault(&server, json!({ "kind": "delay", "delay_ms": 400 })).await;
    let begun = Instant::now();
    client.0.close(None).await.unwrap();
    while !client.message().await.is_close() {}
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(400), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_after_a_delay_do_not_overtake_those_held_back_on_their_way_in() {
    let server = start().await;
    let mut client = server.connect().await;
    let delay = json!({ "kind": "delay", "delay_ms": 100, "scope": "live" });
    fault(&server, delay).await;
    client.send("first").await;
    // While this one gets its answer, the server has taken in the frame before it.
    server.connect().await.settle().await;
    fault(&server, json!({ "kind": "none" })).await;
    client.send("second").await;
    server.wait("received=3").await;
    let mut texts = server.received().await;
    texts.retain(|text| text != "ping");
    assert_eq!(texts, ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_after_a_delay_do_not_overtake_those_held_back_on_their_way_out() {
    let server = start().await;
    let mut client = server.connect().await;
    fault(&server, json!({ "kind": "delay", "delay_ms": 100 })).await;
    server.post("broadcast", json!({ "text": "first" })).await;
    fault(&server, json!({ "kind": "none" })).await;
    server.post("broadcast", json!({ "text": "second" })).await;
    assert_eq!(client.text().await, "first");
    assert_eq!(client.text().await, "second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_of_new_connections_leaves_the_live_ones_alone() {
    let server = start().await;
    let mut live = server.connect().await;
    fault(
        &server,
        json!({ "kind": "delay", "delay_ms": 60, "scope": "new" }),
    )
    .await;
    let mut slow = server.connect().await;
    let begun = Instant::now();
    slow.send("ping").await;
    live.settle().await;
    assert_eq!(slow.text().await, "pong");
    assert!(begun.elapsed() >= Duration::from_millis(120));
}
