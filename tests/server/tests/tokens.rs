//! Which tokens the wire takes.

mod common;

use common::{Client, Fixture, start};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Opens `/ws` with subprotocols, and returns the client with the one agreed on.
async fn offer(server: &Fixture, protocols: &str) -> Result<(Client, String), Error> {
    let mut request = format!("ws://{}/ws", server.wire).into_client_request()?;
    let value = protocols.parse().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", value);
    let stream = TcpStream::connect(server.wire).await?;
    let (socket, response) = client_async(request, stream).await?;
    let agreed = response.headers()["sec-websocket-protocol"].to_str();
    Ok((Client(socket), agreed.unwrap().to_owned()))
}

fn with(token: &str) -> String {
    format!("/ws?access_token={token}")
}

async fn order(server: &Fixture, order: Value) -> Value {
    server.post("tokens", order).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_connection_shows_the_token_it_came_with() {
    let server = start().await;
    let _none = server.connect().await;
    let _query = server.open(&with("a%20b")).await;
    let (_among, agreed) = offer(&server, "access_token, c.d, chat").await.unwrap();
    assert_eq!(agreed, "chat");
    let (_alone, agreed) = offer(&server, "access_token, e").await.unwrap();
    assert_eq!(agreed, "access_token");
    let stats = server.stats().await;
    let tokens: Vec<_> = (0..4).map(|n| &stats["connections"][n]["token"]).collect();
    assert_eq!(json!(tokens), json!([null, "a b", "c.d", "e"]));
    assert_eq!(
        stats["tokens"],
        json!({ "mode": "off", "param": "access_token", "seen": 3 })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_tokens_get_401_until_any_is_taken_again() {
    let server = start().await;
    let mut live = server.open(&with("old")).await;
    order(&server, json!({ "mode": "refuse-known" })).await;
    assert_eq!(server.refused_at(&with("old")).await, 401);
    let refused = offer(&server, "access_token, old").await.unwrap_err();
    assert!(matches!(refused, Error::Http(response) if response.status() == 401));
    assert_eq!(server.refused_with().await, 401, "without a token");
    server.open(&with("new")).await.settle().await;
    server.open(&with("new")).await.settle().await;
    live.settle().await;
    let stats = server.wait("refused_tokens=3").await;
    assert_eq!(stats["refused"], 3);
    assert_eq!(stats["tokens"]["mode"], "refuse-known");

    order(&server, json!({ "mode": "refuse-known" })).await;
    assert_eq!(server.refused_at(&with("new")).await, 401);
    order(&server, json!({ "mode": "off" })).await;
    server.open(&with("old")).await.settle().await;
    server.connect().await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_connections_of_refused_tokens_are_closed_where_that_is_ordered() {
    let server = start().await;
    let mut known = server.open(&with("old")).await;
    let mut without = server.connect().await;
    let refuse = json!({ "mode": "refuse-known", "close": 4401 });
    let (answer, codes) = tokio::join!(order(&server, refuse), async {
        [known.closed_with().await.0, without.closed_with().await.0]
    });
    assert_eq!(codes, [4401, 4401]);
    assert_eq!(
        (&answer["asked"], &answer["closed"]),
        (&json!(2), &json!(2))
    );

    let mut fresh = server.open(&with("new")).await;
    let answer = order(&server, json!({ "mode": "required", "close": 4401 })).await;
    assert_eq!(answer["asked"], 0);
    fresh.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_required_token_may_be_any_and_may_have_another_name() {
    let server = start().await;
    let required = json!({ "mode": "required", "param": "ticket" });
    order(&server, required).await;
    assert_eq!(server.refused_at(&with("a")).await, 401);
    server.open("/ws?ticket=a").await.settle().await;
    server.open("/ws?ticket=a").await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_that_a_fault_refuses_shows_no_token() {
    let server = start().await;
    let refuse = json!({ "kind": "refuse", "times": 1 });
    server.post("fault", refuse).await;
    assert_eq!(server.refused_at(&with("a")).await, 503);
    order(&server, json!({ "mode": "refuse-known" })).await;
    server.open(&with("a")).await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_site_takes_any_token() {
    let server = start().await;
    order(&server, json!({ "mode": "required" })).await;
    let mut client = common::open(server.site, "/ws").await.unwrap();
    client.settle().await;
}
