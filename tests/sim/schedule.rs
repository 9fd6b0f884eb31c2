//! What is going to happen, in virtual time.

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::time::Time;

use crate::event::Event;

/// Events by the time at which they happen; those of the same moment in the order in which they were planned.
#[derive(Debug, Default)]
pub struct Schedule {
    now: Time,
    planned: u64,
    events: BTreeMap<(Time, u64), Event>,
}

impl Schedule {
    /// The time of the event that was taken last.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Plans an event. What should have happened already happens next.
    pub fn at(&mut self, time: Time, event: Event) {
        self.planned += 1;
        self.events
            .insert((time.max(self.now), self.planned), event);
    }

    /// Plans an event so much later.
    pub fn after(&mut self, delay: Duration, event: Event) {
        self.at(self.now + delay, event);
    }

    /// Takes the next event, if it happens before `end`, and goes to its time.
    pub fn next(&mut self, end: Time) -> Option<Event> {
        let first = self.events.first_entry()?;
        let (time, _) = *first.key();
        if time >= end {
            self.now = end;
            return None;
        }
        self.now = time;
        Some(first.remove())
    }
}
