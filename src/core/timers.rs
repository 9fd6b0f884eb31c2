//! Deadlines with reasons, kept in order.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Time;

/// A set of timers, each named by a key: setting a key again moves its timer.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    order: BTreeSet<(Time, K)>,
    due: BTreeMap<K, Time>,
}

impl<K: Copy + Ord> Timers<K> {
    /// Sets or moves the timer of `key`. A moment that never comes clears it.
    pub fn set(&mut self, key: K, at: Time) {
        if at == Time::NEVER {
            self.clear(key);
            return;
        }
        if let Some(before) = self.due.insert(key, at) {
            self.order.remove(&(before, key));
        }
        self.order.insert((at, key));
    }

    /// Clears the timer of `key`, if it is set.
    pub fn clear(&mut self, key: K) {
        if let Some(at) = self.due.remove(&key) {
            self.order.remove(&(at, key));
        }
    }

    /// Whether the timer of `key` is set.
    pub fn is_set(&self, key: K) -> bool {
        self.due.contains_key(&key)
    }

    /// The earliest timer.
    pub fn next(&self) -> Option<(Time, K)> {
        self.order.first().copied()
    }

    /// Takes the earliest timer that is due at `now`.
    pub fn take_due(&mut self, now: Time) -> Option<K> {
        let (at, key) = self.next()?;
        if at > now {
            return None;
        }
        self.clear(key);
        Some(key)
    }
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Self {
            order: BTreeSet::new(),
            due: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_due_in_order_and_once() {
        let mut timers = Timers::default();
        timers.set('b', Time::from_millis(2));
        timers.set('a', Time::from_millis(1));
        timers.set('c', Time::from_millis(9));
        assert_eq!(timers.take_due(Time::from_millis(5)), Some('a'));
        assert_eq!(timers.take_due(Time::from_millis(5)), Some('b'));
        assert_eq!(timers.take_due(Time::from_millis(5)), None);
        assert_eq!(timers.next(), Some((Time::from_millis(9), 'c')));
    }

    #[test]
    fn setting_a_key_again_moves_its_timer() {
        let mut timers = Timers::default();
        timers.set('a', Time::from_millis(1));
        timers.set('a', Time::from_millis(7));
        assert_eq!(timers.take_due(Time::from_millis(5)), None);
        timers.set('a', Time::NEVER);
        assert!(!timers.is_set('a'));
    }
}
