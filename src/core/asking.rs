//! Asking the tabs for the url and the token of an attempt: one at a time, and another when one does not answer.

use super::access::{ANSWER_WITHIN, ASK_AGAIN, Asking, REFRESH_AGAIN, Token, is_subprotocol};
use super::backoff::local_delay;
use super::connection::{Connection, Cx, FUNCTION, Phase};
use super::io::{Payload, PortId, TimerReason};
use super::tabs::Mode;
use crate::protocol::{Answer, Cause, HandleId, HubMessage, Need, Needs, Reason, State, Via};
use crate::time::Time;

impl<P: Payload> Connection<P> {
    /// Goes on with an attempt, or with the socket that is to take over (`is_planned`): asks for what is missing, or opens it.
    pub(super) fn prepare(
        &mut self,
        reason: Reason,
        is_planned: bool,
        url: Option<String>,
        cx: &mut Cx<'_, P>,
    ) {
        let is_function = self.is_function();
        let url = match &self.shard {
            Some(shard) => shard.url.clone(),
            None => url,
        };
        // A socket that is told a token is told the next one too.
        let is_told = is_planned && self.config.auth.via == Via::Message;
        // Nobody would give it one before the first socket is opened again.
        let is_tokenless = self.shard.as_ref().is_some_and(|shard| shard.is_tokenless);
        let wants_token = self.with_token && !is_told && !is_tokenless;
        let need = if is_function && url.is_none() {
            Need::Url
        } else if wants_token && !self.access.is_fresh(&self.config.auth, cx.now) {
            Need::Token
        } else {
            self.go_on(reason, is_planned, url, cx);
            return;
        };
        let asking = Asking::new(need, reason, is_planned, url);
        self.ask_next(Box::new(asking), cx);
    }

    /// The token is about to expire: the socket is told the next one, or replaced.
    pub(super) fn refresh(&mut self, cx: &mut Cx<'_, P>) {
        if self.config.auth.via != Via::Message {
            self.replace(cx);
        } else if self.shard.is_some() && self.access.is_fresh(&self.config.auth, cx.now) {
            self.tell_token(cx);
        } else if self.access.asking.is_none() {
            let asking = Asking::new(Need::Token, Reason::Handover, true, None);
            self.ask_next(Box::new(asking), cx);
        }
    }

    /// Shows a fresh token to the sockets that are open.
    fn tell_token(&mut self, cx: &mut Cx<'_, P>) {
        let successor = self.successor.as_ref();
        let successor = successor.filter(|successor| successor.is_open());
        let successor = successor.map(|successor| successor.socket);
        for socket in self.socket().into_iter().chain(successor) {
            self.authenticate(socket, cx);
        }
        let refresh_at = self.access.refresh_at(&self.config.auth);
        self.set_timer(TimerReason::Refresh, refresh_at, cx);
    }

    /// Whether a tab has to be asked for the url of each attempt.
    pub(super) fn is_function(&self) -> bool {
        *self.identity.url == *FUNCTION
    }

    /// Whether a further socket lacks what the first one may have.
    pub(super) fn needs_loan(&self, now: Time) -> bool {
        if self.shard.is_none() {
            return false;
        }
        let lacks_url = self.is_function() && !matches!(self.phase, Phase::Up { .. });
        let lacks_token = self.with_token && !self.access.is_fresh(&self.config.auth, now);
        lacks_url || lacks_token
    }

    /// Takes what the first socket was given.
    pub(super) fn take_loan(
        &mut self,
        url: Option<String>,
        token: Option<Box<Token>>,
        is_tokenless: bool,
    ) {
        if let Some(shard) = &mut self.shard {
            shard.url = url.or(shard.url.take());
            shard.is_tokenless = is_tokenless;
        }
        if let Some(token) = token {
            self.access.take_loan(token);
        }
    }

    fn go_on(&mut self, reason: Reason, is_planned: bool, url: Option<String>, cx: &mut Cx<'_, P>) {
        let url = url.unwrap_or_else(|| self.identity.url.to_string());
        if is_planned {
            self.open_successor(url, cx);
        } else {
            self.open_socket(reason, url, cx);
        }
    }

    /// What a tab answered.
    pub(super) fn handle_answer(
        &mut self,
        port: PortId,
        id: u32,
        answer: Answer,
        cx: &mut Cx<'_, P>,
    ) {
        let asking = &mut self.access.asking;
        let Some(asking) = asking.take_if(|asking| asking.is_answered_by(port, id)) else {
            return;
        };
        cx.timers.clear(self.owner(), TimerReason::Answer);
        let (reason, is_planned) = (asking.reason, asking.is_planned);
        match (asking.need, answer) {
            (Need::Url, Answer::Url(url)) => {
                self.prepare(reason, is_planned, Some(url), cx);
            }
            (Need::Token, Answer::Token(token, lasts)) => {
                if self.config.auth.via == Via::Subprotocol && !is_subprotocol(&token) {
                    self.handle_bad(Need::Token, asking, cx);
                    return;
                }
                if is_planned && self.access.has_token(&token) {
                    // The user's function has no fresh one yet.
                    self.set_timer_in(TimerReason::Refresh, REFRESH_AGAIN, cx);
                    return;
                }
                self.access.set_token(token, lasts, cx.now);
                if is_planned && self.config.auth.via == Via::Message {
                    self.tell_token(cx);
                    return;
                }
                self.go_on(reason, is_planned, asking.url, cx);
            }
            (_, Answer::Bad(need)) => self.handle_bad(need, asking, cx),
            (_, Answer::Failed | Answer::Url(_) | Answer::Token(..)) => {
                self.ask_another(asking, cx);
            }
        }
    }

    /// Whether a question with this number waits for this tab.
    pub(super) fn is_asking(&self, port: PortId, id: u32) -> bool {
        let asking = self.access.asking.as_ref();
        asking.is_some_and(|asking| asking.is_answered_by(port, id))
    }

    /// The tab that was asked did not answer in time.
    pub(super) fn handle_no_answer(&mut self, cx: &mut Cx<'_, P>) {
        if let Some(asking) = self.access.asking.take() {
            self.ask_another(asking, cx);
        }
    }

    /// A handle or its tab is gone, frozen or cached: if it was asked, another is.
    pub(super) fn handle_unheard(
        &mut self,
        is_unheard: impl Fn(&(PortId, HandleId)) -> bool,
        cx: &mut Cx<'_, P>,
    ) {
        let asking = &mut self.access.asking;
        if let Some(asking) = asking.take_if(|asking| is_unheard(&asking.of)) {
            self.ask_another(asking, cx);
        }
    }

    /// A tab that can be asked is back.
    pub(super) fn handle_heard(&mut self, port: PortId, cx: &mut Cx<'_, P>) {
        self.hand_on(None, cx);
        let waits = self.phase == Phase::Waiting && self.status.reason == Reason::TokenWait;
        if waits && self.needs.keys().any(|(owner, _)| *owner == port) {
            self.connect(Reason::Attached, cx);
        }
    }

    /// The server refused the token. A fresh one is asked for at once; if that is refused as well, the delays grow.
    pub(super) fn handle_refused(&mut self, close: (u16, String, bool), cx: &mut Cx<'_, P>) {
        let is_first = self.access.handle_refused();
        if self.status.state.is_open() {
            let delay = if is_first {
                local_delay(cx.rng)
            } else {
                self.backoff
                    .handle_unanswered(&self.config.reconnect, cx.rng)
            };
            self.lose_for(delay, Reason::AuthRefused, close, cx);
        } else {
            self.status.code = Some(close.0);
            if is_first {
                self.stop_timers(cx);
                let delay = local_delay(cx.rng);
                self.wait(delay, Reason::AuthRefused, Cause::AttemptFailed, cx);
            } else {
                self.fail_attempt(Reason::AuthRefused, cx);
            }
        }
    }

    fn ask_another(&mut self, mut asking: Box<Asking>, cx: &mut Cx<'_, P>) {
        asking.in_vain.push(asking.of.0);
        self.ask_next(asking, cx);
    }

    fn ask_next(&mut self, mut asking: Box<Asking>, cx: &mut Cx<'_, P>) {
        let Some(of) = self.best_to_ask(&asking, cx) else {
            self.handle_nobody(*asking, cx);
            return;
        };
        *cx.questions += 1;
        asking.of = of;
        asking.id = *cx.questions;
        let need = HubMessage::Need {
            handle: of.1,
            id: asking.id,
            kind: asking.need,
        };
        if !asking.is_planned && self.phase != Phase::Asking {
            self.phase = Phase::Asking;
            self.status.next_attempt_at = None;
            self.transition(State::Connecting, Reason::Asking, Cause::None, cx);
        }
        // Behind what has been collected for this tab: it may have to hear `attached` first.
        self.fanout.push_note_to(of.0, need);
        self.access.asking = Some(asking);
        self.set_timer_in(TimerReason::Answer, ANSWER_WITHIN, cx);
        self.flush(cx);
    }

    /// The focused tab, else a visible one, else the newest.
    fn best_to_ask(&self, asking: &Asking, cx: &Cx<'_, P>) -> Option<(PortId, HandleId)> {
        let can = |needs: &Needs| match asking.need {
            Need::Url => needs.url,
            Need::Token => needs.token,
        };
        let candidates = self.needs.iter().filter(|((port, handle), needs)| {
            can(needs)
                && self.handles.contains_key(&(*port, *handle))
                && !asking.in_vain.contains(port)
                && cx.tabs.mode(*port) != Mode::Suspended
        });
        let candidates = candidates.map(|(of, _)| *of);
        candidates.max_by_key(|(port, handle)| cx.tabs.rank(*port, *handle))
    }

    /// Nobody can be asked any more.
    fn handle_nobody(&mut self, asking: Asking, cx: &mut Cx<'_, P>) {
        if asking.need == Need::Token && self.access.is_valid(cx.now) && !asking.is_planned {
            // Not for long any more, but good enough for an attempt.
            self.go_on(asking.reason, false, asking.url, cx);
            return;
        }
        if asking.is_planned {
            self.set_timer_in(TimerReason::Refresh, REFRESH_AGAIN, cx);
            return;
        }
        let delay = self
            .backoff
            .handle_unanswered(&self.config.reconnect, cx.rng)
            .max(ASK_AGAIN);
        self.wait(delay, Reason::TokenWait, Cause::None, cx);
    }

    /// The user's function returned something that cannot be used. Only a connection that works goes on.
    fn handle_bad(&mut self, need: Need, asking: Box<Asking>, cx: &mut Cx<'_, P>) {
        if asking.is_planned {
            self.ask_another(asking, cx);
            return;
        }
        let reason = match need {
            Need::Url => Reason::BadUrl,
            Need::Token => Reason::BadToken,
        };
        self.end(State::Failed, reason, 1006, false, cx);
    }
}
