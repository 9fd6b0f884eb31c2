//! The tabs that the hub must know, and what it owes them at once.

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::core::{ANSWER_WITHIN, ASK_AFTER, FORGET_SUSPENDED_AFTER, PortId};
use tabwire::protocol::{HandleId, Hello, HubMessage, Liveness, MessageError};
use tabwire::time::Time;

use super::lane::Mode;
use crate::invariants::{Check, Held};

/// A tab that has said hello.
#[derive(Debug)]
pub struct Tab {
    /// Its name.
    pub id: String,
    /// How its death shows.
    pub liveness: Liveness,
    /// Whether the user sees it.
    pub visible: bool,
    /// Whether it is frozen or cached.
    pub suspended: bool,
    /// When it said something last.
    pub heard_at: Time,
    /// When it was asked whether it is there, unless it has said something since.
    pub asked_at: Option<Time>,
    /// What it was told of the number of tabs and connections.
    pub census: Option<(u32, u32)>,
}

/// Tabs by port, and answers that are due.
#[derive(Debug, Default)]
pub struct Tabs {
    by_port: BTreeMap<PortId, Tab>,
    due: Vec<(PortId, Answer)>,
}

/// Something that the hub must do before the next input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `welcome`
    Welcome,
    /// `who`
    Who,
    /// `beat`
    Beat,
    /// `reply` with this number.
    Reply(u32),
    /// `refused` for this handle.
    Refused(u32),
    /// `closed` for this handle, at the tab's wish, with this code and cleanly or not.
    Closed(u32, u16, bool),
    /// `error` for this op.
    Error(u32, MessageError),
    /// The port is forgotten.
    Forget,
    /// The lock of this tab is waited for.
    Watch(String),
    /// The tab is sent to another hub.
    Move,
    /// This port goes by the number of another, at which the tab is known.
    Rebind(PortId),
}

impl Tabs {
    /// The tab behind a port.
    pub fn get(&self, port: PortId) -> Option<&Tab> {
        self.by_port.get(&port)
    }

    /// The tab behind a port.
    pub fn get_mut(&mut self, port: PortId) -> Option<&mut Tab> {
        self.by_port.get_mut(&port)
    }

    /// A tab says hello. One that is known keeps what it was told.
    pub fn insert(&mut self, port: PortId, hello: &Hello, now: Time) {
        let census = self.by_port.get(&port).and_then(|tab| tab.census);
        let tab = Tab {
            id: hello.tab.clone(),
            liveness: hello.liveness,
            visible: hello.visible,
            suspended: false,
            heard_at: now,
            asked_at: None,
            census,
        };
        self.by_port.insert(port, tab);
    }

    /// A tab is gone.
    pub fn remove(&mut self, port: PortId) -> Option<Tab> {
        self.by_port.remove(&port)
    }

    /// The other port of a tab.
    pub fn other_port_of(&self, id: &str, port: PortId) -> Option<PortId> {
        let mut others = self.by_port.iter();
        others
            .find(|(other, tab)| **other != port && tab.id == id)
            .map(|(other, _)| *other)
    }

    /// The hub or its computer was asleep: silence since then says nothing.
    pub fn wake(&mut self, now: Time) {
        for tab in self.by_port.values_mut().filter(|tab| !tab.suspended) {
            tab.heard_at = now;
            tab.asked_at = None;
        }
    }

    /// How a port can be posted to.
    pub fn mode(&self, port: PortId) -> Mode {
        match self.get(port) {
            Some(tab) if !tab.suspended && tab.visible => Mode::Visible,
            Some(tab) if !tab.suspended => Mode::Hidden,
            Some(_) | None => Mode::Suspended,
        }
    }

    /// Tabs that are awake, and suspended ones.
    pub fn count(&self) -> (u32, u32) {
        let suspended = self.by_port.values().filter(|tab| tab.suspended).count() as u32;
        (self.by_port.len() as u32 - suspended, suspended)
    }

    /// Every tab.
    pub fn iter(&self) -> impl Iterator<Item = (PortId, &Tab)> {
        self.by_port.iter().map(|(port, tab)| (*port, tab))
    }

    /// Something is due before the next input.
    pub fn owe(&mut self, port: PortId, answer: Answer) {
        self.due.push((port, answer));
    }

    /// The hub does something. It must have been due.
    pub fn answered(&mut self, port: PortId, answer: Answer) -> Held {
        let given = (port, answer);
        let due = self.due.iter().position(|due| *due == given);
        match due {
            Some(index) => {
                self.due.remove(index);
                Ok(())
            }
            None => {
                let due = &self.due;
                Err(Check::QuestionsAreAnswered.breach(format!("{given:?}, due is {due:?}")))
            }
        }
    }

    /// Whether it is due that a handle is closed at its tab's wish.
    pub fn owes_closed(&self, port: PortId, handle: HandleId) -> bool {
        self.due.iter().any(|(owner, due)| {
            *owner == port && matches!(due, Answer::Closed(of, ..) if *of == handle.0)
        })
    }

    /// All outputs of an input have been seen.
    pub fn drained(&self) -> Held {
        let due = &self.due;
        Check::QuestionsAreAnswered.require(due.is_empty(), || format!("left out: {due:?}"))
    }

    /// The tabs that have not answered in time.
    pub fn silent(&self, now: Time) -> Vec<PortId> {
        let is_silent = |tab: &Tab| tab.asked_at.is_some_and(|at| at + ANSWER_WITHIN <= now);
        self.iter()
            .filter(|(_, tab)| !tab.suspended && is_silent(tab))
            .map(|(port, _)| port)
            .collect()
    }

    /// The hub forgets a tab because it has not come back.
    pub fn check_silence(&self, port: PortId, now: Time) -> Held {
        let silence = self
            .get(port)
            .map(|tab| (now.since(tab.heard_at), tab.patience()));
        Check::TabsAreForgottenInTime.require(
            silence
                .is_some_and(|(silence, patience)| Some(silence) >= patience && patience.is_some()),
            || format!("{port:?} is forgotten after {silence:?}"),
        )
    }

    /// Whether all that are silent for too long are forgotten.
    pub fn audit(&self, now: Time, late: Duration) -> Held {
        for (port, tab) in self.iter() {
            let latest = tab.check_by() + late;
            Check::TabsAreForgottenInTime.require(now <= latest, || {
                format!("{port:?} is neither asked nor forgotten by {latest:?}")
            })?;
        }
        Ok(())
    }

    /// A posted message must reach somebody who may be posted to.
    pub fn check_post(&self, port: PortId, message: Option<&HubMessage>) -> Held {
        let is_for_strangers = matches!(
            message,
            Some(HubMessage::Who | HubMessage::Error { .. } | HubMessage::Move(_))
        );
        let tab = self.get(port);
        Check::SuspendedMeansSilence.require(
            tab.is_some_and(|tab| !tab.suspended) || (tab.is_none() && is_for_strangers),
            || {
                let whom = if tab.is_some() {
                    "suspended"
                } else {
                    "unknown"
                };
                format!("{message:?} is posted to {port:?}, which is {whom}")
            },
        )
    }
}

impl Tab {
    /// When it must be asked, or forgotten.
    fn check_by(&self) -> Time {
        match (self.liveness, self.asked_at) {
            (Liveness::Locks, _) => Time::NEVER,
            (Liveness::Heartbeat, _) if self.suspended => self.heard_at + FORGET_SUSPENDED_AFTER,
            (Liveness::Heartbeat, Some(at)) => at + ANSWER_WITHIN,
            (Liveness::Heartbeat, None) => self.heard_at + ASK_AFTER,
        }
    }

    /// How long it may be silent.
    fn patience(&self) -> Option<Duration> {
        match self.liveness {
            Liveness::Locks => None,
            Liveness::Heartbeat if self.suspended => Some(FORGET_SUSPENDED_AFTER),
            Liveness::Heartbeat => Some(ASK_AFTER + ANSWER_WITHIN),
        }
    }

    /// Whether it may be asked if it is there.
    pub fn may_be_asked(&self, now: Time) -> bool {
        self.liveness == Liveness::Heartbeat && now.since(self.heard_at) >= ASK_AFTER
    }
}
