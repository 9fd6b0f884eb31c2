//! The prices that the server makes up.

mod common;

use std::time::Duration;

use common::{Client, Fixture, start_with};
use serde_json::{Value, json};
use tabwire_server::Options;

async fn start(period: Duration) -> Fixture {
    start_with(Options {
        prices: Some(period),
        ..Options::default()
    })
    .await
}

async fn ask(client: &mut Client, frame: Value) -> Value {
    client.send(&frame.to_string()).await;
    client.json().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_a_price_gets_the_last_one_behind_the_answer_and_a_position_before_it() {
    // After the openings no price comes in this test.
    let server = start(Duration::from_secs(3600)).await;
    let mut client = server.open("/ws/topics").await;
    let topics = ["prices.BTC", "prices.EUR", "prices.NOBODY"];
    let answer = ask(
        &mut client,
        json!({"type": "subscribe", "id": 1, "topics": topics}),
    )
    .await;
    assert_eq!(answer["positions"]["prices.NOBODY"], 0);
    for topic in &topics[..2] {
        let price = client.json().await;
        assert_eq!(price["topic"], *topic);
        assert_eq!(
            price["seq"].as_u64().unwrap(),
            answer["positions"][topic].as_u64().unwrap() + 1
        );
        assert!(price["data"]["price"].as_f64().unwrap() > 0.0);
    }
    // It goes on after a position, and gets nothing twice.
    let at = json!({"prices.BTC": answer["positions"]["prices.BTC"].as_u64().unwrap() + 1});
    let resumed = ask(
        &mut client,
        json!({"type": "resume", "id": 2, "positions": at}),
    )
    .await;
    assert_eq!(resumed["positions"], at);
    assert_eq!(
        ask(&mut client, json!({"type": "ping"})).await,
        json!({"type": "pong"})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_go_on_and_every_server_tells_the_same_story() {
    let mut stories = Vec::new();
    for _ in 0..2 {
        let server = start(Duration::from_millis(10)).await;
        let mut client = server.open("/ws/topics").await;
        // Wherever it was when the client came: from the opening on.
        let answer = ask(
            &mut client,
            json!({"type": "resume", "id": 1, "positions": {"prices.BTC": 0}}),
        )
        .await;
        assert_eq!(answer["recovered"], json!({"prices.BTC": true}));
        let mut story = Vec::new();
        while story.len() < 10 {
            story.push(client.json().await);
        }
        stories.push(story);
    }
    assert_eq!(stories[0], stories[1]);
    assert_eq!(
        stories[0][0]["data"],
        json!({"price": 91250.0, "open": 91250.0})
    );
    assert_ne!(stories[0][0]["data"], stories[0][9]["data"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_names_the_symbols() {
    let server = start(Duration::from_secs(3600)).await;
    let config = server.get("/config.json").await.json();
    assert_eq!(config["prices"][0], "BTC");
    assert_eq!(config["prices"].as_array().unwrap().len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_speaks_of_topics_can_tell_the_number_of_tabs() {
    let server = start(Duration::from_secs(3600)).await;
    let mut client = server.open("/ws/topics").await;
    for frame in [
        json!({"type": "tabs", "count": 7}),
        json!({"type": "tabs", "count": -1}),
    ] {
        client.send(&frame.to_string()).await;
    }
    assert_eq!(
        ask(&mut client, json!({"type": "ping"})).await,
        json!({"type": "pong"})
    );
    assert_eq!(server.stats().await["tabs"], 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_of_the_pipeline_can_be_asked_for() {
    let server = start(Duration::from_secs(3600)).await;
    let reply = server.get("/api/v1/public/pipeline-status").await;
    assert_eq!(reply.header("content-type"), "application/json");
    let report = reply.json();
    assert_eq!(report["type"], "pipeline_status");
    assert!(report["timestamp"].is_string() && report["data"]["throughput"].is_number());
}
