//! The planned replacement of a socket.

use serde_json::{Value, json};
use tabwire::core::{Input, SocketEvent, SocketId};
use tabwire::protocol::{GapReason, HubMessage, Reason, SendFailure, State};

use crate::rig::{A, Got, Rig};

const AGE: u64 = 600_000;

fn options() -> Value {
    json!({
        "heartbeat": {"message": "ping", "pong": "pong", "interval": 1_000_000, "timeout": 5_000},
        "staleness": {"maxAge": AGE},
    })
}

/// A rig whose socket is old enough, and whose next one is connecting.
fn old(options: Value) -> (Rig, SocketId) {
    let mut rig = Rig::open(options);
    let old = rig.socket();
    rig.frame("pong");
    while rig.opened.len() < 2 {
        rig.pass_millis(100);
    }
    let age = rig.now.since(tabwire::time::Time::from_millis(1000));
    assert!((AGE * 9 / 10..=AGE).contains(&(age.as_millis() as u64)));
    rig.take(A);
    rig.sent.clear();
    (rig, old)
}

fn say(rig: &mut Rig, socket: SocketId, text: &str) {
    use tabwire::core::Payload;
    let frame = crate::json::Bytes::from_text(text);
    rig.input(Input::Socket(socket, SocketEvent::Frame(frame)));
}

fn end(rig: &mut Rig, socket: SocketId, code: u16, clean: bool) {
    let reason = String::new();
    rig.input(Input::Socket(
        socket,
        SocketEvent::Closed {
            code,
            reason,
            clean,
        },
    ));
}

#[test]
fn the_new_socket_is_open_and_verified_before_the_old_one_closes() {
    let (mut rig, old) = old(options());
    rig.accept();
    say(&mut rig, old, "from the old one");
    let new = rig.socket();
    say(&mut rig, new, "too early");
    rig.tick();
    assert!(rig.retired.is_empty());
    assert_eq!(rig.frames(A), ["from the old one"]);
    rig.frame("pong");
    assert_eq!(rig.retired, [(old, "replaced")]);
    say(&mut rig, old, "too late");
    rig.frame("from the new one");
    rig.tick();
    let got = rig.take(A);
    let gap = got.iter().position(|got| {
        matches!(
            got,
            Got::Note(HubMessage::Gap {
                lost: None,
                reason: GapReason::Lost(Reason::Handover),
                ..
            })
        )
    });
    let frame = got.iter().position(
        |got| matches!(got, Got::Frames(_, frames, _) if frames == &["from the new one"]),
    );
    assert!(gap.unwrap() < frame.unwrap());
    let frames = got.iter().filter(|got| matches!(got, Got::Frames(..)));
    assert_eq!(frames.count(), 1);
}

#[test]
fn tabs_stay_open_all_the_time() {
    let (mut rig, _) = old(options());
    rig.accept();
    rig.frame("pong");
    let seen: Vec<_> = rig
        .statuses(A)
        .iter()
        .map(|status| (status.state, status.reason))
        .collect();
    assert_eq!(seen, [(State::Open, Reason::Handover)]);
}

#[test]
fn what_was_handed_to_the_old_socket_is_confirmed_by_its_closing_handshake() {
    let (mut rig, old) = old(options());
    rig.send(A, 0, &["old"]);
    rig.accept();
    rig.frame("pong");
    rig.send(A, 1, &["new"]);
    rig.take(A);
    end(&mut rig, old, 1000, true);
    let notes = format!("{:?}", rig.notes(A));
    assert!(notes.contains("handed: 2, confirmed: 1"), "{notes}");
}

#[test]
fn a_closing_handshake_that_does_not_come_leaves_what_was_handed_unknown() {
    let (mut rig, _) = old(options());
    rig.send(A, 0, &["old"]);
    rig.accept();
    rig.frame("pong");
    rig.send(A, 1, &["new"]);
    rig.take(A);
    rig.pass_millis(2_000);
    let failed: Vec<_> = rig
        .notes(A)
        .into_iter()
        .filter_map(|note| match note {
            HubMessage::Failed {
                first,
                count,
                reason,
                ..
            } => Some((first, count, reason)),
            _ => None,
        })
        .collect();
    assert_eq!(failed, [(0, 1, SendFailure::Unknown)]);
}

#[test]
fn with_resend_that_goes_to_the_new_socket() {
    let mut options = options();
    options["queue"] = json!({"resend": "unknown"});
    let (mut rig, _) = old(options);
    rig.send(A, 0, &["old"]);
    rig.accept();
    rig.frame("pong");
    let new = rig.socket();
    rig.send(A, 1, &["new"]);
    rig.pass_millis(2_000);
    let sent = rig.sent.iter().filter(|(socket, _)| *socket == new);
    let texts: Vec<_> = sent.map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["ping", "new", "old"]);
}

/// What is known of the sends of the tab: how many have been handed and confirmed, as it was told last.
fn told(rig: &mut Rig) -> Option<(u64, u64)> {
    let notes = rig.notes(A).into_iter();
    let sent = notes.filter_map(|note| match note {
        HubMessage::Sent {
            handed, confirmed, ..
        } => Some((handed, confirmed)),
        _ => None,
    });
    sent.last()
}

#[test]
fn what_goes_to_the_new_socket_again_is_as_old_as_that() {
    let options = json!({"staleness": {"maxAge": AGE}, "queue": {"resend": "unknown"}});
    let (mut rig, _) = old(options);
    rig.send(A, 0, &["old"]);
    rig.accept();
    rig.send(A, 1, &["new"]);
    rig.pass_millis(2_000);
    assert_eq!(rig.sent_texts(), ["old", "new", "old"]);
    assert_eq!(told(&mut rig), Some((2, 0)));
    // 11 s after the one, 9 s after the other.
    rig.pass_millis(9_500);
    assert_eq!(told(&mut rig), None);
    rig.pass_millis(3_000);
    assert_eq!(told(&mut rig), Some((2, 2)));
}

#[test]
fn a_send_that_fails_confirms_none_that_waits_to_go_for_the_third_time() {
    let mut options = options();
    options["queue"] = json!({"resend": "unknown", "overflow": "drop-newest", "maxMessages": 2});
    let (mut rig, _) = old(options);
    rig.send(A, 0, &["old"]);
    rig.accept();
    rig.frame("pong");
    rig.send(A, 1, &["new"]);
    rig.pass_millis(2_000);
    assert_eq!(rig.sent_texts(), ["old", "ping", "new", "old"]);
    rig.server_closes(1006, false);
    rig.take(A);
    rig.send(A, 2, &["too much"]);
    assert_eq!(told(&mut rig), Some((3, 0)));
}

#[test]
fn a_server_that_cannot_be_reached_costs_nothing_but_another_try() {
    let (mut rig, old) = old(options());
    let new = rig.socket();
    end(&mut rig, new, 1006, false);
    say(&mut rig, old, "still here");
    assert!(rig.statuses(A).is_empty());
    rig.pass_millis(30_000);
    assert_eq!(rig.opened.len(), 3);
}

#[test]
fn the_old_socket_may_be_lost_while_the_new_one_connects() {
    let (mut rig, old) = old(options());
    let new = rig.socket();
    end(&mut rig, old, 1006, false);
    assert_eq!(rig.closed, [(new, None, String::new())]);
    assert_eq!(rig.statuses(A)[0].reason, Reason::ConnectionLost);
    rig.reopen();
    rig.frame("pong");
    assert_eq!(rig.states(A).last(), Some(&State::Open));
}
