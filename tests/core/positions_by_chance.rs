//! Tabs that follow topics with positions while connections, hubs and servers die: what a tab does not get it is told of.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use serde_json::{Value, json};
use tabwire::core::{ParcelKind, PortId, SocketEvent, SocketId};
use tabwire::protocol::HubMessage;

use crate::rig::{Got, H, Rig};

/// What the server keeps of a topic.
const HISTORY: usize = 4;
const TABS: u32 = 3;

/// A server that keeps the last messages of each topic.
#[derive(Default)]
struct Server {
    topics: BTreeMap<SocketId, BTreeSet<String>>,
    said: BTreeMap<String, VecDeque<u64>>,
    last: BTreeMap<String, u64>,
}

impl Server {
    /// Says something of a topic, and how far that is then.
    fn say(&mut self, topic: &str) -> u64 {
        let last = self.last.entry(topic.into()).or_default();
        *last += 1;
        let seq = *last;
        let said = self.said.entry(topic.into()).or_default();
        said.push_back(seq);
        if said.len() > HISTORY {
            said.pop_front();
        }
        seq
    }

    fn publish(&mut self, rig: &mut Rig, topic: &str) {
        let seq = self.say(topic);
        let socket = rig.socket();
        if self
            .topics
            .get(&socket)
            .is_some_and(|topics| topics.contains(topic))
        {
            rig.frame(&message(topic, seq));
        }
    }

    /// Reads what has come by the newest socket. `twice`: whether it repeats the message that it is asked to go on after.
    fn read(&mut self, rig: &mut Rig, twice: bool) {
        for (socket, text) in core::mem::take(&mut rig.sent) {
            if socket != rig.socket() {
                continue;
            }
            let frame: Value = serde_json::from_str(&text).unwrap();
            let id = &frame["id"];
            let topics = self.topics.entry(socket).or_default();
            match frame["type"].as_str().unwrap() {
                "ping" => rig.frame(r#"{"type":"pong"}"#),
                "subscribe" => {
                    let names = frame["topics"].as_array().unwrap();
                    let mut positions = serde_json::Map::new();
                    for name in names.iter().map(|name| name.as_str().unwrap()) {
                        assert!(topics.insert(name.into()), "{name} is known already");
                        let last = self.last.get(name).copied().unwrap_or_default();
                        positions.insert(name.into(), last.into());
                    }
                    rig.frame(
                        &json!({"type": "answer", "id": id, "positions": positions}).to_string(),
                    );
                }
                "resume" => {
                    let mut recovered = serde_json::Map::new();
                    let (mut positions, mut missing) = (serde_json::Map::new(), Vec::new());
                    for (name, from) in frame["positions"].as_object().unwrap() {
                        assert!(topics.insert(name.clone()), "{name} is known already");
                        let from = from.as_u64().unwrap();
                        let last = self.last.get(name).copied().unwrap_or_default();
                        let said = self.said.get(name).cloned().unwrap_or_default();
                        let oldest = said.front().copied().unwrap_or(last + 1);
                        let can = from + 1 >= oldest && from <= last;
                        recovered.insert(name.clone(), can.into());
                        positions.insert(name.clone(), last.into());
                        let from = if twice { from } else { from + 1 };
                        let due = said.into_iter().filter(|seq| can && *seq >= from);
                        missing.extend(due.map(|seq| message(name, seq)));
                    }
                    rig.frame(
                        &json!({"type": "answer", "id": id, "positions": positions, "recovered": recovered})
                            .to_string(),
                    );
                    for frame in missing {
                        rig.frame(&frame);
                    }
                }
                "unsubscribe" => {
                    for name in frame["topics"].as_array().unwrap() {
                        topics.remove(name.as_str().unwrap());
                    }
                }
                other => panic!("{other}"),
            }
        }
    }
}

fn message(topic: &str, seq: u64) -> String {
    json!({"type": "message", "topic": topic, "seq": seq, "data": null}).to_string()
}

/// What a tab has of a topic.
#[derive(Clone, Debug, Default)]
struct Seen {
    last: Option<u64>,
    /// Whether it may have missed something and was told so.
    is_told: bool,
}

/// The tabs, which judge what they get.
#[derive(Default)]
struct Tabs {
    seen: BTreeMap<(u32, String), Seen>,
    /// The number of each subscription, and whether the hub has said from where on it gets messages.
    numbers: BTreeMap<(u32, String), (u32, bool)>,
    last: u32,
}

impl Tabs {
    fn take(&mut self, rig: &mut Rig) {
        for tab in 1..=TABS {
            for got in rig.take(PortId(tab)) {
                match got {
                    Got::Frames(_, frames, _) => self.hear(tab, &frames),
                    Got::Parcel(ParcelKind::Subscribed, number, frames) => {
                        for ((of, _), (own, is_on)) in &mut self.numbers {
                            *is_on |= (*of, *own) == (tab, number);
                        }
                        let frames: Vec<_> = frames.into_iter().map(|(frame, _)| frame).collect();
                        self.hear(tab, &frames);
                    }
                    Got::Note(HubMessage::Missed { number, from, .. }) => {
                        let mut numbers = self.numbers.iter();
                        let own = numbers.find(|((of, _), (own, _))| (*of, *own) == (tab, number));
                        let Some(((_, topic), _)) = own else {
                            continue;
                        };
                        let seen = self.seen.entry((tab, topic.clone())).or_default();
                        let from: u64 = from.unwrap().parse().unwrap();
                        assert!(
                            seen.is_told || seen.last.is_none_or(|last| from <= last),
                            "the hole begins after {from}, and {seen:?}"
                        );
                        seen.is_told = true;
                    }
                    Got::Note(HubMessage::Gap { .. }) => {
                        for (_, seen) in self.seen.iter_mut().filter(|((of, _), _)| *of == tab) {
                            seen.is_told = true;
                        }
                    }
                    Got::Note(HubMessage::Unsubscribed { .. }) => panic!("no topic is refused"),
                    Got::Note(_) | Got::Parcel(..) => {}
                }
            }
        }
    }

    fn hear(&mut self, tab: u32, frames: &[String]) {
        for frame in frames {
            let frame: Value = serde_json::from_str(frame).unwrap();
            let topic = frame["topic"].as_str().unwrap();
            let seq = frame["seq"].as_u64().unwrap();
            if !matches!(self.numbers.get(&(tab, topic.into())), Some((_, true))) {
                continue;
            }
            let seen = self.seen.entry((tab, topic.into())).or_default();
            if let Some(last) = seen.last {
                assert!(seq > last, "{topic} {seq} after {last} is a duplicate");
                assert!(
                    seq == last + 1 || seen.is_told,
                    "{topic} {seq} after {last} is a hole"
                );
            }
            *seen = Seen {
                last: Some(seq),
                is_told: false,
            };
        }
    }

    /// The newest hub is told by each tab what it wants and how far it is. A tab that does not know has told its user of a gap.
    fn attach(&mut self, rig: &mut Rig, wants: &BTreeMap<u32, BTreeSet<usize>>) {
        let options = json!({"subprotocol": "\"json\"", "reconnect": {"maxDelay": 1000}, "replay": {"perTopic": 2}});
        for tab in 1..=TABS {
            rig.hello(PortId(tab));
            rig.attach(PortId(tab), H, options.clone());
            for topic in wants.get(&tab).into_iter().flatten() {
                self.subscribe(rig, tab, *topic);
            }
        }
    }

    fn subscribe(&mut self, rig: &mut Rig, tab: u32, topic: usize) {
        let name = format!("t{topic}");
        self.last += 1;
        self.numbers.insert((tab, name.clone()), (self.last, false));
        let last = self
            .seen
            .get(&(tab, name.clone()))
            .and_then(|seen| seen.last);
        let mut want = vec![json!(self.last), json!(name), json!(1)];
        want.extend(last.map(|last| json!(message(&name, last))));
        rig.wire(
            PortId(tab),
            json!([16, H.0, rig.attached[&PortId(tab)].0, [want]]),
        );
    }
}

#[derive(Clone, Debug)]
enum Step {
    Subscribe(u32, usize),
    Unsubscribe(u32, usize),
    Publish(usize, usize),
    Drop(Vec<usize>),
    HubDies(Vec<usize>),
    Replace,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (tab, topic) = (1..=TABS, 0_usize..3);
    let outage = prop::collection::vec(topic.clone(), 0..8);
    let step = prop_oneof![
        4 => (tab.clone(), topic.clone()).prop_map(|(tab, topic)| Step::Subscribe(tab, topic)),
        2 => (tab, topic.clone()).prop_map(|(tab, topic)| Step::Unsubscribe(tab, topic)),
        8 => (topic, 1_usize..4).prop_map(|(topic, count)| Step::Publish(topic, count)),
        2 => outage.clone().prop_map(Step::Drop),
        2 => outage.prop_map(Step::HubDies),
        1 => Just(Step::Replace),
        2 => (0_u64..3000).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn no_message_comes_twice_and_none_is_missed_unsaid(steps in steps(), twice in any::<bool>()) {
        let (mut rig, mut server, mut tabs) = (Rig::new(), Server::default(), Tabs::default());
        let mut wants: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
        tabs.attach(&mut rig, &wants);
        rig.accept();
        server.read(&mut rig, twice);
        for step in steps {
            match step {
                Step::Subscribe(tab, topic) => {
                    if wants.entry(tab).or_default().insert(topic) {
                        // A listener that is new knows nothing.
                        tabs.seen.remove(&(tab, format!("t{topic}")));
                        tabs.subscribe(&mut rig, tab, topic);
                    }
                }
                Step::Unsubscribe(tab, topic) => {
                    if wants.entry(tab).or_default().remove(&topic) {
                        let name = format!("t{topic}");
                        let (number, _) = tabs.numbers.remove(&(tab, name.clone())).unwrap();
                        crate::topics::unsubscribe(&mut rig, PortId(tab), &[number]);
                        tabs.seen.remove(&(tab, name));
                    }
                }
                Step::Publish(topic, count) => {
                    for _ in 0..count {
                        server.publish(&mut rig, &format!("t{topic}"));
                    }
                    rig.tick();
                }
                Step::Drop(outage) => {
                    rig.server_closes(1006, false);
                    server.topics.clear();
                    for topic in outage {
                        server.say(&format!("t{topic}"));
                    }
                    rig.pass_millis(10_000);
                    rig.accept();
                }
                Step::HubDies(outage) => {
                    rig.tick();
                    tabs.take(&mut rig);
                    rig = Rig::new();
                    server.topics.clear();
                    for topic in outage {
                        server.say(&format!("t{topic}"));
                    }
                    tabs.attach(&mut rig, &wants);
                    rig.accept();
                }
                Step::Replace => {
                    rig.frame(r#"{"type":"reconnect","delay":0}"#);
                    rig.pass_millis(0);
                    rig.event(SocketEvent::Opened { protocol: String::new(), extensions: String::new() });
                    rig.frame(r#"{"type":"pong"}"#);
                }
                Step::Wait(millis) => rig.pass_millis(millis),
            }
            server.read(&mut rig, twice);
            tabs.take(&mut rig);
        }
        // Whoever wants a topic gets the next message of it.
        rig.pass_millis(1000);
        server.read(&mut rig, twice);
        for topic in 0..3 {
            server.publish(&mut rig, &format!("t{topic}"));
        }
        rig.tick();
        tabs.take(&mut rig);
        for (tab, topics) in &wants {
            for topic in topics {
                let name = format!("t{topic}");
                let last = server.last[&name];
                let seen = tabs.seen.get(&(*tab, name.clone())).and_then(|seen| seen.last);
                prop_assert_eq!(seen, Some(last), "tab {} of {}", tab, name);
            }
        }
    }
}
