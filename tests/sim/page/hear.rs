//! What a page does with what the hub says.

use tabwire::protocol::{Answer, ConnId, HandleId, HubMessage, Need, Reason, Status, TabMessage};

use super::answers::Reply;
use super::gate::clock_of;
use super::topics::Topics;
use super::view::gap_code;
use super::{Handle, Loss, Page, Stage};
use crate::event::{Event, ToPage};
use crate::hubs::HubNo;
use crate::invariants::{Check, Held};
use crate::net::Net;
use crate::worker::Worker;

impl Page {
    /// Handles one message and goes on with the next.
    pub fn take_turn(&mut self, turn: u64, net: &mut Net) -> Held {
        let Some(message) = self.inbox.take(turn) else {
            return Ok(());
        };
        self.heard_at = net.now();
        match message {
            ToPage::Script => self.hear_script(net),
            ToPage::Welcome(hub) => {
                self.waiting_since = None;
                self.hear_welcome(hub, net)?;
            }
            ToPage::Beat(hub) => {
                self.waiting_since = None;
                if self.hub.is_some_and(|known| known != hub) {
                    self.start_over(net);
                }
            }
            ToPage::Crashed => self.is_lost = true,
            ToPage::Gone(hub) => self.is_lost |= self.hub == Some(hub),
            ToPage::Message(message) => {
                self.waiting_since = None;
                self.hear(message, net)?;
            }
            ToPage::Batch {
                conn,
                first,
                frames,
                want_ack,
                marks,
            } => {
                self.check_wanted(&frames)?;
                let next = first + frames.len() as u64;
                if let Some(expected) = self.conns.insert(conn, next) {
                    if self.has_missed && expected < first {
                        self.tell_gap(conn, "protocol");
                    }
                    let holds = expected == first || self.has_missed;
                    Check::PageSeesNoHole.require(holds, || {
                        format!("{:?} expected {expected} of {conn:?}, got {first}", self.no)
                    })?;
                } else {
                    self.conns.remove(&conn);
                }
                for handle in self.on(conn) {
                    handle.view.hear(&frames)?;
                    if let Some(topics) = &mut handle.topics {
                        topics.hear(conn, &frames, marks.as_deref().map(Vec::as_slice))?;
                    }
                }
                if want_ack {
                    self.post(TabMessage::Ack { conn, next }, net);
                }
            }
            ToPage::Subscribed(handle, number, frames, mark) => {
                self.with_topics(handle, |topics| {
                    topics.hear_subscribed(number, &frames, mark)
                })?;
            }
            ToPage::Answered(handle, number, frame) => {
                self.with_topics(handle, |topics| topics.hear_answered(number, &frame))?;
            }
        }
        self.inbox.start(net);
        Ok(())
    }

    fn hear(&mut self, message: HubMessage, net: &mut Net) -> Held {
        match message {
            HubMessage::Attached {
                handle,
                conn,
                next,
                status,
                ..
            } => self.hear_attached(handle, (conn, next, &status), net)?,
            HubMessage::Refused { handle, .. } => self.end(handle, net)?,
            HubMessage::Sent {
                handle,
                handed,
                confirmed,
            } => {
                if let Some(handle) = self.handle(handle) {
                    handle.sends.settle(handed, confirmed);
                }
            }
            HubMessage::Failed {
                handle,
                first,
                count,
                reason,
            } => {
                if let Some(handle) = self.handle(handle) {
                    handle.sends.fail(first, count, reason)?;
                }
            }
            HubMessage::Gap {
                conn,
                lost: Some((from, to)),
                reason,
            } => {
                self.tell_gap(conn, gap_code(&reason));
                if let Some(expected) = self.conns.insert(conn, to) {
                    let holds = expected == from || self.has_missed;
                    Check::PageSeesNoHole.require(holds, || {
                        format!("{:?} expected {expected} of {conn:?}, gap {from}", self.no)
                    })?;
                } else {
                    self.conns.remove(&conn);
                }
            }
            HubMessage::Closed { handle, .. } => self.end(handle, net)?,
            HubMessage::Ask => self.post(TabMessage::Alive, net),
            HubMessage::Who => {
                // The first may be about its hello, the others are about what it said with that.
                if !self.is_unknown && (self.hub.is_some() || self.unsettled.is_some()) {
                    self.is_unknown = true;
                    self.hellos = 0;
                    self.start_over(net);
                }
            }
            HubMessage::Move(address) => {
                if let Some(worker) = Worker::at(&address) {
                    self.worker = worker;
                    self.is_lost = true;
                    self.is_moved = true;
                    self.lost = None;
                }
            }
            HubMessage::Status(conn, status) => {
                let (hub, now) = (self.hub, net.now());
                let is_moved = status.reason == Reason::Moved;
                for handle in &mut self.handles {
                    if let Some(topics) = &mut handle.topics {
                        topics.hear_status(conn, is_moved);
                    }
                }
                self.on(conn)
                    .for_each(|handle| handle.show(&status, hub, now));
            }
            HubMessage::Gap {
                conn,
                lost: None,
                reason,
            } => self.tell_gap(conn, gap_code(&reason)),
            HubMessage::Need { handle, id, kind } => self.answer((handle, id), kind, net),
            HubMessage::Unsubscribed {
                handle,
                number,
                code,
                ..
            } => self.with_topics(handle, |topics| topics.hear_unsubscribed(number, code))?,
            HubMessage::Breaker { view, .. } => {
                if let Some(gate) = &mut self.gate {
                    gate.hear(self.no, &view, clock_of(net))?;
                }
            }
            HubMessage::Verdict { verdict, .. } => {
                let report = self.gate.as_mut().and_then(|gate| gate.decide(verdict));
                if let Some(report) = report {
                    self.post(report, net);
                }
            }
            HubMessage::Missed { handle, number, .. } => {
                self.with_topics(handle, |topics| {
                    topics.hear_missed(number);
                    Ok(())
                })?;
            }
            HubMessage::Unanswered {
                handle,
                number,
                code,
            } => self.with_topics(handle, |topics| topics.hear_unanswered(number, code))?,
            HubMessage::Overflow { .. }
            | HubMessage::Beat
            | HubMessage::Welcome
            | HubMessage::Beside { .. }
            | HubMessage::Alert(..)
            | HubMessage::Census { .. }
            | HubMessage::Reply(..)
            | HubMessage::Ungated(_)
            | HubMessage::Error { .. } => {}
        }
        Ok(())
    }

    fn tell_gap(&mut self, conn: ConnId, reason: &'static str) {
        self.on(conn).for_each(|handle| handle.gap(reason));
    }

    /// The hub needs what the user's functions give: they do as the page's habit is.
    fn answer(&mut self, (handle, id): (HandleId, u32), kind: Need, net: &mut Net) {
        self.answers += 1;
        let url = self.handle(handle).map(|handle| handle.url.clone());
        let answer = match (self.candour.of(self.answers), kind) {
            (Reply::Good, Need::Token) => {
                let token = format!("token-{}-{}", self.no.0, self.answers);
                Answer::Token(token, self.candour.lasts)
            }
            (Reply::Good, Need::Url) => url.map_or(Answer::Failed, Answer::Url),
            (Reply::Failed, _) => Answer::Failed,
            (Reply::Bad, kind) => Answer::Bad(kind),
            (Reply::None, _) => return,
        };
        let event = Event::Answer(self.no, self.port, id, answer);
        net.after(self.candour.takes, event);
    }

    /// The worker script runs anew: all that the page has said is forgotten. A hello that was not answered before that is still
    /// on its way, and is answered by the new hub.
    fn hear_script(&mut self, net: &mut Net) {
        if self.hub.is_some() {
            self.start_over(net);
        }
    }

    /// The hub knows the page. If it is not the one that had its sends, they are settled.
    fn hear_welcome(&mut self, hub: HubNo, net: &Net) -> Held {
        self.hellos = self.hellos.saturating_sub(1);
        self.is_unknown = false;
        if self.hub.is_some_and(|known| known != hub) {
            self.forget_hub(net.now());
        }
        if let Some(before) = self.unsettled.take() {
            let why = if before == hub {
                Loss::GivenUp
            } else {
                Loss::HubGone
            };
            self.settle(why)?;
        }
        self.hub = Some(hub);
        Ok(())
    }

    /// The hub has a handle. Before the welcome that answers the last hello it may have forgotten it since.
    fn hear_attached(
        &mut self,
        id: HandleId,
        (conn, next, status): (ConnId, u64, &Status),
        net: &mut Net,
    ) -> Held {
        let is_stale = self.hellos > 0;
        let hub = self.hub;
        let Some(handle) = self.handle(id) else {
            return Ok(());
        };
        let is_again = handle.conn.is_some();
        if handle.conn.is_some_and(|before| before != conn) && !handle.is_covered() {
            handle.gap("hub-lost");
        }
        handle.conn = Some(conn);
        if handle.stage == Stage::Attaching && !is_stale {
            handle.stage = Stage::Attached;
        }
        if let Some(topics) = &mut handle.topics {
            topics.hear_attached(conn);
        }
        let identity = handle.identity();
        handle.show(status, hub, net.now());
        self.share_topics(identity);
        self.flush_topics(id.0 as usize, net);
        if let Some(expected) = self.conns.insert(conn, next) {
            if is_again {
                if expected != next {
                    self.tell_gap(conn, "protocol");
                }
                self.flush(net);
                return Ok(());
            }
            // A handle that comes back may have been forgotten, and has missed something then.
            Check::PageSeesNoHole.require(expected == next, || {
                format!(
                    "{:?} expected {expected} of {conn:?}, joins at {next}",
                    self.no
                )
            })?;
        }
        self.flush(net);
        Ok(())
    }

    /// The hub has ended a handle. Before the welcome that answers the last hello this is about the handle as it was before that:
    /// it has been attached anew since, which is taken back.
    fn end(&mut self, id: HandleId, net: &mut Net) -> Held {
        let is_stale = self.hellos > 0;
        let Some(handle) = self.handle(id) else {
            return Ok(());
        };
        let is_attached_anew = is_stale && handle.stage == Stage::Attaching;
        let conn = handle.conn.take();
        let detach = handle.detach(None);
        handle.stop_topics();
        if handle.stage == Stage::Detaching {
            handle.stage = Stage::Ended(true);
        } else {
            handle.stage = Stage::Ended(false);
            handle.sends.end()?;
        }
        if let Some(conn) = conn
            && self.on(conn).next().is_none()
        {
            self.conns.remove(&conn);
        }
        if is_attached_anew {
            self.post(detach, net);
        }
        Ok(())
    }

    fn with_topics(&mut self, handle: HandleId, act: impl FnOnce(&mut Topics) -> Held) -> Held {
        let handle = self.handle(handle);
        match handle.and_then(|handle| handle.topics.as_mut()) {
            Some(topics) => act(topics),
            None => Ok(()),
        }
    }

    fn handle(&mut self, id: HandleId) -> Option<&mut Handle> {
        self.handles
            .get_mut(id.0 as usize)
            .filter(|handle| !matches!(handle.stage, Stage::Ended(_)))
    }

    fn on(&mut self, conn: ConnId) -> impl Iterator<Item = &mut Handle> {
        self.handles
            .iter_mut()
            .filter(move |handle| handle.conn == Some(conn))
    }
}
