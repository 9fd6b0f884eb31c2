//! What the scripted service answers, and what it counts.

mod common;

use std::io;
use std::net::SocketAddr;

use common::{Fixture, Reply, request, request_with, start};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

async fn order(server: &Fixture, order: Value) {
    server.post("service", order).await;
}

async fn call(server: &Fixture, route: &str) -> io::Result<Reply> {
    get(server.wire, route.into()).await
}

/// A call whose answer is not waited for.
fn begin(server: &Fixture, route: &str) -> JoinHandle<io::Result<Reply>> {
    tokio::spawn(get(server.wire, route.into()))
}

async fn get(wire: SocketAddr, route: String) -> io::Result<Reply> {
    request(wire, "GET", &format!("/api/v1/service/{route}"), "").await
}

async fn status(server: &Fixture, route: &str) -> u16 {
    call(server, route).await.unwrap().status
}

async fn counts(server: &Fixture, route: &str) -> Value {
    server.get("/control/service").await.json()["routes"][route].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_without_an_order_answers_with_its_name_and_the_number_of_the_call() {
    let server = start().await;
    for n in 1..=2 {
        let reply = call(&server, "users/7?full=1").await.unwrap();
        assert_eq!(reply.status, 200);
        assert_eq!(reply.json(), json!({ "route": "users/7", "n": n }));
        assert_eq!(reply.header("connection"), "close");
    }
    let target = "/api/v1/service/other";
    let reply = request(server.site, "PUT", target, "héllo").await.unwrap();
    assert_eq!(
        reply.json(),
        json!({ "route": "other", "n": 1, "body": "héllo" })
    );
    assert_eq!(
        counts(&server, "users/7").await,
        json!({ "calls": 2, "in_flight": 0, "peak": 1, "held": 0, "answered": { "200": 2 }, "aborted": 0 })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_every_origin_may_call_it_and_read_its_advice() {
    let server = start().await;
    let preflight = [
        ("origin", "http://a.test"),
        ("access-control-request-method", "DELETE"),
        ("access-control-request-headers", "authorization, x-own"),
    ];
    let target = "/api/v1/service/a";
    let reply = request_with(server.wire, "OPTIONS", target, &preflight, "")
        .await
        .unwrap();
    assert_eq!(reply.status, 204);
    let allowed = reply.header("access-control-allow-headers");
    assert_eq!(allowed, "authorization, x-own");
    assert_eq!(reply.header("access-control-allow-methods"), "*");
    assert_eq!(reply.header("connection"), "close");

    let fail = json!({ "route": "a", "mode": "fail", "retry_after": "7" });
    order(&server, fail).await;
    let reply = call(&server, "a").await.unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (503, "7"));
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    let exposed = reply.header("access-control-expose-headers");
    assert!(exposed.starts_with("Retry-After, ETag"), "{exposed}");
    assert_eq!(
        counts(&server, "a").await["calls"],
        1,
        "the preflight counts"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_last_as_often_as_they_were_ordered() {
    let server = start().await;
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    let fail =
        json!({ "route": "/a", "mode": "fail", "status": 429, "retry_after": date, "times": 2 });
    order(&server, fail).await;
    let reply = call(&server, "a").await.unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (429, date));
    assert_eq!(status(&server, "b").await, 200, "another route");
    assert_eq!(status(&server, "a").await, 429);
    assert_eq!(status(&server, "a").await, 200);
    order(&server, json!({ "route": "a", "mode": "fail" })).await;
    for _ in 0..3 {
        assert_eq!(status(&server, "a").await, 503);
    }
    assert_eq!(
        counts(&server, "a").await["answered"],
        json!({ "200": 1, "429": 2, "503": 3 })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reset_calls_get_no_answer() {
    let server = start().await;
    order(
        &server,
        json!({ "route": "a", "mode": "reset", "times": 1 }),
    )
    .await;
    let error = call(&server, "a").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(status(&server, "a").await, 200);
    let counts = counts(&server, "a").await;
    assert_eq!(counts["answered"], json!({ "200": 1, "reset": 1 }));
    assert_eq!(counts["aborted"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_calls_are_judged_by_the_next_mode_the_oldest_first() {
    let server = start().await;
    order(&server, json!({ "route": "a", "mode": "hang" })).await;
    let first = begin(&server, "a");
    server.wait("service=a&held=1").await;
    let second = begin(&server, "a");
    server.wait("service=a&calls=2&in_flight=2&held=2").await;
    order(&server, json!({ "route": "a", "mode": "hang" })).await;
    assert_eq!(counts(&server, "a").await["held"], 2);
    order(&server, json!({ "route": "a", "mode": "fail", "times": 1 })).await;
    assert_eq!(first.await.unwrap().unwrap().status, 503);
    assert_eq!(second.await.unwrap().unwrap().json()["n"], 2);
    let counts = counts(&server, "a").await;
    assert_eq!(
        (&counts["peak"], &counts["in_flight"]),
        (&json!(2), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_calls_are_released_in_order_with_a_status() {
    let server = start().await;
    order(&server, json!({ "route": "a", "mode": "hold" })).await;
    let mut calls = Vec::new();
    for held in 1..=3 {
        calls.push(begin(&server, "a"));
        server.wait(&format!("service=a&held={held}")).await;
    }
    let release = json!({ "route": "a", "count": 1, "status": 500 });
    let answer = server.post("service/release", release).await;
    assert_eq!(answer, json!({ "released": 1 }));
    let reply = calls.remove(0).await.unwrap().unwrap();
    assert_eq!((reply.status, reply.json()["n"].clone()), (500, json!(1)));
    server.wait("service=a&held=2&in_flight=2").await;
    let all = json!({ "route": "a" });
    let answer = server.post("service/release", all.clone()).await;
    assert_eq!(answer, json!({ "released": 2 }));
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status, 200);
    }
    let answer = server.post("service/release", all).await;
    assert_eq!(answer, json!({ "released": 0 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_is_counted_as_aborted() {
    let server = start().await;
    order(&server, json!({ "route": "a", "mode": "hold" })).await;
    let mut client = TcpStream::connect(server.wire).await.unwrap();
    let head = "POST /api/v1/service/a HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody";
    client.write_all(head.as_bytes()).await.unwrap();
    server.wait("service=a&held=1").await;
    drop(client);
    server.wait("service=a&held=0&in_flight=0").await;
    let counts = counts(&server, "a").await;
    assert_eq!(
        (&counts["calls"], &counts["aborted"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(counts["answered"], json!({}));
    let slow = json!({ "route": "slow", "mode": "slow", "delay_ms": 3_600_000 });
    order(&server, slow).await;
    let call = begin(&server, "slow");
    server.wait("service=slow&in_flight=1&held=0").await;
    call.abort();
    server.wait("service=slow&calls=1&in_flight=0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_calls_are_answered_in_the_end() {
    let server = start().await;
    order(
        &server,
        json!({ "route": "a", "mode": "slow", "delay_ms": 30 }),
    )
    .await;
    let before = std::time::Instant::now();
    assert_eq!(status(&server, "a").await, 200);
    assert!(before.elapsed().as_millis() >= 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_fails_within_its_part_of_the_period() {
    let server = start().await;
    let burst = |fail_ms: u64, chance: f64| {
        json!({
            "route": "a", "mode": "burst", "status": 500, "chance": chance, "seed": 7,
            "period_ms": 3_600_000, "fail_ms": fail_ms,
        })
    };
    order(&server, burst(3_600_000, 1.0)).await;
    assert_eq!(status(&server, "a").await, 500);
    order(&server, burst(0, 1.0)).await;
    assert_eq!(status(&server, "a").await, 200);
    let mut runs = Vec::new();
    for _ in 0..2 {
        order(&server, burst(3_600_000, 0.5)).await;
        let mut run = Vec::new();
        for _ in 0..20 {
            run.push(status(&server, "a").await);
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1], "the seed decides");
    assert!(runs[0].contains(&500) && runs[0].contains(&200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_newest_token_is_let_in_until_it_expires() {
    let server = start().await;
    order(&server, json!({ "route": "a", "mode": "token" })).await;
    let with = async |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let target = "/api/v1/service/a";
        let reply = request_with(server.wire, "GET", target, &headers, "").await;
        reply.unwrap().status
    };
    let issue = async || {
        let reply = request(server.wire, "POST", "/api/v1/token", "").await;
        reply.unwrap().json()["token"].as_str().unwrap().to_owned()
    };
    let refused = call(&server, "a").await.unwrap();
    let challenge = refused.header("www-authenticate");
    assert_eq!((refused.status, challenge), (401, "Bearer"));
    assert_eq!(with("t1").await, 401, "not issued yet");
    assert_eq!((issue().await, issue().await), ("t1".into(), "t2".into()));
    assert_eq!((with("t1").await, with("t2").await), (401, 200));
    server.post("service/expire", json!({})).await;
    assert_eq!(with("t2").await, 401);
    assert_eq!(issue().await, "t3");
    assert_eq!((with("t2").await, with("t3").await), (401, 200));
    let report = server.get("/control/service").await.json();
    assert_eq!(report["tokens"], json!({ "issued": 3 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_answers_what_is_held_and_forgets_everything() {
    let server = start().await;
    order(&server, json!({ "route": "a", "mode": "hold" })).await;
    request(server.wire, "POST", "/api/v1/token", "")
        .await
        .unwrap();
    let held = begin(&server, "a");
    server.wait("service=a&held=1").await;
    server.post("service/reset", json!({})).await;
    assert_eq!(held.await.unwrap().unwrap().status, 200);
    assert_eq!(
        server.get("/control/service").await.json(),
        json!({ "routes": {}, "tokens": { "issued": 0 } })
    );
    assert_eq!(call(&server, "a").await.unwrap().json()["n"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_cannot_be_carried_out_are_refused() {
    let server = start().await;
    for order in [
        json!({ "mode": "fail" }),
        json!({ "route": "/" }),
        json!({ "route": "a", "mode": "dance" }),
        json!({ "route": "a", "mode": "fail", "status": 100 }),
        json!({ "route": "a", "mode": "fail", "retry_after": "a\nb" }),
        json!({ "route": "a", "mode": "fail", "times": 0 }),
        json!({ "route": "a", "mode": "slow" }),
        json!({ "route": "a", "mode": "burst", "period_ms": 1 }),
        json!({ "route": "a", "mode": "burst", "period_ms": 1, "fail_ms": 2 }),
        json!({ "route": "a", "mode": "burst", "period_ms": 1, "fail_ms": 1, "chance": 1.5 }),
    ] {
        let reply = server.try_post("service", order.clone()).await;
        assert_eq!(reply.status, 400, "{order}");
    }
    let release = json!({ "route": "a", "status": 600 });
    assert_eq!(
        server.try_post("service/release", release).await.status,
        400
    );
    assert_eq!(server.get("/control/wait?held=1").await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_routes_are_known_and_no_more() {
    let server = start().await;
    let mut client = TcpStream::connect(server.site).await.unwrap();
    for n in 1..=1000 {
        let body = json!({ "route": format!("r{n}") }).to_string();
        let length = body.len();
        let request = format!(
            "POST /control/service HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1024];
        let read = client.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "{n}");
    }
    let reply = server.try_post("service", json!({ "route": "more" })).await;
    assert_eq!(reply.json(), json!({ "error": "too many routes" }));
    assert_eq!(status(&server, "more").await, 503);
    assert_eq!(status(&server, "r1000").await, 200);
}
