//! What the fault of a route does to its requests.

mod common;

use common::stream::Stream;
use common::{Fixture, Reply, request, start};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

async fn set(server: &Fixture, path: &str, mode: &str) -> Value {
    let order = json!({ "path": path, "mode": mode });
    server.post("route", order).await
}

fn begin(server: &Fixture, method: &'static str, path: &'static str) -> JoinHandle<Reply> {
    let wire = server.wire;
    tokio::spawn(async move { request(wire, method, path, "x").await.unwrap() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_fails_on_the_wire_while_others_and_the_site_do_not() {
    let server = start().await;
    let paths = [
        ("GET", "/poll", 200),
        ("GET", "/latest", 204),
        ("POST", "/send", 204),
    ];
    for (method, path, well) in paths {
        for (mode, status) in [("404", 404), ("503", 503), ("ok", well)] {
            set(&server, path, mode).await;
            let told = match mode {
                "ok" => json!({}),
                _ => json!({ path: mode }),
            };
            assert_eq!(server.stats().await["routes"], told);
            let reply = request(server.wire, method, path, "").await.unwrap();
            assert_eq!(reply.status, status, "{path} {mode}");
            assert_eq!(reply.header("access-control-allow-origin"), "*");
            let reply = request(server.site, method, path, "").await.unwrap();
            assert_eq!(reply.status, well, "{path} of the site");
        }
    }
    set(&server, "/events", "404").await;
    let reply = request(server.wire, "GET", "/events", "").await.unwrap();
    assert_eq!(reply.status, 404);
    assert_eq!(get(&server, "/poll").await, 200);
    assert_eq!(server.stats().await["faulted"], 7);
}

async fn get(server: &Fixture, path: &str) -> u16 {
    request(server.wire, "GET", path, "").await.unwrap().status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_requests_are_answered_when_they_may_be() {
    let server = start().await;
    set(&server, "/poll", "hang").await;
    set(&server, "/send", "hang").await;
    let poll = begin(&server, "GET", "/poll");
    let send = begin(&server, "POST", "/send");
    let stats = server.wait("pending=2&faulted=2").await;
    assert_eq!((&stats["polls"], &stats["posted"]), (&json!(0), &json!(0)));
    set(&server, "/poll", "503").await;
    assert_eq!(poll.await.unwrap().status, 503);
    assert!(!send.is_finished());
    set(&server, "/send", "ok").await;
    assert_eq!(send.await.unwrap().status, 204);
    server.wait("posted=1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_whose_sender_left_while_it_hung_is_not_taken() {
    let server = start().await;
    set(&server, "/send", "hang").await;
    let left = begin(&server, "POST", "/send");
    server.wait("pending=1").await;
    left.abort();
    server.wait("pending=0").await;
    set(&server, "/send", "ok").await;
    assert_eq!(begin(&server, "POST", "/send").await.unwrap().status, 204);
    assert_eq!(server.wait("posted=1").await["posted"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_streams_outlast_a_fault_and_end_by_a_cut() {
    let server = start().await;
    let mut kept = Stream::open(server.site, "/events", Some("0")).await;
    let mut stream = Stream::open(server.wire, "/events", Some("0")).await;
    set(&server, "/events", "hang").await;
    server.post("broadcast", json!({ "text": "a" })).await;
    assert_eq!(stream.event().await, "id: 1\ndata: a\n");
    assert_eq!(set(&server, "/events", "cut").await, json!({ "cut": 1 }));
    assert_eq!(server.stats().await["streams"], 1, "that of the site");
    assert_eq!(stream.event().await, "", "it goes on");
    set(&server, "/events", "ok").await;
    let mut again = Stream::open(server.wire, "/events", Some("1")).await;
    server.post("broadcast", json!({ "text": "b" })).await;
    assert_eq!(again.event().await, "id: 2\ndata: b\n");
    assert_eq!(kept.event().await, "id: 1\ndata: a\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_for_other_routes_or_cuts_of_no_stream_are_refused() {
    let server = start().await;
    for order in [
        json!({ "path": "/ws", "mode": "404" }),
        json!({ "path": "/poll", "mode": "cut" }),
        json!({ "path": "/poll", "mode": "500" }),
        json!({ "path": "/poll" }),
    ] {
        let reply = server.try_post("route", order.clone()).await;
        assert_eq!(reply.status, 400, "{order}");
    }
}
