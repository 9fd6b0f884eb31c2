//! A socket that takes in more than it passes on is given nothing more for a while.

use serde_json::json;

use crate::rig::{A, H, Rig};

/// A quarter of a mebibyte, after which a socket is measured.
const QUARTER: usize = 1 << 18;

fn send(rig: &mut Rig, first: u64, count: usize) {
    let frame = "x".repeat(QUARTER);
    rig.send(A, first, &vec![&*frame; count]);
}

#[test]
fn above_the_mark_nothing_is_given_to_a_socket_and_below_the_low_one_it_goes_on() {
    let mut rig = Rig::open(json!({}));
    rig.buffered = 4 * QUARTER + 1;
    send(&mut rig, 0, 6);
    assert_eq!(rig.sent.len(), 1, "one, and then it was measured");
    rig.pass_millis(500);
    assert_eq!((rig.sent.len(), rig.measured), (1, 11));
    rig.buffered = QUARTER + 1;
    rig.pass_millis(50);
    assert_eq!(rig.sent.len(), 1, "not below the low mark");
    rig.buffered = QUARTER;
    rig.pass_millis(50);
    assert_eq!(rig.sent.len(), 6);
    assert_eq!(rig.hub.report(A).attached[0].counters.congested, 1);
}

#[test]
fn a_browser_that_says_nothing_of_it_holds_nothing_back() {
    let mut rig = Rig::open(json!({}));
    send(&mut rig, 0, 40);
    assert_eq!(rig.sent.len(), 40);
    rig.send(A, 40, &["small"]);
    assert_eq!((rig.sent.len(), rig.measured), (41, 40));
}

#[test]
fn what_was_held_back_goes_to_the_next_socket() {
    let mut rig = Rig::open(json!({"queue": {"ttl": 600_000}}));
    rig.buffered = 100 * QUARTER;
    send(&mut rig, 0, 3);
    rig.server_closes(1006, false);
    rig.buffered = 0;
    rig.sent.clear();
    rig.pass_millis(10_000);
    rig.accept();
    assert_eq!(rig.sent.len(), 2);
    rig.wire(A, json!([13, H.0]));
    rig.pass_millis(60_000);
}
