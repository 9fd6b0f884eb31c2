//! Hubs of several builds that find each other.

use serde_json::json;
use tabwire::core::{Input, SocketEvent};
use tabwire::protocol::{Address, GapReason, HubMessage, Peer, PeerMessage, Reason, State};

use crate::rig::{A, B, H, Rig};

fn peer(build: &str, since: f64, epoch: &str) -> Box<Peer> {
    Box::new(Peer {
        build: build.into(),
        epoch: epoch.into(),
        lock: Some(format!("tabwire:hub:{epoch}")),
        address: Address {
            worker_url: format!("https://app/{epoch}.js"),
            name: "tabwire@1".into(),
        },
        since,
    })
}

fn start(rig: &mut Rig, others: Option<bool>) {
    rig.input(Input::Start {
        me: peer("0.2.0", 1000.0, "me"),
        others,
        locks_fall: false,
    });
}

fn hear(rig: &mut Rig, peer: Box<Peer>) {
    rig.input(Input::Peer(PeerMessage::Here(peer)));
}

/// A hub with an open connection, which can be found.
fn open() -> Rig {
    let mut rig = Rig::new();
    start(&mut rig, Some(false));
    rig.hello(A);
    rig.attach(A, H, json!({}));
    rig.accept();
    rig.take(A);
    rig.announced.clear();
    rig
}

fn gone(rig: &mut Rig) {
    rig.event(SocketEvent::Closed {
        code: 1000,
        reason: String::new(),
        clean: true,
    });
}

#[test]
fn a_hub_says_that_it_is_there_and_answers_each_other_once() {
    let mut rig = Rig::new();
    start(&mut rig, Some(false));
    assert_eq!(rig.announced.len(), 1);
    hear(&mut rig, peer("0.1.0", 1.0, "old"));
    hear(&mut rig, peer("0.1.0", 1.0, "old"));
    assert_eq!(rig.announced.len(), 2);
    rig.input(Input::Peer(PeerMessage::Who));
    assert_eq!(rig.announced.len(), 3);
}

#[test]
fn an_older_hub_closes_its_socket_and_sends_its_tabs_to_the_newer() {
    let mut rig = open();
    let socket = rig.socket();
    hear(&mut rig, peer("0.3.0", 2000.0, "new"));
    assert_eq!(rig.retired, [(socket, "moved")]);
    assert_eq!(rig.watched_peers, ["new"]);
    let notes = rig.notes(A);
    assert!(matches!(
        &notes[0],
        HubMessage::Gap {
            reason: GapReason::Lost(Reason::Moved),
            ..
        }
    ));
    assert!(matches!(
        &notes[1],
        HubMessage::Status(_, status) if (status.state, status.reason) == (State::Reconnecting, Reason::Moved)
    ));
    assert!(!notes.iter().any(|note| matches!(note, HubMessage::Move(_))));
    gone(&mut rig);
    let notes = rig.notes(A);
    assert_eq!(
        notes.last(),
        Some(&HubMessage::Move(peer("0.3.0", 2000.0, "new").address))
    );
    assert_eq!(rig.forgotten, [A]);
    assert_eq!(
        rig.announced.last(),
        Some(&PeerMessage::Gone { epoch: "me".into() })
    );
    assert_eq!(rig.deadline, None, "nothing is left");
}

#[test]
fn sends_are_settled_before_the_tab_is_sent_on() {
    let mut rig = open();
    rig.send(A, 0, &["handed"]);
    hear(&mut rig, peer("0.3.0", 2000.0, "new"));
    rig.send(A, 1, &["brought along"]);
    rig.take(A);
    gone(&mut rig);
    let notes = rig.notes(A);
    let sent = notes.iter().position(|note| {
        matches!(
            note,
            HubMessage::Sent {
                handed: 1,
                confirmed: 1,
                ..
            }
        )
    });
    let moved = notes
        .iter()
        .position(|note| matches!(note, HubMessage::Move(_)));
    assert!(sent.unwrap() < moved.unwrap(), "{notes:?}");
    assert_eq!(rig.sent_texts(), ["handed"]);
}

#[test]
fn a_server_that_does_not_answer_the_close_is_waited_for_briefly() {
    let mut rig = open();
    rig.send(A, 0, &["handed"]);
    hear(&mut rig, peer("0.3.0", 2000.0, "new"));
    rig.pass_millis(2_000);
    let notes = format!("{:?}", rig.notes(A));
    assert!(
        notes.contains("Unknown") && notes.contains("Move"),
        "{notes}"
    );
    assert_eq!(rig.closed.len(), 1);
}

#[test]
fn a_slow_tab_gets_all_that_waits_before_it_is_sent_on() {
    let mut rig = Rig::new();
    start(&mut rig, Some(false));
    rig.hello(A);
    rig.attach(A, H, json!({"flow": {"window": {"messages": 2}}}));
    rig.accept();
    for text in ["a", "b", "c", "d", "e"] {
        rig.frame(text);
        rig.tick();
    }
    let before = rig.frames(A).len();
    assert!(before < 5);
    hear(&mut rig, peer("0.3.0", 2000.0, "new"));
    gone(&mut rig);
    assert_eq!(before + rig.frames(A).len(), 5);
}

#[test]
fn a_suspended_tab_is_sent_on_when_it_returns() {
    let mut rig = open();
    rig.wire(A, json!([10]));
    hear(&mut rig, peer("0.3.0", 2000.0, "new"));
    gone(&mut rig);
    assert!(rig.take(A).is_empty());
    rig.hello(A);
    let notes = rig.notes(A);
    assert!(
        matches!(notes.last(), Some(HubMessage::Move(_))),
        "{notes:?}"
    );
    assert!(
        notes
            .iter()
            .any(|note| matches!(note, HubMessage::Gap { .. }))
    );
}

#[test]
fn whoever_comes_later_is_sent_on_until_the_newer_hub_is_gone() {
    let mut rig = open();
    hear(&mut rig, peer("0.3.0", 2000.0, "new"));
    gone(&mut rig);
    rig.hello(B);
    rig.attach(B, H, json!({}));
    assert!(matches!(rig.notes(B)[0], HubMessage::Move(_)));
    assert_eq!(rig.opened.len(), 1);
    rig.input(Input::PeerGone {
        epoch: "new".into(),
    });
    let third = tabwire::core::PortId(3);
    rig.hello(third);
    rig.attach(third, H, json!({}));
    assert_eq!(rig.opened.len(), 2);
}

#[test]
fn a_hub_whose_better_one_was_restarted_looks_for_the_successor() {
    let mut rig = open();
    hear(&mut rig, peer("0.3.0", 2000.0, "new"));
    gone(&mut rig);
    hear(&mut rig, peer("0.3.0", 3000.0, "successor"));
    rig.announced.clear();
    rig.input(Input::PeerGone {
        epoch: "new".into(),
    });
    assert_eq!(rig.announced, [PeerMessage::Who]);
    hear(&mut rig, peer("0.3.0", 3000.0, "successor"));
    rig.hello(B);
    assert!(matches!(rig.notes(B)[0], HubMessage::Move(_)));
}

#[test]
fn tabs_that_have_not_been_sent_on_start_over_when_the_better_hub_is_gone() {
    for settled in [true, false] {
        let mut rig = open();
        rig.hello(B);
        rig.attach(B, H, json!({}));
        rig.wire(B, json!([10]));
        hear(&mut rig, peer("0.3.0", 2000.0, "new"));
        if settled {
            gone(&mut rig);
        }
        rig.take(A);
        rig.take(B);
        rig.input(Input::PeerGone {
            epoch: "new".into(),
        });
        assert_eq!(rig.notes(A).contains(&HubMessage::Who), !settled);
        rig.wire(B, json!([11]));
        assert_eq!(rig.notes(B), [HubMessage::Who]);
        rig.hello(B);
        rig.attach(B, H, json!({}));
        rig.accept();
        rig.send(B, 0, &["after"]);
        assert_eq!(
            rig.sent_texts(),
            ["after"],
            "on one connection, not on what is left of the old"
        );
    }
}

#[test]
fn a_tab_that_had_been_given_up_is_not_sent_on_before_it_has_said_hello() {
    let mut rig = open();
    hear(&mut rig, peer("0.3.0", 2000.0, "new"));
    gone(&mut rig);
    rig.wire(B, json!([7]));
    assert_eq!(
        rig.notes(B),
        [HubMessage::Who],
        "its sends may have been handed"
    );
    rig.hello(B);
    assert!(matches!(rig.notes(B)[..], [HubMessage::Move(_)]));
}

#[test]
fn of_equal_builds_the_one_that_was_first_stays() {
    let mut rig = open();
    hear(&mut rig, peer("0.2.0+other", 2000.0, "young"));
    assert!(rig.retired.is_empty());
    hear(&mut rig, peer("0.2.0+other", 500.0, "elder"));
    assert_eq!(rig.retired.len(), 1);
}

#[test]
fn a_hub_that_sees_another_opens_no_socket_before_they_have_met() {
    let mut rig = Rig::new();
    start(&mut rig, Some(true));
    rig.hello(A);
    rig.attach(A, H, json!({}));
    let notes = rig.notes(A);
    assert!(notes.iter().any(|note| matches!(
        note,
        HubMessage::Attached { status, .. } if (status.state, status.reason) == (State::Idle, Reason::Meeting)
    )));
    assert!(rig.opened.is_empty());
    hear(&mut rig, peer("0.1.0", 1.0, "old"));
    rig.pass_millis(1_000);
    assert!(rig.opened.is_empty(), "the other still closes its socket");
    rig.input(Input::Peer(PeerMessage::Gone {
        epoch: "old".into(),
    }));
    assert_eq!(rig.opened.len(), 1);
}

#[test]
fn nobody_is_waited_for_without_end() {
    for (others, within) in [(Some(true), 1_000), (None, 100)] {
        let mut rig = Rig::new();
        start(&mut rig, others);
        rig.hello(A);
        rig.attach(A, H, json!({}));
        rig.pass_millis(within - 1);
        assert!(rig.opened.is_empty());
        rig.pass_millis(1);
        assert_eq!(rig.opened.len(), 1);
    }
    let mut rig = Rig::new();
    start(&mut rig, Some(true));
    rig.hello(A);
    rig.attach(A, H, json!({}));
    hear(&mut rig, peer("0.1.0", 1.0, "frozen"));
    rig.pass_millis(5_000);
    assert_eq!(rig.opened.len(), 1);
}

#[test]
fn a_new_hub_that_is_not_the_better_one_sends_its_tabs_on_without_a_socket() {
    let mut rig = Rig::new();
    start(&mut rig, Some(true));
    rig.hello(A);
    rig.attach(A, H, json!({}));
    rig.take(A);
    hear(&mut rig, peer("0.2.0", 1.0, "elder"));
    assert!(matches!(rig.notes(A).last(), Some(HubMessage::Move(_))));
    assert!(rig.opened.is_empty());
}

#[test]
fn a_hub_of_another_major_runs_beside_and_is_named_to_every_tab() {
    let mut rig = open();
    rig.input(Input::Peer(PeerMessage::Other {
        protocol: 2,
        build: "2.0.0".into(),
        epoch: "future".into(),
    }));
    let beside = HubMessage::Beside {
        protocol: 2,
        build: "2.0.0".into(),
    };
    assert!(rig.notes(A).contains(&beside));
    rig.hello(B);
    assert!(rig.notes(B).contains(&beside));
    assert!(rig.retired.is_empty());
    assert_eq!(
        rig.announced.len(),
        1,
        "the other hears of this one as well"
    );
}

#[test]
fn a_connection_that_lingers_when_its_hub_yields_ends_with_it() {
    let mut rig = open();
    rig.wire(A, json!([4, H.0]));
    hear(&mut rig, peer("0.3.0", 2000.0, "new"));
    gone(&mut rig);
    assert_eq!(rig.hub.report(A).connections, 0);
    assert_eq!(rig.deadline, None);
}

#[test]
fn a_hub_that_cannot_be_found_keeps_to_itself() {
    let mut rig = Rig::open(json!({}));
    hear(&mut rig, peer("9.0.0", 1.0, "new"));
    assert!(rig.retired.is_empty() && rig.announced.is_empty());
}
