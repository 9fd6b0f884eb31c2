//! Stopping and starting the wire.

mod common;

use std::io::ErrorKind;

use common::{is_reset, open, start};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_wire_refuses_connections_and_resets_those_it_had() {
    let server = start().await;
    let mut client = server.connect().await;
    let mut idle = TcpStream::connect(server.wire).await.unwrap();
    server.wait("attempts=2").await;
    assert_eq!(
        server.post("stop", json!({})).await,
        json!({ "listening": false })
    );
    let stats = server.stats().await;
    assert_eq!(
        (&stats["live"], &stats["listening"]),
        (&json!(0), &json!(false))
    );
    let error = client.broken().await;
    assert!(is_reset(&error), "{error}");
    let error = tokio::io::AsyncReadExt::read(&mut idle, &mut [0]).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::ConnectionReset);
    for _ in 0..3 {
        let error = TcpStream::connect(server.wire).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    assert_eq!(server.stats().await["attempts"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_started_wire_listens_on_its_old_port() {
    let server = start().await;
    for round in 1..=5 {
        let _client = server.connect().await;
        server.post("stop", json!({})).await;
        let error = open(server.wire, "/ws").await.unwrap_err();
        assert!(
            matches!(&error, Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused),
            "{error}"
        );
        let answer = server.post("start", json!({})).await;
        assert_eq!(answer, json!({ "listening": true }));
        server.connect().await.settle().await;
        assert_eq!(server.stats().await["total"], 2 * round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_and_starting_twice_changes_nothing() {
    let server = start().await;
    server.post("start", json!({})).await;
    let mut client = server.connect().await;
    server.post("start", json!({})).await;
    client.settle().await;
    server.post("stop", json!({})).await;
    server.post("stop", json!({})).await;
    server.post("start", json!({})).await;
    server.connect().await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_down_at_once_and_comes_back_by_itself() {
    let server = start().await;
    let mut client = server.connect().await;
    let answer = server.post("restart", json!({ "down_ms": 50 })).await;
    assert_eq!(answer, json!({ "listening": false }));
    let error = client.broken().await;
    assert!(is_reset(&error), "{error}");
    server.wait("listening=true").await;
    server.connect().await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_does_not_undo_a_later_stop() {
    let server = start().await;
    server.post("restart", json!({ "down_ms": 40 })).await;
    server.post("stop", json!({})).await;
    let reply = server.get("/control/wait?listening=true&timeout=120").await;
    assert_eq!(reply.status, 408);
}
