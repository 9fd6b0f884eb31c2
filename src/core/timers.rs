//! Deadlines with reasons, kept in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use litemap::LiteMap;

use super::io::TimerReason;
use crate::time::Time;

/// At most one timer for each owner and reason: setting it again moves it.
///
/// A heap gives the order of the owners, by the earliest timer of each. Entries of timers that were moved or cleared stay in it until
/// they come up or are too many, so that setting one costs no more than a push, and setting it later than before nothing.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    heap: BinaryHeap<Reverse<(Time, K)>>,
    by_owner: LiteMap<K, Box<Slots>>,
}

/// The timers of an owner.
#[derive(Clone, Debug)]
struct Slots {
    /// Those that are set, in no order.
    set: Vec<(Time, TimerReason)>,
    /// When the entry in the heap comes up that stands for them all: not later than the earliest.
    entry: Time,
}

impl<K: Copy + Ord> Timers<K> {
    /// Sets or moves a timer. A moment that never comes clears it.
    pub fn set(&mut self, owner: K, reason: TimerReason, at: Time) {
        if at == Time::NEVER {
            self.clear(owner, reason);
            return;
        }
        let slots = self.by_owner.entry(owner).or_default();
        slots.set(reason, at);
        if at < slots.entry {
            slots.entry = at;
            self.heap.push(Reverse((at, owner)));
            self.compact();
        }
    }

    /// Sets a timer, or moves it if it would come later.
    pub fn set_at_latest(&mut self, owner: K, reason: TimerReason, at: Time) {
        if at < self.at(owner, reason) {
            self.set(owner, reason, at);
        }
    }

    /// Clears a timer, if it is set.
    pub fn clear(&mut self, owner: K, reason: TimerReason) {
        if let Some(slots) = self.by_owner.get_mut(&owner) {
            let place = slots.set.iter().position(|(_, other)| *other == reason);
            place.map(|place| slots.set.swap_remove(place));
        }
    }

    /// Clears all timers of an owner that is no more.
    pub fn remove(&mut self, owner: K) {
        self.by_owner.remove(&owner);
    }

    /// Whether a timer is set.
    pub fn is_set(&self, owner: K, reason: TimerReason) -> bool {
        self.at(owner, reason) != Time::NEVER
    }

    /// The earliest timer.
    pub fn next(&mut self) -> Option<(Time, K, TimerReason)> {
        while let Some(Reverse((at, owner))) = self.heap.peek().copied() {
            let slots = self.by_owner.get_mut(&owner);
            let Some(slots) = slots.filter(|slots| slots.entry == at) else {
                self.heap.pop();
                continue;
            };
            let earliest = slots.earliest();
            if let Some((_, reason)) = earliest.filter(|(earliest, _)| *earliest == at) {
                return Some((at, owner, reason));
            }
            self.heap.pop();
            slots.entry = earliest.map_or(Time::NEVER, |(earliest, _)| earliest);
            if slots.entry != Time::NEVER {
                self.heap.push(Reverse((slots.entry, owner)));
            }
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
        let slots = self.by_owner.get(&owner);
        let mut set = slots.into_iter().flat_map(|slots| &slots.set);
        set.find(|(_, other)| *other == reason)
            .map_or(Time::NEVER, |(at, _)| *at)
    }

    /// Makes the heap anew of the entries that stand for something, once most of them do not.
    fn compact(&mut self) {
        if self.heap.len() <= 64 + 2 * self.by_owner.len() {
            return;
        }
        let slots = self.by_owner.iter();
        let entries = slots.filter(|(_, slots)| slots.entry != Time::NEVER);
        self.heap = entries
            .map(|(owner, slots)| Reverse((slots.entry, *owner)))
            .collect();
    }
}

impl Slots {
    fn set(&mut self, reason: TimerReason, at: Time) {
        match self.set.iter_mut().find(|(_, other)| *other == reason) {
            Some(slot) => slot.0 = at,
            None => {
                // Few are set at a time.
                self.set.reserve_exact(1);
                self.set.push((at, reason));
            }
        }
    }

    fn earliest(&self) -> Option<(Time, TimerReason)> {
        self.set.iter().copied().min()
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            set: Vec::new(),
            entry: Time::NEVER,
        }
    }
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            by_owner: LiteMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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

    #[test]
    fn they_come_in_the_order_of_a_sorted_list() {
        let mut rng = fastrand::Rng::with_seed(1);
        let (mut timers, mut model) = (Timers::default(), BTreeMap::new());
        for step in 0..50_000 {
            let owner = rng.u32(..8);
            let reason = TimerReason::ALL[rng.usize(..TimerReason::COUNT)];
            match rng.u32(..10) {
                0..5 => {
                    let at = Time::from_micros(step + rng.u64(..50));
                    timers.set(owner, reason, at);
                    model.insert((owner, reason), at);
                }
                5..8 => {
                    timers.clear(owner, reason);
                    model.remove(&(owner, reason));
                }
                8 if step % 7 == 0 => {
                    timers.remove(owner);
                    model.retain(|(of, _), _| *of != owner);
                }
                _ => {
                    let now = Time::from_micros(step);
                    let first = model
                        .iter()
                        .map(|((owner, reason), at)| (*at, *owner, *reason))
                        .min();
                    assert_eq!(timers.next(), first);
                    let due = first.filter(|(at, ..)| *at <= now);
                    let due = due.map(|(_, owner, reason)| (owner, reason));
                    assert_eq!(timers.take_due(now), due);
                    due.and_then(|due| model.remove(&due));
                }
            }
            assert_eq!(
                timers.is_set(owner, reason),
                model.contains_key(&(owner, reason))
            );
        }
    }
}
