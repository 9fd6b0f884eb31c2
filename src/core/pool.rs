//! One connection on several sockets: topics are shared out among them.
//!
//! A further socket is a [`Connection`] of its own, whose only tab is the connection that it belongs to. It has topics and a life,
//! and no tabs: what comes by it goes upward. The first socket is that of the connection itself, which sends, publishes and asks.

use core::time::Duration;

use litemap::LiteMap;

use super::connection::{Connection, Cx, Owner, Phase, close};
use super::hub::Hub;
use super::io::{Payload, PortId, TimerReason};
use super::position::Position;
use super::topics::{TopicNo, Want};
use crate::protocol::{Cause, ConnId, HandleId, Loss, PoolConfig, Reason, RequestError, State, op};
use crate::time::Time;

/// The port by which a connection is the tab of its further sockets.
pub const UPWARD: PortId = PortId(u32::MAX);

/// The further sockets of a connection.
#[derive(Debug, Default)]
pub struct Pool {
    /// How many topics each has.
    shards: LiteMap<ConnId, usize>,
    /// The url of the first one, where that comes from a function.
    url: Option<String>,
    /// When the last socket was started, or will be.
    last_start: Option<Time>,
    has_slot: bool,
}

/// What makes a connection a further socket of another.
#[derive(Debug)]
pub struct Shard<P> {
    /// Of which.
    pub of: ConnId,
    /// What is on its way there.
    pub upward: Vec<Upward<P>>,
    /// The url that the first one was given, where that comes from a function.
    pub url: Option<String>,
    /// The first one is open without a token: when it was opened no tab had one.
    pub is_tokenless: bool,
    has_slot: bool,
}

/// What a further socket has for the connection that it belongs to. Topics are numbered as they are there.
#[derive(Debug)]
pub enum Upward<P> {
    /// A message of a topic.
    Message(TopicNo, P, Option<Position>),
    /// A message without a topic.
    Other(P),
    /// The server gives nothing of a topic.
    Refused(TopicNo, RequestError, String),
    /// Messages of a topic are lost, after a position and up to another.
    Missed(TopicNo, Position, Option<Position>, Loss),
    /// Messages may be lost.
    Gap(Reason),
}

/// A topic for a further socket: its number, its name, and after which position it goes on, if that is known.
type Adopted = (TopicNo, String, Option<Position>);

impl Pool {
    /// The first socket starts now.
    pub fn handle_start(&mut self, url: &str, now: Time) {
        self.url = Some(url.into());
        self.postpone(now);
    }

    /// No socket starts soon after this.
    fn postpone(&mut self, at: Time) {
        self.last_start = self.last_start.max(Some(at));
    }

    /// Sockets, the first one included.
    pub fn sockets(&self) -> usize {
        1 + self.shards.len()
    }

    /// The next moment at which a socket may start, which is taken then.
    fn take_slot(&mut self, config: &PoolConfig, now: Time) -> Time {
        let apart = config.max_stagger.get() / self.sockets() as u32;
        let apart = apart.min(config.stagger.get());
        let at = self.last_start.map_or(now, |last| now.max(last + apart));
        self.last_start = Some(at);
        at
    }

    /// A further socket with room for one more topic.
    fn room(&self, most: usize) -> Option<ConnId> {
        let mut shards = self.shards.iter();
        shards
            .find(|(_, topics)| **topics < most)
            .map(|(shard, _)| *shard)
    }

    fn add(&mut self, shard: ConnId, topics: usize) {
        if let Some(own) = self.shards.get_mut(&shard) {
            *own += topics;
        }
    }

    /// A topic is gone. Tells whether the socket has none any more.
    fn sub(&mut self, shard: ConnId) -> bool {
        self.shards.get_mut(&shard).is_some_and(|topics| {
            *topics = topics.saturating_sub(1);
            *topics == 0
        })
    }
}

impl<P> Shard<P> {
    /// A further socket of a connection.
    pub fn new(of: ConnId) -> Self {
        Self {
            of,
            upward: Vec::new(),
            url: None,
            is_tokenless: false,
            has_slot: true,
        }
    }
}

impl<P: Payload> Hub<P> {
    /// Carries what one socket of a pool has for another.
    pub(super) fn settle(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            return;
        };
        if let Some(shard) = &mut connection.shard {
            let upward = core::mem::take(&mut shard.upward);
            let of = shard.of;
            self.with(of, |connection, cx| connection.take_upward(upward, cx));
            return;
        }
        if connection.is_over() {
            let shards = connection.take_shards();
            for shard in shards {
                self.with(shard, Connection::end_shard);
                self.sweep(shard);
            }
            return;
        }
        for (shard, no) in core::mem::take(&mut connection.topics.released) {
            self.release(conn, shard, no);
        }
        self.place_topics(conn);
    }

    fn release(&mut self, conn: ConnId, shard: ConnId, no: TopicNo) {
        self.with(shard, |connection, cx| connection.release(no, cx));
        let connection = self.connections.get_mut(&conn);
        let pool = connection.and_then(|connection| connection.pool.as_mut());
        let Some(pool) = pool.filter(|pool| pool.shards.contains_key(&shard)) else {
            return;
        };
        if pool.sub(shard) {
            pool.shards.remove(&shard);
            self.with(shard, Connection::end_shard);
            self.sweep(shard);
        }
    }

    /// Gives topics that have no socket one that has room, or a new one.
    fn place_topics(&mut self, conn: ConnId) {
        let mut adopted: LiteMap<ConnId, Vec<Adopted>> = LiteMap::new();
        let mut fresh = Vec::new();
        loop {
            let Some(connection) = self.connections.get_mut(&conn) else {
                return;
            };
            let Some(no) = connection.next_unplaced() else {
                break;
            };
            let most = connection.config.pool.max_topics_per_connection.get();
            let room = connection.pool.as_ref().and_then(|pool| pool.room(most));
            let shard = match room {
                Some(shard) => shard,
                None if connection.has_room_for_shard() => {
                    let shard = self.open_shard(conn);
                    fresh.push(shard);
                    shard
                }
                None => {
                    connection.refuse_topic(no, RequestError::Full, "");
                    continue;
                }
            };
            if let Some(connection) = self.connections.get_mut(&conn)
                && let Some(topic) = connection.place(no, shard)
            {
                adopted.entry(shard).or_default().push(topic);
            }
        }
        for (shard, topics) in adopted {
            self.with(shard, |connection, cx| connection.adopt(topics, cx));
        }
        for shard in fresh {
            let at = self.take_slot_of(conn);
            self.timers
                .set(Owner::Conn(shard), TimerReason::Reconnect, at);
        }
        self.with(conn, Connection::flush);
    }

    fn open_shard(&mut self, conn: ConnId) -> ConnId {
        let shard = self.next_conn();
        let now = self.now;
        if let Some(connection) = self.connections.get_mut(&conn) {
            let opened = connection.shard(shard, now);
            if let Some(pool) = &mut connection.pool {
                pool.shards.insert(shard, 0);
            }
            self.connections.insert(shard, Box::new(opened));
        }
        shard
    }

    fn take_slot_of(&mut self, conn: ConnId) -> Time {
        let now = self.now;
        let connection = self.connections.get_mut(&conn);
        connection.map_or(now, |connection| match &mut connection.pool {
            Some(pool) => pool.take_slot(&connection.config.pool, now),
            None => now,
        })
    }

    /// Sockets of a pool do not start at the same time: tells when this one may, unless that is now.
    pub(super) fn postpone_start(&mut self, conn: ConnId) -> Option<Time> {
        let connection = self.connections.get_mut(&conn)?;
        let (of, has_slot) = connection.slot()?;
        if core::mem::take(has_slot) {
            return None;
        }
        let at = self.take_slot_of(of);
        if at <= self.now {
            return None;
        }
        let (_, has_slot) = self.connections.get_mut(&conn)?.slot()?;
        *has_slot = true;
        Some(at)
    }

    /// Replaces the sockets of a connection at the wish of its user, one after the other.
    pub(super) fn reconnect(&mut self, port: PortId, handle: HandleId) {
        let mut pooled = None;
        self.with_handle(port, handle, op::RECONNECT, |connection, cx| {
            connection.reconnect(cx);
            pooled = Some((connection.id, connection.shards()));
        });
        let Some((conn, shards)) = pooled else {
            return;
        };
        for shard in shards {
            let at = self.take_slot_of(conn);
            self.with(shard, |connection, cx| connection.reconnect_at(at, cx));
        }
    }

    /// A further socket has ended for good: its topics go to others, and a new one is not opened at once.
    pub(super) fn bury(&mut self, shard: ConnId) {
        let Some(dead) = self.connections.get(&shard) else {
            return;
        };
        let Some(of) = dead.shard.as_ref().map(|shard| shard.of) else {
            return;
        };
        let (reason, is_resumable) = (dead.status.reason, dead.is_resumable());
        let now = self.now;
        self.with(of, |connection, cx| {
            let rest = connection.config.reconnect.max_delay.get();
            let Some(pool) = &mut connection.pool else {
                return;
            };
            if pool.shards.remove(&shard).is_none() {
                return;
            }
            pool.postpone(now + rest);
            connection.topics.displace(shard);
            if !is_resumable {
                connection.take_upward(vec![Upward::Gap(reason)], cx);
            }
        });
    }

    /// A further socket asks nobody: it gets what the first one has been given.
    pub(super) fn lend(&mut self, conn: ConnId) {
        let needy = self.connections.get(&conn);
        let Some(of) = needy.and_then(|connection| Some(connection.shard.as_ref()?.of)) else {
            return;
        };
        let Some(lender) = self.connections.get(&of) else {
            return;
        };
        let url = lender.pool.as_ref().and_then(|pool| pool.url.clone());
        let token = lender.access.loan();
        let is_tokenless = token.is_none() && matches!(lender.phase, Phase::Up { .. });
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.take_loan(url, token, is_tokenless);
        }
    }
}

impl<P: Payload> Connection<P> {
    /// Whether a socket of a pool has something for another.
    #[inline(never)]
    pub(super) fn has_mail(&self) -> bool {
        if let Some(shard) = &self.shard {
            return !shard.upward.is_empty();
        }
        self.pool.as_ref().is_some_and(|pool| {
            let is_left = self.is_over() && !pool.shards.is_empty();
            is_left || !self.topics.released.is_empty() || self.next_unplaced().is_some()
        })
    }

    /// The further sockets.
    pub(super) fn shards(&self) -> Vec<ConnId> {
        let pool = self.pool.as_ref();
        pool.map_or_else(Vec::new, |pool| pool.shards.keys().copied().collect())
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended | Phase::Moving)
    }

    fn next_unplaced(&self) -> Option<TopicNo> {
        let is_started = !matches!(self.phase, Phase::Idle | Phase::Ended | Phase::Moving);
        let has_url = |pool: &Pool| pool.url.is_some() || !self.is_function();
        let is_ready = is_started && self.pool.as_deref().is_some_and(has_url);
        self.topics.unplaced.first().copied().filter(|_| is_ready)
    }

    fn has_room_for_shard(&self) -> bool {
        let most = self.config.pool.max_connections.get();
        self.pool.as_ref().is_some_and(|pool| pool.sockets() < most)
    }

    fn take_shards(&mut self) -> Vec<ConnId> {
        let pool = self
            .pool
            .as_mut()
            .map(|pool| core::mem::take(&mut pool.shards));
        pool.map_or_else(Vec::new, |shards| shards.keys().copied().collect())
    }

    /// From now on a topic comes by that socket.
    fn place(&mut self, no: TopicNo, shard: ConnId) -> Option<Adopted> {
        let position = self.topics.resume(no).filter(|_| self.can_resume());
        let name = self.topics.place(no, shard)?;
        if let Some(pool) = &mut self.pool {
            pool.add(shard, 1);
        }
        Some((no, name, position))
    }

    /// Takes what a further socket has.
    fn take_upward(&mut self, upward: Vec<Upward<P>>, cx: &mut Cx<'_, P>) {
        let mut is_urgent = false;
        for item in upward {
            is_urgent |= !matches!(item, Upward::Message(..) | Upward::Other(_));
            match item {
                Upward::Message(no, frame, position) => self.take_message(frame, no, position, cx),
                Upward::Other(frame) => self.push_other(frame),
                Upward::Refused(no, code, detail) => self.refuse_topic(no, code, &detail),
                Upward::Missed(no, from, to, loss) => {
                    self.topics.restart(no, to.clone());
                    self.tell_missed(no, None, (&from, to.as_ref()), loss);
                }
                Upward::Gap(reason) => self.tell_gap(reason),
            }
        }
        if is_urgent {
            self.flush(cx);
        }
    }

    /// Gives something to the connection that this is a further socket of. Gives it back if this is none.
    pub(super) fn send_upward(&mut self, item: Upward<P>) -> Option<Upward<P>> {
        match &mut self.shard {
            Some(shard) => {
                shard.upward.push(item);
                None
            }
            None => Some(item),
        }
    }

    /// Topics of the connection that this is a further socket of.
    fn adopt(&mut self, topics: Vec<Adopted>, cx: &mut Cx<'_, P>) {
        for (number, name, position) in topics {
            let of = (UPWARD, HandleId(0));
            let want = Want {
                of,
                sub: number,
                is_conflated: false,
                is_single: false,
            };
            let (no, _) = self.topics.want(&name, want);
            if let Some(position) = position {
                self.topics.begin(no, position);
            }
        }
        self.ask_for_topics(cx);
    }

    /// A topic is wanted no more.
    fn release(&mut self, number: TopicNo, cx: &mut Cx<'_, P>) {
        self.unwant(UPWARD, |want| want.sub == number, cx);
    }

    /// Nobody needs this socket any more.
    fn end_shard(&mut self, cx: &mut Cx<'_, P>) {
        if self.is_ended() {
            return;
        }
        self.handle_topics_timer(cx);
        if let Some(socket) = self.socket() {
            cx.out.push(close(socket, Some(1000), ""));
        }
        self.end(State::Closed, Reason::Unwanted, 1000, true, cx);
    }

    /// Of a socket of a pool: who gives it its turn to start, and whether it has one.
    fn slot(&mut self) -> Option<(ConnId, &mut bool)> {
        match (&mut self.shard, &mut self.pool) {
            (Some(shard), _) => Some((shard.of, &mut shard.has_slot)),
            (None, Some(pool)) => Some((self.id, &mut pool.has_slot)),
            (None, None) => None,
        }
    }

    /// Replaces the socket at its turn.
    pub(super) fn reconnect_at(&mut self, at: Time, cx: &mut Cx<'_, P>) {
        if let Some(socket) = self.socket() {
            cx.out.push(close(socket, None, ""));
            if self.status.state.is_open() {
                self.lose(Reason::Requested, (1006, String::new(), false), cx);
            } else {
                self.stop_timers(cx);
                self.wait(Duration::ZERO, Reason::Requested, Cause::None, cx);
            }
        }
        if let Some(shard) = &mut self.shard {
            shard.has_slot = true;
        }
        self.set_timer(TimerReason::Reconnect, at, cx);
    }
}
