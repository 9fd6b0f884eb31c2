//! What the server does for those who ask for topics.

mod common;

use common::{Client, start};
use serde_json::{Value, json};

async fn say(client: &mut Client, frame: Value) {
    client.send(&frame.to_string()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_goes_to_those_who_asked_for_it() {
    let server = start().await;
    let mut one = server.open("/ws/topics").await;
    let mut other = server.open("/ws/topics?speak=rpc").await;
    say(
        &mut one,
        json!({"type": "subscribe", "id": 1, "topics": ["a", "b"]}),
    )
    .await;
    assert_eq!(
        one.json().await,
        json!({"type": "answer", "id": 1, "data": null, "positions": {"a": 0, "b": 0}})
    );
    let subscribe =
        json!({"jsonrpc": "2.0", "id": "x", "method": "subscribe", "params": {"topics": ["b"]}});
    say(&mut other, subscribe).await;
    assert_eq!(
        other.json().await,
        json!({"jsonrpc": "2.0", "id": "x", "result": null})
    );
    assert_eq!(
        server
            .post("publish", json!({"topic": "a", "data": 1}))
            .await,
        json!({"sent": 1})
    );
    say(
        &mut one,
        json!({"type": "publish", "topic": "b", "data": [2]}),
    )
    .await;
    assert_eq!(
        one.json().await,
        json!({"type": "message", "topic": "a", "seq": 1, "data": 1})
    );
    assert_eq!(
        one.json().await,
        json!({"type": "message", "topic": "b", "seq": 1, "data": [2]})
    );
    let event = json!({"jsonrpc": "2.0", "method": "event", "params": {"topic": "b", "data": [2]}});
    assert_eq!(other.json().await, event);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_twice_or_given_back_unasked_is_counted() {
    let server = start().await;
    let mut client = server.open("/ws/topics").await;
    for topics in [json!(["a"]), json!(["a", "b"])] {
        say(
            &mut client,
            json!({"type": "subscribe", "id": 1, "topics": topics}),
        )
        .await;
        client.json().await;
    }
    say(
        &mut client,
        json!({"type": "unsubscribe", "id": 2, "topics": ["a", "c"]}),
    )
    .await;
    client.json().await;
    let report = server.get("/control/topics").await.json();
    assert_eq!(report["connections"], json!([{"id": 1, "topics": ["b"]}]));
    assert_eq!(
        report["counts"],
        json!({"subscribed": 3, "unsubscribed": 2, "duplicates": 1, "strays": 1, "resumed": 0})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forbidden_topics_and_too_many_are_refused() {
    let server = start().await;
    let mut client = server.open("/ws/topics?speak=pubsub").await;
    let listen = |nonce: &str, topics: Value| json!({"type": "LISTEN", "nonce": nonce, "data": {"topics": topics}});
    let many: Vec<_> = (0..50).map(|number| format!("t{number}")).collect();
    for (topics, error) in [
        (json!(["forbidden.a"]), "forbidden: forbidden.a"),
        (json!(many), ""),
        (json!(["t1"]), ""),
        (json!(["t50"]), "too many topics"),
    ] {
        say(&mut client, listen("n", topics)).await;
        assert_eq!(
            client.json().await,
            json!({"type": "RESPONSE", "nonce": "n", "error": error})
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_answered_with_their_data_or_with_the_error_in_it() {
    let server = start().await;
    let mut client = server.open("/ws/topics").await;
    say(
        &mut client,
        json!({"type": "request", "id": 0, "data": "nothing"}),
    )
    .await;
    say(
        &mut client,
        json!({"type": "request", "id": 1, "data": {"a": 1}}),
    )
    .await;
    assert_eq!(
        client.json().await,
        json!({"type": "answer", "id": 1, "data": {"a": 1}})
    );
    say(
        &mut client,
        json!({"type": "request", "id": 2, "data": {"fail": 7}}),
    )
    .await;
    assert_eq!(
        client.json().await,
        json!({"type": "answer", "id": 2, "error": 7})
    );
    let mut rpc = server.open("/ws/topics?speak=rpc").await;
    say(
        &mut rpc,
        json!({"jsonrpc": "2.0", "id": 3, "method": "dance"}),
    )
    .await;
    assert_eq!(rpc.json().await["error"]["code"], -32601);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_published_after_a_position_is_sent_again_as_long_as_it_is_kept() {
    let server = start().await;
    for number in 1..=101 {
        server
            .post("publish", json!({"topic": "long", "data": number}))
            .await;
    }
    for number in 1..=3 {
        server
            .post("publish", json!({"topic": "short", "data": number}))
            .await;
    }
    let mut client = server.open("/ws/topics").await;
    say(
        &mut client,
        json!({"type": "resume", "id": 1, "positions": {"long": 0, "short": 1}}),
    )
    .await;
    assert_eq!(
        client.json().await,
        json!({
            "type": "answer", "id": 1, "data": null,
            "positions": {"long": 101, "short": 3},
            "recovered": {"long": false, "short": true},
        })
    );
    for seq in 2..=3 {
        assert_eq!(
            client.json().await,
            json!({"type": "message", "topic": "short", "seq": seq, "data": seq})
        );
    }
}
