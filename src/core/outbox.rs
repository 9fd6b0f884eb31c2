//! What the tabs want to send: queued while the connection is not open, handed when it is, settled once.

use std::collections::VecDeque;
use std::ops::Range;

use std::rc::Rc;

use litemap::LiteMap;

use super::flow::Load;
use super::io::{Payload, PortId};
use super::lean::{Blank, Lean};
use super::sender::{CONFIRM_AFTER, CONFIRM_GRAIN, Sender};
use crate::protocol::{HandleId, HubMessage, Outgoing, Overflow, QueueConfig, Resend, SendFailure};
use crate::time::Time;

/// The handle that a send belongs to.
pub type SenderKey = (PortId, HandleId);

/// The outbound queue of one connection.
#[derive(Debug)]
pub struct Outbox<P> {
    queue: Lean<VecDeque<Entry<P>>>,
    expiry: Time,
    retained: Lean<VecDeque<Entry<P>>>,
    senders: LiteMap<SenderKey, Sender>,
    verdicts: Lean<Vec<(PortId, HubMessage)>>,
    failures: Lean<Failures>,
}

/// What became of sends that were not confirmed.
#[derive(Debug, Default)]
struct Failures {
    /// Sends that were reported as failed.
    failed: u64,
    /// Those whose tab was gone by then.
    orphaned: u64,
    /// Senders whose tab was gone.
    orphans: u32,
}

impl Blank for Failures {
    const BLANK: &'static Self = &Self {
        failed: 0,
        orphaned: 0,
        orphans: 0,
    };
}

#[derive(Debug)]
struct Entry<P> {
    sender: SenderKey,
    id: u64,
    expires: Time,
    outgoing: Outgoing<P>,
}

impl<P: Payload> Outbox<P> {
    /// An empty outbox.
    pub fn new() -> Self {
        Self {
            queue: Lean::NONE,
            expiry: Time::NEVER,
            retained: Lean::NONE,
            senders: LiteMap::with_capacity(1),
            verdicts: Lean::NONE,
            failures: Lean::NONE,
        }
    }

    /// A handle that may send.
    pub fn add_sender(&mut self, key: SenderKey, config: Rc<QueueConfig>) {
        self.senders.entry(key).or_insert_with(|| Sender {
            config,
            present: true,
            dirty: false,
            sends: Lean::NONE,
        });
    }

    /// The handle was closed on purpose: what it still has waiting fails.
    pub fn close_sender(&mut self, key: SenderKey) {
        self.fail_where(SendFailure::Closed, |entry| entry.sender == key);
        self.senders.remove(&key);
    }

    /// The tab died: what it still has waiting is sent all the same, since nobody took it back.
    pub fn orphan_port(&mut self, port: PortId) {
        self.orphan_where(|(owner, _)| *owner == port);
    }

    /// The tab goes to another hub, and takes along what it has not been told of.
    pub fn forget_port(&mut self, port: PortId) {
        self.verdicts.keep(|(owner, _)| *owner != port);
        self.queue.keep(|entry| entry.sender.0 != port);
        self.retained.keep(|entry| entry.sender.0 != port);
        self.senders.retain(|(owner, _), _| *owner != port);
    }

    fn orphan_where(&mut self, is_gone: impl Fn(&SenderKey) -> bool) {
        let gone: Vec<_> = self
            .senders
            .iter()
            .filter(|(key, sender)| sender.present && is_gone(key))
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            self.orphan(key);
        }
        self.reap();
    }

    fn orphan(&mut self, key: SenderKey) {
        self.verdicts
            .keep(|(port, verdict)| *port != key.0 || !is_about(verdict, key.1));
        let Some(mut sender) = self.senders.remove(&key) else {
            return;
        };
        sender.present = false;
        // Under a name of its own: the tab may come back and start over under this one.
        self.failures.orphans += 1;
        let name = (PortId(u32::MAX), HandleId(self.failures.orphans));
        let entries = [self.queue.made(), self.retained.made()];
        for entry in entries.into_iter().flatten().flatten() {
            if entry.sender == key {
                entry.sender = name;
            }
        }
        self.senders.insert(name, sender);
    }

    /// Queues a send. What is over the bounds fails by the handle's policy.
    pub fn push(
        &mut self,
        key: SenderKey,
        id: u64,
        outgoing: Outgoing<P>,
        is_open: bool,
        now: Time,
    ) {
        let Some(sender) = self.senders.get_mut(&key) else {
            return;
        };
        let expires = now + sender.config.ttl.get();
        let entry = Entry {
            sender: key,
            id,
            expires,
            outgoing,
        };
        let load = entry.load();
        self.expiry = self.expiry.min(expires);
        let is_over = sender.is_over(load, is_open);
        if is_over && sender.config.overflow != Overflow::DropOldest {
            self.fail(key, id, SendFailure::Overflow);
            return;
        }
        sender.waiting.add(load);
        self.queue.push_back(entry);
        if is_over {
            self.drop_oldest(key, is_open);
        }
    }

    /// Takes what goes to the socket next.
    pub fn poll(&mut self, now: Time) -> Option<Outgoing<P>> {
        let entry = self.queue.made()?.pop_front()?;
        let key = entry.sender;
        let Some(sender) = self.senders.get_mut(&key) else {
            return Some(entry.outgoing);
        };
        sender.waiting.sub(entry.load());
        sender.handle_handed(entry.id, now);
        if sender.config.resend == Resend::Never {
            return Some(entry.outgoing);
        }
        let outgoing = entry.outgoing.clone();
        self.retained.push_back(entry);
        Some(outgoing)
    }

    /// Fails what has waited too long.
    pub fn handle_ttl(&mut self, now: Time) {
        self.fail_where(SendFailure::Expired, |entry| entry.expires <= now);
        self.expiry = self
            .queue
            .iter()
            .map(|entry| entry.expires)
            .min()
            .unwrap_or(Time::NEVER);
    }

    /// No send expires before this.
    pub fn next_expiry(&self) -> Time {
        self.expiry
    }

    /// Notes that a ping goes out: its pong will confirm what was handed before.
    pub fn handle_ping(&mut self) {
        for (_, sender) in self.senders.iter_mut() {
            if let Some(sends) = sender.sends.made() {
                sends.ping_mark = sends.handed;
            }
        }
    }

    /// Notes that the pong came.
    pub fn handle_pong(&mut self) {
        for (_, sender) in self.senders.iter_mut() {
            // What was handed to the socket before has its own proof coming.
            if sender.retiring.is_none() {
                sender.confirm(sender.ping_mark);
            }
        }
        self.release_confirmed();
    }

    /// Confirms by age what was handed long enough ago. For connections without a heartbeat.
    pub fn handle_confirm(&mut self, now: Time) {
        for (_, sender) in self.senders.iter_mut() {
            while let Some((at, id)) = sender.history.front().copied()
                && at + CONFIRM_GRAIN + CONFIRM_AFTER <= now
            {
                sender.history.pop_front();
                sender.confirm(id);
            }
        }
        self.release_confirmed();
    }

    /// Time that has passed in sleep confirms nothing: it begins anew.
    pub fn handle_wake(&mut self, now: Time) {
        for (_, sender) in self.senders.iter_mut() {
            let sends = sender.sends.made();
            let history = sends.and_then(|sends| sends.history.made());
            for (at, _) in history.into_iter().flatten() {
                *at = now;
            }
        }
    }

    /// When the next send is confirmed by age.
    pub fn next_confirm(&self) -> Time {
        self.senders
            .values()
            .filter_map(|sender| sender.history.front())
            .map(|(at, _)| *at + CONFIRM_GRAIN + CONFIRM_AFTER)
            .min()
            .unwrap_or(Time::NEVER)
    }

    /// The connection was lost: what was handed and not confirmed is of unknown fate. A closing handshake that the server began
    /// proves nothing: what is sent after its close frame has come is thrown away, and it need not read what was under way.
    pub fn handle_lost(&mut self, now: Time) {
        let again = self.retained.take();
        self.queue_again(again, now);
        self.report_all_unknown(Sender::take_unconfirmed);
    }

    /// The socket is being closed, and another has taken its place: what was handed waits for the end of the closing handshake.
    ///
    /// What waits to be handed again is not among that, though it has an older id.
    pub fn retire(&mut self) {
        let keys: Vec<_> = self.senders.keys().copied().collect();
        for key in keys {
            let again = self.first_taken_back(key);
            if let Some(sender) = self.senders.get_mut(&key) {
                sender.retiring = Some(again.unwrap_or(sender.handed));
            }
        }
    }

    /// The closing handshake is over. A complete one confirms what was handed before it; otherwise that is of unknown fate.
    pub fn settle_retired(&mut self, clean: bool, now: Time) {
        if clean {
            for (_, sender) in self.senders.iter_mut() {
                if let Some(mark) = sender.take_mark() {
                    sender.confirm(mark);
                }
            }
            self.release_confirmed();
            return;
        }
        for (_, sender) in self.senders.iter_mut() {
            sender.split_at_mark();
        }
        let (mut again, mut kept) = (VecDeque::new(), VecDeque::new());
        for entry in self.retained.take() {
            let sender = self.senders.get(&entry.sender);
            let is_before = sender.is_some_and(|sender| sender.retiring > Some(entry.id));
            if is_before { &mut again } else { &mut kept }.push_back(entry);
        }
        if !kept.is_empty() {
            self.retained = Lean::of(Some(kept));
        }
        self.queue_again(again, now);
        self.report_all_unknown(Sender::take_retired);
    }

    /// The connection will not open again: everything that waits fails. Tabs that are away will hear nothing of it.
    pub fn handle_end(&mut self, is_here: impl Fn(SenderKey) -> bool) {
        self.orphan_where(|key| !is_here(*key));
        self.fail_where(SendFailure::Closed, |_| true);
    }

    /// Moves what the tabs are to be told, as far as they can hear it now.
    pub fn take_verdicts(
        &mut self,
        can_hear: impl Fn(PortId) -> bool,
    ) -> Vec<(PortId, HubMessage)> {
        let all = self.verdicts.take().into_iter();
        let (mut verdicts, kept): (Vec<_>, _) = all.partition(|(port, _)| can_hear(*port));
        if !kept.is_empty() {
            self.verdicts = Lean::of(Some(kept));
        }
        for (key, sender) in self.senders.iter_mut() {
            if sender.present && can_hear(key.0) && core::mem::take(&mut sender.dirty) {
                verdicts.push((
                    key.0,
                    HubMessage::Sent {
                        handle: key.1,
                        handed: sender.handed,
                        confirmed: sender.confirmed,
                    },
                ));
            }
        }
        verdicts
    }

    /// Messages that wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// The share of its bounds that the handle has taken which has most waiting.
    pub fn fill(&self) -> f64 {
        let fills = self.senders.values().map(Sender::fill);
        fills.fold(0.0, f64::max)
    }

    /// Sends that were reported as failed, and those whose tab was gone by then.
    pub fn failures(&self) -> (u64, u64) {
        (self.failures.failed, self.failures.orphaned)
    }

    /// What was handed waits to be handed again, before all else and in its order.
    fn queue_again(&mut self, mut again: VecDeque<Entry<P>>, now: Time) {
        while let Some(mut entry) = again.pop_back() {
            if let Some(sender) = self.senders.get_mut(&entry.sender) {
                sender.take_back(entry.id);
                // What is sent again has an old id, and no ping has gone out after it.
                sender.ping_mark = 0;
                sender.waiting.add(entry.load());
                entry.expires = now + sender.config.ttl.get();
                self.expiry = self.expiry.min(entry.expires);
                self.queue.push_front(entry);
            }
        }
    }

    fn report_all_unknown(&mut self, take: fn(&mut Sender) -> VecDeque<Range<u64>>) {
        let keys: Vec<_> = self.senders.keys().copied().collect();
        for key in keys {
            let ranges = self.senders.get_mut(&key).map(take).unwrap_or_default();
            for range in ranges {
                let count = range.end - range.start;
                self.report(key, range.start, count, SendFailure::Unknown);
            }
        }
        self.reap();
    }

    fn drop_oldest(&mut self, key: SenderKey, is_open: bool) {
        while self
            .senders
            .get(&key)
            .is_some_and(|sender| sender.is_over(Load::default(), is_open))
        {
            let Some(index) = self.queue.iter().position(|entry| entry.sender == key) else {
                return;
            };
            if let Some(entry) = self.queue.remove(index) {
                self.settle_failed(&entry, SendFailure::Overflow);
            }
        }
    }

    fn fail_where(&mut self, reason: SendFailure, doomed: impl Fn(&Entry<P>) -> bool) {
        let all = self.queue.take().into_iter();
        let (gone, kept): (VecDeque<_>, VecDeque<_>) = all.partition(doomed);
        if !kept.is_empty() {
            self.queue = Lean::of(Some(kept));
        }
        for entry in gone {
            self.settle_failed(&entry, reason);
        }
        self.reap();
    }

    fn settle_failed(&mut self, entry: &Entry<P>, reason: SendFailure) {
        if let Some(sender) = self.senders.get_mut(&entry.sender) {
            sender.waiting.sub(entry.load());
        }
        self.fail(entry.sender, entry.id, reason);
    }

    pub fn fail(&mut self, key: SenderKey, id: u64, reason: SendFailure) {
        let again = self.first_taken_back(key);
        if let Some(sender) = self.senders.get_mut(&key) {
            sender.dirty |= sender.handed == id;
            if sender.handed == id {
                sender.handed += 1;
            }
            if sender.unconfirmed.is_empty() {
                sender.confirmed = sender.confirmed.max(again.unwrap_or(sender.handed));
            }
        }
        self.report(key, id, 1, reason);
    }

    /// The first send that was handed before and waits to be handed again.
    fn first_taken_back(&self, key: SenderKey) -> Option<u64> {
        let sender = self.senders.get(&key)?;
        if sender.config.resend == Resend::Never {
            return None;
        }
        let mut waiting = self.queue.iter().filter(|entry| entry.sender == key);
        waiting
            .next()
            .map(|entry| entry.id)
            .filter(|id| *id < sender.handed)
    }

    fn report(&mut self, key: SenderKey, first: u64, count: u64, reason: SendFailure) {
        if !self.senders.get(&key).is_some_and(|sender| sender.present) {
            self.failures.orphaned += count;
            return;
        }
        self.failures.failed += count;
        let port = key.0;
        if let Some((
            last_port,
            HubMessage::Failed {
                handle,
                first: last_first,
                count: last_count,
                reason: last_reason,
            },
        )) = self.verdicts.last_mut()
            && (*last_port, *handle) == key
            && *last_reason == reason
            && *last_first + *last_count == first
        {
            *last_count += count;
            return;
        }
        self.verdicts.push((
            port,
            HubMessage::Failed {
                handle: key.1,
                first,
                count,
                reason,
            },
        ));
    }

    /// Forgets the senders that are gone and of whose sends everything is known.
    fn reap(&mut self) {
        self.senders.retain(|_, sender| {
            sender.present || sender.waiting.messages > 0 || !sender.unconfirmed.is_empty()
        });
    }

    fn release_confirmed(&mut self) {
        self.reap();
        let senders = &self.senders;
        self.retained.keep(|entry| {
            let sender = senders.get(&entry.sender);
            sender.is_some_and(|sender| entry.id >= sender.confirmed)
        });
    }
}

fn is_about(verdict: &HubMessage, of: HandleId) -> bool {
    matches!(
        verdict,
        HubMessage::Failed { handle, .. } | HubMessage::Sent { handle, .. } if *handle == of
    )
}

impl<P: Payload> Entry<P> {
    fn load(&self) -> Load {
        Load {
            messages: 1,
            bytes: match &self.outgoing {
                Outgoing::Frame(frame) => frame.size(),
                Outgoing::Publish { topic, data } => topic.len() + data.len(),
            },
        }
    }
}
