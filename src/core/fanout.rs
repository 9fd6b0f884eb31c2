//! One stream of frames, and every tab's place in it.

use std::rc::Rc;

use litemap::LiteMap;

use super::flow::{Batch, Lane, Step};
use super::io::{Delivery, Output, Payload, PortId};
use super::outputs::Outputs;
use super::tabs::{Mode, Tabs};
use crate::protocol::{ConnId, FlowConfig, HandleId, HubMessage};

/// The fan-out of one connection.
///
/// Frames are collected until the next flush and then posted as one array. Tabs that are at the same place
/// share the array, so the work of a flush grows with the tabs and not with tabs × frames.
#[derive(Debug)]
pub struct Fanout<P> {
    conn: ConnId,
    next: u64,
    collected: Vec<P>,
    collected_bytes: usize,
    lanes: LiteMap<PortId, Lane<P>>,
    dropped: u64,
}

impl<P: Payload> Fanout<P> {
    /// A stream without tabs.
    pub fn new(conn: ConnId) -> Self {
        Self {
            conn,
            next: 0,
            collected: Vec::new(),
            collected_bytes: 0,
            lanes: LiteMap::new(),
            dropped: 0,
        }
    }

    /// Sequence of the next frame.
    pub fn next(&self) -> u64 {
        self.next
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
    pub fn set_lane(&mut self, port: PortId, config: FlowConfig) {
        self.seal();
        if let Some(lane) = self.lanes.get_mut(&port) {
            lane.set_config(config);
        } else {
            self.lanes.insert(port, Lane::new(config));
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

    /// Adds a frame to the stream.
    pub fn push_frame(&mut self, frame: P) {
        self.next += 1;
        if self.lanes.is_empty() {
            return;
        }
        self.collected_bytes += frame.size();
        self.collected.push(frame);
    }

    /// Puts a control message at the end of every lane.
    pub fn push_note(&mut self, note: &HubMessage) {
        self.seal();
        for (_, lane) in self.lanes.iter_mut() {
            lane.push_note(note.clone());
        }
    }

    /// Puts a control message at the end of one lane.
    pub fn push_note_to(&mut self, port: PortId, note: HubMessage) {
        self.seal();
        if let Some(lane) = self.lanes.get_mut(&port) {
            lane.push_note(note);
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
            self.post_round(&mut active, out);
        }
        let mut patience = None;
        for (port, lane) in self.lanes.iter_mut() {
            let mode = tabs.mode(*port);
            self.dropped += lane.enforce(mode != Mode::Hidden || hidden_due);
            if lane.can_go_on() && mode == Mode::Hidden {
                let wait = lane.config().hidden_flush.get();
                patience =
                    Some(patience.map_or(wait, |least: core::time::Duration| least.min(wait)));
            }
        }
        patience
    }

    /// Takes one step in each lane that can go on; the same frames for several tabs become one delivery.
    fn post_round(&mut self, active: &mut Vec<PortId>, out: &mut Outputs<P>) {
        let mut deliveries: Vec<(u64, Delivery<P>)> = Vec::new();
        active.retain(|port| {
            let Some(lane) = self.lanes.get_mut(port) else {
                return false;
            };
            match lane.poll() {
                None => return false,
                Some(Step::Note(note)) => out.push(Output::Post(*port, note)),
                Some(Step::Lost(from, to)) => {
                    for note in lane.loss_notes(self.conn, from, to) {
                        out.push(Output::Post(*port, note));
                    }
                }
                Some(Step::Frames {
                    first,
                    end,
                    parts,
                    want_ack,
                }) => {
                    let same = deliveries.iter_mut().find(|(other_end, delivery)| {
                        delivery.first == first
                            && *other_end == end
                            && delivery.want_ack == want_ack
                    });
                    if let Some((_, delivery)) = same {
                        delivery.ports.push(*port);
                    } else {
                        deliveries.push((
                            end,
                            Delivery {
                                conn: self.conn,
                                first,
                                parts,
                                want_ack,
                                ports: vec![*port],
                            },
                        ));
                    }
                }
            }
            true
        });
        for (_, delivery) in deliveries {
            out.push(Output::Deliver(delivery));
        }
    }

    /// Makes a batch of what was collected and puts it into every lane.
    fn seal(&mut self) {
        if self.collected.is_empty() {
            return;
        }
        let frames = core::mem::take(&mut self.collected);
        let batch = Rc::new(Batch {
            first: self.next - frames.len() as u64,
            bytes: core::mem::take(&mut self.collected_bytes),
            frames,
        });
        for (_, lane) in self.lanes.iter_mut() {
            self.dropped += lane.push_batch(&batch);
        }
    }
}
