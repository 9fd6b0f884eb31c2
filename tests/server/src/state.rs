//! What both listeners share.

use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;

use tokio::time::Instant;

use crate::events::Events;
use crate::fault::Faults;
use crate::files::Files;
use crate::flood::Floods;
use crate::listener::WireSwitch;
use crate::record::Record;
use crate::registry::Registry;
use crate::route_fault::RouteFaults;
use crate::server::Options;
use crate::service::Services;
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
    /// What has been broadcast and published, for those who read it without a WebSocket.
    pub events: Events,
    /// The faults of single routes.
    pub route_faults: RouteFaults,
    /// What the scripted service does, and what it has been asked.
    pub services: Services,
    /// The floods that were asked for.
    pub floods: Floods,
    /// The static files, how often they were fetched, and which of them fail.
    pub files: Files,
    /// Raised after each change of anything above that a test may wait for.
    pub changed: Signal,
}

/// Counters that only grow, but for `tabs` and `pending`.
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
    /// Requests that `hang-upgrade` or the fault of a route leaves unanswered; shrinks as they end.
    pub pending: AtomicU64,
    /// Data frames received.
    pub received: AtomicU64,
    /// Messages that were thrown away unread, by the fault `half-open`.
    pub swallowed: AtomicU64,
    /// Data frames sent.
    pub sent: AtomicU64,
    /// Requests for the events so far that were answered.
    pub polls: AtomicU64,
    /// Frames that came without a socket.
    pub posted: AtomicU64,
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
