//! What a handle of a page has sent, until its fate is known.

use std::collections::{BTreeMap, VecDeque};

use tabwire::protocol::{Outgoing, SendFailure};

use crate::frame::{Frame, HandleNo, SendNo};
use crate::invariants::{Check, Held};
use crate::topics::TopicNo;

/// The sends of one handle. They are numbered for the world, and posted to the hub with ids.
#[derive(Debug)]
pub struct Sends {
    handle: HandleNo,
    resend: bool,
    made: u64,
    unposted: VecDeque<Posted>,
    posted: BTreeMap<u64, Posted>,
    next_id: u64,
    handed: u64,
    /// Ids below may have reached the server.
    risked: u64,
    reports: BTreeMap<u64, SendFailure>,
    /// What was handed and not confirmed when the connection ended: nothing is promised of it.
    pub unproven: Vec<u64>,
    /// What was posted to a hub of which the page has not heard all: nothing is promised of it either.
    pub doubtful: Vec<u64>,
    is_in_doubt: bool,
}

#[derive(Clone, Copy, Debug)]
struct Posted {
    number: u64,
    what: What,
}

/// What is sent: a frame of a size, or a publication.
#[derive(Clone, Copy, Debug)]
enum What {
    Frame(u32),
    Publication(TopicNo),
}

/// How a page has lost a hub, and with it what it had posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The hub has given the page up, and sends what it has of a tab that is gone: all is of unknown fate.
    GivenUp,
    /// The hub is no more. What was posted while the page had not seen the connection open, and was not suspended either, has
    /// never left.
    HubGone,
    /// The hub has sent the page to another. What it had not handed has never left.
    Moved,
}

/// What a page thinks has become of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It does not know yet.
    Unsettled,
    /// It arrived.
    Settled,
    /// It was counted in `sendfailed`.
    Reported(SendFailure),
}

impl Sends {
    /// Nothing sent yet. With `resend` what is of unknown fate is sent again.
    pub fn new(handle: HandleNo, resend: bool) -> Self {
        Self {
            handle,
            resend,
            made: 0,
            unposted: VecDeque::new(),
            posted: BTreeMap::new(),
            next_id: 0,
            handed: 0,
            risked: 0,
            reports: BTreeMap::new(),
            unproven: Vec::new(),
            doubtful: Vec::new(),
            is_in_doubt: false,
        }
    }

    /// The user sends something.
    pub fn push(&mut self, size: u32) {
        self.add(What::Frame(size));
    }

    /// The user publishes something.
    pub fn publish(&mut self, topic: TopicNo) {
        self.add(What::Publication(topic));
    }

    /// What is to be posted, with the id of the first. What is posted to an open connection may reach the server.
    pub fn post(&mut self, is_open: bool) -> Option<(u64, Vec<Outgoing<Frame>>)> {
        let first = self.next_id;
        let mut frames = Vec::new();
        for posted in self.unposted.drain(..) {
            let (handle, number) = (self.handle, posted.number);
            frames.push(match posted.what {
                What::Frame(size) => Outgoing::Frame(Frame::Sent(SendNo { handle, number }, size)),
                What::Publication(topic) => Outgoing::Publish {
                    topic: topic.name(),
                    data: format!("[{},{number}]", handle.0),
                },
            });
            self.posted.insert(self.next_id, posted);
            self.next_id += 1;
        }
        if is_open {
            self.risk();
        }
        (!frames.is_empty()).then_some((first, frames))
    }

    /// What has been posted may reach the server from now on.
    pub fn risk(&mut self) {
        self.risked = self.next_id;
    }

    /// What the hub has said last has not been heard.
    pub fn doubt(&mut self) {
        self.is_in_doubt = true;
    }

    /// The hub tells what it has handed and what is confirmed.
    pub fn settle(&mut self, handed: u64, confirmed: u64) {
        self.handed = self.handed.max(handed);
        self.posted = self.posted.split_off(&confirmed);
    }

    /// The hub gives up some sends.
    pub fn fail(&mut self, first: u64, count: u64, reason: SendFailure) -> Held {
        for id in first..first + count {
            let number = self.posted.remove(&id).map(|posted| posted.number);
            Check::FailuresAreTold.require(number.is_some(), || {
                format!(
                    "{:?} was told of send {id}, which it had settled",
                    self.handle
                )
            })?;
            self.report(number.into_iter(), reason)?;
        }
        Ok(())
    }

    /// The hub is gone: some of what was posted is posted to the next one, and the rest is of unknown fate.
    pub fn lose(&mut self, why: Loss) -> Held {
        let (mut again, mut lost) = (VecDeque::new(), Vec::new());
        let risked = match why {
            Loss::GivenUp => u64::MAX,
            Loss::HubGone => self.risked.max(self.handed),
            Loss::Moved => self.handed,
        };
        for (id, posted) in core::mem::take(&mut self.posted) {
            if self.resend || id >= risked {
                again.push_back(posted);
            } else {
                lost.push(posted.number);
            }
        }
        if core::mem::take(&mut self.is_in_doubt) {
            self.doubtful
                .extend(again.iter().map(|posted| posted.number));
        }
        again.append(&mut self.unposted);
        self.unposted = again;
        self.handed = self.next_id;
        self.report(lost.into_iter(), SendFailure::Unknown)
    }

    /// The connection has ended: what was not handed will not be.
    pub fn end(&mut self) -> Held {
        let unhanded = self.posted.split_off(&self.handed);
        let unposted = core::mem::take(&mut self.unposted);
        let numbers = unhanded.into_values().map(|posted| posted.number);
        let numbers: Vec<_> = numbers
            .chain(unposted.into_iter().map(|posted| posted.number))
            .collect();
        let handed = core::mem::take(&mut self.posted);
        self.unproven
            .extend(handed.into_values().map(|posted| posted.number));
        self.report(numbers.into_iter(), SendFailure::Closed)
    }

    /// Every send and what the page thinks has become of it.
    pub fn fates(&self) -> impl Iterator<Item = (SendNo, Fate)> {
        let mut unsettled: Vec<u64> = self.unposted.iter().map(|posted| posted.number).collect();
        unsettled.extend(self.posted.values().map(|posted| posted.number));
        (0..self.made).map(move |number| {
            let send = SendNo {
                handle: self.handle,
                number,
            };
            let fate = if let Some(reason) = self.reports.get(&number) {
                Fate::Reported(*reason)
            } else if unsettled.contains(&number) {
                Fate::Unsettled
            } else {
                Fate::Settled
            };
            (send, fate)
        })
    }

    fn add(&mut self, what: What) {
        let number = self.made;
        self.unposted.push_back(Posted { number, what });
        self.made += 1;
    }

    fn report(&mut self, numbers: impl Iterator<Item = u64>, reason: SendFailure) -> Held {
        for number in numbers {
            let before = self.reports.insert(number, reason);
            Check::SendsArriveOrAreCounted.require(before.is_none(), || {
                format!("send {number} of {:?} was counted twice", self.handle)
            })?;
        }
        Ok(())
    }
}
