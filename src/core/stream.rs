//! A stream of server-sent events, or requests made again and again: what they bring is what a WebSocket would.

use core::time::Duration;

use super::connection::{Connection, Cx, Phase};
use super::io::{Fetch, Method, Output, Payload, Response, SocketId, TimerReason};
use super::route::route_of;
use super::sse::{Events, Said};
use crate::protocol::{Cause, Outcome, Permit, Place, Polling, Reason, State, Transport};

/// How long the headers of an answer may take, and the whole of one that is no stream.
pub const FETCH_WITHIN: Duration = Duration::from_secs(10);
/// One that does not come is given up after the time that a WebSocket would have, but not before this.
const OPEN_WITHIN: Duration = Duration::from_secs(1);
/// A stream that ends is opened again after this, if the server does not say when.
const REOPEN_AFTER: Duration = Duration::from_secs(1);
/// So many requests in a row may fail before the connection counts as lost.
const MOST_FAILURES: u32 = 3;
/// Largest answer that is a message as a whole.
const MOST_TEXT: usize = 16 << 20;
/// Browsers do not ask in step: up to this share of the interval earlier or later.
const SPREAD: f64 = 0.1;

/// What takes the place of a WebSocket.
#[derive(Debug)]
pub struct Stream {
    /// What it is called as a socket.
    pub socket: SocketId,
    /// Of which kind it is.
    pub transport: Transport,
    request: Option<Request>,
    /// Requests that have failed in a row.
    failures: u32,
    /// How long the server wants to be left alone before the stream is opened again.
    retry: Duration,
}

/// A request that is under way.
#[derive(Debug)]
struct Request {
    number: u32,
    /// What it is behind a breaker with, until its outcome is known.
    permit: Option<Permit>,
    /// Whether its headers have come, and what of.
    body: Option<Body>,
}

#[derive(Debug)]
enum Body {
    Events(Box<Events>),
    Text(String),
    /// Nothing that counts.
    Nothing,
}

impl Stream {
    /// One that has not begun.
    pub fn new(socket: SocketId, transport: Transport) -> Self {
        Self {
            socket,
            transport,
            request: None,
            failures: 0,
            retry: REOPEN_AFTER,
        }
    }
}

impl<P: Payload> Connection<P> {
    /// Makes the next request, if the breaker of its route lets it pass.
    pub(super) fn fetch(&mut self, cx: &mut Cx<'_, P>) {
        let Some((place, name)) = self.source(cx) else {
            return;
        };
        let url = self.with_access(place);
        match cx.gates.acquire_for_hub(&name, cx.now, cx.rng) {
            Ok(permit) => self.make_request(url, permit, cx),
            Err(_) if matches!(self.phase, Phase::Handshake(_)) => {
                self.fail_attempt(Reason::BreakerOpen, cx);
            }
            Err(refusal) => {
                let wait = refusal.retry_after.unwrap_or(FETCH_WITHIN);
                self.set_timer_in(TimerReason::Fetch, wait, cx);
            }
        }
    }

    fn make_request(&mut self, url: String, permit: Permit, cx: &mut Cx<'_, P>) {
        let auth = self.authorization();
        let Some(fallback) = &mut self.fallback else {
            return;
        };
        let number = fallback.next_request();
        let last_id = fallback.last_id.clone().map(|id| ("Last-Event-ID", id));
        let mut headers: Vec<_> = last_id.into_iter().chain(auth).collect();
        let Some(stream) = &mut fallback.stream else {
            return;
        };
        if stream.transport == Transport::Polling {
            let conditions = [
                ("If-None-Match", &fallback.etag),
                ("If-Modified-Since", &fallback.modified),
            ];
            for (name, value) in conditions {
                headers.extend(value.clone().map(|value| (name, value)));
            }
        }
        stream.request = Some(Request {
            number,
            permit: Some(permit),
            body: None,
        });
        cx.out.push(Output::Fetch(Box::new(Fetch {
            socket: stream.socket,
            request: number,
            method: Method::Get,
            url,
            headers,
            body: None,
        })));
        let is_first = matches!(self.phase, Phase::Handshake(_));
        let patience = self.config.fallback.after.timeout.filter(|_| is_first);
        let within = patience.map_or(FETCH_WITHIN, |time| time.get());
        let within = within.clamp(OPEN_WITHIN, FETCH_WITHIN);
        self.set_timer_in(TimerReason::Fetch, within, cx);
    }

    /// The time of a request is over, or the next one is due.
    pub(super) fn handle_fetch_timer(&mut self, cx: &mut Cx<'_, P>) {
        let stream = self.stream();
        if stream.is_some_and(|stream| stream.request.is_some()) {
            self.fail_fetch(Outcome::Failure(None), Reason::ConnectTimeout, cx);
        } else {
            self.fetch(cx);
        }
    }

    /// The clock had stopped: what is under way proves nothing, and is made again.
    pub(super) fn fetch_again(&mut self, cx: &mut Cx<'_, P>) {
        self.end_fetch(cx);
        self.fetch(cx);
    }

    /// The headers of an answer have come.
    pub(super) fn handle_response(&mut self, number: u32, response: Response, cx: &mut Cx<'_, P>) {
        let status = response.status;
        let outcome = Outcome::of_status(status, response.retry_after);
        let Some(stream) = self.stream_with(number) else {
            return;
        };
        let is_events = response.content_type.starts_with("text/event-stream");
        let is_sse = stream.transport == Transport::Sse;
        let body = match status {
            200..=299 if is_events && status != 204 => Some(Body::Events(Box::default())),
            _ if is_sse => None,
            204 | 304 => Some(Body::Nothing),
            200..=299 => Some(Body::Text(String::new())),
            _ => None,
        };
        let Some(body) = body else {
            if matches!(status, 401 | 403) && self.with_token {
                self.access.handle_refused();
            }
            self.fail_fetch(outcome, Reason::ConnectFailed, cx);
            return;
        };
        if let Some(request) = &mut stream.request {
            request.body = Some(body);
        }
        stream.failures = 0;
        self.report_fetch(outcome, cx);
        if is_sse {
            cx.timers.clear(self.owner(), TimerReason::Fetch);
        } else if status != 304
            && let Some(fallback) = &mut self.fallback
        {
            fallback.etag = response.etag;
            fallback.modified = response.modified;
        }
        self.handle_flow(cx);
    }

    /// A piece of an answer has come.
    pub(super) fn handle_text(&mut self, number: u32, text: &str, cx: &mut Cx<'_, P>) {
        let Some(stream) = self.stream_with(number) else {
            return;
        };
        let body = stream
            .request
            .as_mut()
            .and_then(|request| request.body.as_mut());
        match body {
            Some(Body::Events(events)) => {
                for said in events.push(text) {
                    self.take_said(said, cx);
                }
            }
            Some(Body::Text(whole)) if whole.len() + text.len() <= MOST_TEXT => {
                whole.push_str(text);
            }
            Some(Body::Text(_)) => self.give_up_body(cx),
            Some(Body::Nothing) | None => {}
        }
    }

    /// An answer has ended, as it should or not.
    pub(super) fn handle_done(&mut self, number: u32, ok: bool, cx: &mut Cx<'_, P>) {
        let online = cx.online;
        let Some(stream) = self.stream_with(number) else {
            return;
        };
        let is_sse = stream.transport == Transport::Sse;
        let body = stream
            .request
            .as_mut()
            .and_then(|request| request.body.take());
        let (true, false, Some(body)) = (ok, is_sse, body) else {
            // The network being away says nothing about the service.
            let outcome = if online {
                Outcome::Failure(None)
            } else {
                Outcome::Neutral
            };
            self.fail_fetch(outcome, Reason::ConnectionLost, cx);
            return;
        };
        stream.request = None;
        if let Body::Text(text) = body {
            self.take_text(text, cx);
        }
        self.plan_poll(cx);
    }

    /// Whatever is under way is given up, and says nothing.
    pub(super) fn end_fetch(&mut self, cx: &mut Cx<'_, P>) {
        cx.timers.clear(self.owner(), TimerReason::Fetch);
        self.report_fetch(Outcome::Neutral, cx);
        let Some(stream) = self.stream_mut() else {
            return;
        };
        let socket = stream.socket;
        if let Some(request) = stream.request.take() {
            cx.out.push(Output::Abort(socket, request.number));
        }
    }

    /// A request has failed. One that has brought something before is made again, a few times.
    fn fail_fetch(&mut self, outcome: Outcome, reason: Reason, cx: &mut Cx<'_, P>) {
        self.report_fetch(outcome, cx);
        self.end_fetch(cx);
        if matches!(self.phase, Phase::Handshake(_)) {
            self.fail_attempt(reason, cx);
            return;
        }
        let has_id = self
            .fallback
            .as_ref()
            .is_some_and(|own| own.last_id.is_some());
        let Some(stream) = self.stream_mut() else {
            return;
        };
        stream.failures += 1;
        let (is_sse, retry) = (stream.transport == Transport::Sse, stream.retry);
        if stream.failures >= MOST_FAILURES {
            self.lose(reason, (1006, String::new(), false), cx);
            return;
        }
        if !is_sse {
            self.plan_poll(cx);
            return;
        }
        if self.status.state == State::Open {
            self.transition(State::Suspect, reason, Cause::None, cx);
            if !has_id {
                // Whatever the server says meanwhile, it does not say again.
                self.tell_gap(reason);
                self.flush(cx);
            }
        }
        let wait = retry.mul_f64(0.5 + cx.rng.f64());
        self.set_timer_in(TimerReason::Fetch, wait, cx);
    }

    /// The server answers as it should.
    fn handle_flow(&mut self, cx: &mut Cx<'_, P>) {
        if matches!(self.phase, Phase::Handshake(_)) {
            self.open_by_stream(cx);
        } else if self.status.state == State::Suspect {
            self.transition(State::Open, Reason::Recovered, Cause::None, cx);
        }
    }

    fn take_said(&mut self, said: Said, cx: &mut Cx<'_, P>) {
        let Some(fallback) = &mut self.fallback else {
            return;
        };
        match said {
            Said::Message { data, id } => {
                if let Some(id) = id {
                    fallback.set_last_id(id);
                }
                self.handle_frame(P::from_text(&data), cx);
            }
            Said::Id(id) => fallback.set_last_id(id),
            Said::Reset(id) => {
                fallback.set_last_id(id.unwrap_or_default());
                self.tell_gap(Reason::EventsNotKept);
            }
            Said::Retry(after) => {
                let most = self.config.reconnect.max_delay.get();
                if let Some(stream) = self.stream_mut() {
                    stream.retry = after.min(most);
                }
            }
            Said::TooLarge => self.give_up_body(cx),
        }
    }

    /// An answer is larger than anything that is kept.
    fn give_up_body(&mut self, cx: &mut Cx<'_, P>) {
        self.note_malformed(cx.now);
        self.fail_fetch(Outcome::Neutral, Reason::ConnectionLost, cx);
    }

    /// A whole answer is a message, unless it is the one of before.
    fn take_text(&mut self, text: String, cx: &mut Cx<'_, P>) {
        let Some(fallback) = &mut self.fallback else {
            return;
        };
        if text.is_empty() || fallback.last_text.as_ref() == Some(&text) {
            return;
        }
        let frame = P::from_text(&text);
        fallback.last_text = Some(text);
        self.handle_frame(frame, cx);
    }

    fn plan_poll(&mut self, cx: &mut Cx<'_, P>) {
        if let Some(Polling { interval, .. }) = &self.config.fallback.polling {
            let spread = 1.0 + SPREAD * (2.0 * cx.rng.f64() - 1.0);
            self.set_timer_in(TimerReason::Fetch, interval.get().mul_f64(spread), cx);
        }
    }

    /// The stream, if this is its request.
    fn stream_with(&mut self, number: u32) -> Option<&mut Stream> {
        let stream = self.stream_mut()?;
        let is_its = stream.request.as_ref()?.number == number;
        is_its.then_some(stream)
    }

    /// Where the stream comes from, and what its breaker is called.
    fn source(&self, cx: &Cx<'_, P>) -> Option<(&Place, String)> {
        let config = &self.config.fallback;
        let place = match self.stream()?.transport {
            Transport::Sse => config.sse.as_ref()?,
            Transport::Polling => &config.polling.as_ref()?.place,
            Transport::WebSocket => return None,
        };
        Some((place, route_of(cx.gates.origin(), &place.url)))
    }

    /// What has come of the request, for its breaker.
    fn report_fetch(&mut self, outcome: Outcome, cx: &mut Cx<'_, P>) {
        let Some((_, name)) = self.source(cx) else {
            return;
        };
        let request = self.stream_mut().and_then(|stream| stream.request.as_mut());
        let Some(permit) = request.and_then(|request| request.permit.take()) else {
            return;
        };
        cx.gates
            .report_for_hub(&name, permit, outcome, cx.now, cx.rng);
    }
}
