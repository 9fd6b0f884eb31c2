//! What tabs see that look inside. While none does, there is none, and nothing is noted.

use std::collections::VecDeque;

use super::connection::{Connection, Cx};
use super::hub::Hub;
use super::io::{Output, Payload, PortId, SocketId};
use super::subprotocol::push_text;
use super::tabs::Mode;
use crate::protocol::{ConnId, Entry, Inspection, Seen};

/// So many entries are kept for a tab that has not asked for them.
pub const MOST_ENTRIES: usize = 1000;
/// So many bytes of payloads are kept for it.
pub const MOST_PAYLOADS: usize = 1 << 20;

/// The tabs that look inside, and what has not been shown to them.
#[derive(Debug)]
pub struct Inspector<P> {
    watchers: Vec<Watcher<P>>,
    /// What was seen in this turn.
    seen: Vec<Entry<P>>,
}

#[derive(Debug)]
struct Watcher<P> {
    port: PortId,
    wants: Inspection,
    is_asking: bool,
    entries: VecDeque<Entry<P>>,
    bytes: usize,
    dropped: u64,
}

impl<P: Payload> Inspector<P> {
    fn with_payloads(&self) -> bool {
        let mut watchers = self.watchers.iter();
        watchers.any(|watcher| watcher.wants == Inspection::Payloads)
    }

    /// The tabs that look inside.
    pub fn ports(&self) -> impl Iterator<Item = PortId> {
        self.watchers.iter().map(|watcher| watcher.port)
    }

    /// Lays what was seen before the tabs that have its connection, or had it before.
    #[inline(never)]
    pub fn share(&mut self, before: &[PortId], connection: &Connection<P>) {
        let seen = core::mem::take(&mut self.seen);
        for watcher in &mut self.watchers {
            if before.contains(&watcher.port) || connection.has_port(watcher.port) {
                seen.iter().for_each(|entry| watcher.push(entry));
            }
        }
    }

    /// What the next tab is shown that has asked, if there is something.
    fn take(&mut self, can_hear: impl Fn(PortId) -> bool) -> Option<Output<P>> {
        let mut watchers = self.watchers.iter_mut();
        let watcher = watchers.find(|watcher| {
            watcher.is_asking && !watcher.entries.is_empty() && can_hear(watcher.port)
        })?;
        watcher.is_asking = false;
        watcher.bytes = 0;
        let entries = core::mem::take(&mut watcher.entries);
        let dropped = core::mem::take(&mut watcher.dropped);
        Some(Output::Show(watcher.port, dropped, entries))
    }
}

impl<P: Payload> Watcher<P> {
    fn push(&mut self, entry: &Entry<P>) {
        let mut entry = entry.clone();
        if self.wants != Inspection::Payloads {
            entry.what = match entry.what {
                Seen::In(size, _) => Seen::In(size, None),
                Seen::Out(size, _) => Seen::Out(size, None),
                Seen::State(..) | Seen::Log(..) => entry.what,
            };
        }
        self.bytes += payload_of(&entry);
        self.entries.push_back(entry);
        while self.entries.len() > MOST_ENTRIES
            || (self.bytes > MOST_PAYLOADS && self.entries.len() > 1)
        {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= payload_of(&oldest);
                self.dropped += 1;
            }
        }
    }
}

fn payload_of<P>(entry: &Entry<P>) -> usize {
    match &entry.what {
        Seen::In(size, Some(_)) | Seen::Out(size, Some(_)) => *size,
        Seen::In(..) | Seen::Out(..) | Seen::State(..) | Seen::Log(..) => 0,
    }
}

impl<P: Payload> Hub<P> {
    /// A tab wants to look inside, to see more, or nothing any more.
    pub(super) fn inspect(&mut self, port: PortId, wants: Inspection) {
        if wants == Inspection::Off {
            self.stop_inspection(port);
            return;
        }
        let inspector = self.out.inspector.get_or_insert_with(|| {
            Box::new(Inspector {
                watchers: Vec::new(),
                seen: Vec::new(),
            })
        });
        let mut watchers = inspector.watchers.iter_mut();
        if let Some(watcher) = watchers.find(|watcher| watcher.port == port) {
            watcher.wants = wants;
            watcher.is_asking = true;
        } else {
            inspector.watchers.push(Watcher {
                port,
                wants,
                is_asking: true,
                entries: VecDeque::new(),
                bytes: 0,
                dropped: 0,
            });
        }
    }

    /// A tab is gone, or looks no more.
    pub(super) fn stop_inspection(&mut self, port: PortId) {
        if let Some(inspector) = &mut self.out.inspector {
            inspector.watchers.retain(|watcher| watcher.port != port);
        }
        self.out
            .inspector
            .take_if(|inspector| inspector.watchers.is_empty());
    }

    /// Who sees what a connection does: the tabs that look inside and have it, or the connection that it is a further socket of.
    #[inline(never)]
    pub(super) fn audience(&self, conn: ConnId) -> Option<Vec<PortId>> {
        let inspector = self.out.inspector.as_ref()?;
        let connection = self.connections.get(&conn)?;
        let connection = match &connection.shard {
            Some(shard) => self.connections.get(&shard.of)?,
            None => connection,
        };
        let ports = inspector.ports();
        Some(ports.filter(|port| connection.has_port(*port)).collect())
    }

    /// What a tab is shown that has asked.
    pub(super) fn show(&mut self) -> Option<Output<P>> {
        let tabs = &self.tabs;
        let inspector = self.out.inspector.as_mut()?;
        inspector.take(|port| tabs.mode(port) != Mode::Suspended)
    }
}

impl<P: Payload> Connection<P> {
    /// Notes what happens for those who look inside.
    pub(super) fn see(&self, what: Seen<P>, cx: &mut Cx<'_, P>) {
        if let Some(inspector) = &mut cx.out.inspector {
            inspector.seen.push(Entry {
                at: cx.now,
                conn: self.shard.as_ref().map_or(self.id, |shard| shard.of),
                what,
            });
        }
    }

    /// A frame has come.
    pub(super) fn see_in(&self, frame: &P, cx: &mut Cx<'_, P>) {
        if cx.out.inspector.is_some() {
            self.see(Seen::In(frame.size(), self.shown(frame, cx)), cx);
        }
    }

    /// A frame goes out.
    pub(super) fn see_out(&self, frame: &P, cx: &mut Cx<'_, P>) {
        if cx.out.inspector.is_some() {
            self.see(Seen::Out(frame.size(), self.shown(frame, cx)), cx);
        }
    }

    /// Gives a frame to a socket.
    #[inline(never)]
    pub(super) fn put(&self, socket: SocketId, frame: P, cx: &mut Cx<'_, P>) {
        self.see_out(&frame, cx);
        cx.out.push(Output::Send(socket, frame));
    }

    /// A frame as it may be shown, if somebody wants it: one with the token in it is not.
    #[inline(never)]
    fn shown(&self, frame: &P, cx: &Cx<'_, P>) -> Option<P> {
        cx.out
            .inspector
            .as_ref()
            .filter(|own| own.with_payloads())?;
        let token = self.access.token();
        let mut escaped = String::new();
        push_text(token, &mut escaped);
        let escaped = escaped.trim_matches('"');
        let has_token = !token.is_empty()
            && frame
                .head(usize::MAX)
                .is_some_and(|text| text.contains(token) || text.contains(escaped));
        (!has_token).then(|| frame.clone())
    }
}
