//! The topics of one connection: who wants which, what the server knows of that, and the last messages of each.

use core::time::Duration;

use litemap::LiteMap;

use super::io::{Payload, PortId};
use super::lean::{Blank, Lean};
use super::queue::Queue;
use super::replay::Kept;
use super::resuming::Course;
use super::single::Singles;
use crate::protocol::{ConnId, Count, HandleId, Millis, ReplayConfig};
use crate::time::Time;

/// How long the server may take to answer a subscription.
pub const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(10);

/// A handle of a tab.
pub type Of = (PortId, HandleId);

/// The place of a topic. It is used again when the topic is gone.
pub type TopicNo = u32;

/// All topics of a connection.
#[derive(Debug)]
pub struct Topics<P> {
    by_name: LiteMap<String, TopicNo>,
    pub(super) places: Vec<Option<Topic<P>>>,
    free: Vec<TopicNo>,
    asked: LiteMap<u32, Asked>,
    requests: LiteMap<u32, Request>,
    last_id: u32,
    /// How many may come by this socket, how many do, and which have none yet.
    pub(super) most: usize,
    here: usize,
    pub(super) unplaced: Vec<TopicNo>,
    /// Those that further sockets had and that are gone.
    pub(super) released: Vec<(ConnId, TopicNo)>,
    pub(super) replay: ReplayConfig,
    /// The topics of the messages that are kept, oldest first, and their bytes.
    pub(super) kept: Queue<(TopicNo, u64)>,
    pub(super) kept_bytes: usize,
    pub(super) keeps: u64,
    /// When the last frame came.
    pub(super) heard_at: Time,
    /// What is handed to one tab each.
    pub(super) singles: Option<Box<Singles<P>>>,
    /// Whether there have been messages without a topic, which nothing brings back.
    pub(super) has_others: bool,
    /// The server is asked for no topic before this: other tabs may want more of it.
    pub(super) gather_until: Time,
}

/// A topic that somebody wants, or wanted a moment ago.
#[derive(Debug)]
pub struct Topic<P> {
    /// Its name.
    pub name: String,
    /// What the server knows of it.
    pub stage: Stage,
    /// By which socket it comes.
    home: Home,
    /// Whether it is asked for in a frame of its own: one for several was answered with an error.
    is_alone: bool,
    pub(super) wants: Vec<Want>,
    idle_since: Option<Time>,
    pub(super) kept: Queue<Kept<P>>,
    pub(super) course: Lean<Course>,
}

/// By which socket a topic comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// That of its connection.
    Here,
    /// A further one.
    Shard(ConnId),
    /// None yet.
    Nowhere,
}

/// What the server knows of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing.
    Off,
    /// It has been asked, and has not answered.
    Asked,
    /// It sends the messages.
    On,
}

/// A subscription of a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Whose it is.
    pub of: Of,
    /// Its number there.
    pub sub: u32,
    /// Whether only the newest of what waits counts for it.
    pub is_conflated: bool,
    /// Whether each message is for one of all that are so, alone.
    pub is_single: bool,
}

/// What a tab gets of a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Whether it gets the messages in its batches.
    pub is_wanted: bool,
    /// Whether only the newest of what waits counts for it.
    pub is_conflated: bool,
}

/// Topics that the server was asked for in one frame.
#[derive(Debug)]
struct Asked {
    topics: Vec<TopicNo>,
    /// Whether there were several: some may be wanted no more.
    are_several: bool,
    at: Time,
    until: Time,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Request {
    /// Whose it is.
    pub of: Of,
    /// Its number there.
    pub number: u32,
    /// What it asks, as JSON text, while that has not been sent.
    pub data: Option<String>,
    /// When it is given up.
    pub until: Time,
}

impl<P: Payload> Blank for Topics<P> {
    const BLANK: &'static Self = &Self::new(ReplayConfig {
        per_topic: Count(0),
        max_age: Millis::from_millis(0),
        max_bytes: Count(0),
    });
}

impl<P: Payload> Default for Topics<P> {
    fn default() -> Self {
        Self::new(ReplayConfig::default())
    }
}

impl<P: Payload> Topics<P> {
    /// No topics.
    pub const fn new(replay: ReplayConfig) -> Self {
        Self {
            most: usize::MAX,
            here: 0,
            unplaced: Vec::new(),
            released: Vec::new(),
            by_name: LiteMap::new(),
            places: Vec::new(),
            free: Vec::new(),
            asked: LiteMap::new(),
            requests: LiteMap::new(),
            last_id: 0,
            replay,
            kept: Queue::new(),
            kept_bytes: 0,
            heard_at: Time::ZERO,
            singles: None,
            keeps: 0,
            has_others: false,
            gather_until: Time::ZERO,
        }
    }

    /// Requests without an answer.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    /// The place of a topic.
    pub fn find(&self, name: &str) -> Option<TopicNo> {
        self.by_name.get(name).copied()
    }

    /// A topic.
    pub fn get(&self, no: TopicNo) -> Option<&Topic<P>> {
        self.places.get(no as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, no: TopicNo) -> Option<&mut Topic<P>> {
        self.places.get_mut(no as usize)?.as_mut()
    }

    /// Notes that a tab wants a topic. Tells where that is, and whether the subscription is new.
    pub fn want(&mut self, name: &str, want: Want) -> (TopicNo, bool) {
        let no = self.find(name).unwrap_or_else(|| self.insert(name));
        let Some(topic) = self.get_mut(no) else {
            return (no, false);
        };
        topic.idle_since = None;
        let is_new = !topic.wants.contains(&want);
        if is_new {
            topic.wants.push(want);
        }
        (no, is_new)
    }

    /// Notes that subscriptions are gone. Tells which topics have lost one.
    pub fn unwant(
        &mut self,
        port: PortId,
        is_gone: impl Fn(&Want) -> bool,
        now: Time,
    ) -> Vec<TopicNo> {
        let mut touched = Vec::new();
        for (no, place) in (0..).zip(&mut self.places) {
            let Some(topic) = place else {
                continue;
            };
            let before = topic.wants.len();
            topic
                .wants
                .retain(|want| want.of.0 != port || !is_gone(want));
            if topic.wants.len() == before {
                continue;
            }
            if topic.wants.is_empty() {
                topic.idle_since = Some(now);
            }
            if !topic.is_wanted_by(port)
                && let Some(course) = topic.course.made()
            {
                course.forget(port);
            }
            touched.push(no);
        }
        touched
    }

    /// Takes all subscriptions of a topic away, and the topic.
    pub fn refuse(&mut self, no: TopicNo) -> Vec<Want> {
        self.remove(no).map_or_else(Vec::new, |topic| topic.wants)
    }

    /// The topics that are wanted and that the server has not been asked for.
    pub fn unasked(&self) -> Vec<TopicNo> {
        self.numbers(|topic| {
            topic.home == Home::Here && topic.stage == Stage::Off && !topic.wants.is_empty()
        })
    }

    /// Whether a topic is asked for in a frame of its own.
    pub fn is_alone(&self, no: TopicNo) -> bool {
        self.get(no).is_some_and(|topic| topic.is_alone)
    }

    /// What a tab gets of a topic.
    pub fn share(&self, no: TopicNo, port: PortId) -> Share {
        let wants = self.get(no).into_iter().flat_map(|topic| &topic.wants);
        let mut wants = wants.filter(|want| want.of.0 == port && !want.is_single);
        let Some(first) = wants.next() else {
            return Share::default();
        };
        Share {
            is_wanted: true,
            is_conflated: first.is_conflated && wants.all(|want| want.is_conflated),
        }
    }

    /// Whether somebody wants the messages of a topic alone.
    pub fn has_singles(&self, no: TopicNo) -> bool {
        let topic = self.get(no);
        topic.is_some_and(|topic| topic.wants.iter().any(|want| want.is_single))
    }

    /// Whether there is still this subscription.
    pub fn has_want(&self, no: TopicNo, want: &Want) -> bool {
        self.get(no).is_some_and(|topic| topic.wants.contains(want))
    }

    /// What the connection calls a topic of which this is a further socket.
    pub fn wanted_as(&self, no: TopicNo) -> Option<TopicNo> {
        self.get(no)?.wants.first().map(|want| want.sub)
    }

    /// A subscription to a topic of each handle that has some.
    pub fn one_for_each_handle(&self, no: TopicNo) -> Vec<Want> {
        let mut found: Vec<Want> = Vec::new();
        for want in self.get(no).into_iter().flat_map(|topic| &topic.wants) {
            if !found.iter().any(|other| other.of == want.of) {
                found.push(*want);
            }
        }
        found
    }

    /// These are asked for one by one from now on.
    pub fn ask_alone(&mut self, topics: &[TopicNo]) {
        self.set_stage(topics, Stage::Off);
        for no in topics {
            if let Some(topic) = self.get_mut(*no) {
                topic.is_alone = true;
            }
        }
    }

    /// Takes away the topics that nobody has wanted for so long. Gives the names of those that the server knows.
    pub fn take_idle(&mut self, linger: Duration, now: Time) -> Vec<String> {
        let idle =
            self.numbers(|topic| topic.idle_since.is_some_and(|since| since + linger <= now));
        let topics = idle.into_iter().filter_map(|no| self.remove(no));
        topics
            .filter(|topic| topic.stage != Stage::Off)
            .map(|topic| topic.name)
            .collect()
    }

    /// Notes what the server has been asked for, or is taken to know, where it does not answer.
    pub fn set_stage(&mut self, topics: &[TopicNo], stage: Stage) {
        for no in topics {
            if let Some(topic) = self.get_mut(*no) {
                topic.stage = stage;
                topic.is_alone &= stage != Stage::On;
            }
        }
    }

    /// The server is a new one, and knows nothing. Gives the requests that it had.
    pub fn handle_lost(&mut self) -> Vec<Request> {
        self.asked = LiteMap::new();
        for topic in self.places.iter_mut().flatten() {
            topic.stage = Stage::Off;
            if let Some(course) = topic.course.made() {
                course.handle_lost();
            }
        }
        self.take_requests(|request| request.data.is_none())
    }

    /// The number for the next frame that is answered.
    pub fn next_id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    /// Waits for an answer about these topics, of which the server is asked now.
    pub fn wait_for(&mut self, id: u32, topics: Vec<TopicNo>, now: Time) {
        let asked = Asked {
            are_several: topics.len() > 1,
            topics,
            at: now,
            until: now + SUBSCRIBE_WITHIN,
        };
        self.asked.insert(id, asked);
    }

    /// Whether an answer is due of which the question is younger than what was heard last.
    pub fn is_unanswered(&self, now: Time) -> bool {
        let mut asked = self.asked.values();
        asked.any(|asked| asked.until <= now && asked.at >= self.heard_at)
    }

    /// No answer is due before this.
    pub fn wait_longer(&mut self, until: Time) {
        for (_, asked) in self.asked.iter_mut() {
            asked.until = asked.until.max(until);
        }
    }

    /// The server has answered about these topics, of several that it was asked for or of one.
    pub fn take_asked(&mut self, id: u32) -> Option<(Vec<TopicNo>, bool)> {
        let asked = self.asked.remove(&id)?;
        if self.asked.is_empty() {
            self.asked = LiteMap::new();
        }
        Some((asked.topics, asked.are_several))
    }

    /// The topics about which the server has not answered in time.
    pub fn take_unanswered(&mut self, now: Time) -> Vec<TopicNo> {
        let late: Vec<_> = self
            .asked
            .iter()
            .filter(|(_, asked)| asked.until <= now)
            .map(|(id, _)| *id)
            .collect();
        let late = late.into_iter().filter_map(|id| self.take_asked(id));
        late.flat_map(|(topics, _)| topics).collect()
    }

    /// Adds a request.
    pub fn add_request(&mut self, id: u32, request: Request) {
        self.requests.insert(id, request);
    }

    /// The request with this number.
    pub fn take_request(&mut self, id: u32) -> Option<Request> {
        let request = self.requests.remove(&id)?;
        if self.requests.is_empty() {
            self.requests = LiteMap::new();
        }
        Some(request)
    }

    /// Takes the requests of a kind.
    pub fn take_requests(&mut self, is_taken: impl Fn(&Request) -> bool) -> Vec<Request> {
        let ids: Vec<_> = self
            .requests
            .iter()
            .filter(|(_, request)| is_taken(request))
            .map(|(id, _)| *id)
            .collect();
        ids.into_iter()
            .filter_map(|id| self.requests.remove(&id))
            .collect()
    }

    /// What has not been sent, from now on sent.
    pub fn take_unsent(&mut self) -> Vec<(u32, String)> {
        self.requests
            .iter_mut()
            .filter_map(|(id, request)| Some((*id, request.data.take()?)))
            .collect()
    }

    /// When something has to be done: a topic has lingered, or an answer has not come.
    pub fn next_deadline(&self, linger: Duration, now: Time) -> Time {
        let idle = self.places.iter().flatten();
        let idle = idle.filter_map(|topic| topic.idle_since.map(|since| since + linger));
        let asked = self.asked.values().map(|asked| asked.until);
        let requests = self.requests.values().map(|request| request.until);
        let gathers = Some(self.gather_until).filter(|until| *until > now);
        let all = idle.chain(asked).chain(requests).chain(gathers);
        all.min().unwrap_or(Time::NEVER)
    }

    fn numbers(&self, is_meant: impl Fn(&Topic<P>) -> bool) -> Vec<TopicNo> {
        (0..)
            .zip(&self.places)
            .filter(|(_, topic)| topic.as_ref().is_some_and(&is_meant))
            .map(|(no, _)| no)
            .collect()
    }

    /// A topic comes by a further socket from now on. Gives its name.
    pub fn place(&mut self, no: TopicNo, shard: ConnId) -> Option<String> {
        self.unplaced.retain(|other| *other != no);
        let topic = self.get_mut(no)?;
        topic.home = Home::Shard(shard);
        Some(topic.name.clone())
    }

    /// Whether a topic comes by a further socket, which has been told from where.
    pub(super) fn is_placed(&self, no: TopicNo) -> bool {
        matches!(self.get(no).map(|topic| topic.home), Some(Home::Shard(_)))
    }

    /// A further socket is gone: its topics have none.
    pub fn displace(&mut self, shard: ConnId) {
        let displaced = self.numbers(|topic| topic.home == Home::Shard(shard));
        for no in &displaced {
            if let Some(topic) = self.get_mut(*no) {
                topic.home = Home::Nowhere;
            }
        }
        self.unplaced.extend(displaced);
    }

    fn insert(&mut self, name: &str) -> TopicNo {
        let is_here = self.here < self.most;
        let home = if is_here { Home::Here } else { Home::Nowhere };
        self.here += usize::from(is_here);
        let topic = Some(Topic {
            home,
            name: name.into(),
            stage: Stage::Off,
            is_alone: false,
            wants: Vec::new(),
            idle_since: None,
            kept: Queue::new(),
            course: Lean::NONE,
        });
        let no = self.free.pop().unwrap_or(self.places.len() as TopicNo);
        match self.places.get_mut(no as usize) {
            Some(place) => *place = topic,
            None => {
                // Many connections have one topic.
                if self.places.is_empty() {
                    self.places.reserve_exact(1);
                    self.by_name = LiteMap::with_capacity(1);
                }
                self.places.push(topic);
            }
        }
        self.by_name.insert(name.into(), no);
        if !is_here {
            self.unplaced.push(no);
        }
        no
    }

    fn remove(&mut self, no: TopicNo) -> Option<Topic<P>> {
        let topic = self.places.get_mut(no as usize)?.take()?;
        self.by_name.remove(&topic.name);
        match topic.home {
            Home::Here => self.here -= 1,
            Home::Shard(shard) => self.released.push((shard, no)),
            Home::Nowhere => self.unplaced.retain(|other| *other != no),
        }
        // An answer that is still to come is not about the topic that gets this place next.
        for (_, asked) in self.asked.iter_mut() {
            asked.topics.retain(|own| *own != no);
        }
        self.free.push(no);
        let bytes = topic.kept.iter().map(|kept| kept.frame.size());
        self.kept_bytes -= bytes.sum::<usize>();
        Some(topic)
    }
}

impl<P> Topic<P> {
    /// Whether a tab wants it.
    pub fn is_wanted_by(&self, port: PortId) -> bool {
        self.wants.iter().any(|want| want.of.0 == port)
    }
}
