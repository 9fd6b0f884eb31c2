//! A handle of a page: one user of one connection.

use tabwire::protocol::{Attach, ConnId, HandleId, Loss, Resend, Status, TabMessage};
use tabwire::time::Time;

use super::sends::Sends;
use super::topics::Topics;
use super::view::View;
use crate::driver::identity_of;
use crate::frame::{Frame, HandleNo};
use crate::hubs::HubNo;

/// A handle as its page sees it.
#[derive(Debug)]
pub struct Handle {
    /// Its number at the hub.
    pub id: HandleId,
    /// The connection that the hub has it on.
    pub conn: Option<ConnId>,
    /// How far it has come.
    pub stage: Stage,
    /// What it has sent.
    pub sends: Sends,
    /// What it shows.
    pub view: View,
    /// Whether it asks for sends of unknown fate to be sent again.
    pub resends: bool,
    /// What its function for urls gives.
    pub url: String,
    /// Its topics, where the server has some.
    pub topics: Option<Topics>,
    attach: Box<Attach>,
}

/// The template by its word, as JSON text: of those here it is the one with positions.
const JSON: &str = "\"json\"";

/// How far a handle has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The hub has been asked for it.
    Attaching,
    /// The hub has it.
    Attached,
    /// The page wishes it closed.
    Detaching,
    /// It has ended, and whether the page wished it.
    Ended(bool),
}

impl Handle {
    /// A handle that is about to be attached.
    pub fn new(no: HandleNo, id: HandleId, attach: Attach) -> Self {
        let resends = match &attach.options {
            Ok(options) => options.queue.resolve().resend == Resend::Unknown,
            Err(_) => false,
        };
        let speech = attach.options.as_ref().ok();
        let speech = speech.and_then(|options| options.subprotocol.as_deref());
        let topics = speech.map(|speech| Topics::new(speech == JSON));
        Self {
            id,
            conn: None,
            stage: Stage::Attaching,
            sends: Sends::new(no, resends),
            view: View::new(no),
            resends,
            url: String::new(),
            topics,
            attach: Box::new(attach),
        }
    }

    /// What separates its user from others.
    pub fn key(&self) -> &str {
        &self.attach.key
    }

    /// Whether it still takes sends.
    pub fn is_usable(&self) -> bool {
        matches!(self.stage, Stage::Attaching | Stage::Attached)
    }

    /// Asks the hub for it.
    pub fn attach(&mut self) -> TabMessage<Frame> {
        self.stage = Stage::Attaching;
        TabMessage::Attach(self.id, self.attach.clone())
    }

    /// Asks the hub to close it.
    pub fn detach(&self, code: Option<u16>) -> TabMessage<Frame> {
        TabMessage::Detach {
            handle: self.id,
            code,
            reason: String::new(),
            purge: false,
        }
    }

    /// The hub tells how the connection is.
    pub fn show(&mut self, status: &Status, hub: Option<HubNo>, now: Time) {
        self.view.show(status, hub, now);
        if self.view.is_open() {
            self.sends.risk();
        }
    }

    /// The hub that had it is gone, or has forgotten it.
    pub fn lose(&mut self, now: Time) {
        self.conn = None;
        let is_covered = self.is_covered();
        if self.view.lose(now, is_covered) {
            self.gap("hub-lost");
        }
        if self.topics.as_mut().is_some_and(Topics::lose_hub) {
            self.gap("moved");
        }
    }

    /// The user is told that something is or may be missing here.
    pub fn gap(&mut self, reason: &'static str) {
        self.view.gap(reason);
        if let Some(topics) = &mut self.topics {
            topics.tell_gap(reason == Loss::SlowTab.code());
        }
    }

    /// Whether the next hub gets all that comes while there is none.
    pub fn is_covered(&self) -> bool {
        self.topics.as_ref().is_some_and(Topics::is_covered)
    }

    /// It has ended, and what it has asked and listened to.
    pub fn stop_topics(&mut self) {
        if let Some(topics) = &mut self.topics {
            topics.stop();
        }
    }

    /// The identity that it leads to.
    pub fn identity(&self) -> usize {
        identity_of(&self.url).unwrap_or_default()
    }

    /// What the hub is to send, once it has the handle.
    pub fn flush(&mut self) -> Option<TabMessage<Frame>> {
        if self.stage != Stage::Attached {
            return None;
        }
        let conn = self.conn?;
        let (first, frames) = self.sends.post(self.view.is_open())?;
        Some(TabMessage::Send {
            handle: self.id,
            conn,
            first,
            frames,
        })
    }
}
