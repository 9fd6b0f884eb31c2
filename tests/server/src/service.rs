//! The scripted service: what each of its routes answers, and what has been asked of it.

mod burst;
mod call;
mod mode;
mod tokens;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::Instant;

use self::call::Call;
use self::mode::{Failure, Mode, Verdict};
use self::tokens::Tokens;
use crate::state::App;
use crate::sync::lock;

pub use self::call::{answer, issue};
pub use self::mode::{ServiceOrder, check_status, route_name};

/// The routes of the service and its tokens, under one lock so that no call escapes an order.
#[derive(Default)]
pub struct Services(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    routes: BTreeMap<String, Route>,
    tokens: Tokens,
    /// Counts the resets: what was called before one is not counted after it.
    era: u64,
}

#[derive(Default)]
struct Route {
    mode: Mode,
    counts: Counts,
    held: VecDeque<Held>,
}

/// What is counted of a route.
#[derive(Default)]
struct Counts {
    calls: u64,
    in_flight: u64,
    peak: u64,
    answered: BTreeMap<String, u64>,
    aborted: u64,
}

/// A call that waits for its verdict.
struct Held {
    n: u64,
    bearer: Option<String>,
    tell: oneshot::Sender<Verdict>,
}

/// What `GET /control/wait` may ask about a route.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many calls there have been.
    pub calls: u64,
    /// How many of them are neither answered nor given up.
    pub in_flight: u64,
    /// How many of those are held.
    pub held: u64,
}

impl Services {
    /// Puts the mode of a route in force; calls that are held are judged by it at once, the oldest first.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the order.
    pub fn order(&self, order: &ServiceOrder) -> Result<(), String> {
        let mode = order.mode()?;
        let inner = &mut *lock(&self.0);
        let route = route(&mut inner.routes, order.route()).ok_or("too many routes")?;
        route.mode = mode;
        for held in std::mem::take(&mut route.held) {
            route.judge(held, &inner.tokens);
        }
        Ok(())
    }

    /// Answers the `count` oldest held calls of a route with a status, and tells how many there were.
    pub fn release(&self, route: &str, count: Option<usize>, status: StatusCode) -> usize {
        let mut inner = lock(&self.0);
        let Some(route) = inner.routes.get_mut(route) else {
            return 0;
        };
        let count = count.unwrap_or(usize::MAX).min(route.held.len());
        for held in route.held.drain(..count) {
            held.tell(Verdict::with_status(status));
        }
        count
    }

    /// Makes the newest token invalid.
    pub fn expire(&self) {
        lock(&self.0).tokens.expire();
    }

    /// Forgets all orders, counts and tokens; calls that are held are answered.
    pub fn reset(&self) {
        let mut inner = lock(&self.0);
        let era = inner.era + 1;
        let before = std::mem::take(&mut *inner);
        inner.era = era;
        for held in before.routes.into_values().flat_map(|route| route.held) {
            held.tell(Verdict::Ok);
        }
    }

    /// All numbers.
    pub fn report(&self) -> Value {
        let inner = lock(&self.0);
        let routes: BTreeMap<_, _> = inner
            .routes
            .iter()
            .map(|(name, route)| (name, route.report()))
            .collect();
        json!({ "routes": routes, "tokens": { "issued": inner.tokens.issued() } })
    }

    /// How busy a route is.
    pub fn load(&self, route: &str) -> Load {
        let inner = lock(&self.0);
        let route = inner.routes.get(route);
        Load {
            calls: route.map_or(0, |route| route.counts.calls),
            in_flight: route.map_or(0, |route| route.counts.in_flight),
            held: route.map_or(0, |route| route.held.len() as u64),
        }
    }

    fn issue(&self) -> String {
        lock(&self.0).tokens.issue()
    }

    /// Enters a call, which is judged at once unless its route holds it; `None` where there are too many routes.
    fn enter(app: &Arc<App>, name: &str, bearer: Option<String>) -> Option<Call> {
        let inner = &mut *lock(&app.services.0);
        let era = inner.era;
        let route = route(&mut inner.routes, name)?;
        let counts = &mut route.counts;
        counts.calls += 1;
        counts.in_flight += 1;
        counts.peak = counts.peak.max(counts.in_flight);
        let n = counts.calls;
        let (tell, verdict) = oneshot::channel();
        route.judge(Held { n, bearer, tell }, &inner.tokens);
        Some(Call::new(Arc::clone(app), name, era, n, verdict))
    }

    /// Counts the end of a call: how it was answered, or that its client had gone.
    fn leave(&self, name: &str, era: u64, n: u64, answered: Option<String>) {
        let mut inner = lock(&self.0);
        if inner.era != era {
            return;
        }
        if let Some(route) = inner.routes.get_mut(name) {
            route.held.retain(|held| held.n != n);
            route.counts.in_flight -= 1;
            match answered {
                Some(how) => *route.counts.answered.entry(how).or_default() += 1,
                None => route.counts.aborted += 1,
            }
        }
    }
}

impl Route {
    fn judge(&mut self, call: Held, tokens: &Tokens) {
        let has_token = || tokens.admits(call.bearer.as_deref());
        match self.mode.judge(Instant::now(), has_token) {
            Some(verdict) => call.tell(verdict),
            None => self.held.push_back(call),
        }
    }

    fn report(&self) -> Value {
        let counts = &self.counts;
        json!({
            "calls": counts.calls,
            "in_flight": counts.in_flight,
            "peak": counts.peak,
            "held": self.held.len(),
            "answered": counts.answered,
            "aborted": counts.aborted,
        })
    }
}

impl Held {
    fn tell(self, verdict: Verdict) {
        // Fails only where its client is gone, which its end counts.
        let _ = self.tell.send(verdict);
    }
}

fn route<'a>(routes: &'a mut BTreeMap<String, Route>, name: &str) -> Option<&'a mut Route> {
    if routes.len() >= MOST_ROUTES && !routes.contains_key(name) {
        return None;
    }
    Some(routes.entry(name.into()).or_default())
}

/// How many routes are known.
const MOST_ROUTES: usize = 1000;
