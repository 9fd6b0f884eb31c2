//! The stream of events.

mod common;

use common::stream::Stream;
use common::{Fixture, start};
use serde_json::{Value, json};

async fn broadcast(server: &Fixture, text: &str) {
    server.post("broadcast", json!({ "text": text })).await;
}

async fn publish(server: &Fixture, topic: &str, data: Value) {
    let order = json!({ "topic": topic, "data": data });
    server.post("publish", order).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_begins_with_where_it_stands_and_goes_on_from_there() {
    let server = start().await;
    broadcast(&server, "before").await;
    let mut stream = Stream::open(server.wire, "/events", None).await;
    assert!(stream.head.starts_with("HTTP/1.0 200"), "{}", stream.head);
    assert!(stream.head.contains("content-type: text/event-stream\n"));
    assert!(stream.head.contains("cache-control: no-cache\n"));
    assert!(stream.head.contains("access-control-allow-origin: *\n"));
    assert_eq!(stream.event().await, "id: 1\n");
    broadcast(&server, "one").await;
    broadcast(&server, "two\nlines\r\nand\rmore").await;
    assert_eq!(stream.event().await, "id: 2\ndata: one\n");
    assert_eq!(
        stream.event().await,
        "id: 3\ndata: two\ndata: lines\ndata: and\ndata: more\n"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_comes_back_gets_what_it_has_missed() {
    let server = start().await;
    for text in ["a", "b", "c"] {
        broadcast(&server, text).await;
    }
    let mut stream = Stream::open(server.site, "/events", Some("1")).await;
    assert_eq!(stream.event().await, "id: 2\ndata: b\n");
    assert_eq!(stream.event().await, "id: 3\ndata: c\n");
    broadcast(&server, "d").await;
    assert_eq!(stream.event().await, "id: 4\ndata: d\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_last_event_is_not_known_is_told_and_gets_all() {
    let server = start().await;
    broadcast(&server, "a").await;
    for unknown in ["17", "x1"] {
        let mut stream = Stream::open(server.wire, "/events", Some(unknown)).await;
        assert_eq!(stream.event().await, "id: 0\nevent: reset\ndata:\n");
        assert_eq!(stream.event().await, "id: 1\ndata: a\n");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_broadcast_or_published_is_an_event_as_others_get_it() {
    let server = start().await;
    let mut client = server.connect().await;
    let mut subscriber = server.subscriber("t").await;
    let mut stream = Stream::open(server.wire, "/events", Some("0")).await;

    client
        .send(r#"{"type":"broadcast","data":{"n": 1e2}}"#)
        .await;
    let heard = client.text().await;
    assert_eq!(stream.event().await, format!("id: 1\ndata: {heard}\n"));
    publish(&server, "t", json!([1])).await;
    let heard = subscriber.text().await;
    assert_eq!(stream.event().await, format!("id: 2\ndata: {heard}\n"));
    let frame = json!({ "type": "publish", "topic": "t", "data": 2 });
    subscriber.send(&frame.to_string()).await;
    let heard = subscriber.text().await;
    assert_eq!(stream.event().await, format!("id: 3\ndata: {heard}\n"));
    server.post("flood", json!({ "count": 1 })).await;
    broadcast(&server, "after").await;
    assert_eq!(stream.event().await, "id: 4\ndata: after\n", "no flood");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_topics_has_no_others_but_broadcasts() {
    let server = start().await;
    let target = "/events?topics=a,b&retry=250";
    let mut stream = Stream::open(server.wire, target, Some("0")).await;
    assert_eq!(stream.event().await, "retry: 250\n");
    publish(&server, "c", json!(1)).await;
    broadcast(&server, "all").await;
    publish(&server, "d", json!(1)).await;
    publish(&server, "b", json!(1)).await;
    assert_eq!(stream.event().await, "id: 2\ndata: all\n");
    let event = stream.event().await;
    let data = event.strip_prefix("id: 4\ndata: ").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        data,
        json!({ "type": "message", "topic": "b", "seq": 1, "data": 1 })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_live_until_its_client_is_gone() {
    let server = start().await;
    let first = Stream::open(server.wire, "/events", None).await;
    let second = Stream::open(server.site, "/events", None).await;
    assert_eq!(server.stats().await["streams"], 2);
    drop(first);
    server.wait("streams=1").await;
    drop(second);
    server.wait("streams=0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_connection() {
    let server = start().await;
    let mut kept = Stream::open(server.site, "/events", Some("0")).await;
    let _cut = Stream::open(server.wire, "/events", None).await;
    server.post("drop", json!({})).await;
    server.wait("streams=1").await;
    broadcast(&server, "on").await;
    assert_eq!(kept.event().await, "id: 1\ndata: on\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_log_comes_whole() {
    let server = start().await;
    let texts: Vec<_> = (1..=5000)
        .map(|n| format!("{n} {}", "x".repeat(100)))
        .collect();
    server.post("broadcast", json!({ "texts": texts })).await;
    let mut stream = Stream::open(server.wire, "/events", Some("0")).await;
    for n in 1..=5000 {
        let event = stream.event().await;
        assert!(event.starts_with(&format!("id: {n}\ndata: {n} x")), "{n}");
    }
}
