//! What waits for one tab: a window of unacknowledged messages, a queue up to a cap, and a policy beyond.

use std::ops::Range;
use std::rc::Rc;

use super::interest::Interest;
use super::io::Payload;
use super::queue::Queue;
use super::slow::push_lost;
use super::topics::{Share, TopicNo};
use crate::protocol::{
    Amount, ConnId, FlowConfig, GapReason, HandleId, HubMessage, Loss, WhenSlow,
};
use crate::time::Time;

/// Frames that came in one go, shared by all tabs that have yet to get them.
#[derive(Clone, Debug)]
pub struct Batch<P> {
    /// The frames.
    pub frames: Vec<P>,
    /// Their sizes added up.
    pub bytes: usize,
    /// The topic of each, where there are topics.
    pub topics: Vec<TopicNo>,
}

impl<P: Payload> Batch<P> {
    pub(super) fn new(
        frames: impl Iterator<Item = P>,
        topics: impl Iterator<Item = TopicNo>,
    ) -> Self {
        let frames: Vec<_> = frames.collect();
        let bytes = frames.iter().map(Payload::size).sum();
        Self {
            frames,
            bytes,
            topics: topics.collect(),
        }
    }

    /// The frames that are wanted.
    pub fn part(&self, wanted: &[bool]) -> Self {
        let frames = self.frames.iter().cloned().zip(wanted);
        let topics = self.topics.iter().copied().zip(wanted);
        Self::new(
            frames.filter_map(|(frame, is_wanted)| is_wanted.then_some(frame)),
            topics.filter_map(|(topic, is_wanted)| is_wanted.then_some(topic)),
        )
    }
}

/// Messages and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Messages.
    pub messages: usize,
    /// Bytes.
    pub bytes: usize,
}

impl Load {
    /// Adds another load.
    pub fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }

    /// Takes a load away again.
    pub fn sub(&mut self, other: Self) {
        self.messages = self.messages.saturating_sub(other.messages);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    pub(super) fn exceeds(self, amount: Amount) -> bool {
        self.messages > amount.messages.get() || self.bytes > amount.bytes.get()
    }

    fn reaches_half(self, amount: Amount) -> bool {
        self.messages >= amount.messages.get() / 2 || self.bytes >= amount.bytes.get() / 2
    }
}

/// Frames for one subscription or request of one tab.
#[derive(Clone, Debug)]
pub struct Parcel<P> {
    /// Whose it is.
    pub handle: HandleId,
    /// The number of the subscription or request.
    pub number: u32,
    /// What it is.
    pub kind: ParcelKind,
    /// What the messages of a subscription are marked with from here on.
    pub topic: TopicNo,
    /// The frames, and when each came.
    pub frames: Vec<(P, Time)>,
}

/// What a parcel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParcelKind {
    /// The subscription gets messages from here on; these have come before.
    Subscribed,
    /// The answer to a request.
    Answered,
    /// A message for this subscription alone.
    Single {
        /// What it is acknowledged by.
        id: u32,
        /// Whether another tab may have dealt with it.
        is_again: bool,
    },
}

/// One tab's place in the stream of a connection.
#[derive(Debug)]
pub struct Lane<P> {
    pub(super) config: Rc<FlowConfig>,
    interest: Interest,
    /// The topics of which only the newest message counts.
    pub(super) conflated: Option<Box<Interest>>,
    /// Sequence of the next frame: each tab counts what is for it.
    pub(super) next: u64,
    pub(super) queue: Queue<Item<P>>,
    pub(super) queued: Load,
    posted: Queue<Posted>,
    in_flight: Load,
    pub(super) losing: bool,
}

/// What a lane wants posted next.
#[derive(Debug)]
pub enum Step<P> {
    /// A control message.
    Note(Rc<HubMessage>),
    /// Frames for a part of the tab.
    Parcel(Box<Parcel<P>>),
    /// Messages were lost here.
    Lost(u64, u64),
    /// Frames.
    Frames {
        /// Sequence of the first.
        first: u64,
        /// The frames.
        parts: Vec<(Rc<Batch<P>>, Range<usize>)>,
        /// Whether an acknowledgement is due.
        want_ack: bool,
    },
}

/// What waits in a lane.
#[derive(Debug)]
pub(super) enum Item<P> {
    /// A part of a batch whose first frame has this sequence.
    Frames(Rc<Batch<P>>, Range<usize>, u64),
    /// A gap.
    Lost(u64, u64),
    /// A control message, shared by all tabs that have yet to get it.
    Note(Rc<HubMessage>),
    /// Frames for a part of the tab.
    Parcel(Box<Parcel<P>>),
}

#[derive(Debug)]
struct Posted {
    end: u64,
    load: Load,
    want_ack: bool,
}

/// Transitions and suspected gaps that wait for a suspended tab. Older ones are dropped: the last tell the state,
/// and of gaps at one place one says as much as many.
const MAX_NOTES: usize = 256;

impl<P> Item<P> {
    fn note(&self) -> Option<&HubMessage> {
        match self {
            Self::Note(note) => Some(note),
            Self::Frames(..) | Self::Lost(..) | Self::Parcel(_) => None,
        }
    }

    fn is_suspected_gap(&self) -> bool {
        matches!(self.note(), Some(HubMessage::Gap { lost: None, .. }))
    }
}

impl<P: Payload> Lane<P> {
    /// A lane without messages, which starts to count here.
    pub fn new(config: Rc<FlowConfig>, next: u64) -> Self {
        Self {
            config,
            interest: Interest::default(),
            conflated: None,
            next,
            queue: Queue::default(),
            queued: Load::default(),
            posted: Queue::default(),
            in_flight: Load::default(),
            losing: false,
        }
    }

    /// Changes the limits.
    pub fn set_config(&mut self, config: Rc<FlowConfig>) {
        self.config = config;
    }

    /// Nothing waits for an acknowledgement from now on.
    pub fn open_window(&mut self) {
        self.config = Rc::new(FlowConfig {
            window: Amount::new(u32::MAX, u32::MAX),
            ..FlowConfig::clone(&self.config)
        });
    }

    /// Longest delay while the tab is hidden.
    pub fn config(&self) -> &FlowConfig {
        &self.config
    }

    /// Sequence of the next frame that is pushed.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What waits, in flight aside.
    pub fn queued(&self) -> Load {
        self.queued
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether something waits that can be posted, without an acknowledgement that is still to come.
    pub fn can_go_on(&self) -> bool {
        match self.queue.front() {
            None => false,
            Some(Item::Lost(..) | Item::Note(_) | Item::Parcel(_)) => true,
            Some(Item::Frames(batch, range, _)) => {
                let (fits, _) = self.room().fit(batch, range.clone(), Load::default());
                fits > 0
            }
        }
    }

    /// Whether so much waits that even a hidden tab gets it now.
    pub fn is_urgent(&self) -> bool {
        self.queued.reaches_half(self.config.window)
            || self
                .queue
                .iter()
                .any(|item| !matches!(item, Item::Frames(..)))
    }

    /// Adds a batch at the end.
    pub fn push_batch(&mut self, batch: &Rc<Batch<P>>) -> u64 {
        let first = self.next;
        self.next += batch.frames.len() as u64;
        if self.losing {
            push_lost(&mut self.queue, first, self.next);
            return batch.frames.len() as u64;
        }
        self.queued.add(Load {
            messages: batch.frames.len(),
            bytes: batch.bytes,
        });
        let frames = Item::Frames(Rc::clone(batch), 0..batch.frames.len(), first);
        self.queue.push_back(frames);
        0
    }

    /// Adds a control message at the end.
    pub fn push_note(&mut self, note: Rc<HubMessage>) {
        self.queue.push_back(Item::Note(note));
        if self.queue.len() <= MAX_NOTES {
            return;
        }
        let superseded = |index: &usize| self.is_superseded(*index);
        if (0..self.queue.len()).filter(superseded).count() > MAX_NOTES
            && let Some(oldest) = (0..self.queue.len()).find(superseded)
        {
            self.queue.remove(oldest);
        }
    }

    /// Adds frames for a part of the tab at the end.
    pub fn push_parcel(&mut self, parcel: Parcel<P>) {
        self.queue.push_back(Item::Parcel(Box::new(parcel)));
    }

    /// Which topics the tab wants.
    pub fn interest(&self) -> &Interest {
        &self.interest
    }

    /// Notes what the tab gets of a topic.
    pub fn set_interest(&mut self, topic: TopicNo, share: Share) {
        self.interest.set(topic, share.is_wanted);
        if share.is_conflated || self.conflated.is_some() {
            let conflated = self.conflated.get_or_insert_default();
            conflated.set(topic, share.is_conflated);
        }
    }

    /// Whether a note can be dropped: a transition, and a suspected gap with another one before the next message.
    fn is_superseded(&self, index: usize) -> bool {
        match self.queue.get(index) {
            Some(item) if matches!(item.note(), Some(HubMessage::Status(..))) => true,
            Some(gap) if gap.is_suspected_gap() => (index + 1..)
                .map_while(|after| self.queue.get(after))
                .take_while(|item| matches!(item, Item::Note(_)))
                .any(Item::is_suspected_gap),
            Some(_) | None => false,
        }
    }

    /// Whether the tab is about to be told that this handle is closed.
    pub fn is_closing(&self, handle: HandleId) -> bool {
        self.queue.iter().any(|item| {
            matches!(item.note(), Some(HubMessage::Closed { handle: of, .. }) if *of == handle)
        })
    }

    /// Takes away what was to be told of a handle.
    pub fn forget_handle(&mut self, handle: HandleId) {
        self.queue.retain(|item| {
            !matches!(item.note(), Some(HubMessage::Attached { handle: of, .. }) if *of == handle)
        });
        self.losing &= !self.queue.is_empty();
    }

    /// Takes what can be posted next, if anything can.
    pub fn poll(&mut self) -> Option<Step<P>> {
        let step = match self.queue.pop_front()? {
            Item::Lost(from, to) => Some(Step::Lost(from, to)),
            Item::Note(note) => Some(Step::Note(note)),
            Item::Parcel(parcel) => Some(Step::Parcel(parcel)),
            frames @ Item::Frames(..) => {
                self.queue.push_front(frames);
                self.poll_frames()
            }
        };
        self.losing &= !self.queue.is_empty();
        step
    }

    /// Notes that the tab has dispatched everything before `next`.
    pub fn handle_ack(&mut self, next: u64) {
        while self.posted.front().is_some_and(|posted| posted.end <= next) {
            if let Some(posted) = self.posted.pop_front() {
                self.in_flight.sub(posted.load);
            }
        }
    }

    /// The messages that tell the tab of a loss.
    pub fn loss_notes(&self, conn: ConnId, from: u64, to: u64) -> [HubMessage; 2] {
        [
            HubMessage::Gap {
                conn,
                lost: Some((from, to)),
                reason: GapReason::Dropped(Loss::SlowTab),
            },
            HubMessage::Overflow {
                conn,
                count: to - from,
                policy: self.config.when_slow,
            },
        ]
    }

    fn poll_frames(&mut self) -> Option<Step<P>> {
        let mut parts = Vec::new();
        let mut span: Option<(u64, u64)> = None;
        let mut taken = Load::default();
        let is_asked = self.posted.iter().any(|posted| posted.want_ack);
        while let Some(Item::Frames(batch, range, first)) = self.queue.front_mut() {
            let first = *first + range.start as u64;
            if span.is_some_and(|(_, end)| end != first) {
                break;
            }
            let room = Room {
                window: self.config.window,
                used: self.in_flight,
                is_asked,
            };
            let (fits, load) = room.fit(batch, range.clone(), taken);
            if fits == 0 {
                break;
            }
            let part = range.start..range.start + fits;
            span = Some((span.map_or(first, |(first, _)| first), first + fits as u64));
            taken.add(load);
            let whole = part.end == range.end;
            parts.push((Rc::clone(batch), part.clone()));
            if whole {
                self.queue.pop_front();
            } else {
                range.start = part.end;
                break;
            }
        }
        let (first, end) = span?;
        self.queued.sub(taken);
        self.in_flight.add(taken);
        let want_ack = self.in_flight.reaches_half(self.config.window);
        match self.posted.back_mut() {
            // What nobody is asked about is acknowledged with what follows.
            Some(last) if !last.want_ack => {
                last.end = end;
                last.load.add(taken);
                last.want_ack = want_ack;
            }
            Some(_) | None => self.posted.push_back(Posted {
                end,
                load: taken,
                want_ack,
            }),
        }
        Some(Step::Frames {
            first,
            parts,
            want_ack,
        })
    }

    fn room(&self) -> Room {
        Room {
            window: self.config.window,
            used: self.in_flight,
            is_asked: self.posted.iter().any(|posted| posted.want_ack),
        }
    }
}

struct Room {
    window: Amount,
    used: Load,
    is_asked: bool,
}

impl Room {
    /// How many frames of the range fit, and their load. At least one if nothing is in flight.
    fn fit<P: Payload>(&self, batch: &Batch<P>, range: Range<usize>, taken: Load) -> (usize, Load) {
        let mut used = self.used;
        used.add(taken);
        if range.len() == batch.frames.len() {
            let whole = Load {
                messages: range.len(),
                bytes: batch.bytes,
            };
            let mut after = used;
            after.add(whole);
            if !after.exceeds(self.window) {
                return (range.len(), whole);
            }
        }
        let mut fits = Load::default();
        for frame in batch.frames.get(range).unwrap_or_default() {
            let one = Load {
                messages: 1,
                bytes: frame.size(),
            };
            let mut after = used;
            after.add(one);
            // Somebody must be asked to acknowledge: to wait without that would be to wait for ever.
            let will_ask = if used == self.used {
                self.is_asked
            } else {
                used.reaches_half(self.window)
            };
            if after.exceeds(self.window) && used != Load::default() && will_ask {
                break;
            }
            used = after;
            fits.add(one);
        }
        (fits.messages, fits)
    }
}

/// The limits of a tab with several handles: the strictest of each.
pub fn strictest<'a>(flows: impl Iterator<Item = &'a Rc<FlowConfig>>) -> Rc<FlowConfig> {
    let both = |one: Rc<FlowConfig>, other: Rc<FlowConfig>| {
        if one == other {
            return one;
        }
        Rc::new(FlowConfig {
            window: least(one.window, other.window),
            cap: least(one.cap, other.cap),
            when_slow: if one.when_slow == WhenSlow::Queue {
                other.when_slow
            } else {
                one.when_slow
            },
            hidden_flush: one.hidden_flush.min(other.hidden_flush),
        })
    };
    flows.cloned().reduce(both).unwrap_or_default()
}

fn least(one: Amount, other: Amount) -> Amount {
    Amount {
        messages: one.messages.min(other.messages),
        bytes: one.bytes.min(other.bytes),
    }
}
