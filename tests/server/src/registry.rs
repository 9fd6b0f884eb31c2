//! The live WebSocket connections, and how the last ones ended.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::connection::Connection;
use crate::sync::lock;

/// Knows every live connection, on both listeners.
#[derive(Default)]
pub struct Registry(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    live: BTreeMap<u64, Arc<Connection>>,
    closes: VecDeque<CloseRecord>,
    total: u64,
    peak: usize,
}

/// How many connections there are and were.
#[derive(Clone, Copy, Debug)]
pub struct Census {
    /// Now.
    pub live: usize,
    /// Since the start.
    pub total: u64,
    /// At most at one time.
    pub peak: usize,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// The close code; 1005 for a close frame without one, 1006 where there was no close handshake to the end.
    pub code: u16,
    /// The reason of the close frame.
    pub reason: String,
    /// Whether a close frame went each way.
    pub clean: bool,
    /// Who ended it.
    pub by: By,
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The client, by a close frame.
    Client,
    /// The server, by a close frame.
    Server,
    /// The server, by cutting the TCP connection.
    Cut,
    /// The network or a vanished client.
    Lost,
}

/// One line of `closes` in the statistics.
#[derive(Clone, Debug, Serialize)]
pub struct CloseRecord {
    /// The number of the connection.
    pub id: u64,
    /// How it ended.
    #[serde(flatten)]
    pub ending: Ending,
}

impl Registry {
    /// Enters the connection that `make` builds for its number; refuses (`None`) at the limit.
    ///
    /// Refuses too where the TCP connection has been cut meanwhile, so that a finished cut leaves nothing live.
    pub fn admit(
        &self,
        limit: usize,
        make: impl FnOnce(u64) -> Connection,
    ) -> Option<Arc<Connection>> {
        let mut inner = lock(&self.0);
        if inner.live.len() >= limit {
            return None;
        }
        let id = inner.total + 1;
        let connection = Arc::new(make(id));
        if !connection.tcp.is_open() {
            return None;
        }
        inner.total = id;
        inner.live.insert(id, Arc::clone(&connection));
        inner.peak = inner.peak.max(inner.live.len());
        Some(connection)
    }

    /// Removes a connection with the reason of its end, and tells whether it was still there.
    pub fn retire(&self, id: u64, ending: Ending) -> bool {
        let mut inner = lock(&self.0);
        let was_live = inner.live.remove(&id).is_some();
        if was_live {
            inner.record(id, ending);
        }
        was_live
    }

    /// Removes every connection whose TCP connection has been cut.
    pub fn retire_cut(&self) {
        let mut inner = lock(&self.0);
        let cut: Vec<u64> = inner
            .live
            .values()
            .filter(|connection| !connection.tcp.is_open())
            .map(|connection| connection.id)
            .collect();
        for id in cut {
            inner.live.remove(&id);
            inner.record(id, Ending::broken(By::Cut));
        }
    }

    /// The live connections, oldest first.
    pub fn live(&self) -> Vec<Arc<Connection>> {
        lock(&self.0).live.values().cloned().collect()
    }

    /// Whether the connection of that number is live.
    pub fn is_live(&self, id: u64) -> bool {
        lock(&self.0).live.contains_key(&id)
    }

    /// The numbers.
    pub fn census(&self) -> Census {
        let inner = lock(&self.0);
        Census {
            live: inner.live.len(),
            total: inner.total,
            peak: inner.peak,
        }
    }

    /// How the last connections ended, oldest first.
    pub fn closes(&self) -> Vec<CloseRecord> {
        lock(&self.0).closes.iter().cloned().collect()
    }
}

impl Inner {
    fn record(&mut self, id: u64, ending: Ending) {
        if self.closes.len() == CLOSES_KEPT {
            self.closes.pop_front();
        }
        self.closes.push_back(CloseRecord { id, ending });
    }
}

impl Ending {
    /// An end without a close handshake.
    pub fn broken(by: By) -> Self {
        Self {
            code: 1006,
            reason: String::new(),
            clean: false,
            by,
        }
    }
}

/// How many ends are remembered.
const CLOSES_KEPT: usize = 1000;
