//! Who gets which messages, when, and what happens to a tab that does not keep up.

use serde_json::{Value, json};
use tabwire::core::TimerReason;
use tabwire::protocol::{GapReason, HubMessage, Loss, WhenSlow};

use crate::rig::{A, B, Got, H, Rig};

fn two_tabs(flow_of_b: Value) -> Rig {
    let mut rig = Rig::open(json!({}));
    rig.hello(B);
    rig.attach(B, H, json!({"flow": flow_of_b}));
    rig.take(A);
    rig.take(B);
    rig
}

fn numbered(rig: &mut Rig, range: std::ops::Range<u32>) {
    for number in range {
        rig.frame(&number.to_string());
    }
}

fn gap(rig: &Rig, from: u64, to: u64) -> Got {
    let reason = GapReason::Dropped(Loss::SlowTab);
    Got::Note(HubMessage::Gap {
        conn: rig.conn(),
        lost: Some((from, to)),
        reason,
    })
}

#[test]
fn the_first_message_after_a_pause_goes_at_once_and_the_rest_in_one_go() {
    let mut rig = two_tabs(json!({}));
    numbered(&mut rig, 0..5);
    assert_eq!(rig.take(A), [Got::Frames(0, vec!["0".into()], false)]);
    assert_eq!(rig.ticks, 1);
    rig.tick();
    let rest = ["1", "2", "3", "4"].map(String::from).to_vec();
    assert_eq!(rig.take(A), [Got::Frames(1, rest, false)]);
    rig.tick();
    assert_eq!(rig.ticks, 2, "no tick without messages");
    numbered(&mut rig, 5..6);
    assert_eq!(rig.frames(A), ["5"]);
    assert_eq!(rig.frames(B).len(), 6);
}

#[test]
fn a_tab_gets_only_what_came_after_it_attached() {
    let mut rig = Rig::open(json!({}));
    numbered(&mut rig, 0..3);
    rig.hello(B);
    rig.attach(B, H, json!({}));
    numbered(&mut rig, 3..5);
    rig.tick();
    let next = rig.got[&B].iter().find_map(|got| match got {
        Got::Note(HubMessage::Attached { next, .. }) => Some(*next),
        _ => None,
    });
    assert_eq!(next, Some(3));
    assert_eq!(rig.frames(B), ["3", "4"]);
    assert_eq!(rig.frames(A), ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_tab_is_posted_a_window_at_most_until_it_acknowledges() {
    let mut rig = two_tabs(json!({"window": {"messages": 4}}));
    numbered(&mut rig, 0..10);
    rig.tick();
    assert_eq!(rig.frames(A).len(), 10);
    let got = rig.take(B);
    let last = got.last().unwrap();
    assert!(
        matches!(last, Got::Frames(_, _, true)),
        "half a window in flight asks for an ack: {got:?}"
    );
    let frames: usize = got
        .iter()
        .map(|got| match got {
            Got::Frames(_, frames, _) => frames.len(),
            Got::Note(_) | Got::Parcel(..) => 0,
        })
        .sum();
    assert_eq!(frames, 4);
    let conn = rig.conn().0;
    rig.wire(B, json!([6, conn, 4]));
    assert_eq!(rig.frames(B), ["4", "5", "6", "7"]);
    rig.wire(B, json!([6, conn, 8]));
    assert_eq!(rig.frames(B), ["8", "9"]);
}

#[test]
fn a_message_larger_than_the_window_still_goes() {
    let mut rig = two_tabs(json!({"window": {"bytes": 1}}));
    rig.frame("larger than the window");
    assert_eq!(rig.frames(B).len(), 1);
    rig.frame("and the next waits");
    rig.tick();
    assert!(rig.frames(B).is_empty());
}

#[test]
fn queue_loses_what_is_new_beyond_the_cap_and_says_so() {
    let mut rig = two_tabs(json!({"window": {"messages": 2}, "cap": {"messages": 3}}));
    numbered(&mut rig, 0..10);
    rig.tick();
    assert_eq!(rig.frames(B), ["0", "1"]);
    let conn = rig.conn().0;
    rig.wire(B, json!([6, conn, 2]));
    rig.wire(B, json!([6, conn, 4]));
    let got = rig.take(B);
    assert_eq!(got[0], Got::Frames(2, vec!["2".into(), "3".into()], true));
    assert_eq!(got[1], Got::Frames(4, vec!["4".into()], true));
    assert_eq!(got[2], gap(&rig, 5, 10));
    let overflow = HubMessage::Overflow {
        conn: rig.conn(),
        count: 5,
        policy: WhenSlow::Queue,
    };
    assert_eq!(got[3], Got::Note(overflow));
    rig.wire(B, json!([6, conn, 5]));
    numbered(&mut rig, 10..11);
    rig.tick();
    assert_eq!(rig.frames(B), ["10"], "after the gap it goes on");
    assert_eq!(rig.frames(A).len(), 11, "nobody else is concerned");
}

#[test]
fn drop_oldest_loses_what_is_old() {
    let mut rig = two_tabs(
        json!({"window": {"messages": 2}, "cap": {"messages": 3}, "whenSlow": "drop-oldest"}),
    );
    numbered(&mut rig, 0..10);
    rig.tick();
    rig.take(B);
    let conn = rig.conn().0;
    rig.wire(B, json!([6, conn, 2]));
    let got = rig.take(B);
    assert_eq!(got[0], gap(&rig, 2, 7));
    assert_eq!(got[2], Got::Frames(7, vec!["7".into(), "8".into()], true));
}

#[test]
fn latest_keeps_only_the_newest() {
    let mut rig = two_tabs(json!({"window": {"messages": 2}, "whenSlow": "latest"}));
    numbered(&mut rig, 0..10);
    rig.tick();
    rig.take(B);
    let conn = rig.conn().0;
    rig.wire(B, json!([6, conn, 2]));
    let got = rig.take(B);
    assert_eq!(got[0], gap(&rig, 2, 9));
    assert_eq!(got[2], Got::Frames(9, vec!["9".into()], true));
}

#[test]
fn a_hidden_tab_is_posted_to_at_its_own_beat() {
    let mut rig = two_tabs(json!({"hiddenFlush": 250}));
    rig.wire(B, json!([8, 0, 0]));
    numbered(&mut rig, 0..3);
    rig.tick();
    assert!(rig.frames(B).is_empty());
    rig.pass_millis(250);
    assert_eq!(rig.frames(B), ["0", "1", "2"]);
    numbered(&mut rig, 3..4);
    rig.wire(B, json!([8, 1, 1]));
    assert_eq!(rig.frames(B), ["3"], "shown again, it waits no longer");
}

#[test]
fn a_hidden_tab_that_does_not_acknowledge_is_not_flushed_for_ever() {
    let mut rig = two_tabs(json!({"hiddenFlush": 0, "window": {"messages": 2}}));
    rig.wire(B, json!([8, 0, 0]));
    numbered(&mut rig, 0..5);
    rig.tick();
    rig.pass_millis(0);
    assert_eq!(rig.frames(B), ["0", "1"]);
    assert_eq!(
        rig.deadline.unwrap().reason,
        TimerReason::Stable,
        "no flush is due"
    );
    let conn = rig.conn().0;
    rig.wire(B, json!([6, conn, 2]));
    rig.pass_millis(0);
    assert_eq!(rig.frames(B), ["2", "3"]);
}

#[test]
fn half_a_window_does_not_wait_for_the_beat() {
    let mut rig = two_tabs(json!({"hiddenFlush": 60_000, "window": {"messages": 8}}));
    rig.wire(B, json!([8, 0, 0]));
    numbered(&mut rig, 0..5);
    rig.tick();
    assert_eq!(rig.frames(B).len(), 5);
}

#[test]
fn nothing_is_posted_to_a_suspended_tab_and_it_gets_all_on_return() {
    let mut rig = two_tabs(json!({}));
    rig.wire(B, json!([10]));
    numbered(&mut rig, 0..4);
    rig.tick();
    rig.server_closes(1006, false);
    rig.reopen();
    rig.pass_millis(30_000);
    assert_eq!(rig.take(B), []);
    rig.wire(B, json!([11]));
    assert_eq!(rig.frames(B), ["0", "1", "2", "3"]);
}

#[test]
fn a_suspended_tab_of_a_flapping_connection_keeps_a_bounded_queue() {
    let mut rig = two_tabs(json!({}));
    rig.wire(B, json!([10]));
    for _ in 0..500 {
        rig.server_closes(1006, false);
        rig.reopen();
    }
    rig.wire(B, json!([11]));
    let got = rig.take(B);
    assert!(got.len() <= 256 + 10, "{}", got.len());
    assert!(matches!(
        got.iter().rev().find(|got| matches!(got, Got::Note(HubMessage::Status(..)))),
        Some(Got::Note(HubMessage::Status(_, status))) if status.state.is_open()
    ));
}

#[test]
fn an_ack_for_a_connection_that_the_tab_has_not_is_refused() {
    let mut rig = two_tabs(json!({}));
    rig.wire(B, json!([6, 77, 1]));
    assert!(matches!(rig.notes(B)[0], HubMessage::Error { op: 6, .. }));
}
