//! Tabs that come, want topics and go, against a server that counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tabwire::core::{PortId, SocketEvent, SocketId};
use tabwire::protocol::HubMessage;

use crate::rig::{Got, H, Rig};
use crate::topics::{message, subscribe, unsubscribe};

/// A server that answers, and knows what it has been asked for on each socket.
#[derive(Default)]
struct Server {
    topics: BTreeMap<SocketId, BTreeSet<String>>,
}

impl Server {
    /// Reads all that has come.
    fn read(&mut self, rig: &mut Rig) {
        for (socket, text) in core::mem::take(&mut rig.sent) {
            let frame: Value = serde_json::from_str(&text).unwrap();
            let topics = self.topics.entry(socket).or_default();
            let named = frame["topics"].as_array().into_iter().flatten();
            let named = named.map(|topic| topic.as_str().unwrap().to_owned());
            match frame["type"].as_str().unwrap() {
                "ping" => {
                    let pong = r#"{"type":"pong"}"#;
                    rig.frame(pong);
                }
                "subscribe" => {
                    for topic in named {
                        assert!(topics.insert(topic.clone()), "{topic} is known already");
                    }
                    rig.frame(&json!({"type": "answer", "id": frame["id"]}).to_string());
                }
                "unsubscribe" => {
                    for topic in named {
                        assert!(topics.remove(&topic), "{topic} is not known");
                    }
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Subscribe(u32, usize),
    Unsubscribe(u32, usize),
    Die(u32),
    Drop,
    Wait(u64),
    Say(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (tab, topic) = (1_u32..5, 0_usize..6);
    let step = prop_oneof![
        6 => (tab.clone(), topic.clone()).prop_map(|(tab, topic)| Step::Subscribe(tab, topic)),
        4 => (tab.clone(), topic.clone()).prop_map(|(tab, topic)| Step::Unsubscribe(tab, topic)),
        1 => tab.prop_map(Step::Die),
        1 => Just(Step::Drop),
        3 => (0_u64..3000).prop_map(Step::Wait),
        8 => topic.prop_map(Step::Say),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #[test]
    fn the_server_sees_each_topic_once_and_each_tab_exactly_its_own(steps in steps()) {
        let mut rig = Rig::new();
        let mut server = Server::default();
        let mut wants: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
        let mut due: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        let mut number = 0;
        let options = json!({"subprotocol": "\"json\"", "reconnect": {"maxDelay": 1000}});
        // One that stays, so that the connection does.
        rig.hello(PortId(9));
        rig.attach(PortId(9), H, options.clone());
        rig.accept();
        server.read(&mut rig);
        for step in steps {
            match step {
                Step::Subscribe(tab, topic) => {
                    let port = PortId(tab);
                    if let std::collections::btree_map::Entry::Vacant(entry) = wants.entry(tab) {
                        rig.hello(port);
                        rig.attach(port, H, options.clone());
                        entry.insert(BTreeSet::new());
                    }
                    subscribe(&mut rig, port, &[(topic as u32, &format!("t{topic}"))]);
                    wants.entry(tab).or_default().insert(topic);
                }
                Step::Unsubscribe(tab, topic) => {
                    if wants.contains_key(&tab) {
                        unsubscribe(&mut rig, PortId(tab), &[topic as u32]);
                        wants.entry(tab).or_default().remove(&topic);
                    }
                }
                Step::Die(tab) => {
                    if wants.remove(&tab).is_some() {
                        rig.wire(PortId(tab), json!([2]));
                        due.remove(&tab);
                        rig.take(PortId(tab));
                    }
                }
                Step::Drop => {
                    rig.server_closes(1006, false);
                    rig.pass_millis(10_000);
                    rig.accept();
                }
                Step::Wait(millis) => rig.pass(Duration::from_millis(millis)),
                Step::Say(topic) => {
                    let name = format!("t{topic}");
                    let socket = rig.socket();
                    if server.topics.get(&socket).is_some_and(|topics| topics.contains(&name)) {
                        number += 1;
                        let text = message(&name, number);
                        rig.event(SocketEvent::Frame(tabwire::core::Payload::from_text(&text)));
                        for (tab, _) in wants.iter().filter(|(_, topics)| topics.contains(&topic)) {
                            due.entry(*tab).or_default().push(text.clone());
                        }
                    }
                }
            }
            server.read(&mut rig);
        }
        rig.tick();
        for tab in 1..5 {
            prop_assert_eq!(rig.frames(PortId(tab)), due.remove(&tab).unwrap_or_default(), "tab {}", tab);
        }
        rig.pass_millis(2000);
        server.read(&mut rig);
        let all: BTreeSet<_> = wants.values().flatten().map(|topic| format!("t{topic}")).collect();
        let known = server.topics.remove(&rig.socket()).unwrap_or_default();
        prop_assert_eq!(known, all);
    }
}

proptest! {
    #[test]
    fn a_slow_tab_gets_the_newest_of_each_topic_and_is_told_of_the_rest(
        window in 1_u32..6,
        policy in prop_oneof![Just("latest"), Just("drop-oldest"), Just("queue")],
        cap in 1_u32..6,
        steps in prop::collection::vec((0_usize..4, 0_u8..4), 1..80),
    ) {
        let mut rig = Rig::new();
        let port = PortId(1);
        let flow = json!({"window": {"messages": window}, "cap": {"messages": cap}, "whenSlow": policy});
        rig.hello(port);
        rig.attach(port, H, json!({"subprotocol": "\"json\"", "flow": flow}));
        rig.accept();
        rig.frame(r#"{"type":"pong"}"#);
        subscribe(&mut rig, port, &[(0, "t0"), (1, "t1"), (2, "t2")]);
        rig.take(port);
        let (mut next, mut got, mut lost) = (0, Vec::new(), 0);
        let mut newest = BTreeMap::new();
        let mut said = 0;
        let take = |rig: &mut Rig, next: &mut u64, got: &mut Vec<String>, lost: &mut u64| {
            for item in rig.take(port) {
                match item {
                    Got::Frames(first, texts, _) => {
                        assert_eq!(first, *next, "no hole that is not told");
                        *next += texts.len() as u64;
                        got.extend(texts);
                    }
                    Got::Note(HubMessage::Gap { lost: Some((from, to)), .. }) => {
                        assert_eq!(from, *next);
                        *next = to;
                        *lost += to - from;
                    }
                    Got::Note(_) | Got::Parcel(..) => {}
                }
            }
        };
        for (number, (topic, then)) in steps.into_iter().enumerate() {
            // Nobody wants the last.
            let text = message(&format!("t{topic}"), number as u32);
            rig.frame(&text);
            if topic < 3 {
                said += 1;
                newest.insert(topic, text);
            }
            if then > 0 {
                rig.tick();
            }
            if then == 3 {
                take(&mut rig, &mut next, &mut got, &mut lost);
                rig.wire(port, json!([6, rig.conn().0, next]));
            }
        }
        rig.tick();
        loop {
            let before = next;
            take(&mut rig, &mut next, &mut got, &mut lost);
            rig.wire(port, json!([6, rig.conn().0, next]));
            if next == before {
                break;
            }
        }
        prop_assert_eq!(got.len() as u64 + lost, said);
        prop_assert_eq!(lost, rig.hub.report(port).attached[0].counters.dropped);
        if policy == "latest" {
            for text in newest.values() {
                prop_assert!(got.contains(text), "{} is the newest", text);
            }
        }
    }
}
