//! Topics: who has asked for which, in three dialects, and what is published there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use axum::extract::ws::Message;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::connection::{Connection, Outgoing};
use crate::state::App;
use crate::sync::lock;

/// How a connection speaks of topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// What the word `json` stands for in tabwire.
    Json,
    /// `LISTEN`, `UNLISTEN`, `PING`, like a service for live video; 50 topics a connection.
    Pubsub,
    /// JSON-RPC 2.0: methods `subscribe`, `unsubscribe`, `publish`, `echo`; notifications `event`.
    Rpc,
}

/// What has been asked for and published since the server was started.
#[derive(Default)]
pub struct Topics(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    wanted: BTreeMap<u64, BTreeSet<String>>,
    published: BTreeMap<String, History>,
    counts: Counts,
}

/// What has been published of a topic.
#[derive(Default)]
struct History {
    last: u64,
    /// Whether whoever asks for it gets the last message at once.
    is_retained: bool,
    kept: VecDeque<(u64, Value)>,
}

impl History {
    fn push(&mut self, data: &Value) -> u64 {
        self.last += 1;
        self.kept.push_back((self.last, data.clone()));
        if self.kept.len() > MOST_KEPT {
            self.kept.pop_front();
        }
        self.last
    }

    /// Whether all after a position is kept.
    fn covers(&self, from: u64) -> bool {
        let oldest = self.kept.front().map_or(self.last + 1, |(seq, _)| *seq);
        from <= self.last && from + 1 >= oldest
    }
}

impl Inner {
    fn subscribe(
        &mut self,
        connection: u64,
        dialect: Dialect,
        topics: &[String],
    ) -> Result<(), Value> {
        if let Some(forbidden) = topics.iter().find(|topic| topic.starts_with("forbidden")) {
            return Err(json!(format!("forbidden: {forbidden}")));
        }
        let wanted = self.wanted.entry(connection).or_default();
        let fresh = topics.iter().filter(|topic| !wanted.contains(*topic));
        if wanted.len() + fresh.count() > dialect.most_topics() {
            return Err(json!("too many topics"));
        }
        for topic in topics {
            self.counts.subscribed += 1;
            self.counts.duplicates += u64::from(!wanted.insert(topic.clone()));
        }
        Ok(())
    }

    /// How far topics are, the last of those that are retained left out: that is sent when one begins.
    fn positions(&self, topics: &[String], from: Option<&Map<String, Value>>) -> Value {
        let last = |topic| {
            let history = self.published.get(topic);
            history.map_or(0, |history| {
                history
                    .last
                    .saturating_sub(u64::from(from.is_none() && history.is_retained))
            })
        };
        let positions = topics
            .iter()
            .map(|topic| (topic.clone(), last(topic).into()));
        Value::Object(positions.collect())
    }

    /// The last message of each topic that is retained, in frames.
    fn retained(&self, dialect: Dialect, topics: &[String]) -> Vec<Value> {
        let frame = |topic: &String| {
            let history = self
                .published
                .get(topic)
                .filter(|history| history.is_retained)?;
            let (seq, data) = history.kept.back()?;
            Some(dialect.message(topic, data, *seq))
        };
        topics.iter().filter_map(frame).collect()
    }

    /// What has been published after each position, in frames, and whether that is all.
    fn after(&mut self, dialect: Dialect, from: &Map<String, Value>) -> (Vec<Value>, Value) {
        let (mut frames, mut recovered) = (Vec::new(), Map::new());
        for (topic, from) in from {
            self.counts.resumed += 1;
            let history = self.published.entry(topic.clone()).or_default();
            let from = from.as_u64().unwrap_or(u64::MAX);
            let covers = history.covers(from);
            recovered.insert(topic.clone(), covers.into());
            let due = history.kept.iter().filter(|(seq, _)| covers && *seq > from);
            frames.extend(due.map(|(seq, data)| dialect.message(topic, data, *seq)));
        }
        (frames, Value::Object(recovered))
    }
}

/// What is counted of topics.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    /// Topics asked for.
    subscribed: u64,
    /// Topics given back.
    unsubscribed: u64,
    /// Topics asked for on a connection that had them.
    duplicates: u64,
    /// Topics given back on a connection that did not have them.
    strays: u64,
    /// Topics asked for from a position on.
    resumed: u64,
}

/// Topics that a client asks for, and after which position of each it wants to go on, if it says so.
struct Ask {
    topics: Vec<String>,
    from: Option<Map<String, Value>>,
}

impl Ask {
    fn now(topics: Vec<String>) -> Order {
        let from = None;
        Order::Subscribe(Self { topics, from })
    }

    fn from(positions: Map<String, Value>) -> Order {
        let topics = positions.keys().cloned().collect();
        let from = Some(positions);
        Order::Subscribe(Self { topics, from })
    }
}

/// What a client wants.
enum Order {
    Ping,
    Subscribe(Ask),
    Unsubscribe(Vec<String>),
    Publish(String, Value),
    Ask(Value),
    Tabs(u64),
    Unknown,
}

impl Topics {
    /// What each live connection has asked for, and the counts.
    pub fn report(&self) -> Value {
        let inner = lock(&self.0);
        let connections: Vec<_> = inner
            .wanted
            .iter()
            .map(|(id, topics)| json!({ "id": id, "topics": topics }))
            .collect();
        json!({ "connections": connections, "counts": inner.counts })
    }

    /// Topics that live connections have asked for, added up.
    pub fn asked(&self) -> usize {
        lock(&self.0).wanted.values().map(BTreeSet::len).sum()
    }

    /// Sends data to every live connection that has asked for the topic, and adds it to the events.
    ///
    /// Returns to how many it went.
    pub fn publish(&self, app: &App, topic: &str, data: &Value) -> usize {
        let connections = app.registry.live();
        let mut inner = lock(&self.0);
        let seq = inner.published.entry(topic.into()).or_default().push(data);
        let event = Dialect::Json.message(topic, data, seq).to_string();
        app.events.add_published(topic, event);
        let wants = |id| inner.wanted.get(id).is_some_and(|own| own.contains(topic));
        let mut sent = 0;
        for connection in connections.iter().filter(|conn| wants(&conn.id)) {
            if let Some(dialect) = connection.origin.purpose.dialect() {
                let frame = dialect.message(topic, data, seq).to_string();
                connection.push(Outgoing::One(Message::Text(frame.into())));
                sent += 1;
            }
        }
        sent
    }

    /// Whoever asks for this topic from now on, and not from a position on, gets its last message at once.
    pub fn retain(&self, topic: &str) {
        let mut inner = lock(&self.0);
        inner.published.entry(topic.into()).or_default().is_retained = true;
    }

    /// Forgets what a connection that has ended had asked for.
    pub fn forget(&self, connection: u64) {
        lock(&self.0).wanted.remove(&connection);
    }

    /// Notes what a connection asks for, and answers. What has been published since a position, or else the last message of what is
    /// retained, comes behind the answer and before all that is published from now on.
    fn subscribe(&self, connection: &Connection, dialect: Dialect, id: Option<&Value>, ask: Ask) {
        let inner = &mut *lock(&self.0);
        let refusal = inner.subscribe(connection.id, dialect, &ask.topics).err();
        let mut answer =
            id.map(|id| dialect.answer(id, refusal.clone().map_or(Ok(Value::Null), Err)));
        let mut later = Vec::new();
        if refusal.is_none() && ask.from.is_none() {
            later = inner.retained(dialect, &ask.topics);
        }
        if let Some(Value::Object(answer)) = &mut answer
            && dialect == Dialect::Json
            && refusal.is_none()
        {
            answer.insert(
                "positions".into(),
                inner.positions(&ask.topics, ask.from.as_ref()),
            );
            if let Some(from) = &ask.from {
                let (frames, recovered) = inner.after(dialect, from);
                answer.insert("recovered".into(), recovered);
                later = frames;
            }
        }
        for frame in answer.into_iter().chain(later) {
            connection.push(Outgoing::One(Message::Text(frame.to_string().into())));
        }
    }

    fn unsubscribe(&self, connection: u64, topics: &[String]) {
        let inner = &mut *lock(&self.0);
        let wanted = inner.wanted.entry(connection).or_default();
        for topic in topics {
            inner.counts.unsubscribed += 1;
            inner.counts.strays += u64::from(!wanted.remove(topic));
        }
    }
}

/// What the server answers to a frame.
pub fn answer(app: &App, connection: &Connection, dialect: Dialect, text: &str) -> Option<String> {
    let frame: Value = serde_json::from_str(text).unwrap_or_default();
    let id = dialect.id(&frame);
    let result = match dialect.order(&frame) {
        Order::Ping => return Some(dialect.pong().to_string()),
        Order::Subscribe(ask) => {
            app.topics.subscribe(connection, dialect, id.as_ref(), ask);
            app.changed.raise();
            return None;
        }
        Order::Unsubscribe(topics) => {
            app.topics.unsubscribe(connection.id, &topics);
            Ok(Value::Null)
        }
        Order::Publish(topic, data) => {
            app.topics.publish(app, &topic, &data);
            return None;
        }
        Order::Ask(data) if data == "nothing" => return None,
        Order::Ask(data) => match data.get("fail") {
            Some(error) => Err(error.clone()),
            None => Ok(data),
        },
        Order::Tabs(count) => {
            app.counts.tabs.store(count, Ordering::SeqCst);
            Ok(Value::Null)
        }
        Order::Unknown => return None,
    };
    app.changed.raise();
    id.map(|id| dialect.answer(&id, result).to_string())
}

/// Publishes what a `json` frame without a connection publishes, if it does.
pub fn publish_posted(app: &App, text: &str) {
    let frame: Value = serde_json::from_str(text).unwrap_or_default();
    if let Order::Publish(topic, data) = Dialect::Json.order(&frame) {
        app.topics.publish(app, &topic, &data);
    }
}

impl Dialect {
    const fn most_topics(self) -> usize {
        match self {
            Self::Pubsub => MOST_TOPICS,
            Self::Json | Self::Rpc => usize::MAX,
        }
    }

    fn id(self, frame: &Value) -> Option<Value> {
        let name = if self == Self::Pubsub { "nonce" } else { "id" };
        frame.get(name).cloned()
    }

    fn order(self, frame: &Value) -> Order {
        let at = |way: &str| frame.pointer(way).cloned().unwrap_or_default();
        let names = |way: &str| -> Vec<String> {
            let names = at(way);
            let names = names.as_array().into_iter().flatten();
            names
                .filter_map(|name| name.as_str().map(Into::into))
                .collect()
        };
        let word = at(if self == Self::Rpc {
            "/method"
        } else {
            "/type"
        });
        match (self, word.as_str().unwrap_or_default()) {
            (Self::Json, "ping") | (Self::Pubsub, "PING") => Order::Ping,
            (Self::Json, "subscribe") => Ask::now(names("/topics")),
            (Self::Json, "resume") => {
                Ask::from(at("/positions").as_object().cloned().unwrap_or_default())
            }
            (Self::Json, "unsubscribe") => Order::Unsubscribe(names("/topics")),
            (Self::Json, "publish") => Order::Publish(text(&at("/topic")), at("/data")),
            (Self::Json, "request") => Order::Ask(at("/data")),
            (Self::Json, "tabs") => at("/count").as_u64().map_or(Order::Unknown, Order::Tabs),
            (Self::Pubsub, "LISTEN") => Ask::now(names("/data/topics")),
            (Self::Pubsub, "UNLISTEN") => Order::Unsubscribe(names("/data/topics")),
            (Self::Rpc, "subscribe") => Ask::now(names("/params/topics")),
            (Self::Rpc, "unsubscribe") => Order::Unsubscribe(names("/params/topics")),
            (Self::Rpc, "publish") => {
                Order::Publish(text(&at("/params/topic")), at("/params/data"))
            }
            (Self::Rpc, "echo") => Order::Ask(at("/params")),
            (Self::Rpc, _) if frame.get("id").is_some() => {
                Order::Ask(json!({ "fail": { "code": -32601, "message": "Method not found" } }))
            }
            (Self::Json | Self::Pubsub | Self::Rpc, _) => Order::Unknown,
        }
    }

    fn pong(self) -> Value {
        json!({ "type": if self == Self::Pubsub { "PONG" } else { "pong" } })
    }

    fn answer(self, id: &Value, result: Result<Value, Value>) -> Value {
        match (self, result) {
            (Self::Json, Ok(data)) => json!({ "type": "answer", "id": id, "data": data }),
            (Self::Json, Err(error)) => json!({ "type": "answer", "id": id, "error": error }),
            (Self::Pubsub, result) => {
                let error = result.err().unwrap_or_else(|| json!(""));
                json!({ "type": "RESPONSE", "nonce": id, "error": error })
            }
            (Self::Rpc, Ok(result)) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            (Self::Rpc, Err(error)) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
        }
    }

    fn message(self, topic: &str, data: &Value, seq: u64) -> Value {
        match self {
            Self::Json => json!({ "type": "message", "topic": topic, "seq": seq, "data": data }),
            Self::Pubsub => json!({
                "type": "MESSAGE",
                "data": { "topic": topic, "message": data.to_string() },
            }),
            Self::Rpc => json!({
                "jsonrpc": "2.0",
                "method": "event",
                "params": { "topic": topic, "data": data },
            }),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}

/// Messages of a topic that can be asked for again.
const MOST_KEPT: usize = 100;
/// Topics that a `pubsub` connection may have.
const MOST_TOPICS: usize = 50;
