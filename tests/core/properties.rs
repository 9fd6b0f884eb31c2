//! Properties that hold whatever happens, in any order.

use proptest::prelude::*;
use serde_json::json;
use tabwire::core::Backoff;
use tabwire::protocol::{GapReason, HubMessage, Loss, Options};

use crate::json::Json;
use crate::rig::{A, B, Got, H, Rig};

/// Something that happens around a tab with narrow limits.
#[derive(Clone, Debug)]
enum Step {
    Frames(u32),
    Tick,
    Ack,
    Hide,
    Show,
    Suspend,
    Resume,
    Pass(u64),
    LoseAndReopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1u32..30).prop_map(Step::Frames),
        4 => Just(Step::Tick),
        3 => Just(Step::Ack),
        1 => Just(Step::Hide),
        1 => Just(Step::Show),
        1 => Just(Step::Suspend),
        1 => Just(Step::Resume),
        1 => (1u64..600).prop_map(Step::Pass),
        1 => Just(Step::LoseAndReopen),
    ];
    prop::collection::vec(step, 1..60)
}

/// What a tab has seen: the next sequence it expects, and how many messages it got and lost.
#[derive(Default)]
struct Seen {
    next: u64,
    delivered: u64,
    lost: u64,
}

impl Seen {
    fn take(&mut self, got: Vec<Got>) {
        for got in got {
            match got {
                Got::Frames(first, frames, _) => {
                    assert_eq!(
                        first, self.next,
                        "in order, none twice, none missing without a gap"
                    );
                    for (index, frame) in frames.iter().enumerate() {
                        assert_eq!(*frame, (first + index as u64).to_string());
                    }
                    self.next += frames.len() as u64;
                    self.delivered += frames.len() as u64;
                }
                Got::Note(HubMessage::Gap {
                    lost: Some((from, to)),
                    reason,
                    ..
                }) => {
                    assert_eq!(reason, GapReason::Dropped(Loss::SlowTab));
                    assert_eq!(from, self.next);
                    assert!(to > from);
                    self.lost += to - from;
                    self.next = to;
                }
                Got::Note(_) | Got::Parcel(..) => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn every_message_reaches_a_narrow_tab_once_in_order_or_is_in_a_gap(
        policy in prop_oneof![Just("queue"), Just("latest"), Just("drop-oldest")],
        window in 1u32..12,
        cap in 1u32..30,
        steps in steps(),
    ) {
        let mut rig = Rig::open(json!({}));
        rig.hello(B);
        let flow = json!({"window": {"messages": window}, "cap": {"messages": cap}, "whenSlow": policy});
        rig.attach(B, H, json!({"flow": flow}));
        let (mut narrow, mut wide, mut number) = (Seen::default(), Seen::default(), 0u64);
        let conn = rig.conn().0;
        let mut suspended = false;
        for step in steps {
            match step {
                Step::Frames(count) => {
                    for _ in 0..count {
                        rig.frame(&number.to_string());
                        number += 1;
                    }
                }
                Step::Tick => rig.tick(),
                Step::Ack if suspended => {}
                Step::Ack => rig.wire(B, json!([6, conn, narrow.next])),
                Step::Hide => rig.wire(B, json!([8, 0, 0])),
                Step::Show => rig.wire(B, json!([8, 1, 0])),
                Step::Suspend => {
                    rig.wire(B, json!([10]));
                    narrow.take(rig.take(B));
                    suspended = true;
                }
                Step::Resume => {
                    suspended = false;
                    rig.wire(B, json!([11]));
                }
                Step::Pass(millis) => rig.pass_millis(millis),
                Step::LoseAndReopen => {
                    rig.server_closes(1006, false);
                    rig.reopen();
                }
            }
            let got = rig.take(B);
            prop_assert!(!suspended || got.is_empty(), "posted to a suspended tab: {got:?}");
            narrow.take(got);
            wide.take(rig.take(A));
        }
        rig.wire(B, json!([11]));
        rig.wire(B, json!([8, 1, 0]));
        for _ in 0..200 {
            rig.tick();
            narrow.take(rig.take(B));
            rig.wire(B, json!([6, conn, narrow.next]));
        }
        narrow.take(rig.take(B));
        wide.take(rig.take(A));
        prop_assert_eq!(wide.delivered, number, "a tab that keeps up misses nothing");
        prop_assert_eq!(narrow.delivered + narrow.lost, number, "the rest is told");
    }

    #[test]
    fn delays_stay_within_their_bounds(
        seed in any::<u64>(),
        min in 0u64..5000,
        max in 0u64..60_000,
        floor in 0u64..1000,
        growth in 1.0f64..1e6,
        jitter in prop_oneof![Just(json!("full")), Just(json!("none")), (0.0f64..=1.0).prop_map(|share| json!(share)), (0u64..5000).prop_map(|add| json!({"add": add}))],
        failures in 1usize..80,
    ) {
        let given = json!({"reconnect": {"minDelay": min, "maxDelay": max, "floor": floor, "growth": growth, "jitter": jitter}});
        let config = Options::read(&Json(given)).unwrap().reconnect.resolve();
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut backoff = Backoff::default();
        let add = jitter.get("add").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let share = jitter.as_f64().unwrap_or(0.0);
        let most = (max as f64 * (1.0 + share)) as u64 + add + 1;
        for _ in 0..failures {
            let delay = backoff.handle_failure(&config, &mut rng).as_millis() as u64;
            prop_assert!(delay >= floor && delay <= most.max(floor), "{delay}");
        }
    }
}
