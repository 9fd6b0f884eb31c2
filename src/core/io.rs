//! The whole boundary of the core: what goes in and what comes out.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use core::time::Duration;

use super::flow::{Batch, Parcel};
use super::interest::EVERYBODY;
use super::topics::TopicNo;
use crate::protocol::{ConnId, Entry, HubMessage, Peer, PeerMessage, TabMessage};
use crate::time::Time;

/// A frame of a WebSocket: opaque to the core but for its size and for equality.
///
/// In the browser a `JsValue` that never enters wasm memory, in native tests plain bytes.
pub trait Payload: Clone + PartialEq + 'static {
    /// Bytes (text: UTF-16 units are close enough) that count towards windows and caps.
    fn size(&self) -> usize;
    /// A text frame.
    fn from_text(text: &str) -> Self;
    /// The text of the frame, or as much of it as is about so long. Nothing where it is no text.
    fn head(&self, most: usize) -> Option<Cow<'_, str>>;
}

/// A port to a tab, numbered by the driver and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub u32);

/// One WebSocket object. Every new one of a connection has a new generation, so a late event of an old one names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId {
    /// Whose socket it is.
    pub conn: ConnId,
    /// Which of its sockets.
    pub generation: u32,
}

/// Something that happened outside.
#[derive(Clone, Debug)]
pub enum Input<P> {
    /// A tab said something.
    Message(PortId, TabMessage<P>),
    /// A tab said something that could not be read. Carries its op, or 0, and what was wrong.
    Malformed(PortId, u32, crate::protocol::MessageError),
    /// The lock that was watched for this port has been granted: the tab is dead or has been cached.
    LockGranted(PortId),
    /// A socket said something.
    Socket(SocketId, SocketEvent<P>),
    /// The tick that was asked for ([`Output::Tick`]).
    Tick,
    /// The deadline of [`Output::Timeout`] has come.
    Timeout {
        /// What the wall clock says, since 1970. It may jump.
        wall: Duration,
    },
    /// The hub can be found by other hubs from now on. Without this input it keeps to itself.
    Start {
        /// This hub, as others see it.
        me: Box<Peer>,
        /// Whether the lock of another hub is held at this moment, where hubs hold locks.
        others: Option<bool>,
        /// Whether the lock of a page falls when it is cached (WebKit). Otherwise its holder is dead.
        locks_fall: bool,
    },
    /// Another hub, or a tab that looks for one, said something.
    Peer(PeerMessage),
    /// The lock of a hub that was watched ([`Output::WatchPeer`]) has been granted: that hub is gone.
    PeerGone {
        /// Its epoch.
        epoch: String,
    },
}

/// What a socket said.
#[derive(Clone, Debug)]
pub enum SocketEvent<P> {
    /// The handshake is complete.
    Opened {
        /// The subprotocol chosen.
        protocol: String,
        /// The extensions in use.
        extensions: String,
    },
    /// A frame came.
    Frame(P),
    /// The code of a subprotocol has failed at a frame.
    Garbled,
    /// The headers of an answer have come: to the request of this number.
    Response(u32, Box<Response>),
    /// A piece of its body has come.
    Text(u32, String),
    /// It has ended; as it should, or not.
    Done(u32, bool),
    /// So many bytes have not been passed on: the answer to [`Output::Measure`].
    Buffered(usize),
    /// The socket is closed.
    Closed {
        /// The close code; 1006 without a close frame.
        code: u16,
        /// The close reason.
        reason: String,
        /// Whether the closing handshake was completed.
        clean: bool,
    },
    /// The browser did not even construct it.
    Refused,
}

impl<P> SocketEvent<P> {
    /// The number of the request that it is about, if it is about one.
    pub fn request(&self) -> Option<u32> {
        match self {
            Self::Response(number, _) | Self::Text(number, _) | Self::Done(number, _) => {
                Some(*number)
            }
            Self::Opened { .. }
            | Self::Frame(_)
            | Self::Garbled
            | Self::Buffered(_)
            | Self::Closed { .. }
            | Self::Refused => None,
        }
    }
}

/// Something for the driver to do.
#[derive(Clone, Debug)]
pub enum Output<P> {
    /// Nothing more to do until an input or this deadline.
    Timeout(Option<Deadline>),
    /// Post a message.
    Post(PortId, HubMessage),
    /// Post the same frames to these ports.
    Deliver(Delivery<P>),
    /// Show a tab that looks inside what there is to see: how many entries were forgotten since it was shown the last, and those that were not.
    Show(PortId, u64, VecDeque<Entry<P>>),
    /// Post frames for one subscription or request.
    Hand(PortId, Parcel<P>),
    /// Open a socket.
    Open {
        /// Its id.
        socket: SocketId,
        /// Where to.
        url: String,
        /// The subprotocols to offer.
        protocols: Vec<String>,
        /// The name of the code that translates what goes through it, if there is some.
        code: Option<String>,
    },
    /// Give a frame to a socket.
    Send(SocketId, P),
    /// Give [`SocketEvent::Buffered`] at once: how many bytes this socket has not passed on.
    Measure(SocketId),
    /// Make a request on behalf of what takes the place of a socket. Its events are those of that.
    Fetch(Box<Fetch<P>>),
    /// Give up a request: no further event of it counts.
    Abort(SocketId, u32),
    /// Close a socket and forget it: no further event of it counts. Of a stream: give up its requests.
    Close {
        /// Its id.
        socket: SocketId,
        /// The code for the server, if there is one.
        code: Option<u16>,
        /// The reason for the server.
        reason: String,
    },
    /// Start the closing handshake of a socket. Of its events only [`SocketEvent::Closed`] counts from now on.
    Retire {
        /// Its id.
        socket: SocketId,
        /// The code for the server.
        code: u16,
        /// The reason for the server.
        reason: &'static str,
    },
    /// Say something to the other hubs.
    Announce(PeerMessage),
    /// Wait for the lock of another hub and say when it is granted.
    WatchPeer {
        /// Its epoch.
        epoch: String,
        /// Its lock.
        lock: String,
    },
    /// Wait for this Web Lock and say when it is granted. Replaces an earlier wait for the same port.
    Watch(PortId, String),
    /// The tab behind one port is the one behind another: what is said through `from` counts as said through `to`, and what is posted
    /// to that goes to the first. The port that `to` was is closed to both.
    Rebind {
        /// The port on which the tab has said hello.
        from: PortId,
        /// The port by which it is known.
        to: PortId,
    },
    /// The tab is gone: stop listening to its port.
    Forget(PortId),
    /// Give [`Input::Tick`] in a task of its own, as soon as the events that wait now are handled.
    Tick,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Fetch<P> {
    /// On behalf of what.
    pub socket: SocketId,
    /// Its number.
    pub request: u32,
    /// How.
    pub method: Method,
    /// Where to. Relative to the worker script.
    pub url: String,
    /// What goes with it.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Option<P>,
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

impl Method {
    /// Its name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What the headers of an answer say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// `Content-Type`, or nothing.
    pub content_type: String,
    /// `ETag`
    pub etag: Option<String>,
    /// `Last-Modified`
    pub modified: Option<String>,
    /// `Retry-After`, as time from now.
    pub retry_after: Option<Duration>,
}

/// Frames for one or more tabs.
#[derive(Clone, Debug)]
pub struct Delivery<P> {
    /// Which connection they are from.
    pub conn: ConnId,
    /// The frames, as ranges of batches.
    pub parts: Vec<(Rc<Batch<P>>, Range<usize>)>,
    /// Whether the tabs shall acknowledge them.
    pub want_ack: bool,
    /// Who gets them, and the sequence of the first there.
    pub ports: Vec<(PortId, u64)>,
}

impl<P> Delivery<P> {
    /// The frames in order.
    pub fn frames(&self) -> impl Iterator<Item = &P> {
        self.parts
            .iter()
            .flat_map(|(batch, range)| batch.frames.get(range.clone()).unwrap_or_default())
    }

    /// The topic of each frame, 2³² − 1 for those without one. Nothing where none has one.
    pub fn topics(&self) -> Option<Vec<TopicNo>> {
        let mut parts = self.parts.iter();
        if parts.all(|(batch, _)| batch.topics.is_empty()) {
            return None;
        }
        let mut topics = Vec::new();
        for (batch, range) in &self.parts {
            match batch.topics.get(range.clone()) {
                Some(own) => topics.extend_from_slice(own),
                None => topics.resize(topics.len() + range.len(), EVERYBODY),
            }
        }
        Some(topics)
    }
}

/// When the core wants to be called, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When.
    pub at: Time,
    /// Why.
    pub reason: TimerReason,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerReason {
    /// An attempt has taken too long.
    ConnectTimeout,
    /// The next attempt starts.
    Reconnect,
    /// The connection has been open long enough to be stable.
    Stable,
    /// A ping is due.
    Ping,
    /// The pong is late.
    PongLate,
    /// The pong has not come.
    PongTimeout,
    /// Queued sends expire.
    QueueTtl,
    /// Without pings, what was sent long enough ago counts as arrived.
    Confirm,
    /// Nobody has come back for the connection.
    Linger,
    /// Hidden tabs have waited long enough.
    HiddenFlush,
    /// A tab has been silent, or a suspended one has not come back.
    TabSilence,
    /// A tab that was asked for a url or a token has not answered.
    Answer,
    /// The token is about to expire.
    Refresh,
    /// Time to see whether anything has come.
    Stale,
    /// The socket is old enough to be replaced.
    MaxAge,
    /// The socket that is to take over has taken too long.
    Successor,
    /// The closing handshake of a socket has taken too long.
    Retired,
    /// Time to see whether the timers are late.
    Watch,
    /// Other hubs have had the time to answer.
    Meet,
    /// A topic that nobody wants has lingered, or the server has not answered.
    Topics,
    /// Time to see whether a socket takes more.
    Drain,
    /// Tabs are told of the numbers of breakers.
    Gates,
    /// There has been no connection for too long: something else is tried.
    Fallback,
    /// The next request is due, or the last takes too long.
    Fetch,
    /// What was posted takes too long.
    Post,
    /// Time to look at the health of connections.
    Health,
}

impl TimerReason {
    /// Every reason, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::ConnectTimeout,
        Self::Reconnect,
        Self::Stable,
        Self::Ping,
        Self::PongLate,
        Self::PongTimeout,
        Self::QueueTtl,
        Self::Confirm,
        Self::Linger,
        Self::HiddenFlush,
        Self::TabSilence,
        Self::Answer,
        Self::Refresh,
        Self::Stale,
        Self::MaxAge,
        Self::Successor,
        Self::Retired,
        Self::Watch,
        Self::Meet,
        Self::Topics,
        Self::Drain,
        Self::Gates,
        Self::Fallback,
        Self::Fetch,
        Self::Post,
        Self::Health,
    ];
    /// How many reasons there are.
    pub const COUNT: usize = Self::Health as usize + 1;
}
