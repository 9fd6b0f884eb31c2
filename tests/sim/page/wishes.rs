//! What the user of a page does with topics.

use core::time::Duration;

use tabwire::protocol::TabMessage;

use super::{Page, Stage};
use crate::event::Event;
use crate::frame::Frame;
use crate::invariants::{Check, Held};
use crate::net::Net;
use crate::topics::TopicNo;

/// The place of a handle in its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandleIndex(pub usize);

impl Page {
    /// Listens to a topic, and wants so many of its last messages first.
    pub fn subscribe(&mut self, index: usize, topic: TopicNo, replay: u32, net: &mut Net) {
        if let Some(topics) = &mut self.handles[index].topics {
            self.wanted.insert(topic);
            topics.subscribe(topic, replay);
        }
        self.flush_topics(index, net);
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, index: usize, number: u8, net: &mut Net) {
        if let Some(topics) = &mut self.handles[index].topics {
            topics.unsubscribe(number);
        }
        self.flush_topics(index, net);
    }

    /// Publishes so many messages.
    pub fn publish(&mut self, index: usize, topic: TopicNo, count: u8, net: &mut Net) {
        for _ in 0..count {
            self.handles[index].sends.publish(topic);
        }
        self.flush(net);
    }

    /// Asks the server: the request with this number, which waits so long.
    pub fn ask(&mut self, index: usize, (number, patience): (u32, Duration), net: &mut Net) {
        let Some(topics) = &mut self.handles[index].topics else {
            return;
        };
        let number = topics.ask(number, patience);
        net.after(
            patience,
            Event::Patience(self.no, HandleIndex(index), number),
        );
        self.flush_topics(index, net);
    }

    /// A request has waited long enough.
    pub fn give_up(&mut self, HandleIndex(index): HandleIndex, number: u32, net: &mut Net) {
        let handle = &mut self.handles[index];
        let Some(topics) = &mut handle.topics else {
            return;
        };
        let is_posted = topics.give_up(number);
        if let (Stage::Attached, Some(conn), true) = (handle.stage, handle.conn, is_posted) {
            let handle = handle.id;
            let cancel = TabMessage::Cancel {
                handle,
                conn,
                number,
            };
            self.post(cancel, net);
        }
    }

    /// A tab gets messages of the topics that it wants only.
    pub(super) fn check_wanted(&self, frames: &[Frame]) -> Held {
        let unwanted = frames.iter().find(|frame| match frame {
            Frame::Message(message) => !self.wanted.contains(&message.topic),
            Frame::Text(_) | Frame::Sent(..) | Frame::Cast(..) => false,
        });
        Check::ListenersHearTheirTopic.require(unwanted.is_none(), || {
            format!("{:?} gets {unwanted:?}", self.no)
        })
    }

    /// Posts what has come together.
    pub fn flush_topics(&mut self, index: usize, net: &mut Net) {
        let handle = &mut self.handles[index];
        let (Stage::Attached, Some(conn)) = (handle.stage, handle.conn) else {
            return;
        };
        let id = handle.id;
        let posted = handle.topics.as_mut().map(|topics| topics.flush(id, conn));
        for message in posted.into_iter().flatten() {
            self.post(message, net);
        }
    }
}
