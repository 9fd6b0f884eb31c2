//! One live WebSocket connection as the rest of the server sees it: who it is, what it counts, and its way out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::extract::ws::{Message, Utf8Bytes};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use crate::flood::Share;
use crate::tcp::{Cut, Tcp};
use crate::topics::Dialect;

/// What a connection is for, by its path and query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `/ws`: answers what it understands and echoes the rest.
    Talk,
    /// `/ws?mode=raw`: echoes everything.
    Raw,
    /// `/ws?mode=silent`: says nothing by itself.
    Silent,
    /// `/ws/topics`: speaks of topics.
    Topics(Dialect),
    /// `/ws/monitoring/pipeline-status`: reports at intervals.
    Pipeline {
        /// Milliseconds between two reports.
        every: u64,
    },
}

impl Purpose {
    /// How the connection speaks of topics, if it does.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Topics(dialect) => Some(dialect),
            Self::Talk | Self::Raw | Self::Silent | Self::Pipeline { .. } => None,
        }
    }
}

/// What an upgrade request told of itself.
pub struct Origin {
    /// The TCP connection it came by.
    pub tcp: Arc<Tcp>,
    /// Its path.
    pub path: String,
    /// Its query, without the question mark.
    pub query: String,
    /// The subprotocol agreed on, or nothing.
    pub protocol: String,
    /// The token it came with.
    pub token: Option<String>,
    /// What it is for.
    pub purpose: Purpose,
}

/// A live WebSocket connection.
pub struct Connection {
    /// Its number, from 1.
    pub id: u64,
    /// Its TCP connection.
    pub tcp: Arc<Tcp>,
    /// What it asked for.
    pub origin: Origin,
    /// When it was admitted.
    pub opened: Instant,
    /// Data frames received.
    pub received: AtomicU64,
    /// Data frames handed to the TCP socket.
    pub sent: AtomicU64,
    /// The close frame that the server has sent or is about to send.
    pub closing: OnceLock<CloseOrder>,
    queue: mpsc::Sender<Item>,
    credits: Arc<Semaphore>,
}

/// A close frame to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseOrder {
    /// Its code.
    pub code: u16,
    /// Its reason.
    pub reason: String,
}

/// Something to be sent.
pub enum Outgoing {
    /// One frame.
    One(Message),
    /// Many text frames, the part of a flood where one is named.
    Many(Vec<Utf8Bytes>, Option<Arc<Share>>),
    /// The last frame.
    Close(CloseOrder),
}

/// One entry of the queue to the socket.
pub struct Item {
    /// Not to be sent earlier.
    pub due: Option<Instant>,
    /// What is to be sent.
    pub outgoing: Outgoing,
    /// The credit that the entry holds until it is sent.
    _credit: Option<OwnedSemaphorePermit>,
}

/// The connection takes no more frames.
pub struct Gone;

impl Connection {
    /// Makes a connection and the queue that its writer empties.
    pub fn new(id: u64, origin: Origin) -> (Self, mpsc::Receiver<Item>) {
        let (queue, items) = mpsc::channel(BACKLOG);
        let connection = Self {
            id,
            tcp: Arc::clone(&origin.tcp),
            origin,
            opened: Instant::now(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            closing: OnceLock::new(),
            queue,
            credits: Arc::new(Semaphore::new(CREDITS)),
        };
        (connection, items)
    }

    /// Queues something without waiting, for senders that must not be held up by a slow peer.
    ///
    /// A connection whose backlog is full is cut: nothing is left out silently.
    pub fn push(&self, outgoing: Outgoing) {
        let full = |error| matches!(error, mpsc::error::TrySendError::Full(_));
        if self
            .queue
            .try_send(self.item(outgoing, None))
            .is_err_and(full)
        {
            self.tcp.cut(Cut::Reset);
        }
    }

    /// Queues something when the peer has taken enough of what is before it.
    ///
    /// # Errors
    /// [`Gone`] once nothing can be sent any more.
    pub async fn push_paced(&self, outgoing: Outgoing, cost: u32) -> Result<(), Gone> {
        let credit = Arc::clone(&self.credits)
            .acquire_many_owned(cost.min(MOST_CREDITS))
            .await
            .map_err(|_| Gone)?;
        let item = self.item(outgoing, Some(credit));
        self.queue.send(item).await.map_err(|_| Gone)
    }

    /// Queues something if the peer keeps up, and drops it otherwise: for reports that the next one replaces.
    pub fn push_if_idle(&self, outgoing: Outgoing) {
        if let Ok(credit) = Arc::clone(&self.credits).try_acquire_owned() {
            // A queue that is full or closed has no use for the report either.
            let _ = self.queue.try_send(self.item(outgoing, Some(credit)));
        }
    }

    /// Waits until nothing can be sent any more.
    pub async fn gone(&self) {
        self.queue.closed().await;
    }

    /// Adds to the count of frames sent.
    pub fn count_sent(&self, frames: u64) {
        self.sent.fetch_add(frames, Ordering::SeqCst);
    }

    fn item(&self, outgoing: Outgoing, credit: Option<OwnedSemaphorePermit>) -> Item {
        let delay = self.tcp.delay();
        Item {
            due: (!delay.is_zero()).then(|| Instant::now() + delay),
            outgoing,
            _credit: credit,
        }
    }
}

/// How many entries the queue of a connection holds.
const BACKLOG: usize = 65_536;

/// How many frames may wait for a peer before those who answer it are held up.
const CREDITS: usize = 1024;

/// [`CREDITS`] as a price.
const MOST_CREDITS: u32 = 1024;
