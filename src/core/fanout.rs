//! One stream of frames, and every tab's place in it.

use std::ops::Range;
use std::rc::Rc;

use litemap::LiteMap;

use super::flow::{Batch, Lane, Parcel, Step};
use super::interest::EVERYBODY;
use super::io::{Delivery, Output, Payload, PortId};
use super::lean::{Blank, Lean};
use super::outputs::Outputs;
use super::tabs::{Mode, Tabs};
use super::topics::{Share, TopicNo};
use crate::protocol::{ConnId, FlowConfig, HandleId, HubMessage};

/// The fan-out of one connection.
///
/// Frames are collected until the next flush and then posted as one array. Tabs that are at the same place
/// share the array, so the work of a flush grows with the tabs and not with tabs × frames.
#[derive(Debug)]
pub struct Fanout<P> {
    next: u64,
    collected: Vec<P>,
    marks: Lean<Marks>,
    collected_bytes: usize,
    lanes: LiteMap<PortId, Lane<P>>,
    dropped: u64,
    bytes: u64,
}

/// How frames are marked, where there are topics.
#[derive(Debug, Default)]
struct Marks {
    /// The topic of each, once one of them has a topic.
    topics: Vec<TopicNo>,
    /// Which of them tabs do not get that want their topics.
    skips: Vec<(usize, PortId)>,
}

impl Blank for Marks {
    const BLANK: &'static Self = &Self {
        topics: Vec::new(),
        skips: Vec::new(),
    };
}

impl<P: Payload> Fanout<P> {
    /// A stream without tabs.
    pub fn new() -> Self {
        Self {
            next: 0,
            collected: Vec::new(),
            marks: Lean::NONE,
            collected_bytes: 0,
            lanes: LiteMap::with_capacity(1),
            dropped: 0,
            bytes: 0,
        }
    }

    /// Frames that have come.
    pub fn received(&self) -> u64 {
        self.next
    }

    /// Their bytes.
    pub fn received_bytes(&self) -> u64 {
        self.bytes
    }

    /// Sequence of the next frame for a tab.
    pub fn next(&self, port: PortId) -> u64 {
        let lane = self.lanes.get(&port);
        lane.map_or(self.next, Lane::next)
    }

    /// The tabs that have a lane here.
    pub fn ports(&self) -> impl Iterator<Item = PortId> {
        self.lanes.keys().copied()
    }

    /// Whether a tab has a lane here.
    pub fn has_lane(&self, port: PortId) -> bool {
        self.lanes.contains_key(&port)
    }

    /// Messages that policies have dropped, added up over tabs.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Messages waiting for slow, hidden or suspended tabs.
    pub fn backlog(&self) -> usize {
        self.lanes.values().map(|lane| lane.queued().messages).sum()
    }

    /// Whether nothing waits for anybody.
    pub fn is_drained(&self) -> bool {
        self.collected.is_empty() && self.lanes.values().all(Lane::is_empty)
    }

    /// Adds a lane for a tab, or changes the limits of the one it has.
    pub fn set_lane(&mut self, port: PortId, config: Rc<FlowConfig>) {
        self.seal();
        if let Some(lane) = self.lanes.get_mut(&port) {
            lane.set_config(config);
        } else {
            self.lanes.insert(port, Lane::new(config, self.next));
        }
    }

    /// From now on a tab is posted whatever waits for it.
    pub fn open_window(&mut self, port: PortId) {
        if let Some(lane) = self.lanes.get_mut(&port) {
            lane.open_window();
        }
    }

    /// Takes a tab's lane away with all that waits in it.
    pub fn remove_lane(&mut self, port: PortId) {
        self.lanes.remove(&port);
    }

    /// Adds a frame to the stream, for the tabs that want its topic and have not had it.
    pub fn push_frame(&mut self, frame: P, topic: TopicNo, had: &[PortId]) {
        let size = frame.size();
        self.next += 1;
        self.bytes += size as u64;
        if self.lanes.is_empty() {
            return;
        }
        self.collected_bytes += size;
        if topic != EVERYBODY || !self.marks.topics.is_empty() {
            let (marks, at) = (&mut *self.marks, self.collected.len());
            marks.topics.resize(at, EVERYBODY);
            marks.topics.push(topic);
            marks.skips.extend(had.iter().map(|port| (at, *port)));
        }
        self.collected.push(frame);
    }

    /// From here on a tab gets the messages of a topic, or gets them no more.
    pub fn set_interest(&mut self, port: PortId, topic: TopicNo, share: Share) {
        self.seal();
        if let Some(lane) = self.lanes.get_mut(&port) {
            lane.set_interest(topic, share);
        }
    }

    /// From here on nobody gets the messages of a topic.
    pub fn forget_topic(&mut self, topic: TopicNo) {
        self.seal();
        for (_, lane) in self.lanes.iter_mut() {
            lane.set_interest(topic, Share::default());
        }
    }

    /// Puts frames for a part of a tab at the end of its lane.
    pub fn push_parcel(&mut self, port: PortId, parcel: Parcel<P>) {
        self.seal();
        if let Some(lane) = self.lanes.get_mut(&port) {
            lane.push_parcel(parcel);
        }
    }

    /// Puts a control message at the end of every lane.
    pub fn push_note(&mut self, note: HubMessage) {
        self.seal();
        let note = Rc::new(note);
        for (_, lane) in self.lanes.iter_mut() {
            lane.push_note(Rc::clone(&note));
        }
    }

    /// Puts a control message at the end of one lane.
    pub fn push_note_to(&mut self, port: PortId, note: HubMessage) {
        self.seal();
        if let Some(lane) = self.lanes.get_mut(&port) {
            lane.push_note(Rc::new(note));
        }
    }

    /// Whether a tab is about to be told that this handle is closed.
    pub fn is_closing(&self, port: PortId, handle: HandleId) -> bool {
        self.lanes
            .get(&port)
            .is_some_and(|lane| lane.is_closing(handle))
    }

    /// Takes away what a tab was to be told of a handle that it has closed.
    pub fn forget_handle(&mut self, port: PortId, handle: HandleId) {
        if let Some(lane) = self.lanes.get_mut(&port) {
            lane.forget_handle(handle);
        }
    }

    /// Notes that a tab has dispatched everything before `next`. Tells whether more waits for it, if it has a lane here.
    pub fn handle_ack(&mut self, port: PortId, next: u64) -> Option<bool> {
        let lane = self.lanes.get_mut(&port)?;
        lane.handle_ack(next);
        Some(!lane.is_empty())
    }

    /// Posts what can be posted. Hidden tabs get only what is urgent, unless their time has come.
    ///
    /// Returns how long the most impatient hidden tab can wait for the rest.
    pub fn flush(
        &mut self,
        conn: ConnId,
        tabs: &Tabs,
        hidden_due: bool,
        out: &mut Outputs<P>,
    ) -> Option<core::time::Duration> {
        self.seal();
        let mut active: Vec<PortId> = self
            .lanes
            .iter()
            .filter(|(port, lane)| match tabs.mode(**port) {
                Mode::Visible => true,
                Mode::Hidden => hidden_due || lane.is_urgent(),
                Mode::Suspended => false,
            })
            .map(|(port, _)| *port)
            .collect();
        while !active.is_empty() {
            self.post_round(conn, &mut active, out);
        }
        let mut patience = None;
        for (port, lane) in self.lanes.iter_mut() {
            let mode = tabs.mode(*port);
            // A hidden tab that cannot be posted to does not wait for its beat: it is slow.
            let is_due = mode != Mode::Hidden || hidden_due || !lane.can_go_on();
            self.dropped += lane.enforce(is_due);
            if lane.can_go_on() && mode == Mode::Hidden {
                let wait = lane.config().hidden_flush.get();
                patience =
                    Some(patience.map_or(wait, |least: core::time::Duration| least.min(wait)));
            }
        }
        patience
    }

    /// Takes one step in each lane that can go on; the same frames for several tabs become one delivery.
    fn post_round(&mut self, conn: ConnId, active: &mut Vec<PortId>, out: &mut Outputs<P>) {
        let mut deliveries: Vec<Delivery<P>> = Vec::new();
        active.retain(|port| {
            let Some(lane) = self.lanes.get_mut(port) else {
                return false;
            };
            match lane.poll() {
                None => return false,
                Some(Step::Note(note)) => {
                    out.push(Output::Post(*port, Rc::unwrap_or_clone(note)));
                }
                Some(Step::Lost(from, to)) => {
                    for note in lane.loss_notes(conn, from, to) {
                        out.push(Output::Post(*port, note));
                    }
                }
                Some(Step::Parcel(parcel)) => out.push(Output::Hand(*port, *parcel)),
                Some(Step::Frames {
                    first,
                    parts,
                    want_ack,
                }) => {
                    let same = deliveries
                        .iter_mut()
                        .find(|other| other.want_ack == want_ack && are_same(&other.parts, &parts));
                    if let Some(delivery) = same {
                        delivery.ports.push((*port, first));
                    } else {
                        deliveries.push(Delivery {
                            conn,
                            parts,
                            want_ack,
                            ports: vec![(*port, first)],
                        });
                    }
                }
            }
            true
        });
        for delivery in deliveries {
            out.push(Output::Deliver(delivery));
        }
    }

    /// Makes a batch of what was collected and puts it into every lane: the whole of it, or what its tab wants.
    fn seal(&mut self) {
        if self.collected.is_empty() {
            return;
        }
        // They keep their memory: where there are topics, each message has one.
        let marks = self.marks.made().map(core::mem::take).unwrap_or_default();
        let batch = Rc::new(Batch {
            bytes: core::mem::take(&mut self.collected_bytes),
            frames: core::mem::take(&mut self.collected),
            topics: marks.topics,
        });
        if batch.topics.is_empty() {
            for (_, lane) in self.lanes.iter_mut() {
                self.dropped += lane.push_batch(&batch);
            }
            return;
        }
        // Tabs that want the same share a batch.
        let mut made: Vec<(Vec<bool>, Rc<Batch<P>>)> = Vec::new();
        let skips = marks.skips;
        for (port, lane) in self.lanes.iter_mut() {
            let interest = lane.interest();
            let topics = batch.topics.iter();
            let mut wanted: Vec<_> = topics.map(|topic| interest.covers(*topic)).collect();
            for (at, _) in skips.iter().filter(|(_, skipped)| skipped == port) {
                if let Some(wanted) = wanted.get_mut(*at) {
                    *wanted = false;
                }
            }
            if !wanted.contains(&true) {
                continue;
            }
            let same = made.iter().position(|(other, _)| *other == wanted);
            let at = same.unwrap_or_else(|| {
                let part = if wanted.contains(&false) {
                    Rc::new(batch.part(&wanted))
                } else {
                    Rc::clone(&batch)
                };
                made.push((wanted, part));
                made.len() - 1
            });
            if let Some((_, part)) = made.get(at) {
                self.dropped += lane.push_batch(part);
            }
        }
    }
}

fn are_same<P>(
    one: &[(Rc<Batch<P>>, Range<usize>)],
    other: &[(Rc<Batch<P>>, Range<usize>)],
) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|((a, of_a), (b, of_b))| Rc::ptr_eq(a, b) && of_a == of_b)
}
