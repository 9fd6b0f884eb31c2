//! What one tab has been told of one connection, and what it must be told next.

use std::collections::VecDeque;

use core::time::Duration;

use tabwire::core::Payload;
use tabwire::protocol::{Amount, Cause, FlowConfig, HandleId, Reason, Status, WhenSlow};
use tabwire::time::Time;

use super::statuses::is_legal;
use super::stream::Stream;
use crate::frame::Frame;
use crate::invariants::{Check, Held};

/// A tab's place in a stream.
#[derive(Debug)]
pub struct Lane {
    /// Sequence of what it must be told next.
    pub next: u64,
    /// The status it was told last.
    pub view: Option<Status>,
    /// So many transitions were kept from it that the oldest may have been dropped.
    may_jump: bool,
    /// They may have been since it last knew them all.
    has_jumped: bool,
    /// Transitions of the connection when the tab last knew them all.
    known: u64,
    config: FlowConfig,
    owed: Vec<(HandleId, Vec<&'static str>)>,
    posted: VecDeque<Posted>,
    /// The gap of a loss that it has not been told of yet.
    gap_told: Option<Reason>,
    /// Planned replacements of the socket that it has not been told of.
    handovers: u32,
    /// Its hub yields, and may post all that waits.
    is_moving: bool,
    overflow_due: Option<u64>,
    /// Its backlog has exceeded its cap since it was last empty.
    exceeded: bool,
    /// Something has waited under the policy `latest` since it was last empty.
    held: bool,
    /// It was suspended, or asked to acknowledge, when looked at last; and since when it has not been.
    was_stopped: bool,
    free_since: Time,
    most_patience: Duration,
    retained: Retained,
}

#[derive(Debug)]
struct Posted {
    end: u64,
    messages: u64,
    bytes: u64,
    want_ack: bool,
}

impl Lane {
    /// A lane that starts at the end of the stream.
    pub fn new(next: u64, config: FlowConfig, now: Time) -> Self {
        Self {
            next,
            view: None,
            may_jump: false,
            has_jumped: false,
            known: 0,
            most_patience: config.hidden_flush.get(),
            retained: Retained::new(&config),
            config,
            owed: Vec::new(),
            posted: VecDeque::new(),
            gap_told: None,
            handovers: 0,
            is_moving: false,
            overflow_due: None,
            exceeded: false,
            held: false,
            was_stopped: false,
            free_since: now,
        }
    }

    /// Changes the limits.
    pub fn set_config(&mut self, config: FlowConfig, stream: &Stream) {
        self.most_patience = self.most_patience.max(config.hidden_flush.get());
        self.retained.allow(&config);
        self.config = config;
        self.handle_growth(stream);
    }

    /// A handle was attached and must be answered in order.
    pub fn owe(&mut self, handle: HandleId, ignored: Vec<&'static str>) {
        self.owed.push((handle, ignored));
    }

    /// Its hub yields: it may post all that waits.
    pub fn handle_moving(&mut self, is_moving: bool) {
        self.is_moving |= is_moving;
    }

    /// A handle was detached: nothing more may come about it.
    pub fn forgive(&mut self, handle: HandleId) {
        self.owed.retain(|(owed, _)| *owed != handle);
    }

    /// Messages that it has not been told of, lost ones included.
    pub fn backlog(&self, stream: &Stream) -> u64 {
        stream.len() - self.next
    }

    /// Whether it has been told everything.
    pub fn is_done(&self, stream: &Stream) -> bool {
        self.backlog(stream) == 0
            && self.owed.is_empty()
            && (self.gap_told.is_none() || self.has_jumped)
            && self.handovers == 0
    }

    /// The stream has grown, or the limits have changed.
    pub fn handle_growth(&mut self, stream: &Stream) {
        let load = (self.backlog(stream), stream.bytes(self.next, stream.len()));
        self.exceeded |= exceeds(load, self.config.cap);
    }

    /// The connection has had so many transitions and suspected gaps. Of those that wait for a tab the hub keeps the last 256.
    pub fn handle_transitions(&mut self, count: u64) {
        self.may_jump |= self.view.is_some() && count > self.known + MOST_NOTES;
        self.has_jumped |= self.may_jump;
    }

    /// The socket was replaced as planned.
    pub fn handle_handover(&mut self) {
        self.handovers += 1;
    }

    /// The tab has dispatched everything before `next`.
    pub fn handle_ack(&mut self, next: u64) {
        while self.posted.front().is_some_and(|posted| posted.end <= next) {
            self.posted.pop_front();
        }
    }

    /// The answer to an attach is posted.
    pub fn attached(
        &mut self,
        handle: HandleId,
        next: u64,
        ignored: &[&'static str],
        status: &Status,
    ) -> Held {
        let owed = self.owed.iter().position(|(owed, _)| *owed == handle);
        let Some(index) = owed else {
            return Err(Check::AttachIsAnswered.breach(format!(
                "attached {handle:?}, which did not ask or has closed"
            )));
        };
        let (_, expected) = self.owed.remove(index);
        Check::AttachIsAnswered.require(expected == ignored, || {
            format!("ignored options are {expected:?}, told {ignored:?}")
        })?;
        Check::AttachIsAnswered.require(next == self.next, || {
            format!("attached at {next}, the lane is at {}", self.next)
        })?;
        if let Some(view) = &self.view {
            Check::NotesKeepTheirPlace
                .require(view.state == status.state || self.may_jump, || {
                    format!("attached shows {:?} after {:?}", status.state, view.state)
                })?;
        }
        self.view = Some(status.clone());
        Ok(())
    }

    /// A transition is posted.
    pub fn status(&mut self, status: &Status, stream: &Stream) -> Held {
        let Some(view) = &self.view else {
            return Err(Check::NotesKeepTheirPlace.breach("status before attached"));
        };
        let may_jump = core::mem::take(&mut self.may_jump);
        if status.cause == Cause::Lost {
            let told = self.gap_told.take();
            let holds = told == Some(status.reason) || may_jump || self.has_jumped;
            Check::LossRaisesOneGap.require(holds, || {
                format!("lost for {:?}, the gap was for {told:?}", status.reason)
            })?;
        }
        if !may_jump {
            self.settle_gap("a status")?;
            Check::TransitionsAreLegal.require(is_legal(view.state, status), || {
                format!(
                    "{:?} → {:?} ({:?}, {:?})",
                    view.state, status.state, status.reason, status.cause
                )
            })?;
        }
        Check::NotesKeepTheirPlace.require(stream.came_at(self.next) >= status.since, || {
            format!(
                "{:?} of {:?} comes before message {}",
                status.state, status.since, self.next
            )
        })?;
        if status.reason == Reason::Handover {
            self.handovers = self.handovers.saturating_sub(1);
        }
        self.view = Some(status.clone());
        Ok(())
    }

    /// The gap of a lost connection is posted, before the word that it is lost.
    pub fn suspected_gap(&mut self, reason: Reason) -> Held {
        if reason == Reason::Handover {
            return Check::LossRaisesOneGap.require(self.handovers > 0 || self.has_jumped, || {
                "a gap for a handover that there was not".into()
            });
        }
        let before = self.gap_told.replace(reason);
        Check::LossRaisesOneGap.require(before.is_none() || self.has_jumped, || {
            format!("gap for {reason:?} after one for {before:?}")
        })
    }

    /// Messages are posted.
    pub fn deliver<'a>(
        &mut self,
        first: u64,
        frames: impl Iterator<Item = &'a Frame>,
        want_ack: bool,
        stream: &Stream,
        now: Time,
    ) -> Held {
        self.settle_gap("a batch")?;
        Check::EveryMessageOnceInOrder.require(first == self.next, || {
            format!("batch starts at {first}, expected {}", self.next)
        })?;
        let view = self.view.as_ref();
        Check::NotesKeepTheirPlace.require(
            self.may_jump || view.is_some_and(|view| view.state.is_open()),
            || {
                let state = view.map(|view| view.state);
                format!("message {first} while the tab sees {state:?}")
            },
        )?;
        let since = view.map_or(Time::ZERO, |view| view.since);
        Check::NotesKeepTheirPlace.require(stream.came_at(first) >= since, || {
            format!("message {first} came before the status of {since:?}")
        })?;
        let (mut bytes, mut last) = (0, 0);
        for frame in frames {
            let expected = stream.get(self.next).map(|(frame, _)| frame);
            Check::EveryMessageOnceInOrder.require(expected == Some(frame), || {
                format!("message {} is {expected:?}, got {frame:?}", self.next)
            })?;
            last = frame.size() as u64;
            bytes += last;
            self.retained
                .handle_posted(stream.came_at(self.next), now, last)?;
            self.next += 1;
        }
        let was_asked = self.is_asked();
        let messages = self.next - first;
        Check::EveryMessageOnceInOrder.require(messages > 0, || "an empty batch".into())?;
        self.posted.push_back(Posted {
            end: self.next,
            messages,
            bytes,
            want_ack,
        });
        if self.is_moving {
            return Ok(());
        }
        self.check_window(last, was_asked || messages > 1)
    }

    /// A gap with numbers is posted.
    pub fn gap(&mut self, from: u64, to: u64, stream: &Stream) -> Held {
        self.settle_gap("another gap")?;
        Check::GapsCoverTheLoss.require(
            from == self.next && from < to && to <= stream.len(),
            || {
                format!(
                    "gap {from}..{to}, expected {}.. of {}",
                    self.next,
                    stream.len()
                )
            },
        )?;
        Check::DropsAreJustified.require(self.exceeded || self.held, || {
            format!("gap {from}..{to} though the cap was not reached")
        })?;
        self.next = to;
        self.overflow_due = Some(to - from);
        Ok(())
    }

    /// An overflow is posted.
    pub fn overflow(&mut self, count: u64, policy: WhenSlow) -> Held {
        let due = self.overflow_due.take();
        Check::GapsCoverTheLoss.require(
            due == Some(count) && policy == self.config.when_slow,
            || format!("overflow of {count} ({policy:?}), due {due:?}"),
        )
    }

    /// The end of a handle is posted.
    pub fn closed(&self, stream: &Stream) -> Held {
        Check::ClosedComesLast.require(self.next == stream.len(), || {
            format!("closed before message {}", self.next)
        })?;
        self.settle_gap("closed")
    }

    /// All outputs of an input have been seen, of a connection that has had so many transitions. `is_quiet`: no tick is to come.
    pub fn drained(
        &mut self,
        mode: Mode,
        is_quiet: bool,
        (stream, transitions): (&Stream, u64),
        (now, late): (Time, Duration),
    ) -> Held {
        let backlog = self.backlog(stream);
        if backlog == 0 {
            self.exceeded = false;
            self.held = false;
        } else {
            self.held |= self.config.when_slow == WhenSlow::Latest;
        }
        if backlog == 0 && mode != Mode::Suspended {
            self.known = transitions;
            if core::mem::take(&mut self.has_jumped) {
                self.handovers = 0;
                self.gap_told = None;
            }
        }
        let is_asked = self.is_asked();
        let is_stopped = mode == Mode::Suspended || is_asked;
        if core::mem::replace(&mut self.was_stopped, is_stopped) {
            self.free_since = now;
        }
        let may_wait = mode != Mode::Visible || is_asked || !is_quiet;
        Check::NobodyStarves.require(backlog == 0 || may_wait, || {
            format!(
                "{backlog} messages from {} wait, no ack was asked for",
                self.next
            )
        })?;
        if mode == Mode::Hidden && !is_asked {
            let waits = now.since(self.free_since.max(stream.came_at(self.next)));
            Check::HiddenTabsWaitBriefly.require(waits <= self.most_patience + late, || {
                format!(
                    "message {} has waited {waits:?} for a hidden tab",
                    self.next
                )
            })?;
        }
        Ok(())
    }

    /// Nothing may come between the gap of a loss and its status, unless that has been dropped, or between a gap and its overflow.
    fn settle_gap(&self, what: &str) -> Held {
        Check::LossRaisesOneGap.require(self.gap_told.is_none() || self.has_jumped, || {
            format!("{what} after the gap for {:?}", self.gap_told)
        })?;
        Check::GapsCoverTheLoss.require(self.overflow_due.is_none(), || {
            format!("{what} before the overflow of {:?}", self.overflow_due)
        })
    }

    /// Whether it was asked to acknowledge.
    fn is_asked(&self) -> bool {
        self.posted.iter().any(|posted| posted.want_ack)
    }

    /// In flight is the window at most, or one message more where nobody has been asked to acknowledge yet: without that message
    /// nobody would be. That is so below half of the window, and after the window was made smaller.
    fn check_window(&self, last: u64, is_asked: bool) -> Held {
        let messages: u64 = self.posted.iter().map(|posted| posted.messages).sum();
        let bytes: u64 = self.posted.iter().map(|posted| posted.bytes).sum();
        let window = self.config.window;
        let twice_before = (2 * messages - 1, 2 * (bytes - last) + 1);
        let is_allowed = messages == 1 || !is_asked || !exceeds(twice_before, window);
        Check::InFlightWithinWindow
            .require(!exceeds((messages, bytes), window) || is_allowed, || {
                format!("{messages} messages of {bytes} bytes in flight, window {window:?}")
            })
    }
}

/// Transitions and suspected gaps that the hub keeps for a tab at least.
const MOST_NOTES: u64 = 250;

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

/// What has waited for a tab at the time each message came. Known when it is posted: what was dropped did not wait.
#[derive(Debug)]
struct Retained {
    cap: Amount,
    waiting: VecDeque<(Time, u64)>,
    bytes: u64,
}

/// What is posted this soon was collected for the next tick and did not wait.
const TICK: Duration = Duration::from_millis(2);

impl Retained {
    fn new(config: &FlowConfig) -> Self {
        Self {
            cap: config.cap,
            waiting: VecDeque::new(),
            bytes: 0,
        }
    }

    fn allow(&mut self, config: &FlowConfig) {
        self.cap.messages = self.cap.messages.max(config.cap.messages);
        self.cap.bytes = self.cap.bytes.max(config.cap.bytes);
    }

    fn handle_posted(&mut self, came_at: Time, now: Time, bytes: u64) -> Held {
        while let Some((posted_at, bytes)) = self.waiting.front()
            && *posted_at <= came_at + TICK
        {
            self.bytes -= bytes;
            self.waiting.pop_front();
        }
        if now <= came_at + TICK {
            return Ok(());
        }
        self.waiting.push_back((now, bytes));
        self.bytes += bytes;
        let messages = self.waiting.len() as u64;
        Check::BacklogBelowCap.require(
            messages == 1 || !exceeds((messages, self.bytes), self.cap),
            || {
                let cap = self.cap;
                format!(
                    "{messages} messages of {} bytes waited, cap {cap:?}",
                    self.bytes
                )
            },
        )
    }
}

fn exceeds((messages, bytes): (u64, u64), amount: Amount) -> bool {
    messages > u64::from(amount.messages.0) || bytes > u64::from(amount.bytes.0)
}
