//! Who is there: the tabs behind the ports.

use core::time::Duration;

use litemap::LiteMap;

use super::io::PortId;
use crate::protocol::{ConnId, HandleId, Hello, Liveness};
use crate::time::Time;

/// A tab without a lock that has said nothing for this long is asked.
pub const ASK_AFTER: Duration = Duration::from_secs(15);
/// A tab that has been asked has this long to answer.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(45);
/// A suspended tab without a lock that has not come back after this long is forgotten. Browsers keep cached pages for about 10 minutes.
pub const FORGET_SUSPENDED_AFTER: Duration = Duration::from_secs(15 * 60);

/// How a tab can be posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// At once.
    Visible,
    /// At a slower beat.
    Hidden,
    /// Not at all.
    Suspended,
}

/// A tab that has said hello.
#[derive(Debug)]
pub struct Tab {
    /// Its random id.
    pub id: String,
    /// How its death shows.
    pub liveness: Liveness,
    /// Whether the user sees it.
    pub visible: bool,
    /// Whether it has the focus.
    pub focused: bool,
    /// Whether it is frozen or cached.
    pub suspended: bool,
    heard_at: Time,
    asked_at: Option<Time>,
    /// The connection that each handle was put on last.
    handles: LiteMap<HandleId, ConnId>,
}

/// How a tab was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// For good.
    Left,
    /// It is silent. Should it live after all, it starts over.
    Silent,
    /// It goes to another hub, with all that it has not been told of.
    Moved,
}

/// What a silent tab calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Look again then.
    Wait(Time),
    /// Ask it, and look again then.
    Ask(Time),
    /// It is gone.
    Gone,
}

impl Tab {
    /// A tab that has just said hello.
    pub fn new(hello: &Hello, now: Time) -> Self {
        Self {
            id: hello.tab.clone(),
            liveness: hello.liveness,
            visible: hello.visible,
            focused: hello.focused,
            suspended: false,
            heard_at: now,
            asked_at: None,
            handles: LiteMap::new(),
        }
    }

    /// Its lock is free though it is suspended: WebKit takes the lock of a page that it caches. It may come back for as long as a
    /// page without a lock.
    pub fn handle_unlocked(&mut self) {
        self.liveness = Liveness::Heartbeat;
    }

    /// How it can be posted to.
    pub fn mode(&self) -> Mode {
        if self.suspended {
            Mode::Suspended
        } else if self.visible {
            Mode::Visible
        } else {
            Mode::Hidden
        }
    }

    /// Notes that it said something. Returns whether it had been asked.
    pub fn handle_heard(&mut self, now: Time) -> bool {
        self.heard_at = now;
        self.asked_at.take().is_some()
    }

    /// The clock of the hub had stopped, or the hub itself: the silence since says nothing.
    pub fn handle_wake(&mut self, now: Time) {
        if !self.suspended {
            self.heard_at = now;
            self.asked_at = None;
        }
    }

    /// When its silence is looked at, if it is.
    pub fn next_check(&self) -> Time {
        match self.liveness {
            Liveness::Locks => Time::NEVER,
            Liveness::Heartbeat if self.suspended => self.heard_at + FORGET_SUSPENDED_AFTER,
            Liveness::Heartbeat => self.heard_at + ASK_AFTER,
        }
    }

    /// Looks at its silence.
    pub fn check(&mut self, now: Time) -> Silence {
        if let Some(asked_at) = self.asked_at
            && !self.suspended
        {
            let until = asked_at + ANSWER_WITHIN;
            return if until <= now {
                Silence::Gone
            } else {
                Silence::Wait(until)
            };
        }
        let due = self.next_check();
        if due > now {
            Silence::Wait(due)
        } else if self.suspended {
            Silence::Gone
        } else {
            self.asked_at = Some(now);
            Silence::Ask(now + ANSWER_WITHIN)
        }
    }
}

/// The tabs by port.
#[derive(Debug, Default)]
pub struct Tabs {
    by_port: LiteMap<PortId, Tab>,
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

    /// Adds a tab, or replaces what is known of it.
    pub fn insert(&mut self, port: PortId, tab: Tab) {
        if let Some(before) = self.by_port.insert(port, tab)
            && let Some(tab) = self.get_mut(port)
        {
            tab.handles = before.handles;
        }
    }

    /// The connection that a handle was put on last, if that is not over for it.
    pub fn connection_of(&self, port: PortId, handle: HandleId) -> Option<ConnId> {
        self.get(port)?.handles.get(&handle).copied()
    }

    /// Notes that a handle was put on a connection.
    pub fn note_handle(&mut self, port: PortId, handle: HandleId, conn: ConnId) {
        if let Some(tab) = self.get_mut(port) {
            tab.handles.insert(handle, conn);
        }
    }

    /// The tab has closed a handle.
    pub fn forget_handle(&mut self, port: PortId, handle: HandleId) {
        if let Some(tab) = self.get_mut(port) {
            tab.handles.remove(&handle);
        }
    }

    /// A connection has ended, and the tab knows.
    pub fn forget_connection(&mut self, port: PortId, conn: ConnId) {
        if let Some(tab) = self.get_mut(port) {
            tab.handles.retain(|_, own| *own != conn);
        }
    }

    /// Takes a tab out.
    pub fn remove(&mut self, port: PortId) -> Option<Tab> {
        self.by_port.remove(&port)
    }

    /// The port of another port's tab of this id.
    pub fn other_port_of(&self, id: &str, port: PortId) -> Option<PortId> {
        self.by_port
            .iter()
            .find(|(other, tab)| **other != port && tab.id == id)
            .map(|(other, _)| *other)
    }

    /// How a port can be posted to. One that nobody stands behind cannot.
    pub fn mode(&self, port: PortId) -> Mode {
        self.get(port).map_or(Mode::Suspended, Tab::mode)
    }

    /// What makes a tab the best to turn to: the focused one before a visible one before the newest, and then whatever is given.
    pub fn rank<T>(&self, port: PortId, then: T) -> (bool, bool, PortId, T) {
        let tab = self.get(port);
        let is_focused = tab.is_some_and(|tab| tab.focused);
        let is_visible = tab.is_some_and(|tab| tab.visible);
        (is_focused, is_visible, port, then)
    }

    /// Tabs that are awake, and tabs that are suspended.
    pub fn count(&self) -> (u32, u32) {
        let suspended = self.by_port.values().filter(|tab| tab.suspended).count();
        ((self.by_port.len() - suspended) as u32, suspended as u32)
    }

    /// The ports of all tabs.
    pub fn ports(&self) -> impl Iterator<Item = PortId> {
        self.by_port.keys().copied()
    }

    /// The ports whose tabs are awake.
    pub fn awake(&self) -> impl Iterator<Item = PortId> {
        self.by_port
            .iter()
            .filter(|(_, tab)| !tab.suspended)
            .map(|(port, _)| *port)
    }
}
