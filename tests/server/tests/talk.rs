//! What the WebSockets and the health routes of the wire answer.

mod common;

use common::{exchange, request, start};
use futures_util::SinkExt;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Bytes, Message};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_are_answered() {
    let server = start().await;
    let mut client = server.connect().await;
    client.send("ping").await;
    assert_eq!(client.text().await, "pong");
    client.send(r#"{"type":"ping","id":7}"#).await;
    assert_eq!(client.text().await, r#"{"type":"pong","id":7}"#);
    client.send(r#"{"type":"ping"}"#).await;
    assert_eq!(client.text().await, r#"{"type":"pong"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anything_else_is_echoed_verbatim() {
    let server = start().await;
    let mut client = server.connect().await;
    for text in ["hello", "", "{ \"type\": \"chat\" }", "{broken", "näh…"] {
        client.send(text).await;
        assert_eq!(client.text().await, text);
    }
    let bytes = Message::Binary(Bytes::from_static(&[0, 255, 7]));
    client.0.send(bytes.clone()).await.unwrap();
    assert_eq!(client.message().await, bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_megabytes_is_echoed() {
    let server = start().await;
    let mut client = server.connect().await;
    let text = "0123456789abcdef".repeat(200_000);
    client.send(&text).await;
    assert!(client.text().await == text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_reaches_every_talking_connection() {
    let server = start().await;
    let mut sender = server.connect().await;
    let mut other = server.open("/ws?mode=raw").await;
    let mut silent = server.open("/ws?mode=silent").await;
    sender
        .send(r#"{"type":"broadcast","data":{"a":[1,null]}}"#)
        .await;
    for client in [&mut sender, &mut other] {
        let message = client.json().await;
        assert_eq!(message["type"], "broadcast");
        assert_eq!(message["data"], json!({ "a": [1, null] }));
        assert_eq!(message["timestamp"].as_str().unwrap().len(), 24);
    }
    server.post("broadcast", json!({ "text": "end" })).await;
    assert_eq!(silent.text().await, "end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_of_tabs_is_remembered_and_not_answered() {
    let server = start().await;
    let mut client = server.connect().await;
    client.send(r#"{"type":"tabs","count":10}"#).await;
    client.settle().await;
    assert_eq!(server.wait("tabs=10").await["tabs"], 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raw_connection_echoes_even_pings() {
    let server = start().await;
    let mut client = server.open("/ws?mode=raw").await;
    for text in ["ping", r#"{"type":"ping"}"#, r#"{"type":"broadcast"}"#] {
        client.send(text).await;
        assert_eq!(client.text().await, text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_connection_records_and_says_nothing() {
    let server = start().await;
    let mut client = server.open("/ws?mode=silent").await;
    client.send("ping").await;
    client.send("hello").await;
    server.wait("received=2").await;
    let order = json!({ "code": 4000 });
    let (_, closed) = tokio::join!(server.post("close", order), client.closed_with());
    assert_eq!(closed, (4000, String::new()));
    assert_eq!(server.received().await, ["ping", "hello"]);
    assert_eq!(server.stats().await["sent"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_subprotocol_offered_is_taken() {
    let server = start().await;
    let mut request = format!("ws://{}/ws?a=b", server.wire)
        .into_client_request()
        .unwrap();
    let offered = "zeta, alpha".parse().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", offered);
    let stream = TcpStream::connect(server.wire).await.unwrap();
    let (_socket, response) = client_async(request, stream).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "zeta");
    let connection = &server.stats().await["connections"][0];
    assert_eq!(connection["protocol"], "zeta");
    assert_eq!(connection["path"], "/ws");
    assert_eq!(connection["query"], "a=b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pipeline_reports_at_once_and_at_intervals_and_answers_in_between() {
    let server = start().await;
    let mut client = server.open("/ws/monitoring/pipeline-status?every=20").await;
    for _ in 0..3 {
        let report = client.json().await;
        assert_eq!(report["type"], "pipeline_status");
        assert!(report["timestamp"].is_string());
        assert!(report["data"]["throughput"].is_number());
    }
    client.send("hello").await;
    client.send("ping").await;
    loop {
        let text = client.text().await;
        if text == "pong" {
            break;
        }
        assert!(text.contains("pipeline_status"), "{text}");
    }
    client.close().await;
    server.wait("live=0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pipeline_answers_before_its_second_report_by_default() {
    let server = start().await;
    let mut client = server.open("/ws/monitoring/pipeline-status").await;
    assert_eq!(client.json().await["type"], "pipeline_status");
    client.settle().await;
    client.close().await;
    server.wait("live=0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_statistics_are_told_to_pages_of_every_origin() {
    let server = start().await;
    let _client = server.connect().await;
    for (path, key, value) in [
        ("/api/v1/public/health", "status", json!("healthy")),
        ("/api/v1/websocket/health", "status", json!("healthy")),
        ("/api/v1/websocket/stats", "active_connections", json!(1)),
    ] {
        let reply = request(server.wire, "GET", path, "").await.unwrap();
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.json()[key], value, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preflight_is_granted() {
    let server = start().await;
    let preflight = "OPTIONS /api/v1/public/health HTTP/1.1\r\nhost: a\r\norigin: http://b\r\n\
                     access-control-request-method: GET\r\naccess-control-request-headers: x-token\r\n\
                     connection: close\r\n\r\n";
    let reply = exchange(server.wire, preflight).await.unwrap();
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-headers"), "x-token");
}
