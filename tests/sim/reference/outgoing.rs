//! What the tabs send through a connection, as the hub must treat it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use core::time::Duration;

use tabwire::core::{PortId, SocketId};
use tabwire::protocol::{Overflow, QueueConfig, SendFailure};
use tabwire::time::Time;

use super::sender::{Again, Entry, Key, Presence, Proof, Sender, State};
use crate::frame::SendNo;
use crate::invariants::{Check, Held};

/// Without pings, what was handed so long ago counts as arrived.
const CONFIRM_AFTER: Duration = Duration::from_secs(10);

/// What is sent again and again, since its sockets do not live long enough, is never confirmed. Else it is by then.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);

/// The sends of one connection.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// Every handle there has been.
    pub senders: Vec<Sender>,
    /// Sends of tabs that were gone, and failed: at least and at most.
    pub orphaned: (u64, u64),
    /// Sends whose tab was told.
    pub failed: u64,
    /// Frames given to sockets, pings aside.
    pub sent: u64,
    by_key: BTreeMap<Key, usize>,
    queue: VecDeque<(usize, u64)>,
    /// What was handed to the current socket, in order, and how much of it is proved.
    handed: Vec<(usize, u64)>,
    proved: usize,
    pinged: usize,
    /// What was handed to the socket whose closing handshake is under way, and how many senders there were then.
    retired: Option<(Vec<(usize, u64)>, usize)>,
    /// What a tab must be told: that it failed, or that it is confirmed.
    untold: BTreeSet<(usize, u64)>,
}

/// How a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The closing handshake was complete.
    pub is_clean: bool,
    /// The connection has pings, so nothing is confirmed by age.
    pub has_pings: bool,
}

impl Outgoing {
    /// A handle may send. One that is there already, or comes back from the cache, keeps what it has.
    pub fn add(&mut self, key: Key, config: QueueConfig) {
        if let Some(index) = self.by_key.get(&key) {
            self.senders[*index].presence = Presence::Here;
        } else {
            self.by_key.insert(key, self.senders.len());
            self.senders.push(Sender::new(key, config));
        }
    }

    /// Whether a handle is there, or has still to be told that it is closed.
    pub fn has(&self, key: Key) -> bool {
        self.by_key.contains_key(&key)
    }

    /// When the first of what waits has waited too long.
    pub fn next_expiry(&self) -> Time {
        self.queue
            .iter()
            .map(|(sender, id)| self.entry(*sender, *id))
            .filter(|entry| !entry.state.is_vague())
            .map(|entry| entry.expires)
            .min()
            .unwrap_or(Time::NEVER)
    }

    /// Messages that wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether a resend may or may not be in the queue.
    pub fn is_vague(&self) -> bool {
        self.queue
            .iter()
            .any(|(sender, id)| self.entry(*sender, *id).state.is_vague())
    }

    /// A send comes in.
    pub fn push(
        &mut self,
        key: Key,
        id: u64,
        (send, size): (SendNo, u64),
        is_open: bool,
        now: Time,
    ) {
        let Some(&index) = self.by_key.get(&key) else {
            return;
        };
        let sender = &mut self.senders[index];
        let is_over = sender.is_over(Some(size), is_open);
        let entry = Entry {
            send,
            size,
            expires: now + sender.config.ttl.get(),
            state: State::Waiting(Again::First),
            sockets: Vec::new(),
        };
        sender.entries.insert(id, entry);
        sender.add_waiting(size);
        self.queue.push_back((index, id));
        if !is_over {
            return;
        }
        if self.senders[index].config.overflow == Overflow::DropOldest {
            while self.senders[index].is_over(None, is_open) {
                let oldest = self.queue.iter().position(|(sender, _)| *sender == index);
                match oldest {
                    Some(place) => self.doom(place, SendFailure::Overflow),
                    None => return,
                }
            }
        } else {
            self.doom(self.queue.len() - 1, SendFailure::Overflow);
        }
    }

    /// A frame is given to the socket.
    pub fn handle_handed(&mut self, socket: SocketId, send: SendNo, now: Time) -> Held {
        self.sent += 1;
        while let Some((sender, id)) = self.queue.pop_front() {
            let state = self.entry(sender, id).state;
            let size = self.entry(sender, id).size;
            self.senders[sender].sub_waiting(size);
            let entry = self.entry_mut(sender, id);
            if entry.send == send {
                entry.state = State::Handed(now);
                entry.sockets.push(socket);
                self.handed.push((sender, id));
                return Ok(());
            }
            let State::Waiting(Again::Perhaps(proof)) = state else {
                return Err(Check::SendsKeepTheirOrder
                    .breach(format!("handed {send:?}, next is {:?}", entry.send)));
            };
            entry.state = State::Confirmed(proof);
        }
        Err(Check::SendsKeepTheirOrder.breach(format!("handed {send:?}, which does not wait")))
    }

    /// Time that has passed in sleep proves nothing: what was not confirmed by age before counts as handed now.
    pub fn handle_wake(&mut self, before: Time, now: Time) {
        for entry in self
            .senders
            .iter_mut()
            .flat_map(|sender| sender.entries.values_mut())
        {
            if let State::Handed(at) = &mut entry.state
                && before < *at + CONFIRM_AFTER
            {
                *at = now;
            }
        }
    }

    /// A ping is given to the socket.
    pub fn handle_ping(&mut self) {
        for sender in &mut self.senders {
            sender.is_unproved = false;
        }
        self.pinged = self.handed.len();
    }

    /// The ping is answered: what was handed before it has arrived, as far as this pong proves it.
    pub fn handle_pong(&mut self, proof: Proof) {
        let retiring = self.retired.as_ref().map_or(0, |(_, senders)| *senders);
        for place in self.proved..self.pinged {
            let (sender, id) = self.handed[place];
            if sender >= retiring && !self.senders[sender].is_unproved {
                self.prove(sender, id, proof);
            }
        }
        if retiring == 0 {
            self.proved = self.proved.max(self.pinged);
        }
    }

    /// The socket is retired: the end of its closing handshake will prove what was handed.
    pub fn retire(&mut self) {
        self.proved = 0;
        self.pinged = 0;
        self.retired = Some((core::mem::take(&mut self.handed), self.senders.len()));
    }

    /// The closing handshake is over. A complete one proves what was handed.
    pub fn settle_retired(&mut self, is_complete: bool, has_pings: bool, now: Time) {
        let Some((handed, _)) = self.retired.take() else {
            return;
        };
        if is_complete {
            for (sender, id) in handed {
                self.prove(sender, id, Proof::Sure);
            }
        } else {
            let loss = Loss {
                is_clean: false,
                has_pings,
            };
            self.lose(handed, loss, now);
        }
    }

    /// The connection is lost: what is not proved is of unknown fate.
    pub fn handle_loss(&mut self, loss: Loss, now: Time) {
        self.proved = 0;
        self.pinged = 0;
        let handed = core::mem::take(&mut self.handed);
        self.lose(handed, loss, now);
        // What went through the socket before is sent again before that.
        let (retired, _) = self.retired.take().unwrap_or_default();
        let is_clean = false;
        self.lose(retired, Loss { is_clean, ..loss }, now);
    }

    fn lose(&mut self, handed: Vec<(usize, u64)>, loss: Loss, now: Time) {
        let mut again = Vec::new();
        for (sender, id) in handed {
            let State::Handed(at) = self.entry(sender, id).state else {
                continue;
            };
            let is_old = !loss.has_pings && at + CONFIRM_AFTER <= now;
            let resends = self.senders[sender].resends();
            match self.senders[sender].presence {
                Presence::Here if resends => {
                    let kind = match (loss.is_clean, is_old) {
                        (true, false) => Again::Perhaps(Proof::Sure),
                        (_, true) => Again::Perhaps(Proof::Assumed),
                        (false, false) => Again::Resent,
                    };
                    again.push((sender, id, kind));
                }
                Presence::Here if loss.is_clean => {
                    self.entry_mut(sender, id).state = State::Either;
                    self.untold.insert((sender, id));
                }
                Presence::Here if is_old => {}
                Presence::Here => {
                    self.entry_mut(sender, id).state = State::Doomed(SendFailure::Unknown);
                    self.untold.insert((sender, id));
                }
                Presence::Orphaned if resends => {
                    self.orphaned.1 += 1;
                    again.push((sender, id, Again::Perhaps(Proof::Assumed)));
                }
                Presence::Orphaned => {
                    self.entry_mut(sender, id).state = State::Excused;
                    self.orphaned.0 += u64::from(!is_old && !loss.is_clean);
                    self.orphaned.1 += 1;
                }
                Presence::Detached | Presence::Ended | Presence::Moved => {}
            }
        }
        for (sender, id, kind) in again.into_iter().rev() {
            let expires = now + self.senders[sender].config.ttl.get();
            let entry = self.entry_mut(sender, id);
            entry.state = State::Waiting(kind);
            entry.expires = expires;
            let size = entry.size;
            self.senders[sender].add_waiting(size);
            self.senders[sender].is_unproved = true;
            self.queue.push_front((sender, id));
        }
    }

    /// What has waited too long must fail now.
    pub fn expire(&mut self, now: Time) {
        let mut place = 0;
        while let Some((sender, id)) = self.queue.get(place).copied() {
            if self.entry(sender, id).expires <= now {
                self.doom(place, SendFailure::Expired);
            } else {
                place += 1;
            }
        }
    }

    /// A handle was closed: what waits fails, what was handed is its own.
    pub fn detach(&mut self, key: Key) {
        if let Some(&index) = self.by_key.get(&key) {
            self.doom_all(|sender| sender == index, SendFailure::Closed);
            self.release(index, Presence::Detached, true);
        }
    }

    /// A tab is gone: what waits is sent all the same.
    pub fn orphan(&mut self, port: PortId) {
        let (gone, kept) = core::mem::take(&mut self.by_key)
            .into_iter()
            .partition(|((owner, _), _)| *owner == port);
        self.by_key = kept;
        let gone: BTreeMap<Key, usize> = gone;
        for index in gone.into_values() {
            self.release(index, Presence::Orphaned, false);
            // What it had to be told, nobody hears; the hub has counted it, one way or the other.
            let unheard: Vec<_> = self.untold_of(index).collect();
            for id in unheard {
                self.untold.remove(&(index, id));
                self.orphaned.1 += 1;
                self.entry_mut(index, id).state = State::Excused;
            }
        }
    }

    /// A tab goes to another hub: what waits goes with it.
    pub fn send_on(&mut self, port: PortId) {
        let gone: Vec<_> = self
            .by_key
            .iter()
            .filter(|((owner, _), _)| *owner == port)
            .map(|(key, index)| (*key, *index))
            .collect();
        for (key, index) in gone {
            self.by_key.remove(&key);
            self.queue.retain(|(sender, _)| *sender != index);
            self.release(index, Presence::Moved, false);
        }
    }

    /// The connection has ended. What waits fails; with `excuses` nothing is promised of what was handed.
    pub fn end(&mut self, excuses: bool) {
        self.doom_all(|_| true, SendFailure::Closed);
        for index in 0..self.senders.len() {
            if self.senders[index].presence == Presence::Here {
                self.release(index, Presence::Ended, excuses);
            }
        }
    }

    /// The end of a handle is posted: everything about it must have been told.
    pub fn handle_closed(&mut self, key: Key) -> Held {
        if let Some(index) = self.by_key.remove(&key) {
            self.check_told(index)?;
        }
        Ok(())
    }

    /// `sent` is posted. Without pings, age is a proof.
    pub fn tell_sent(&mut self, key: Key, told: (u64, u64), by_age: bool, now: Time) -> Held {
        let Some(&index) = self.by_key.get(&key) else {
            return Err(
                Check::ClosedComesLast.breach(format!("sent for {key:?}, which has closed"))
            );
        };
        let (handed, confirmed) = told;
        let before = core::mem::replace(&mut self.senders[index].told, told);
        Check::ConfirmationsAreHonest.require(
            handed >= before.0 && confirmed >= before.1 && confirmed <= handed,
            || format!("sent {told:?} after {before:?}"),
        )?;
        let entries = &mut self.senders[index].entries;
        for (id, entry) in entries.range(before.0..handed) {
            Check::ConfirmationsAreHonest
                .require(entry.state != State::Waiting(Again::First), || {
                    format!("send {id} of {key:?} counts as handed, and waits")
                })?;
        }
        let mut taken = Vec::new();
        for (id, entry) in entries.range_mut(before.1..confirmed) {
            match entry.state {
                State::Arrived(proof) => entry.state = State::Confirmed(proof),
                State::Either => entry.state = State::Confirmed(Proof::Sure),
                State::Handed(at) if by_age && at + CONFIRM_AFTER <= now => {
                    entry.state = State::Confirmed(Proof::Assumed);
                }
                State::Waiting(Again::Perhaps(proof)) => {
                    entry.state = State::Confirmed(proof);
                    self.queue.retain(|place| *place != (index, *id));
                    taken.push(entry.size);
                }
                State::Handed(_) | State::Waiting(_) => {
                    return Err(Check::ConfirmationsAreHonest.breach(format!(
                        "send {id} of {key:?} counts as confirmed, and is {:?}",
                        entry.state
                    )));
                }
                State::Doomed(_) => continue,
                State::Failed(_) | State::Confirmed(_) | State::Excused => {}
            }
            self.untold.remove(&(index, *id));
        }
        for size in taken {
            self.senders[index].sub_waiting(size);
        }
        Ok(())
    }

    /// `failed` is posted.
    pub fn tell_failed(&mut self, key: Key, id: u64, reason: SendFailure, now: Time) -> Held {
        let index = self.by_key.get(&key).copied();
        let state = index.and_then(|index| self.senders[index].entries.get(&id));
        let (Some(index), Some(entry)) = (index, state) else {
            return Err(Check::FailuresAreJustified.breach(format!("{key:?} never sent {id}")));
        };
        let is_due = match entry.state {
            State::Doomed(due) => due == reason,
            State::Either => reason == SendFailure::Unknown,
            // Age alone decides, and the hub counts it in whole seconds.
            State::Handed(at) => reason == SendFailure::Unknown && at + CONFIRM_AFTER <= now,
            State::Waiting(_) => reason == SendFailure::Expired && entry.expires <= now,
            // It may have been taken as confirmed by age, or not.
            State::Excused => self.senders[index].resends(),
            State::Failed(_) | State::Confirmed(_) | State::Arrived(_) => false,
        };
        Check::FailuresAreJustified.require(is_due, || {
            format!("send {id} of {key:?} is {:?}, told {reason:?}", entry.state)
        })?;
        if matches!(entry.state, State::Waiting(_)) {
            self.queue.retain(|place| *place != (index, id));
            let size = self.entry(index, id).size;
            self.senders[index].sub_waiting(size);
        }
        self.failed += 1;
        self.untold.remove(&(index, id));
        self.entry_mut(index, id).state = State::Failed(reason);
        Ok(())
    }

    /// All outputs of an input have been seen. `can_hear` tells whether a tab can be told anything now.
    pub fn drained(&self, is_open: bool, can_hear: impl Fn(PortId) -> bool) -> Held {
        if is_open {
            let waits = self
                .queue
                .iter()
                .find(|(sender, id)| !self.entry(*sender, *id).state.is_vague());
            Check::OpenMeansHanded.require(waits.is_none(), || {
                format!("{waits:?} waits though the connection is open")
            })?;
        }
        for &index in self.by_key.values() {
            let sender = &self.senders[index];
            if sender.presence == Presence::Here && can_hear(sender.key.0) {
                self.check_told(index)?;
            }
            if sender.is_over(None, is_open) && !self.has_resends(index) {
                let (messages, bytes) = sender.waiting();
                return Err(Check::OutboxWithinBounds.breach(format!(
                    "{messages} messages of {bytes} bytes wait for {:?}",
                    sender.key
                )));
            }
        }
        Ok(())
    }

    /// In the end everything that was handed is confirmed or failed, if its tab can hear.
    pub fn check_settled(&self, can_hear: impl Fn(PortId) -> bool, now: Time) -> Held {
        for sender in &self.senders {
            if sender.presence != Presence::Here || !can_hear(sender.key.0) {
                continue;
            }
            let open = sender.entries.iter().find(
                |(_, entry)| matches!(entry.state, State::Handed(at) if at + SETTLES_WITHIN <= now),
            );
            Check::ConfirmationsCome.require(open.is_none(), || {
                format!("{open:?} of {:?} is never confirmed", sender.key)
            })?;
        }
        Ok(())
    }

    /// Whether a tab has been told what has become of all that was handed.
    pub fn check_told_all(&self, port: PortId) -> Held {
        for (_, index) in self.by_key.iter().filter(|((owner, _), _)| *owner == port) {
            self.check_told(*index)?;
        }
        Ok(())
    }

    fn check_told(&self, index: usize) -> Held {
        let sender = &self.senders[index];
        let untold = self.untold_of(index).next();
        Check::FailuresAreTold.require(untold.is_none(), || {
            let entry = untold.and_then(|id| sender.entries.get(&id));
            format!("{:?} was not told of {untold:?}: {entry:?}", sender.key)
        })?;
        let unheard = sender
            .entries
            .range(sender.told.0..)
            .find(|(_, entry)| matches!(entry.state, State::Handed(_)));
        Check::ConfirmationsCome.require(unheard.is_none(), || {
            format!("{:?} was not told that {unheard:?} was handed", sender.key)
        })
    }

    fn doom_all(&mut self, who: impl Fn(usize) -> bool, reason: SendFailure) {
        let mut place = 0;
        while let Some((sender, _)) = self.queue.get(place).copied() {
            if who(sender) {
                self.doom(place, reason);
            } else {
                place += 1;
            }
        }
    }

    /// What waits at a place in the queue must fail.
    fn doom(&mut self, place: usize, reason: SendFailure) {
        let Some((sender, id)) = self.queue.remove(place) else {
            return;
        };
        let entry = self.entry_mut(sender, id);
        let (size, state) = (entry.size, entry.state);
        self.senders[sender].sub_waiting(size);
        let is_sure = !state.is_vague();
        self.entry_mut(sender, id).state = if !self.senders[sender].is_followed() {
            self.orphaned.0 += u64::from(is_sure);
            self.orphaned.1 += 1;
            State::Failed(reason)
        } else if is_sure {
            self.untold.insert((sender, id));
            State::Doomed(reason)
        } else {
            State::Excused
        };
    }

    fn prove(&mut self, sender: usize, id: u64, proof: Proof) {
        if !matches!(self.entry(sender, id).state, State::Handed(_)) {
            return;
        }
        if self.senders[sender].is_followed() {
            self.untold.insert((sender, id));
            self.entry_mut(sender, id).state = State::Arrived(proof);
        } else {
            self.entry_mut(sender, id).state = State::Confirmed(proof);
        }
    }

    /// Nobody waits for confirmations of this sender any more.
    fn release(&mut self, index: usize, presence: Presence, excuses: bool) {
        self.senders[index].presence = presence;
        for (id, entry) in &mut self.senders[index].entries {
            match entry.state {
                State::Arrived(proof) => {
                    entry.state = State::Confirmed(proof);
                    self.untold.remove(&(index, *id));
                }
                // Without a word it has arrived.
                State::Either => {
                    self.untold.remove(&(index, *id));
                }
                State::Handed(_) if excuses => entry.state = State::Excused,
                State::Handed(_)
                | State::Waiting(_)
                | State::Doomed(_)
                | State::Failed(_)
                | State::Confirmed(_)
                | State::Excused => {}
            }
        }
    }

    fn untold_of(&self, index: usize) -> impl Iterator<Item = u64> {
        self.untold
            .range((index, 0)..(index + 1, 0))
            .map(|(_, id)| *id)
    }

    fn has_resends(&self, index: usize) -> bool {
        self.queue.iter().any(|(owner, id)| {
            *owner == index && self.entry(index, *id).state != State::Waiting(Again::First)
        })
    }

    fn entry(&self, sender: usize, id: u64) -> &Entry {
        &self.senders[sender].entries[&id]
    }

    fn entry_mut(&mut self, sender: usize, id: u64) -> &mut Entry {
        self.senders[sender]
            .entries
            .get_mut(&id)
            .expect("a send that was pushed")
    }
}
