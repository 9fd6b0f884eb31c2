//! The Web Lock of the page that leads.

use std::collections::VecDeque;

use super::event::SeatNo;
use crate::page::TabNo;

/// Somebody who wants the lock. A search asks again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Of which page.
    pub tab: TabNo,
    /// Of which of its searches.
    pub seat: SeatNo,
    /// Which of the requests of that.
    pub number: u32,
}

/// Held by one, waited for by others in their order. A page that is frozen keeps it.
#[derive(Debug, Default)]
pub struct Lock {
    holder: Option<Request>,
    queue: VecDeque<Request>,
}

impl Lock {
    /// Somebody asks for it. Returns who has it now.
    pub fn ask(&mut self, request: Request) -> Option<Request> {
        self.queue.push_back(request);
        self.grant()
    }

    /// Somebody takes it. Returns from whom.
    pub fn steal(&mut self, request: Request) -> Option<Request> {
        self.holder.replace(request)
    }

    /// Somebody waits no longer. Who has it already keeps it.
    pub fn withdraw(&mut self, request: Request) {
        self.queue.retain(|other| *other != request);
    }

    /// Somebody gives it back, if it was not stolen. Returns who has it now.
    pub fn release(&mut self, request: Request) -> Option<Request> {
        if self.holder != Some(request) {
            return None;
        }
        self.holder = None;
        self.grant()
    }

    /// A page is gone. Returns who has it now, if that page had it.
    pub fn forget(&mut self, tab: TabNo) -> Option<Request> {
        self.queue.retain(|request| request.tab != tab);
        let held = self.holder.filter(|holder| holder.tab == tab)?;
        self.release(held)
    }

    fn grant(&mut self) -> Option<Request> {
        if self.holder.is_some() {
            return None;
        }
        self.holder = self.queue.pop_front();
        self.holder
    }
}
