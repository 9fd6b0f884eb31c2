//! Counting, waiting, reading back, broadcasting and closing.

mod common;

use common::{Fixture, is_plain_end, is_reset, start, start_with};
use futures_util::SinkExt;
use serde_json::{Value, json};
use std::time::Duration;
use tabwire_server::Options;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};

async fn last_close(server: &Fixture) -> Value {
    let closes = server.wait("live=0").await["closes"].clone();
    closes.as_array().unwrap().last().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_counted() {
    let server = start().await;
    let first = server.connect().await;
    let mut second = server.connect().await;
    second.settle().await;
    first.close().await;
    let stats = server.wait("live=1").await;
    assert_eq!(stats["total"], 2);
    assert_eq!(stats["peak"], 2);
    assert_eq!(stats["attempts"], 2);
    assert_eq!(stats["upgrades"], 2);
    assert_eq!(stats["refused"], 0);
    assert_eq!(stats["received"], 1);
    assert_eq!(stats["sent"], 1);
    assert_eq!(stats["listening"], true);
    let connection = &stats["connections"][0];
    assert_eq!(connection["id"], 2);
    assert_eq!(connection["received"], 1);
    assert_eq!(connection["sent"], 1);
    assert_eq!(connection["hung"], false);
    assert!(connection["age_ms"].is_number());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_connection_is_counted_when_its_client_learns_of_it() {
    let server = start().await;
    for live in 1..=20 {
        let client = server.connect().await;
        assert_eq!(server.stats().await["live"], 1, "number {live}");
        client.close().await;
        assert_eq!(server.stats().await["live"], 0, "number {live}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_ends_when_its_condition_comes_true() {
    let server = start().await;
    let ((), stats) = tokio::join!(
        async {
            let mut client = server.connect().await;
            client.settle().await;
            client.close().await;
        },
        server.wait("live=0&total=1&received=1&sent=1&attempts=1&timeout=60000")
    );
    assert_eq!(stats["total"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_is_given_up_with_408_and_the_statistics() {
    let server = start().await;
    let reply = server.get("/control/wait?live=3&timeout=1").await;
    assert_eq!(reply.status, 408);
    assert_eq!(reply.json()["live"], 0);
    assert_eq!(server.get("/control/wait?lief=3").await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_received_can_be_read_in_pages() {
    let server = start().await;
    let mut client = server.open("/ws?mode=raw").await;
    for text in ["a", "b", "c"] {
        client.send(text).await;
    }
    let bytes = Message::Binary(Bytes::from_static(&[1, 2, 255]));
    client.0.send(bytes).await.unwrap();
    server.wait("received=4").await;
    assert_eq!(
        server.get("/control/received?from=1&limit=2").await.json(),
        json!({ "from": 1, "total": 4, "dropped": 0, "frames": [
            { "conn": 1, "text": "b" },
            { "conn": 1, "text": "c" },
        ] })
    );
    assert_eq!(
        server.get("/control/received?from=3").await.json()["frames"],
        json!([{ "conn": 1, "bytes": "AQL/" }])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_reaches_every_connection_in_order() {
    let server = start().await;
    let mut first = server.connect().await;
    let mut second = server.open("/ws?mode=silent").await;
    let texts = json!({ "texts": ["1", "{\"type\":\"ping\"}", "3"] });
    assert_eq!(server.post("broadcast", texts).await["connections"], 2);
    server.post("broadcast", json!({ "text": "4" })).await;
    for client in [&mut first, &mut second] {
        for text in ["1", "{\"type\":\"ping\"}", "3", "4"] {
            assert_eq!(client.text().await, text);
        }
    }
    assert_eq!(server.wait("sent=8").await["sent"], 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_is_done_when_it_is_answered() {
    let server = start().await;
    let mut clients = [server.connect().await, server.connect().await];
    let order = json!({ "code": 4001, "reason": "go" });
    let (answer, ()) = tokio::join!(server.post("close", order), async {
        for client in &mut clients {
            assert_eq!(client.closed_with().await, (4001, "go".into()));
        }
    });
    assert_eq!(answer, json!({ "asked": 2, "closed": 2 }));
    let stats = server.stats().await;
    assert_eq!(stats["live"], 0);
    assert_eq!(
        stats["closes"][0],
        json!({ "id": 1, "code": 4001, "reason": "go", "clean": true, "by": "server" })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_queued_before_a_close_is_sent_before_it() {
    let server = start().await;
    let mut client = server.connect().await;
    server.post("broadcast", json!({ "text": "last" })).await;
    let (_, ()) = tokio::join!(server.post("close", json!({})), async {
        assert_eq!(client.text().await, "last");
        assert_eq!(client.closed_with().await, (1000, String::new()));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_without_an_answer_ends_the_connection_uncleanly() {
    let server = start().await;
    let client = server.connect().await;
    let answer = server.post("close", json!({ "code": 1001 })).await;
    assert_eq!(answer, json!({ "asked": 1, "closed": 1 }));
    let close = last_close(&server).await;
    assert_eq!(
        (&close["code"], &close["clean"]),
        (&json!(1001), &json!(false))
    );
    drop(client);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_close_is_recorded_with_its_code() {
    let server = start().await;
    let mut client = server.connect().await;
    let frame = CloseFrame {
        code: 4321.into(),
        reason: "bye".into(),
    };
    client.0.close(Some(frame)).await.unwrap();
    assert_eq!(
        last_close(&server).await,
        json!({ "id": 1, "code": 4321, "reason": "bye", "clean": true, "by": "client" })
    );
    server.connect().await.close().await;
    assert_eq!(last_close(&server).await["code"], 1005);
    drop(server.connect().await);
    server.wait("total=3").await;
    assert_eq!(
        last_close(&server).await,
        json!({ "id": 3, "code": 1006, "reason": "", "clean": false, "by": "lost" })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_is_seen_as_a_reset() {
    let server = start().await;
    let mut client = server.connect().await;
    assert_eq!(server.post("reset", json!({})).await["connections"], 1);
    assert_eq!(server.stats().await["live"], 0);
    let error = client.broken().await;
    assert!(is_reset(&error), "{error}");
    let close = last_close(&server).await;
    assert_eq!(close["by"], "cut");
    server.connect().await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_is_seen_as_a_plain_end_even_with_unread_frames() {
    let server = start().await;
    let mut client = server.connect().await;
    server
        .post("fault", json!({ "kind": "hang", "scope": "live" }))
        .await;
    client.send("never read").await;
    assert_eq!(server.post("drop", json!({})).await["connections"], 1);
    assert_eq!(server.stats().await["live"], 0);
    let error = client.broken().await;
    assert!(is_plain_end(&error), "{error}");
    assert_eq!(server.stats().await["received"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_limit_are_refused_with_503() {
    let server = start_with(Options {
        max_connections: 2,
        ..Options::default()
    })
    .await;
    let first = server.connect().await;
    let _second = server.connect().await;
    assert_eq!(server.refused_with().await, 503);
    assert_eq!(server.stats().await["refused"], 1);
    first.close().await;
    server.connect().await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_the_maximum_age_is_closed() {
    let server = start_with(Options {
        max_age: Some(Duration::from_millis(30)),
        ..Options::default()
    })
    .await;
    let mut client = server.connect().await;
    assert_eq!(client.closed_with().await, (1001, "max age".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_order_is_answered_with_400_and_its_reason() {
    let server = start().await;
    for (control, body, part) in [
        ("broadcast", json!({}), "text"),
        ("close", json!({ "code": 1006 }), "1006"),
        ("close", json!({ "code": 999 }), "999"),
        ("close", json!({ "reason": "x".repeat(124) }), "123"),
        ("close", json!({ "kode": 1000 }), "kode"),
        ("fault", json!({}), "kind"),
        ("fault", json!({ "kind": "delay" }), "delay_ms"),
        ("fault", json!({ "kind": "hang", "times": 0 }), "times"),
        ("fault", json!({ "kind": "refuse", "scope": "live" }), "new"),
        (
            "fault",
            json!({ "kind": "half-open", "scope": "new" }),
            "live",
        ),
        ("tokens", json!({}), "mode"),
        ("tokens", json!({ "mode": "some" }), "some"),
        (
            "tokens",
            json!({ "mode": "required", "close": 1006 }),
            "1006",
        ),
        ("flood", json!({ "size": 1 }), "count"),
        ("flood", json!({ "count": 1, "rate": -1 }), "rate"),
        ("static", json!({ "path": "a", "mode": "ok" }), "slash"),
        ("static", json!({ "path": "/a", "mode": "no" }), "no"),
        (
            "static",
            json!({ "path": "/a", "headers": { "a b": "" } }),
            "headers",
        ),
    ] {
        let reply = server.try_post(control, body).await;
        assert_eq!(reply.status, 400, "{control}: {reply:?}");
        let error = reply.json()["error"].as_str().unwrap().to_string();
        assert!(error.contains(part), "{control}: {error}");
    }
    assert_eq!(server.get("/control/flood/9").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_vanishes_while_it_owes_reading_is_noticed() {
    let server = start().await;
    let mut client = server.open("/ws?mode=raw").await;
    let text = "x".repeat(64 << 10);
    // The server stops reading at 1024 echoes and what the socket takes in.
    let stands_still = async {
        let mut last = server.wait("received=1040").await["received"].clone();
        loop {
            let now = server.stats().await["received"].clone();
            if now == last {
                return;
            }
            last = now;
        }
    };
    tokio::select! {
        () = stands_still => {}
        () = async { loop { client.send(&text).await } } => {}
    }
    drop(client);
    server.wait("live=0").await;
}
