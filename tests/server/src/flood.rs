//! Floods: numbered messages to every live connection, at a rate or as fast as each takes them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};

use crate::connection::{Connection, Outgoing};
use crate::state::App;
use crate::sync::lock;

/// The body of `POST /control/flood`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloodOrder {
    /// How many messages each connection gets.
    count: u64,
    /// Messages a second for each connection, 0 for as many as it takes.
    #[serde(default)]
    rate: f64,
    /// The size of a message in bytes, at least that of its number and a space.
    #[serde(default)]
    size: usize,
    /// The number of the first message.
    #[serde(default)]
    from: u64,
}

/// The floods of a server, by number.
#[derive(Default)]
pub struct Floods(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    started: u64,
    floods: BTreeMap<u64, Arc<Flood>>,
}

/// One flood.
pub struct Flood {
    started: Instant,
    connections: usize,
    sent: AtomicU64,
    running: AtomicUsize,
    took: OnceLock<Duration>,
}

/// The answer of `GET /control/flood/{id}`.
#[derive(Debug, Serialize)]
pub struct Progress {
    done: bool,
    sent: u64,
    elapsed_ms: f64,
    connections: usize,
}

/// The part of a flood that one connection gets; it ends when the last message has been written or given up.
pub struct Share {
    app: Arc<App>,
    flood: Arc<Flood>,
}

impl Floods {
    /// Begins a flood of the connections that are live now, and returns its number and theirs.
    ///
    /// # Errors
    /// A sentence that names what is out of range.
    pub fn begin(app: &Arc<App>, order: FloodOrder) -> Result<(u64, usize), String> {
        order.check()?;
        let connections = app.registry.live();
        let flood = Arc::new(Flood {
            started: Instant::now(),
            connections: connections.len(),
            sent: AtomicU64::new(0),
            running: AtomicUsize::new(connections.len()),
            took: OnceLock::new(),
        });
        if connections.is_empty() {
            flood.took.get_or_init(Duration::default);
        }
        let count = connections.len();
        let id = app.floods.enter(Arc::clone(&flood));
        for connection in connections {
            let share = Arc::new(Share {
                app: Arc::clone(app),
                flood: Arc::clone(&flood),
            });
            tokio::spawn(pour(order, connection, share));
        }
        Ok((id, count))
    }

    /// The flood of that number, while it is remembered.
    pub fn find(&self, id: u64) -> Option<Arc<Flood>> {
        lock(&self.0).floods.get(&id).cloned()
    }

    fn enter(&self, flood: Arc<Flood>) -> u64 {
        let mut inner = lock(&self.0);
        inner.started += 1;
        let id = inner.started;
        inner.floods.insert(id, flood);
        if inner.floods.len() > MOST_FLOODS {
            inner.floods.pop_first();
        }
        id
    }
}

impl Flood {
    /// Whether every connection has got its messages, or has ended.
    pub fn is_done(&self) -> bool {
        self.took.get().is_some()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let took = self.took.get().copied();
        Progress {
            done: took.is_some(),
            sent: self.sent.load(Ordering::SeqCst),
            elapsed_ms: took.unwrap_or_else(|| self.started.elapsed()).as_secs_f64() * 1000.0,
            connections: self.connections,
        }
    }
}

impl Share {
    /// Adds messages that were written.
    pub fn count_sent(&self, messages: u64) {
        self.flood.sent.fetch_add(messages, Ordering::SeqCst);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.flood.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.flood.took.get_or_init(|| self.flood.started.elapsed());
            self.app.changed.raise();
        }
    }
}

impl FloodOrder {
    fn check(&self) -> Result<(), String> {
        if self.size > LARGEST {
            return Err(format!("size must be at most {LARGEST}"));
        }
        if !(self.rate >= 0.0 && self.rate.is_finite()) {
            return Err("rate must be a number from 0".into());
        }
        match self.from.checked_add(self.count) {
            Some(_) => Ok(()),
            None => Err("from + count must fit 64 bits".into()),
        }
    }

    /// How many messages are due `elapsed` after the start; the first one at once.
    fn due(&self, elapsed: Duration) -> u64 {
        if self.rate == 0.0 {
            self.count
        } else {
            // Saturates far beyond any count that can be sent.
            ((elapsed.as_secs_f64() * self.rate) as u64)
                .saturating_add(1)
                .min(self.count)
        }
    }

    /// When message number `index`, from 0, is due after the start.
    fn due_at(&self, index: u64) -> Duration {
        Duration::try_from_secs_f64(index as f64 / self.rate).unwrap_or(Duration::MAX)
    }
}

async fn pour(order: FloodOrder, connection: Arc<Connection>, share: Arc<Share>) {
    let padding = "x".repeat(order.size);
    let most = (CHUNK_BYTES / order.size.max(MEAN_NUMBER)).clamp(1, CHUNK_MESSAGES as usize) as u64;
    let started = share.flood.started;
    let mut done = 0;
    while done < order.count {
        let due = order.due(started.elapsed());
        if due <= done {
            let Some(at) = started.checked_add(order.due_at(done)) else {
                return;
            };
            tokio::select! {
                () = sleep_until(at) => continue,
                () = connection.gone() => return,
            }
        }
        let count = (due - done).min(most);
        let messages = (done..done + count)
            .map(|index| message(order.from + index, &padding))
            .collect();
        let chunk = Outgoing::Many(messages, Some(Arc::clone(&share)));
        if connection.push_paced(chunk, CHUNK_COST).await.is_err() {
            return;
        }
        done += count;
    }
}

/// The number, a space, and as much padding as the size leaves.
fn message(number: u64, padding: &str) -> Utf8Bytes {
    let digits = number.to_string();
    let mut text = String::with_capacity(padding.len().max(digits.len() + 1));
    text.push_str(&digits);
    text.push(' ');
    text.push_str(padding.get(text.len()..).unwrap_or_default());
    text.into()
}

/// The largest message, in bytes.
const LARGEST: usize = 64 << 20;

/// How much of a flood is made and queued at a time: enough to keep the socket busy, little enough to let an answer
/// in between.
const CHUNK_BYTES: usize = 64 << 10;
const CHUNK_MESSAGES: u64 = 512;

/// The part of a connection's credits that a chunk takes, which lets eight wait.
const CHUNK_COST: u32 = 128;

/// The bytes that a message without padding is taken for.
const MEAN_NUMBER: usize = 8;

/// How many floods are remembered.
const MOST_FLOODS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_numbered_and_padded_to_size() {
        assert_eq!(message(7, "xxxxx").as_str(), "7 xxx");
        assert_eq!(message(12, "xxx").as_str(), "12 ");
        assert_eq!(message(1234, "").as_str(), "1234 ");
    }

    #[test]
    fn a_rate_spreads_the_messages_evenly() {
        let order = FloodOrder {
            count: 10,
            rate: 4.0,
            size: 0,
            from: 0,
        };
        assert_eq!(order.due(Duration::ZERO), 1);
        assert_eq!(order.due(Duration::from_millis(249)), 1);
        assert_eq!(order.due(Duration::from_millis(250)), 2);
        assert_eq!(order.due(Duration::from_secs(60)), 10);
        assert_eq!(order.due_at(1), Duration::from_millis(250));
    }
}
