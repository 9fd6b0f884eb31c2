//! Topics with positions: from where on a server is asked to go on, and what a tab has missed.

use core::time::Duration;

use super::io::{Payload, PortId};
use super::lean::{Blank, Lean};
use super::position::Position;
use super::replay::Kept;
use super::topics::{Stage, Topic, TopicNo, Topics};
use crate::time::Time;

/// How long the other tabs of a hub that has died have to say how far they are, once the first has.
pub const GATHER_FOR: Duration = Duration::from_millis(100);

/// How long a server may take to send again what a tab has had. What it counts behind that later is something else.
const BEHIND_FOR: Duration = Duration::from_secs(10);

/// How far a topic is.
#[derive(Debug, Default)]
pub struct Course {
    /// The newest position.
    pub position: Option<Position>,
    /// All that has come after it is kept.
    pub floor: Option<Position>,
    /// After which position this server was asked to go on.
    from: Option<Position>,
    /// The tabs that a hub before this one had given more.
    ahead: Vec<Ahead>,
    /// Up to where it had handed messages to one tab each.
    single: Option<Position>,
}

/// A tab that a hub before this one had given more.
#[derive(Debug)]
struct Ahead {
    port: PortId,
    /// Up to where.
    seen: Position,
    /// Since when it gets what it has had.
    since: Option<Time>,
}

/// What a message is by its position.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The next one.
    New,
    /// One that has come before.
    Duplicate,
    /// The server counts anew, after this position.
    Anew(Position),
}

/// What a tab that knows how far it is gets first.
#[derive(Debug)]
pub struct CatchUp<P> {
    /// What it has missed and the hub has.
    pub kept: Vec<Kept<P>>,
    /// After which position it has missed what the hub has not, and up to which if that is known.
    pub missed: Option<(Position, Option<Position>)>,
}

impl Blank for Course {
    const BLANK: &'static Self = &Self {
        position: None,
        floor: None,
        from: None,
        ahead: Vec::new(),
        single: None,
    };
}

impl Course {
    /// A tab wants the topic no more.
    pub fn forget(&mut self, port: PortId) {
        self.ahead.retain(|ahead| ahead.port != port);
    }

    /// The server that was asked is gone.
    pub fn handle_lost(&mut self) {
        self.from = None;
    }
}

impl<P: Payload> Topics<P> {
    /// What a message is. One of a topic without positions is always new.
    pub fn arrive(&mut self, no: TopicNo, position: Option<&Position>) -> Arrival {
        let (Some(topic), Some(position)) = (self.get_mut(no), position) else {
            return Arrival::New;
        };
        if let Some(from) = &topic.course.from
            && position <= from
        {
            let is_known = |kept: &Kept<P>| kept.position.as_ref() == Some(position);
            if position == from || topic.kept.iter().any(is_known) {
                return Arrival::Duplicate;
            }
            let last = topic.course.position.take().unwrap_or(position.clone());
            self.restart(no, Some(position.clone()));
            return Arrival::Anew(last);
        }
        let course = &mut topic.course;
        if course.position.is_none() {
            course.floor = Some(position.clone());
        }
        // A server that mixes up the order has given it all the same.
        if course.position.as_ref() < Some(position) {
            course.position = Some(position.clone());
        }
        Arrival::New
    }

    /// The tabs that have had this message from a hub before; and those that have had another one in its place, since the server counts
    /// anew, and after which position that was.
    pub fn take_ahead(
        &mut self,
        no: TopicNo,
        position: Option<&Position>,
        now: Time,
    ) -> (Vec<PortId>, Vec<(PortId, Position)>) {
        let (mut had, mut anew) = (Vec::new(), Vec::new());
        if let (Some(topic), Some(position)) = (self.get_mut(no), position)
            && !topic.course.ahead.is_empty()
        {
            topic.course.ahead.retain_mut(|ahead| {
                if ahead.seen < *position {
                    return false;
                }
                let since = *ahead.since.get_or_insert(now);
                if now.since(since) >= BEHIND_FOR {
                    anew.push((ahead.port, ahead.seen.clone()));
                    return false;
                }
                had.push(ahead.port);
                ahead.seen > *position
            });
        }
        (had, anew)
    }

    /// The hub stood still: what comes now may be what the server sent meanwhile, so the time of those who are ahead begins anew.
    pub fn handle_wake(&mut self) {
        let topics = self.places.iter_mut().flatten();
        for course in topics.filter_map(|topic| topic.course.made()) {
            for ahead in &mut course.ahead {
                ahead.since = None;
            }
        }
    }

    /// A tab has the messages of a topic up to a position.
    pub fn catch_up(&mut self, no: TopicNo, port: PortId, seen: Position, now: Time) -> CatchUp<P> {
        let mut caught = CatchUp {
            kept: Vec::new(),
            missed: None,
        };
        let is_placed = self.is_placed(no);
        let Some(topic) = self.get_mut(no) else {
            return caught;
        };
        match &topic.course.position {
            Some(at) if seen < *at => {
                let is_later = |kept: &&Kept<P>| kept.position.as_ref() > Some(&seen);
                caught.kept = topic.kept.iter().filter(is_later).cloned().collect();
                if topic
                    .course
                    .floor
                    .as_ref()
                    .is_none_or(|floor| *floor > seen)
                {
                    caught.missed = Some((seen, topic.course.floor.clone()));
                }
            }
            None if is_placed || topic.stage != Stage::Off => caught.missed = Some((seen, None)),
            at => {
                let is_gathering = at.is_none();
                topic.put_ahead(port, seen);
                self.gather(is_gathering, now);
            }
        }
        caught
    }

    fn gather(&mut self, is_gathering: bool, now: Time) {
        if is_gathering && self.gather_until <= now {
            self.gather_until = now + GATHER_FOR;
        }
    }

    /// A tab of those that want each message alone was given this one by a hub before: whatever came before it was given to some.
    pub fn catch_up_single(&mut self, no: TopicNo, seen: Position, now: Time) {
        let Some(topic) = self.get_mut(no) else {
            return;
        };
        let is_gathering = topic.course.position.is_none() && topic.stage == Stage::Off;
        if topic
            .course
            .position
            .as_ref()
            .max(topic.course.single.as_ref())
            < Some(&seen)
        {
            topic.course.single = Some(seen);
        }
        self.gather(is_gathering, now);
    }

    /// Whether this message was given to one tab by a hub before.
    pub fn was_single(&mut self, no: TopicNo, position: Option<&Position>) -> bool {
        let (Some(topic), Some(position)) = (self.get_mut(no), position) else {
            return false;
        };
        let had = topic.course.single.as_ref() >= Some(position);
        topic.course.single.take_if(|single| *single <= *position);
        had
    }

    /// After which position the server is to be asked to go on, if that is known.
    pub fn resume(&mut self, no: TopicNo) -> Option<Position> {
        let course = self.get_mut(no)?.course.made()?;
        if course.position.is_none() {
            let seen = course.ahead.iter().map(|ahead| &ahead.seen);
            let lowest = seen.chain(&course.single).min();
            course.position = lowest.cloned();
            course.floor = course.position.clone();
        }
        course.from = course.position.clone();
        course.from.clone()
    }

    /// The server does not go on where it was asked to. Tells after which position there is a hole, if it was asked.
    pub fn lose_course(&mut self, no: TopicNo, at: Option<Position>) -> Option<Position> {
        let course = self.get_mut(no)?.course.made();
        let from = course.and_then(|course| course.from.take());
        self.restart(no, at);
        from
    }

    /// What is before this position is known to nobody: what is kept of it would look like the last that there was.
    pub(super) fn restart(&mut self, no: TopicNo, at: Option<Position>) {
        let Some(topic) = self.get_mut(no) else {
            return;
        };
        let freed: usize = topic.kept.take().map(|kept| kept.frame.size()).sum();
        topic.course = Lean::of(at.map(|at| Course {
            floor: Some(at.clone()),
            position: Some(at),
            ..Course::default()
        }));
        self.kept_bytes -= freed;
    }

    /// The server has said how far a topic is that it was asked for from now on.
    pub fn begin(&mut self, no: TopicNo, at: Position) {
        if let Some(topic) = self.get_mut(no)
            && topic.course.position.is_none()
        {
            topic.course.floor = Some(at.clone());
            topic.course.position = Some(at);
        }
    }

    /// Whether everything that comes can be asked for again.
    pub fn are_resumable(&self) -> bool {
        let mut topics = self.places.iter().flatten();
        !self.has_others && topics.all(|topic| topic.wants.is_empty() || topic.is_resumable())
    }
}

impl<P: Payload> Topic<P> {
    /// Drops the oldest message that is kept. Gives its bytes.
    pub(super) fn drop_oldest(&mut self) -> usize {
        let Some(oldest) = self.kept.pop_front() else {
            return 0;
        };
        self.set_floor(oldest.position);
        oldest.frame.size()
    }

    /// All that comes after this position is kept.
    pub(super) fn set_floor(&mut self, floor: Option<Position>) {
        if floor.is_some() || self.course.floor.is_some() {
            self.course.floor = floor;
        }
    }

    /// A tab with several subscriptions gets what one of them lacks.
    fn put_ahead(&mut self, port: PortId, seen: Position) {
        let ahead = &mut self.course.ahead;
        match ahead.iter_mut().find(|ahead| ahead.port == port) {
            Some(ahead) => ahead.seen = seen.min(ahead.seen.clone()),
            None => ahead.push(Ahead {
                port,
                seen,
                since: None,
            }),
        }
    }

    fn is_resumable(&self) -> bool {
        self.stage == Stage::Off || self.course.position.is_some()
    }
}
