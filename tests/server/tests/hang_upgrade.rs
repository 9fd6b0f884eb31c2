//! Upgrades that are never answered while plain HTTP is.

mod common;

use common::{Client, Fixture, open, request, start};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Error;

async fn fault(server: &Fixture, kind: &str) {
    server.post("fault", json!({ "kind": kind })).await;
}

fn begin(server: &Fixture) -> JoinHandle<Result<Client, Error>> {
    let wire = server.wire;
    tokio::spawn(async move { open(wire, "/ws").await })
}

async fn health(server: &Fixture) -> u16 {
    let path = "/api/v1/public/health";
    request(server.wire, "GET", path, "").await.unwrap().status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_hangs_while_http_and_live_connections_go_on() {
    let server = start().await;
    let mut live = server.connect().await;
    fault(&server, "hang-upgrade").await;
    let hung = [begin(&server), begin(&server)];
    let stats = server.wait("pending=2").await;
    assert_eq!(stats["fault"], json!({ "kind": "hang-upgrade" }));
    assert_eq!((&stats["upgrades"], &stats["live"]), (&json!(3), &json!(1)));
    assert_eq!(health(&server).await, 200);
    live.settle().await;
    open(server.site, "/ws").await.unwrap().settle().await;
    fault(&server, "hang-upgrade").await;
    assert_eq!(server.stats().await["pending"], 2);

    fault(&server, "none").await;
    for hung in hung {
        let error = hung.await.unwrap().unwrap_err();
        assert!(!matches!(error, Error::Http(_)), "answered: {error}");
    }
    let stats = server.wait("pending=0").await;
    assert_eq!(stats["refused"], 0);
    live.settle().await;
    server.connect().await.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_fault_of_new_connections_ends_it() {
    let server = start().await;
    fault(&server, "hang-upgrade").await;
    let hung = begin(&server);
    server.wait("pending=1").await;
    let live = json!({ "kind": "none", "scope": "live" });
    server.post("fault", live).await;
    assert_eq!(server.stats().await["pending"], 1);
    fault(&server, "refuse").await;
    assert!(hung.await.unwrap().is_err());
    assert_eq!(server.refused_with().await, 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_befalls_so_many_upgrades_and_those_hang_on() {
    let server = start().await;
    let once = json!({ "kind": "hang-upgrade", "times": 1 });
    server.post("fault", once).await;
    let hung = begin(&server);
    server.wait("pending=1").await;
    server.connect().await.settle().await;
    let stats = server.stats().await;
    assert_eq!(
        (&stats["pending"], &stats["fault"]),
        (&json!(1), &json!(null))
    );
    hung.abort();
    server.wait("pending=0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_no_fault_of_live_connections() {
    let server = start().await;
    let live = json!({ "kind": "hang-upgrade", "scope": "live" });
    assert_eq!(server.try_post("fault", live).await.status, 400);
}
