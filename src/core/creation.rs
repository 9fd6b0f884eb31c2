//! How connections and their further sockets begin.

use core::time::Duration;
use std::rc::Rc;

use litemap::LiteMap;

use super::access::Access;
use super::backoff::Backoff;
use super::connection::{Connection, Identity, Phase};
use super::fanout::Fanout;
use super::heartbeat::Heartbeat;
use super::io::Payload;
use super::lean::Lean;
use super::outbox::Outbox;
use super::outflow::Outflow;
use super::pool::Shard;
use super::shared::{Shared, Subprotocol};
use super::tally::Tally;
use super::topics::Topics;
use crate::protocol::{
    Cause, ConnId, ConnectionConfig, Options, Positive, Reason, State, Status, Transport,
};
use crate::time::Time;

impl<P: Payload> Connection<P> {
    /// A connection that nobody has attached yet.
    pub fn new(
        id: ConnId,
        identity: Rc<Identity>,
        (options, subprotocol): (&Options, Rc<Subprotocol>),
        shared: &mut Shared,
        now: Time,
    ) -> Self {
        let mut config = ConnectionConfig::new(options);
        let template = subprotocol.template.as_ref();
        if let Some(template) = template {
            let (heartbeat, staleness) = (&mut config.heartbeat, &mut config.staleness);
            heartbeat.message = heartbeat.message.take().or(template.ping.clone());
            staleness.stale_after = staleness.stale_after.or(template.stale_after);
        }
        let most = config.pool.max_topics_per_connection.get();
        let is_pooled = template.is_some() && most < Positive::INFINITE.get();
        let config = shared.configs.share(config);
        let mut made = Self::with(id, identity, config, subprotocol, now);
        if is_pooled {
            made.pool = Some(Box::default());
            made.topics.most = most;
        }
        made
    }

    /// A further socket for the topics of this connection.
    pub(super) fn shard(&self, id: ConnId, now: Time) -> Self {
        let (identity, config) = (Rc::clone(&self.identity), Rc::clone(&self.config));
        let subprotocol = Rc::clone(&self.subprotocol);
        let mut made = Self::with(id, identity, config, subprotocol, now);
        made.phase = Phase::Waiting;
        made.with_token = self.with_token;
        made.shard = Some(Box::new(Shard::new(self.id)));
        made
    }

    fn with(
        id: ConnId,
        identity: Rc<Identity>,
        config: Rc<ConnectionConfig>,
        subprotocol: Rc<Subprotocol>,
        now: Time,
    ) -> Self {
        let template = subprotocol.template.as_ref();
        Self {
            pool: None,
            shard: None,
            topics: Lean::of(template.map(|_| Topics::new(config.replay.clone()))),
            template: template.cloned(),
            subprotocol,
            id,
            identity,
            heartbeat: Heartbeat::new(&config.heartbeat),
            config,
            linger: Duration::ZERO,
            phase: Phase::Idle,
            generation: 0,
            status: Status {
                state: State::Idle,
                attempt: 0,
                next_attempt_at: None,
                code: None,
                reason: Reason::Unused,
                since: now,
                protocol: Box::default(),
                extensions: Box::default(),
                cause: Cause::None,
                close_reason: Box::default(),
                clean: false,
                notice: None,
                transport: Transport::WebSocket,
            },
            backoff: Backoff::default(),
            attempts: 0,
            access: Access::default(),
            inbound_at: now,
            socket_at: now,
            made_at: now,
            successor: None,
            retired: None,
            outbox: Outbox::new(),
            outflow: Outflow::default(),
            fanout: Fanout::new(),
            handles: LiteMap::with_capacity(1),
            needs: Lean::default(),
            with_token: false,
            is_unflushed: false,
            counters: Tally::default(),
            parting: None,
            fallback: None,
            early: Lean::default(),
        }
    }
}
