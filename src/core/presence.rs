//! Whether tabs are still there, and what happens when one is back.

use super::connection::Owner;
use super::hub::Hub;
use super::io::{Output, Payload, PortId, TimerReason};
use super::tabs::{Departure, Silence, Tab};
use crate::protocol::HubMessage;
use crate::time::Time;

impl<P: Payload> Hub<P> {
    /// The lock of a tab was granted: it is dead, or cached where cached pages lose their locks.
    pub(super) fn handle_lock_granted(&mut self, port: PortId) {
        match self.tabs.get_mut(port) {
            Some(tab) if tab.suspended && self.locks_fall => {
                tab.handle_unlocked();
                self.watch_silence(port);
            }
            Some(_) => self.remove_tab(port, Departure::Left),
            None => {}
        }
    }

    pub(super) fn handle_silence(&mut self, port: PortId) {
        let Some(tab) = self.tabs.get_mut(port) else {
            return;
        };
        match tab.check(self.now) {
            // One that was only slow may say hello again; a cached page that was evicted never does.
            Silence::Gone => {
                let departure = if tab.suspended {
                    Departure::Left
                } else {
                    Departure::Silent
                };
                self.remove_tab(port, departure);
            }
            Silence::Wait(until) => self.watch_silence_until(port, until),
            Silence::Ask(until) => {
                self.out.push(Output::Post(port, HubMessage::Ask));
                self.watch_silence_until(port, until);
            }
        }
    }

    /// A tab is back, or new: post what has waited for it.
    pub(super) fn wake(&mut self, port: PortId) {
        if let Some(tab) = self.tabs.get_mut(port) {
            tab.suspended = false;
        }
        if self.send_on(port) {
            return;
        }
        self.watch_silence(port);
        self.flush_port(port);
        self.with_all(&|connection, cx| connection.handle_heard(port, cx));
        self.tell_gates(port);
        self.announce_census();
    }

    pub(super) fn watch_silence(&mut self, port: PortId) {
        let at = self.tabs.get(port).map_or(Time::NEVER, Tab::next_check);
        self.watch_silence_until(port, at);
    }

    fn watch_silence_until(&mut self, port: PortId, at: Time) {
        self.timers
            .set(Owner::Tab(port), TimerReason::TabSilence, at);
    }
}
