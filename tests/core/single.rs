//! Messages that are for exactly one of the tabs that want them, and topics of which only the newest counts.

use serde_json::{Value, json};
use tabwire::core::{ParcelKind, PortId};
use tabwire::protocol::{HubMessage, Loss};

use crate::rig::{A, B, Got, H, Rig};
use crate::topics::{message, open, subscribe};

/// Subscribes to the messages of a topic that no other tab gets.
fn subscribe_alone(rig: &mut Rig, port: PortId, number: u32, topic: &str, last: Option<&str>) {
    let wants = json!([[number, topic, 1, last, 0, 1]]);
    rig.wire(port, json!([16, H.0, rig.attached[&port].0, wants]));
    rig.take(port);
}

fn done(rig: &mut Rig, port: PortId, id: u32) {
    rig.wire(port, json!([20, H.0, rig.attached[&port].0, id]));
}

/// What a tab was handed alone: the number to acknowledge it by, the message, and whether another may have dealt with it.
fn handed(rig: &mut Rig, port: PortId) -> Vec<(u32, String, bool)> {
    rig.take(port)
        .into_iter()
        .filter_map(|got| match got {
            Got::Parcel(ParcelKind::Single { id, is_again }, _, frames) => {
                Some((id, frames[0].0.clone(), is_again))
            }
            Got::Parcel(..) | Got::Note(_) | Got::Frames(..) => None,
        })
        .collect()
}

fn say(rig: &mut Rig, data: u32) {
    rig.frame(&message("jobs", data));
    rig.tick();
}

/// Both tabs want each message of `jobs` alone; A has the focus.
fn both() -> Rig {
    let mut rig = open();
    rig.wire(A, json!([8, 1, 1]));
    rig.wire(B, json!([8, 1, 0]));
    subscribe_alone(&mut rig, A, 1, "jobs", None);
    subscribe_alone(&mut rig, B, 1, "jobs", None);
    rig.frame(r#"{"type":"answer","id":1}"#);
    rig
}

#[test]
fn a_message_goes_to_the_focused_tab_else_to_a_visible_one_else_to_the_newest() {
    let mut rig = both();
    say(&mut rig, 1);
    assert_eq!(handed(&mut rig, A), [(1, message("jobs", 1), false)]);
    assert_eq!(rig.take(B), []);
    rig.wire(A, json!([8, 0, 0]));
    say(&mut rig, 2);
    assert_eq!(handed(&mut rig, B), [(2, message("jobs", 2), false)]);
    rig.wire(B, json!([8, 0, 0]));
    say(&mut rig, 3);
    assert_eq!(handed(&mut rig, B), [(3, message("jobs", 3), false)]);
}

#[test]
fn what_has_been_dealt_with_is_not_handed_on() {
    let mut rig = both();
    say(&mut rig, 1);
    done(&mut rig, A, 1);
    rig.take(A);
    rig.pass_millis(9000);
    rig.wire(A, json!([2]));
    rig.pass_millis(9000);
    assert_eq!(handed(&mut rig, B), []);
}

#[test]
fn a_tab_that_says_nothing_for_five_seconds_loses_the_message_to_another() {
    let mut rig = both();
    say(&mut rig, 1);
    rig.take(A);
    rig.pass_millis(4999);
    assert_eq!(handed(&mut rig, B), []);
    rig.pass_millis(1);
    assert_eq!(handed(&mut rig, B), [(1, message("jobs", 1), true)]);
    done(&mut rig, A, 1);
    rig.wire(B, json!([2]));
    subscribe_alone(&mut rig, A, 2, "jobs", None);
    rig.pass_millis(20_000);
    assert_eq!(handed(&mut rig, A), [], "late, but dealt with");
}

#[test]
fn a_tab_that_dies_or_freezes_or_gives_up_loses_the_message_at_once() {
    for leave in [
        json!([2]),
        json!([10]),
        json!([4, H.0]),
        json!([17, H.0, 0, [1]]),
    ] {
        let mut rig = both();
        let mut leave = leave;
        if leave[0] == 17 {
            leave[2] = json!(rig.attached[&A].0);
        }
        say(&mut rig, 1);
        rig.wire(A, leave.clone());
        assert_eq!(
            handed(&mut rig, B),
            [(1, message("jobs", 1), true)],
            "{leave}"
        );
    }
}

#[test]
fn what_nobody_can_take_waits_for_the_next() {
    let mut rig = both();
    rig.wire(B, json!([17, H.0, rig.attached[&B].0, [1]]));
    say(&mut rig, 1);
    rig.wire(A, json!([2]));
    rig.take(B);
    subscribe_alone(&mut rig, B, 2, "jobs", None);
    let mut rig = both();
    rig.wire(A, json!([10]));
    rig.wire(B, json!([10]));
    say(&mut rig, 1);
    rig.wire(B, json!([11]));
    assert_eq!(handed(&mut rig, B), [(1, message("jobs", 1), false)]);
}

#[test]
fn a_single_tab_that_takes_its_time_does_not_get_it_twice() {
    let mut rig = both();
    rig.wire(B, json!([2]));
    say(&mut rig, 1);
    rig.take(A);
    rig.pass_millis(20_000);
    assert_eq!(handed(&mut rig, A), []);
}

#[test]
fn those_who_want_all_messages_get_them_besides() {
    let mut rig = both();
    subscribe(&mut rig, B, &[(2, "jobs")]);
    rig.take(B);
    say(&mut rig, 1);
    assert_eq!(rig.frames(B), [message("jobs", 1)]);
    assert_eq!(handed(&mut rig, A).len(), 1);
    assert_eq!(rig.frames(A), [] as [&str; 0]);
}

#[test]
fn what_waits_is_bounded_and_what_is_given_up_is_told() {
    let mut rig = both();
    for data in 0..1001 {
        say(&mut rig, data);
    }
    let notes = rig.notes(A);
    let given_up = HubMessage::Missed {
        handle: H,
        number: 1,
        from: None,
        to: None,
        loss: Loss::NotTaken,
    };
    assert_eq!(notes.iter().filter(|note| **note == given_up).count(), 1);
    assert_eq!(rig.hub.report(A).attached[0].counters.untaken, 1);
}

#[test]
fn the_next_hub_goes_on_after_what_the_one_before_has_handed_to_any() {
    let mut rig = open();
    let last = |seq: u32| json!({"type": "message", "topic": "jobs", "seq": seq}).to_string();
    subscribe_alone(&mut rig, A, 1, "jobs", Some(&last(4)));
    subscribe_alone(&mut rig, B, 1, "jobs", Some(&last(6)));
    rig.pass_millis(100);
    let asked: Vec<Value> = crate::topics::sent(&mut rig);
    assert_eq!(
        asked,
        [json!({"type": "resume", "id": 1, "positions": {"jobs": 6}})]
    );
    for seq in 6..8 {
        rig.frame(&last(seq));
    }
    rig.tick();
    let both = [handed(&mut rig, A), handed(&mut rig, B)].concat();
    assert_eq!(both, [(1, last(7), false)]);
}

#[test]
fn of_a_conflated_topic_a_slow_tab_gets_the_newest_and_all_of_the_others() {
    let mut rig = Rig::new();
    rig.hello(A);
    let flow = json!({"window": {"messages": 2}});
    rig.attach(A, H, json!({"subprotocol": "\"json\"", "flow": flow}));
    rig.accept();
    rig.frame(r#"{"type":"pong"}"#);
    let wants = json!([[1, "price", 1, null, 1], [2, "order", 1]]);
    rig.wire(A, json!([16, H.0, rig.attached[&A].0, wants]));
    rig.take(A);
    let topics = [
        "price", "order", "price", "order", "price", "order", "price",
    ];
    for (number, topic) in topics.into_iter().enumerate() {
        rig.frame(&message(topic, number as u32));
        rig.tick();
    }
    let (mut frames, mut merged, mut next) = (Vec::new(), 0, 0);
    for _ in 0..3 {
        for got in rig.take(A) {
            match got {
                Got::Frames(first, texts, _) => {
                    next = first + texts.len() as u64;
                    frames.extend(texts);
                }
                Got::Note(HubMessage::Overflow { count, .. }) => merged += count,
                Got::Note(_) | Got::Parcel(..) => {}
            }
        }
        rig.wire(A, json!([6, rig.conn().0, next]));
    }
    let due = [
        ("price", 0),
        ("order", 1),
        ("order", 3),
        ("order", 5),
        ("price", 6),
    ];
    assert_eq!(frames, due.map(|(topic, number)| message(topic, number)));
    assert_eq!(merged, 2);
}
