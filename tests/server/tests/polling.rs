//! What stands in for a socket without a stream: polls, the newest event, and frames that are posted.

mod common;

use common::{Fixture, Reply, request, request_with, start};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn get(server: &Fixture, target: &str, headers: &[(&str, &str)]) -> Reply {
    let reply = request_with(server.wire, "GET", target, headers, "").await;
    reply.unwrap()
}

async fn send(server: &Fixture, text: &str) {
    let reply = request(server.wire, "POST", "/send", text).await.unwrap();
    assert_eq!((reply.status, reply.text()), (204, ""), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_has_all_after_the_last_event() {
    let server = start().await;
    let reply = get(&server, "/poll", &[]).await;
    assert_eq!(reply.text(), "id: 0\n\n");
    assert_eq!(reply.header("content-type"), "text/event-stream");
    assert_eq!(reply.header("cache-control"), "no-store");
    let texts = json!({ "texts": ["a", "b\nc"] });
    server.post("broadcast", texts).await;
    let reply = get(&server, "/poll", &[("last-event-id", "0")]).await;
    assert_eq!(
        reply.text(),
        "id: 1\ndata: a\n\nid: 2\ndata: b\ndata: c\n\n"
    );
    assert_eq!(reply.header("etag"), "\"2\"");
    let reply = get(&server, "/poll", &[("last-event-id", "2")]).await;
    assert_eq!((reply.status, reply.text()), (200, ""));
    assert_eq!(get(&server, "/poll", &[]).await.text(), "id: 2\n\n");
    let reply = get(&server, "/poll", &[("last-event-id", "9")]).await;
    assert!(
        reply
            .text()
            .starts_with("id: 0\nevent: reset\ndata:\n\nid: 1\n")
    );
    assert_eq!(server.wait("polls=5").await["polls"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_of_topics_moves_past_the_others() {
    let server = start().await;
    for topic in ["a", "b"] {
        server.post("publish", json!({ "topic": topic })).await;
    }
    let reply = get(&server, "/poll?topics=a", &[("last-event-id", "0")]).await;
    let events: Vec<_> = reply.text().split_terminator("\n\n").collect();
    assert!(events[0].starts_with("id: 1\ndata: {"), "{events:?}");
    assert_eq!(events[1..], ["id: 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_already_is_not_sent_again() {
    let server = start().await;
    server.post("broadcast", json!({ "text": "a" })).await;
    for target in ["/poll", "/latest"] {
        for (known, status) in [
            ("\"1\"", 304),
            ("\"0\", W/\"1\"", 304),
            ("*", 304),
            ("\"0\"", 200),
        ] {
            let reply = get(&server, target, &[("if-none-match", known)]).await;
            assert_eq!(reply.status, status, "{target} {known}");
            assert_eq!(reply.header("etag"), "\"1\"");
        }
    }
    server.post("broadcast", json!({ "text": "b" })).await;
    let known = [("if-none-match", "\"1\""), ("last-event-id", "1")];
    assert_eq!(
        get(&server, "/poll", &known).await.text(),
        "id: 2\ndata: b\n\n"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_event_is_there_verbatim() {
    let server = start().await;
    let reply = get(&server, "/latest", &[]).await;
    assert_eq!((reply.status, reply.text()), (204, ""));
    let texts = json!({ "texts": ["{\"n\": 1}", "{\"n\":  2e0}\n"] });
    server.post("broadcast", texts).await;
    let reply = get(&server, "/latest", &[]).await;
    assert_eq!(reply.text(), "{\"n\":  2e0}\n");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("etag"), "\"2\"");
    assert_eq!(server.stats().await["polls"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posted_frames_do_what_they_do_on_a_socket() {
    let server = start().await;
    let mut client = server.connect().await;
    let mut subscriber = server.subscriber("t").await;

    send(&server, r#"{"type":"broadcast","data":7}"#).await;
    assert_eq!(client.json().await["data"], 7);
    send(&server, r#"{"type":"publish","topic":"t","data":8}"#).await;
    assert_eq!(
        subscriber.json().await,
        json!({ "type": "message", "topic": "t", "seq": 1, "data": 8 })
    );
    let stats = server.wait("posted=2").await;
    assert_eq!(
        (&stats["posted"], &stats["received"]),
        (&json!(2), &json!(3))
    );
    let events = get(&server, "/poll", &[("last-event-id", "0")]).await;
    assert_eq!(events.header("etag"), "\"2\"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posted_frames_are_recorded_without_a_connection() {
    let server = start().await;
    for text in ["ping", r#"{"type":"ping","id":1}"#, "", "hello"] {
        send(&server, text).await;
    }
    send(&server, r#"{"type":"tabs","count":3}"#).await;
    server.wait("tabs=3&posted=5").await;
    let page = server.get("/control/received").await.json();
    let frames: Vec<Value> = page["frames"].as_array().unwrap().clone();
    assert_eq!(frames.len(), 5);
    assert_eq!(
        frames[1],
        json!({ "conn": 0, "text": "{\"type\":\"ping\",\"id\":1}" })
    );
    assert_eq!(get(&server, "/latest", &[]).await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posted_bodies_are_text_of_at_most_a_mebibyte() {
    let server = start().await;
    let most = "x".repeat(1 << 20);
    send(&server, &most).await;
    let more = format!("{most}x");
    let reply = request(server.wire, "POST", "/send", &more).await.unwrap();
    assert_eq!(reply.status, 413);
    let mut stream = TcpStream::connect(server.wire).await.unwrap();
    let head =
        b"POST /send HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\nconnection: close\r\n\r\n\xff";
    stream.write_all(head).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400"));
    assert_eq!(server.stats().await["posted"], 1);
}
