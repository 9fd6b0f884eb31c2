//! Deadlines with reasons, kept in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use litemap::LiteMap;

use super::io::TimerReason;
use crate::time::Time;

/// At most one timer for each owner and reason: setting it again moves it.
///
/// A heap gives the order. Timers that were moved or cleared stay in it until they come up or are too many,
/// so that setting one costs no more than a push.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    heap: BinaryHeap<Reverse<(Time, K, TimerReason)>>,
    due: LiteMap<K, [Time; TimerReason::COUNT]>,
    set: usize,
}

impl<K: Copy + Ord> Timers<K> {
    /// Sets or moves a timer. A moment that never comes clears it.
    pub fn set(&mut self, owner: K, reason: TimerReason, at: Time) {
        if self.at(owner, reason) == at {
            return;
        }
        self.clear(owner, reason);
        if at == Time::NEVER {
            return;
        }
        if !self.due.contains_key(&owner) {
            self.due.insert(owner, [Time::NEVER; TimerReason::COUNT]);
        }
        if let Some(slot) = self.slot(owner, reason) {
            *slot = at;
            self.set += 1;
            self.heap.push(Reverse((at, owner, reason)));
        }
        self.compact();
    }

    /// Sets a timer, or moves it if it would come later.
    pub fn set_at_latest(&mut self, owner: K, reason: TimerReason, at: Time) {
        if at < self.at(owner, reason) {
            self.set(owner, reason, at);
        }
    }

    /// Clears a timer, if it is set.
    pub fn clear(&mut self, owner: K, reason: TimerReason) {
        if let Some(slot) = self.slot(owner, reason)
            && *slot != Time::NEVER
        {
            *slot = Time::NEVER;
            self.set -= 1;
        }
    }

    /// Clears all timers of an owner that is no more.
    pub fn remove(&mut self, owner: K) {
        if let Some(slots) = self.due.remove(&owner) {
            self.set -= slots.iter().filter(|at| **at != Time::NEVER).count();
        }
    }

    /// Whether a timer is set.
    pub fn is_set(&self, owner: K, reason: TimerReason) -> bool {
        self.at(owner, reason) != Time::NEVER
    }

    /// The earliest timer.
    pub fn next(&mut self) -> Option<(Time, K, TimerReason)> {
        while let Some(Reverse((at, owner, reason))) = self.heap.peek().copied() {
            if self.at(owner, reason) == at {
                return Some((at, owner, reason));
            }
            self.heap.pop();
        }
        None
    }

    /// Takes the earliest timer that is due at `now`.
    pub fn take_due(&mut self, now: Time) -> Option<(K, TimerReason)> {
        let (at, owner, reason) = self.next()?;
        if at > now {
            return None;
        }
        self.clear(owner, reason);
        Some((owner, reason))
    }

    fn at(&self, owner: K, reason: TimerReason) -> Time {
        self.due
            .get(&owner)
            .and_then(|slots| slots.get(reason as usize))
            .copied()
            .unwrap_or(Time::NEVER)
    }

    fn slot(&mut self, owner: K, reason: TimerReason) -> Option<&mut Time> {
        self.due.get_mut(&owner)?.get_mut(reason as usize)
    }

    /// Makes the heap anew of the timers that are set, once most of its entries are not.
    fn compact(&mut self) {
        if self.heap.len() <= 64 + 2 * self.set {
            return;
        }
        let mut entries = Vec::with_capacity(self.set);
        for (owner, slots) in self.due.iter() {
            for reason in TimerReason::ALL {
                match slots.get(reason as usize) {
                    Some(at) if *at != Time::NEVER => entries.push(Reverse((*at, *owner, reason))),
                    Some(_) | None => {}
                }
            }
        }
        self.heap = entries.into();
    }
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            due: LiteMap::new(),
            set: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: TimerReason = TimerReason::Ping;

    #[test]
    fn timers_come_due_in_order_and_once() {
        let mut timers = Timers::default();
        timers.set('b', PING, Time::from_millis(2));
        timers.set('a', PING, Time::from_millis(1));
        timers.set('a', TimerReason::Linger, Time::from_millis(9));
        assert_eq!(timers.take_due(Time::from_millis(5)), Some(('a', PING)));
        assert_eq!(timers.take_due(Time::from_millis(5)), Some(('b', PING)));
        assert_eq!(timers.take_due(Time::from_millis(5)), None);
        let next = timers.next();
        assert_eq!(next, Some((Time::from_millis(9), 'a', TimerReason::Linger)));
    }

    #[test]
    fn setting_a_timer_again_moves_it() {
        let mut timers = Timers::default();
        timers.set('a', PING, Time::from_millis(1));
        timers.set('a', PING, Time::from_millis(7));
        assert_eq!(timers.take_due(Time::from_millis(5)), None);
        timers.set('a', PING, Time::NEVER);
        assert!(!timers.is_set('a', PING));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn moving_a_timer_for_ever_takes_no_more_room() {
        let mut timers = Timers::default();
        for millis in 0..10_000 {
            timers.set('a', PING, Time::from_millis(20_000 - millis));
        }
        assert!(timers.heap.len() < 100, "{}", timers.heap.len());
        for _ in 0..10_000 {
            timers.clear('a', PING);
            timers.set('a', PING, Time::from_millis(7));
        }
        assert!(timers.heap.len() < 100, "{}", timers.heap.len());
        timers.remove('a');
        assert_eq!(timers.next(), None);
    }
}
