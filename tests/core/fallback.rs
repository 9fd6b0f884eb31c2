//! What takes the place of a WebSocket that does not open.

use std::time::Duration;

use serde_json::{Value, json};
use tabwire::core::{Fetch, Input, Method, PortId, Response, SocketEvent};
use tabwire::protocol::{BreakerState, GapReason, HubMessage, Reason, State, Status, Transport};

use crate::json::Bytes;
use crate::rig::{A, B, H, Rig};

const SSE: &str = "/events";
const POLL: &str = "/poll";

fn options(more: Value) -> Value {
    let mut fallback = json!({"sse": {"url": SSE}, "polling": {"url": POLL, "interval": 1000}});
    let map = fallback.as_object_mut().unwrap();
    map.extend(more.as_object().unwrap().clone());
    json!({"fallback": fallback, "reconnect": {"firstDelayMax": 0}})
}

/// A rig whose WebSocket is refused until something else is tried.
fn refused(options: Value) -> Rig {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, options);
    refuse(&mut rig);
    rig
}

fn refuse(rig: &mut Rig) {
    let fetched = rig.fetched.len();
    while rig.fetched.len() == fetched {
        let opened = rig.opened.len();
        rig.server_closes(1006, false);
        while rig.opened.len() == opened && rig.fetched.len() == fetched {
            let deadline = rig.deadline.unwrap();
            rig.pass(deadline.at.since(rig.now));
        }
    }
}

fn last(rig: &Rig) -> Fetch<Bytes> {
    rig.fetched.last().unwrap().clone()
}

fn tell(rig: &mut Rig, event: impl FnOnce(u32) -> SocketEvent<Bytes>) {
    let fetch = last(rig);
    rig.input(Input::Socket(fetch.socket, event(fetch.request)));
}

fn respond(rig: &mut Rig, status: u16, content_type: &str) {
    let response = Response {
        status,
        content_type: content_type.into(),
        ..Response::default()
    };
    tell(rig, |request| {
        SocketEvent::Response(request, Box::new(response))
    });
}

fn say(rig: &mut Rig, text: &str) {
    tell(rig, |request| SocketEvent::Text(request, text.into()));
}

fn end(rig: &mut Rig, ok: bool) {
    tell(rig, |request| SocketEvent::Done(request, ok));
}

fn header(fetch: &Fetch<Bytes>, name: &str) -> Option<String> {
    let mut headers = fetch.headers.iter();
    headers
        .find(|(own, _)| *own == name)
        .map(|(_, value)| value.clone())
}

fn status(rig: &mut Rig, port: PortId) -> Status {
    rig.statuses(port).pop().unwrap()
}

fn gaps(rig: &mut Rig, port: PortId) -> Vec<GapReason> {
    let notes = rig.notes(port).into_iter();
    notes
        .filter_map(|note| match note {
            HubMessage::Gap { reason, .. } => Some(reason),
            _ => None,
        })
        .collect()
}

/// A rig whose messages come by server-sent events.
fn on_sse(more: Value) -> Rig {
    let mut rig = refused(options(more));
    respond(&mut rig, 200, "text/event-stream");
    rig
}

#[test]
fn after_so_many_failed_attempts_a_stream_takes_the_place_of_the_socket() {
    let mut rig = refused(options(json!({})));
    assert_eq!(rig.opened.len(), 3);
    let fetch = last(&rig);
    assert_eq!((fetch.method, fetch.url.as_str()), (Method::Get, SSE));
    assert!(fetch.headers.is_empty());
    respond(&mut rig, 200, "text/event-stream; charset=utf-8");
    let told = status(&mut rig, A);
    assert_eq!((told.state, told.reason), (State::Open, Reason::Fallback));
    assert_eq!(told.transport, Transport::Sse);
    assert!(told.next_attempt_at.is_some());
    say(&mut rig, "data: a\n\nda");
    say(&mut rig, "ta: b\n\n");
    rig.tick();
    assert_eq!(rig.frames(A), ["a", "b"]);
}

#[test]
fn a_handshake_that_hangs_is_given_up_after_the_time_of_the_option() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, options(json!({"after": {"timeout": 4000}})));
    let socket = rig.socket();
    rig.pass_millis(3999);
    assert!(rig.fetched.is_empty());
    rig.pass_millis(1);
    assert_eq!(last(&rig).url, SSE);
    assert_eq!(rig.closed[0].0, socket);
}

#[test]
fn without_the_option_nothing_takes_its_place() {
    let mut rig = Rig::new();
    rig.hello(A);
    rig.attach(A, H, json!({}));
    for _ in 0..10 {
        rig.server_closes(1006, false);
        rig.pass_millis(30_000);
    }
    assert!(rig.fetched.is_empty());
}

#[test]
fn where_no_stream_comes_it_is_asked_for_again_and_again() {
    for answer in [404, 503, 204] {
        let mut rig = refused(options(json!({})));
        respond(&mut rig, answer, "text/html");
        assert_eq!(last(&rig).url, POLL, "{answer}");
        respond(&mut rig, 200, "application/json");
        say(&mut rig, r#"{"a":"#);
        say(&mut rig, "1}");
        assert_eq!(status(&mut rig, A).transport, Transport::Polling);
        end(&mut rig, true);
        rig.tick();
        assert_eq!(rig.frames(A), [r#"{"a":1}"#]);
        let polls = rig.fetched.len();
        rig.pass_millis(1100);
        assert_eq!(rig.fetched.len(), polls + 1);
    }
}

#[test]
fn a_stream_that_hangs_gives_way_to_polling() {
    let mut rig = refused(options(json!({})));
    let sse = last(&rig);
    rig.pass_millis(10_000);
    assert_eq!(last(&rig).url, POLL);
    assert!(rig.aborted.contains(&(sse.socket, sse.request)));
}

#[test]
fn an_answer_that_is_a_page_is_no_stream() {
    let mut rig = refused(options(json!({})));
    respond(&mut rig, 200, "text/html");
    assert_eq!(last(&rig).url, POLL);
}

#[test]
fn polls_are_conditional_and_the_same_answer_is_one_message() {
    let mut rig = refused(options(json!({"sse": null})));
    let response = Response {
        status: 200,
        content_type: "application/json".into(),
        etag: Some("\"1\"".into()),
        modified: Some("Mon, 30 Nov 2026 10:00:00 GMT".into()),
        retry_after: None,
    };
    tell(&mut rig, |request| {
        SocketEvent::Response(request, Box::new(response))
    });
    say(&mut rig, "1");
    end(&mut rig, true);
    rig.pass_millis(1100);
    let fetch = last(&rig);
    assert_eq!(header(&fetch, "If-None-Match").unwrap(), "\"1\"");
    assert!(header(&fetch, "If-Modified-Since").is_some());
    respond(&mut rig, 304, "");
    end(&mut rig, true);
    rig.pass_millis(1100);
    assert_eq!(header(&last(&rig), "If-None-Match").unwrap(), "\"1\"");
    respond(&mut rig, 200, "application/json");
    say(&mut rig, "1");
    end(&mut rig, true);
    rig.tick();
    assert_eq!(rig.frames(A), ["1"]);
}

#[test]
fn polled_events_go_on_after_the_last() {
    let mut rig = refused(options(json!({"sse": null})));
    respond(&mut rig, 200, "text/event-stream");
    say(&mut rig, "id: 4\ndata: a\n\n");
    end(&mut rig, true);
    rig.pass_millis(1100);
    assert_eq!(header(&last(&rig), "Last-Event-ID").unwrap(), "4");
}

#[test]
fn a_stream_that_ends_goes_on_after_its_last_event_without_a_gap() {
    let mut rig = on_sse(json!({}));
    say(&mut rig, "id: 7\ndata: a\n\n");
    rig.take(A);
    end(&mut rig, true);
    assert_eq!(status(&mut rig, A).state, State::Suspect);
    rig.pass_millis(1500);
    assert_eq!(header(&last(&rig), "Last-Event-ID").unwrap(), "7");
    respond(&mut rig, 200, "text/event-stream");
    assert_eq!(status(&mut rig, A).state, State::Open);
    assert_eq!(gaps(&mut rig, A), []);
}

#[test]
fn a_stream_without_ids_that_ends_is_a_gap() {
    let mut rig = on_sse(json!({}));
    rig.take(A);
    end(&mut rig, false);
    assert_eq!(gaps(&mut rig, A), [GapReason::Lost(Reason::ConnectionLost)]);
}

#[test]
fn a_server_that_has_not_kept_what_came_after_says_so_and_it_is_told() {
    let mut rig = on_sse(json!({}));
    rig.take(A);
    say(&mut rig, "id: 3\nevent: reset\ndata:\n\n");
    rig.tick();
    assert_eq!(gaps(&mut rig, A), [GapReason::Lost(Reason::EventsNotKept)]);
}

#[test]
fn a_stream_that_fails_three_times_is_a_lost_connection() {
    let mut rig = on_sse(json!({}));
    rig.take(A);
    for _ in 0..3 {
        end(&mut rig, false);
        rig.pass_millis(1500);
    }
    let states = rig.states(A);
    assert!(states.contains(&State::Reconnecting), "{states:?}");
}

#[test]
fn the_socket_goes_on_being_tried_and_takes_over_with_a_gap() {
    let mut rig = on_sse(json!({}));
    let sse = last(&rig);
    let tried = rig.opened.len();
    rig.take(A);
    for _ in 0..3 {
        let opened = rig.opened.len();
        while rig.opened.len() == opened {
            rig.pass_millis(1000);
        }
        rig.server_closes(1006, false);
        assert_eq!(status(&mut rig, A).state, State::Open);
    }
    assert_eq!(rig.opened.len(), tried + 3);
    rig.reopen();
    let told = status(&mut rig, A);
    assert_eq!(
        (told.state, told.transport),
        (State::Open, Transport::WebSocket)
    );
    assert!(rig.aborted.contains(&(sse.socket, sse.request)));
    rig.frame("by socket");
    rig.tick();
    assert_eq!(rig.frames(A), ["by socket"]);
    say(&mut rig, "data: late\n\n");
    rig.tick();
    assert_eq!(rig.frames(A), Vec::<String>::new());
}

#[test]
fn online_again_the_socket_is_tried_at_once() {
    let mut rig = on_sse(json!({}));
    let tried = rig.opened.len();
    rig.wire(A, json!([9, 0]));
    rig.wire(A, json!([9, 1]));
    rig.pass_millis(250);
    assert_eq!(rig.opened.len(), tried + 1);
}

#[test]
fn without_a_place_for_them_sends_wait_for_the_socket() {
    let mut rig = on_sse(json!({}));
    rig.send(A, 0, &["a", "b"]);
    rig.pass_millis(300);
    assert!(rig.sent.is_empty());
    rig.reopen();
    assert_eq!(rig.sent_texts(), ["a", "b"]);
}

#[test]
fn without_a_place_for_them_sends_expire() {
    let mut rig = on_sse(json!({}));
    rig.send(A, 0, &["a"]);
    rig.take(A);
    for _ in 0..70 {
        rig.pass_millis(1000);
    }
    let failed = rig.notes(A).into_iter();
    let failed: Vec<_> = failed
        .filter(|note| matches!(note, HubMessage::Failed { .. }))
        .collect();
    assert_eq!(failed.len(), 1);
}

#[test]
fn sends_are_posted_one_after_the_other_and_confirmed_by_the_answer() {
    let mut rig = on_sse(json!({"send": {"url": "/send"}}));
    rig.send(A, 0, &["a", "b"]);
    let posted = |rig: &Rig| -> Vec<_> {
        let posts = rig
            .fetched
            .iter()
            .filter(|fetch| fetch.method == Method::Post);
        posts.map(|post| post.body.clone().unwrap().0).collect()
    };
    assert_eq!(posted(&rig), [b"a".to_vec()]);
    assert_eq!(last(&rig).url, "/send");
    rig.take(A);
    respond(&mut rig, 204, "");
    end(&mut rig, true);
    assert_eq!(posted(&rig), [b"a".to_vec(), b"b".to_vec()]);
    let sent = rig.notes(A).into_iter().find_map(|note| match note {
        HubMessage::Sent {
            handed, confirmed, ..
        } => Some((handed, confirmed)),
        _ => None,
    });
    assert_eq!(sent, Some((2, 1)));
}

#[test]
fn the_fate_of_what_the_server_does_not_take_is_unknown() {
    for (answer, ok) in [(Some(503), true), (Some(204), false), (None, false)] {
        let mut rig = on_sse(json!({"send": {"url": "/send"}}));
        rig.send(A, 0, &["a"]);
        rig.take(A);
        if let Some(answer) = answer {
            respond(&mut rig, answer, "");
        }
        end(&mut rig, ok);
        let failed = rig.notes(A).into_iter();
        let failed: Vec<_> = failed
            .filter(|note| matches!(note, HubMessage::Failed { .. }))
            .collect();
        assert_eq!(failed.len(), 1, "{answer:?}");
    }
}

#[test]
fn what_comes_after_a_post_waits_for_it_also_when_the_socket_has_taken_over() {
    let mut rig = on_sse(json!({"send": {"url": "/send"}}));
    rig.send(A, 0, &["a", "b"]);
    rig.reopen();
    assert!(rig.sent.is_empty());
    respond(&mut rig, 204, "");
    end(&mut rig, true);
    assert_eq!(rig.sent_texts(), ["b"]);
}

#[test]
fn a_failing_route_opens_its_breaker_which_tabs_see() {
    let mut rig = refused(options(json!({"sse": null})));
    rig.hello(B);
    rig.wire(B, json!([21, "/poll", {}, null]));
    for _ in 0..100 {
        respond(&mut rig, 503, "");
        rig.pass_millis(500);
        if !rig.opened.is_empty() {
            rig.server_closes(1006, false);
        }
    }
    let views = rig.notes(B).into_iter().filter_map(|note| match note {
        HubMessage::Breaker { view, .. } => Some(view.state),
        _ => None,
    });
    assert!(views.into_iter().any(|state| state == BreakerState::Open));
}

#[test]
fn no_pings_go_by_a_stream_and_the_clock_that_had_stopped_asks_again() {
    let mut rig = refused(json!({
        "fallback": {"sse": {"url": SSE}},
        "heartbeat": {"message": "ping", "interval": 100, "timeout": 100},
        "reconnect": {"firstDelayMax": 0, "minDelay": 30_000, "jitter": "none"},
    }));
    respond(&mut rig, 200, "text/event-stream");
    rig.pass_millis(5000);
    assert!(rig.sent.is_empty());
    assert_eq!(rig.states(A).last(), Some(&State::Open));
    let fetches = rig.fetched.len();
    rig.sleep(Duration::from_secs(60), true);
    rig.pass_millis(6000);
    assert_eq!(rig.fetched.len(), fetches + 1);
}

#[test]
fn messages_of_topics_reach_those_who_want_them_and_the_socket_goes_on_after_them() {
    let mut given = options(json!({}));
    given["subprotocol"] = json!("\"json\"");
    given["heartbeat"] = json!({"verifyOnOpen": false});
    let mut rig = refused(given);
    respond(&mut rig, 200, "text/event-stream");
    let conn = rig.attached[&A].0;
    rig.wire(A, json!([16, H.0, conn, [[1, "t", 0]]]));
    assert!(rig.sent.is_empty());
    rig.pass_millis(11_000);
    rig.take(A);
    let message = r#"{"type":"message","topic":"t","seq":5,"data":1}"#;
    say(&mut rig, &format!("data: {message}\n\n"));
    rig.tick();
    assert_eq!(rig.frames(A), [message]);
    if rig.opened.len() < 4 {
        rig.reopen();
    } else {
        rig.accept();
    }
    let asked = rig.sent_texts().join(" ");
    assert!(asked.contains("5"), "{asked}");
}

#[test]
fn a_tab_decides_the_options_of_a_breaker_that_only_the_hub_has_used() {
    let mut rig = refused(options(json!({"sse": null})));
    respond(&mut rig, 503, "");
    rig.take(A);
    rig.wire(
        A,
        json!([21, "/poll", {"breaker": {"failureThreshold": 2}}, null]),
    );
    let ignored = rig.notes(A).into_iter().find_map(|note| match note {
        HubMessage::Breaker { ignored, .. } => Some(ignored),
        _ => None,
    });
    assert_eq!(ignored, Some(vec![]));
}
