//! Topics: who has asked for which, in three dialects, and what is published there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use axum::extract::ws::Message;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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
    published: BTreeMap<String, u64>,
    counts: Counts,
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
}

/// What a client wants.
enum Order {
    Ping,
    Subscribe(Vec<String>),
    Unsubscribe(Vec<String>),
    Publish(String, Value),
    Ask(Value),
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

    /// Sends data to every live connection that has asked for the topic. Returns to how many.
    pub fn publish(&self, app: &App, topic: &str, data: &Value) -> usize {
        let connections = app.registry.live();
        let mut inner = lock(&self.0);
        let seq = inner.published.entry(topic.into()).or_default();
        *seq += 1;
        let seq = *seq;
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

    /// Forgets what a connection that has ended had asked for.
    pub fn forget(&self, connection: u64) {
        lock(&self.0).wanted.remove(&connection);
    }

    fn subscribe(&self, connection: u64, topics: &[String], most: usize) -> Result<(), Value> {
        if let Some(forbidden) = topics.iter().find(|topic| topic.starts_with("forbidden")) {
            return Err(json!(format!("forbidden: {forbidden}")));
        }
        let inner = &mut *lock(&self.0);
        let wanted = inner.wanted.entry(connection).or_default();
        let fresh = topics.iter().filter(|topic| !wanted.contains(*topic));
        if wanted.len() + fresh.count() > most {
            return Err(json!("too many topics"));
        }
        for topic in topics {
            inner.counts.subscribed += 1;
            inner.counts.duplicates += u64::from(!wanted.insert(topic.clone()));
        }
        Ok(())
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
    let most = if dialect == Dialect::Pubsub {
        MOST_TOPICS
    } else {
        usize::MAX
    };
    let result = match dialect.order(&frame) {
        Order::Ping => return Some(dialect.pong().to_string()),
        Order::Subscribe(topics) => {
            let taken = app.topics.subscribe(connection.id, &topics, most);
            taken.map(|()| Value::Null)
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
        Order::Unknown => return None,
    };
    app.changed.raise();
    id.map(|id| dialect.answer(&id, result).to_string())
}

impl Dialect {
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
            (Self::Json, "subscribe") => Order::Subscribe(names("/topics")),
            (Self::Json, "unsubscribe") => Order::Unsubscribe(names("/topics")),
            (Self::Json, "publish") => Order::Publish(text(&at("/topic")), at("/data")),
            (Self::Json, "request") => Order::Ask(at("/data")),
            (Self::Pubsub, "LISTEN") => Order::Subscribe(names("/data/topics")),
            (Self::Pubsub, "UNLISTEN") => Order::Unsubscribe(names("/data/topics")),
            (Self::Rpc, "subscribe") => Order::Subscribe(names("/params/topics")),
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

/// Topics that a `pubsub` connection may have.
const MOST_TOPICS: usize = 50;
