//! What both listeners share.

use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;

use tokio::time::Instant;

use crate::fault::Faults;
use crate::files::Files;
use crate::flood::Floods;
use crate::listener::WireSwitch;
use crate::record::Record;
use crate::registry::Registry;
use crate::server::Options;
use crate::signal::Signal;
use crate::tcp::Cut;
use crate::tokens::Tokens;
use crate::topics::Topics;

/// The state of one server.
pub struct App {
    /// How it was started.
    pub options: Options,
    /// When it was started.
    pub started: Instant,
    /// The address of the wire listener, also while that is stopped.
    pub wire_address: SocketAddr,
    /// Stops and starts the wire listener.
    pub wire: WireSwitch,
    /// The faults of the wire and its TCP connections.
    pub faults: Faults,
    /// The tokens that the wire has seen, and which of them it takes.
    pub tokens: Tokens,
    /// The live WebSocket connections.
    pub registry: Registry,
    /// What has been counted.
    pub counts: Counts,
    /// What has been received.
    pub record: Record,
    /// The topics that have been asked for.
    pub topics: Topics,
    /// The floods that were asked for.
    pub floods: Floods,
    /// The static files, how often they were fetched, and which of them fail.
    pub files: Files,
    /// Raised after each change of anything above that a test may wait for.
    pub changed: Signal,
}

/// Counters that only grow, but for `tabs`.
#[derive(Default)]
pub struct Counts {
    /// TCP connections accepted by the wire listener.
    pub attempts: AtomicU64,
    /// WebSocket upgrades asked for, on both listeners.
    pub upgrades: AtomicU64,
    /// Upgrades answered with an error.
    pub refused: AtomicU64,
    /// Those of them that were for their token.
    pub refused_tokens: AtomicU64,
    /// Data frames received.
    pub received: AtomicU64,
    /// Messages that were thrown away unread, by the fault `half-open`.
    pub swallowed: AtomicU64,
    /// Data frames sent.
    pub sent: AtomicU64,
    /// The number of tabs that a client reported last.
    pub tabs: AtomicU64,
}

impl App {
    /// Cuts every TCP connection of the wire; none of its WebSockets is live afterwards.
    ///
    /// Returns how many TCP connections there were.
    pub fn cut_wire(&self, how: Cut) -> usize {
        let count = self.faults.cut_all(how);
        self.registry.retire_cut();
        self.changed.raise();
        count
    }
}
