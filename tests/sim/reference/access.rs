//! What an attempt needs of the tabs: who is asked for it, and what they have given.

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::core::{FUNCTION, NEED_WITHIN, PortId};
use tabwire::protocol::{Answer, AuthConfig, ConnId, Need, Needs, Report, State, Via};
use tabwire::time::Time;

use super::conn::Conn;
use super::lane::Mode;
use super::phase::{GAVE_UP, Phase};
use super::sender::Key;
use super::tabs::Tabs;
use super::{Doing, Reference};
use crate::invariants::{Check, Held};

/// So many handshakes that fail with one token mean that it is refused.
const FAILED_HANDSHAKES: u32 = 2;

/// A token is not asked for again sooner than this, however short it lasts.
const REFRESH_AGAIN: Duration = Duration::from_secs(10);

/// The token of a connection, and who is asked for what.
#[derive(Debug, Default)]
pub struct Access {
    /// What each handle can be asked for.
    pub needs: BTreeMap<Key, Needs>,
    /// Whether a token belongs to each attempt.
    pub with_token: bool,
    /// The question that is under way.
    pub asking: Option<Asking>,
    /// When it was last known that somebody can answer, or that somebody is asked.
    pub asked_at: Time,
    /// Questions that may still wait in the lanes of their tabs.
    unseen: Vec<(Key, Need)>,
    /// The token before the one that has come for a planned replacement: whether that came in time shows in what the hub does.
    before: Option<Option<Token>>,
    token: Option<Token>,
    handshakes: u32,
    refusals: u32,
}

#[derive(Debug)]
struct Token {
    value: String,
    got_at: Time,
    expires_at: Time,
}

/// What is missing for an attempt.
#[derive(Debug)]
pub struct Asking {
    /// What it is. If it is nothing, the attempt must be made now.
    need: Option<Need>,
    /// Whether it is for the socket that is to take over.
    is_planned: bool,
    /// The url, if it has been given.
    url: Option<String>,
    /// Who has been asked in vain.
    in_vain: Vec<PortId>,
    /// Who is asked, and since when.
    of: Option<(Key, Time)>,
    /// The number of the question, once it has come out of the lane of that tab.
    id: Option<u32>,
}

impl Access {
    /// Whether the token is good for an attempt.
    fn is_fresh(&self, config: &AuthConfig, now: Time) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| now < token.expires_at.min(self.refresh_at(config)))
    }

    /// Whether it has not expired.
    fn is_valid(&self, now: Time) -> bool {
        self.token
            .as_ref()
            .is_some_and(|token| now < token.expires_at)
    }

    /// When it is to be replaced.
    pub fn refresh_at(&self, config: &AuthConfig) -> Time {
        match &self.token {
            Some(token) if token.expires_at != Time::NEVER => {
                let half = token.got_at + token.expires_at.since(token.got_at) / 2;
                let due = half.max(token.expires_at - config.refresh_before.get());
                due.max(token.got_at + REFRESH_AGAIN)
            }
            Some(_) | None => Time::NEVER,
        }
    }

    /// The server has refused the token. Returns whether it is the first time in a row.
    pub fn refuse(&mut self) -> bool {
        self.token = None;
        self.refusals += 1;
        self.refusals == 1
    }

    /// A handshake has failed, perhaps because of the token.
    pub fn handle_failed_handshake(&mut self) {
        self.handshakes += 1;
        if self.handshakes >= FAILED_HANDSHAKES {
            self.token = None;
        }
    }

    /// A handshake is complete.
    pub fn handle_opened(&mut self) {
        self.handshakes = 0;
    }

    /// A connection with this token is stable.
    pub fn handle_stable(&mut self) {
        self.refusals = 0;
    }

    /// The token has aged while the clock stood still.
    pub fn age(&mut self, span: Duration) {
        if let Some(token) = &mut self.token
            && token.expires_at != Time::NEVER
        {
            token.got_at = token.got_at - span;
            token.expires_at = token.expires_at - span;
        }
    }

    /// Whether the hub woke up while somebody was asked for an attempt: the answer has its time again.
    pub fn wake(&mut self, now: Time) {
        if let Some(Asking {
            is_planned: false,
            of: Some((_, since)),
            ..
        }) = &mut self.asking
        {
            *since = now;
        }
    }

    /// When the answer is due.
    pub fn due(&self) -> Option<Time> {
        let asking = self.asking.as_ref().filter(|asking| !asking.is_planned)?;
        let (_, since) = asking.of?;
        Some(since + NEED_WITHIN)
    }

    /// What was asked for is there: the attempt must have been made.
    pub fn drained(&mut self) -> Held {
        if let Some(before) = self.before.take()
            && self.asking.take_if(|asking| asking.is_planned).is_some()
        {
            self.token = before;
        }
        let is_due = |asking: &Asking| asking.need.is_none() && !asking.is_planned;
        Check::AttemptsBringWhatTheyNeed.require(!self.asking.as_ref().is_some_and(is_due), || {
            format!("nothing is missing and no attempt made: {:?}", self.asking)
        })
    }
}

impl Conn {
    /// What an attempt still needs.
    fn missing(&self, has_url: bool, now: Time) -> Option<Need> {
        if self.identity.0 == FUNCTION && !has_url {
            Some(Need::Url)
        } else if self.access.with_token && !self.access.is_fresh(&self.config.auth, now) {
            Some(Need::Token)
        } else {
            None
        }
    }

    /// Whether an attempt cannot be made now, since nobody can be asked for what it needs.
    pub fn is_helpless(&self, tabs: &Tabs, now: Time) -> bool {
        match self.missing(false, now) {
            None => false,
            Some(Need::Token) if self.access.is_valid(now) => false,
            Some(need) => self.best(need, &[], tabs).is_none(),
        }
    }

    /// Who is asked: in a visible tab before a hidden one, the newest of those.
    fn best(&self, need: Need, in_vain: &[PortId], tabs: &Tabs) -> Option<Key> {
        let can = |key: &Key, needs: &Needs| {
            let has_it = match need {
                Need::Url => needs.url,
                Need::Token => needs.token,
            };
            has_it && self.handles.contains_key(key) && !in_vain.contains(&key.0)
        };
        let candidates = self.access.needs.iter();
        candidates
            .filter(|(key, needs)| can(key, needs) && tabs.mode(key.0) != Mode::Suspended)
            .map(|(key, _)| *key)
            .max_by_key(|key| (tabs.mode(key.0) == Mode::Visible, *key))
    }

    /// The one who was asked does not answer: another is, or it goes on with what there is.
    fn ask_another(&mut self, tabs: &Tabs, online: bool, now: Time) {
        let Some(mut asking) = self.access.asking.take() else {
            return;
        };
        if asking.is_planned {
            // Another may be asked, now or later.
            asking.of = None;
            asking.id = None;
            self.access.asking = Some(asking);
            return;
        }
        asking.in_vain.extend(asking.of.map(|((port, _), _)| port));
        self.ask(asking, tabs, online, now);
    }

    /// Asks the best, or goes on with what there is.
    fn ask(&mut self, mut asking: Asking, tabs: &Tabs, online: bool, now: Time) {
        let Some(need) = asking.need else {
            self.access.asking = Some(asking);
            return;
        };
        if let Some(key) = self.best(need, &asking.in_vain, tabs) {
            asking.id = None;
            asking.of = Some((key, now));
            self.access.unseen.push((key, need));
            self.access.asked_at = now;
            self.access.asking = Some(asking);
        } else if asking.is_planned {
            // The socket is up and stays up; the next refresh asks again.
        } else if need == Need::Token && self.access.is_valid(now) {
            asking.need = None;
            self.access.asking = Some(asking);
        } else {
            self.wait_for_tab(online, now);
        }
    }

    /// Whether an attempt with this url and these subprotocols is made with what has been given.
    pub fn check_means(&self, url: &str, protocols: &[String], tabs: &Tabs, now: Time) -> Held {
        let (need, given) = match &self.access.asking {
            Some(asking) if asking.need.is_none() || asking.id.is_some() => {
                (asking.need, asking.url.as_ref())
            }
            Some(_) | None => (self.missing(false, now), None),
        };
        let is_up = matches!(self.phase, Phase::Up { .. });
        let is_ready = match need {
            None => true,
            Some(Need::Url) => false,
            Some(Need::Token) => {
                self.access.asking.is_none()
                    && !is_up
                    && self.access.is_valid(now)
                    && self.best(Need::Token, &[], tabs).is_none()
            }
        };
        let mut due = given.unwrap_or(&self.identity.0).clone();
        let mut offered = self.identity.1.clone();
        if let Some(token) = &self.access.token {
            match self.config.auth.via {
                Via::Query => due = format!("{due}?access_token={}", token.value),
                Via::Subprotocol => offered.extend(["access_token".into(), token.value.clone()]),
                // Its connections have no templates.
                Via::Message => {}
            }
        }
        Check::AttemptsBringWhatTheyNeed
            .require(is_ready && due == url && offered == protocols, || {
                format!("an attempt at {url} with {protocols:?}, {need:?} is missing; due are {due} and {offered:?}")
            })
    }
}

impl Reference {
    /// A tab has answered.
    pub(super) fn take_answer(&mut self, port: PortId, id: u32, answer: &Answer) {
        let (now, online) = (self.now, self.online);
        let is_due = |asking: &Asking| {
            asking.id == Some(id) && asking.of.is_some_and(|((asked, _), _)| asked == port)
        };
        let found = self
            .conns
            .iter_mut()
            .find(|(_, conn)| conn.access.asking.as_ref().is_some_and(is_due));
        let Some((&conn_id, conn)) = found else {
            return;
        };
        conn.access.asked_at = now;
        let Some(mut asking) = conn.access.asking.take() else {
            return;
        };
        match answer {
            Answer::Url(url) if asking.need == Some(Need::Url) => {
                asking.url = Some(url.clone());
                asking.need = conn.missing(true, now);
                asking.in_vain.clear();
                conn.ask(asking, &self.tabs, online, now);
            }
            Answer::Token(value, lasts) if asking.need == Some(Need::Token) => {
                let before = conn.access.token.take();
                conn.access.before = asking.is_planned.then_some(before);
                conn.access.token = Some(Token {
                    value: value.clone(),
                    got_at: now,
                    expires_at: lasts.map_or(Time::NEVER, |lasts| now + lasts),
                });
                conn.access.handshakes = 0;
                asking.need = None;
                conn.access.asking = Some(asking);
            }
            Answer::Bad(_) if !asking.is_planned => {
                conn.end(GAVE_UP, false);
                self.unlist(conn_id);
            }
            // One that was meant for the hub before counts as failed.
            Answer::Failed | Answer::Bad(_) | Answer::Url(_) | Answer::Token(..) => {
                conn.access.asking = Some(asking);
                conn.ask_another(&self.tabs, online, now);
            }
        }
    }

    /// Some of the handles, or the tab that they are of, cannot be asked any more.
    pub(super) fn unask(&mut self, is_unheard: impl Fn(Key) -> bool) {
        for conn in self.conns.values_mut() {
            let asked = conn.access.asking.as_ref().and_then(|asking| asking.of);
            if asked.is_some_and(|(key, _)| is_unheard(key)) {
                conn.ask_another(&self.tabs, self.online, self.now);
            }
        }
    }

    /// Time has passed: who was asked long ago is not waited for any more.
    pub(super) fn unask_silent(&mut self) {
        for conn in self.conns.values_mut() {
            if conn.access.due().is_some_and(|due| due <= self.now) {
                conn.ask_another(&self.tabs, self.online, self.now);
            }
        }
    }

    /// Finds out whether the hub has begun to ask: the question may wait in the lane of a slow tab.
    pub fn resolve_questions(&mut self, report: impl Fn(PortId) -> Report) -> Held {
        let (now, online) = (self.now, self.online);
        let ids: Vec<_> = self.conns.keys().copied().collect();
        for id in ids {
            let conn = &self.conns[&id];
            let may_begin = match conn.phase {
                Phase::Idle | Phase::Waiting(_) => true,
                Phase::Asking => conn.access.asking.is_none(),
                Phase::Handshake(_) | Phase::Verifying(_) => conn.socket.is_none(),
                Phase::Up { .. } | Phase::Moving | Phase::Ended => false,
            };
            let need = conn.missing(false, now);
            let (Some((port, _)), Some(need), true) = (conn.handles.keys().next(), need, may_begin)
            else {
                continue;
            };
            let report = report(*port);
            let mut attached = report.attached.iter();
            let is_connecting =
                attached.any(|other| other.conn == id && other.state == State::Connecting.code());
            if !is_connecting || conn.best(need, &[], &self.tabs).is_none() {
                continue;
            }
            self.check_time(id, conn)?;
            let asking = Asking {
                need: Some(need),
                is_planned: false,
                url: None,
                in_vain: Vec::new(),
                of: None,
                id: None,
            };
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.phase = Phase::Asking;
                conn.waits_for_tab = false;
                conn.handle_transitions(1);
                conn.ask(asking, &self.tabs, online, now);
            }
        }
        Ok(())
    }

    /// A question comes out of the lane of its tab. For a planned replacement, of which nothing else is to be seen, it is the
    /// first sign.
    pub(super) fn observe_need(&mut self, key: Key, id: u32, kind: Need) -> Held {
        let now = self.now;
        let conn = self
            .conns
            .values_mut()
            .find(|conn| conn.handles.contains_key(&key));
        let Some(conn) = conn else {
            // The handle was closed meanwhile, or is on another connection now.
            return Ok(());
        };
        let view = conn.lanes.get(&key.0).and_then(|lane| lane.view.as_ref());
        if view.is_some_and(|view| view.state.is_open()) {
            if matches!(conn.phase, Phase::Up { .. }) {
                let url = conn.access.asking.take().and_then(|asking| asking.url);
                conn.access.asking = Some(Asking {
                    need: Some(kind),
                    is_planned: true,
                    url,
                    in_vain: Vec::new(),
                    of: Some((key, now)),
                    id: Some(id),
                });
            }
            return Ok(());
        }
        let unseen = &mut conn.access.unseen;
        let place = unseen.iter().position(|unseen| *unseen == (key, kind));
        let Some(place) = place else {
            return Err(Check::TheBestTabIsAsked.breach(format!(
                "{key:?} is asked for a {kind:?}, and is not the one"
            )));
        };
        unseen.remove(place);
        // Those before it are of no account any more.
        if let Some(asking) = &mut conn.access.asking
            && asking.of.is_some_and(|(of, _)| of == key)
            && asking.need == Some(kind)
        {
            asking.id = Some(id);
        }
        Ok(())
    }

    /// Whether it is time for an attempt, or for what it needs.
    pub(super) fn check_time(&self, id: ConnId, conn: &Conn) -> Held {
        let now = self.now;
        let is_wished = self.doing == Doing::Reconnect(id);
        let is_going_on = conn.access.asking.is_some();
        let is_time = match conn.phase {
            Phase::Idle => self.better.is_none(),
            Phase::Asking => is_going_on || is_wished,
            Phase::Waiting(wait) => {
                let is_due = wait.least <= now && now <= wait.most + self.late();
                is_wished || is_due || conn.waits_for_tab
            }
            Phase::Handshake(_) | Phase::Verifying(_) => is_wished,
            Phase::Up { .. } => {
                conn.successor.is_none() && (is_going_on || conn.may_be_replaced(now))
            }
            Phase::Moving | Phase::Ended => false,
        };
        Check::DelaysAreWithinBounds.require(is_time, || {
            format!("an attempt at {now:?} in {:?}", conn.phase)
        })
    }
}

impl Conn {
    /// Whether the hub may have wanted to make an attempt, and has made none.
    pub fn is_attempt_due(&self, is_wished: bool, has_better: bool, now: Time) -> bool {
        match self.phase {
            Phase::Idle => !has_better,
            Phase::Waiting(wait) => is_wished || self.waits_for_tab || wait.least <= now,
            Phase::Handshake(_) | Phase::Verifying(_) => is_wished && self.socket.is_none(),
            Phase::Asking | Phase::Up { .. } | Phase::Moving | Phase::Ended => false,
        }
    }

    /// Nobody can be asked for an attempt that may be due: whether the hub has waited anew, and for how long, nobody hears.
    pub fn wait_unheard(&mut self, online: bool, now: Time) {
        if matches!(self.phase, Phase::Handshake(_) | Phase::Verifying(_)) {
            self.wait_for_tab(online, now);
        }
        self.waits_for_tab = true;
        self.has_waited_unheard = true;
        self.handle_transitions(1);
        self.failures.unanswered.1 += 1;
    }
}
