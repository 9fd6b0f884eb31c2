//! What the hub says to a tab. Messages that carry payloads are posted by the driver (`core::Output::Deliver`).

use core::time::Duration;
use std::rc::Rc;

use super::report::Told;
use super::{
    Alert, BreakerView, ConnId, Foreign, HandleId, Loss, MAJOR, MessageError, Need, Permit, Reason,
    Refusal, Report, RequestError, SendFailure, Transport, WhenSlow, op,
};
use crate::time::Time;

/// A message of the hub.
#[derive(Clone, Debug, PartialEq)]
pub enum HubMessage {
    /// The hub is up and knows this tab. What else it says is known to the driver.
    Welcome,
    /// The handle is on a connection.
    Attached {
        /// The handle.
        handle: HandleId,
        /// The connection.
        conn: ConnId,
        /// Sequence of the next message.
        next: u64,
        /// Options that differ from those in force.
        ignored: Vec<&'static str>,
        /// How the connection is.
        status: Rc<Status>,
    },
    /// The handle could not be opened.
    Refused {
        /// The handle.
        handle: HandleId,
        /// `bad-options`, `bad-subprotocol`, `other-subprotocol`.
        code: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A transition.
    Status(ConnId, Rc<Status>),
    /// What became of sends.
    Sent {
        /// The handle.
        handle: HandleId,
        /// Ids below were given to the socket or failed.
        handed: u64,
        /// Of ids below the fate is known.
        confirmed: u64,
    },
    /// Sends that failed.
    Failed {
        /// The handle.
        handle: HandleId,
        /// Id of the first.
        first: u64,
        /// How many.
        count: u64,
        /// Why.
        reason: SendFailure,
    },
    /// Messages that this tab does not get.
    Gap {
        /// The connection.
        conn: ConnId,
        /// The first lost and one past the last, where that is known.
        lost: Option<(u64, u64)>,
        /// Why.
        reason: GapReason,
    },
    /// A flow policy dropped messages.
    Overflow {
        /// The connection.
        conn: ConnId,
        /// How many.
        count: u64,
        /// The policy.
        policy: WhenSlow,
    },
    /// The handle has ended.
    Closed {
        /// The handle.
        handle: HandleId,
        /// The close code.
        code: u16,
        /// The close reason.
        reason: String,
        /// Whether the closing handshake was completed.
        clean: bool,
    },
    /// The hub is there.
    Beat,
    /// Is the tab there?
    Ask,
    /// The hub needs something that only a tab has.
    Need {
        /// The handle whose tab is asked.
        handle: HandleId,
        /// The number to answer with.
        id: u32,
        /// What is needed.
        kind: Need,
    },
    /// Another hub has taken over.
    Move(Address),
    /// A hub of another protocol major runs beside this one.
    Beside {
        /// Its major.
        protocol: u32,
        /// Its build.
        build: String,
    },
    /// How many share the hub.
    Census {
        /// Tabs that are neither dead nor suspended.
        tabs: u32,
        /// Connections.
        connections: u32,
    },
    /// Something about the health of a connection.
    Alert(ConnId, Alert),
    /// The answer to `report`.
    Reply(u32, Report),
    /// The server, or nobody, gives a subscription anything.
    Unsubscribed {
        /// The handle.
        handle: HandleId,
        /// The number of the subscription.
        number: u32,
        /// Why.
        code: RequestError,
        /// What the server said of it, as JSON text.
        detail: String,
    },
    /// A handle does not get some messages of a topic.
    Missed {
        /// The handle.
        handle: HandleId,
        /// The number of one of its subscriptions to the topic.
        number: u32,
        /// The position after which they come, as JSON text, if it is known.
        from: Option<String>,
        /// The position of the last, if it is known.
        to: Option<String>,
        /// Why.
        loss: Loss,
    },
    /// A request gets no answer.
    Unanswered {
        /// The handle.
        handle: HandleId,
        /// The number of the request.
        number: u32,
        /// Why.
        code: RequestError,
    },
    /// How a breaker is.
    Breaker {
        /// Its name.
        name: Rc<str>,
        /// What there is to see of it.
        view: BreakerView,
        /// Options that differ from those in force.
        ignored: Vec<&'static str>,
    },
    /// Whether a call may be made.
    Verdict {
        /// The name of its breaker.
        name: Rc<str>,
        /// What was asked with.
        id: u32,
        /// The verdict.
        verdict: Result<Permit, Refusal>,
    },
    /// Nothing is known of a breaker: it has made room for others.
    Ungated(String),
    /// The hub does not know this port.
    Who,
    /// A message was not understood.
    Error {
        /// Its op, or 0.
        op: u32,
        /// What was wrong.
        error: MessageError,
    },
}

/// Where a hub is to be found: the SharedWorker that a tab constructs to reach it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The url of the worker script.
    pub worker_url: String,
    /// The name of the worker.
    pub name: String,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nobody has asked for it.
    Idle,
    /// An attempt is under way.
    Connecting,
    /// Messages flow.
    Open,
    /// Open, and in doubt.
    Suspect,
    /// Waiting for the next attempt.
    Reconnecting,
    /// Waiting for the network.
    Offline,
    /// Ended as it should.
    Closed,
    /// Ended because it cannot work.
    Failed,
}

impl State {
    /// Whether the WebSocket interface calls this state OPEN.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Suspect)
    }

    /// The name of the state on the wire and in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Suspect => "suspect",
            Self::Reconnecting => "reconnecting",
            Self::Offline => "offline",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }
}

/// Which event of the WebSocket interface a transition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// None.
    None,
    /// `open`
    Opened,
    /// `close`, with more to come.
    Lost,
    /// `error`
    AttemptFailed,
}

/// What a transition is worth an event of its own for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A connection that had been lost is open again.
    Recovered,
    /// Nothing came for too long.
    Stale,
    /// Attempts are paused.
    BreakerOpened,
}

impl Notice {
    /// The name of the event.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Recovered => "connectionRecovered",
            Self::Stale => "staleConnection",
            Self::BreakerOpened => "circuitBreakerOpened",
        }
    }
}

/// How a connection is, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// What it is doing.
    pub state: State,
    /// Attempts since it was last stable.
    pub attempt: u32,
    /// When the next attempt starts.
    pub next_attempt_at: Option<Time>,
    /// The last close code.
    pub code: Option<u16>,
    /// Why it is in this state.
    pub reason: Reason,
    /// Since when.
    pub since: Time,
    /// The subprotocol that the server chose.
    pub protocol: Box<str>,
    /// The extensions in use.
    pub extensions: Box<str>,
    /// Which event this is.
    pub cause: Cause,
    /// The last close reason.
    pub close_reason: Box<str>,
    /// Whether the last close was clean.
    pub clean: bool,
    /// The further event that this is.
    pub notice: Option<Notice>,
    /// What carries the messages.
    pub transport: Transport,
}

/// Why a tab misses messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapReason {
    /// The connection was lost: whether there were messages meanwhile is not known.
    Lost(Reason),
    /// The hub dropped messages.
    Dropped(Loss),
}

/// What the driver knows and the core does not: it fills in the rest of a message.
pub trait Env {
    /// The wall-clock milliseconds since 1970 of a moment.
    fn wall(&self, at: Time) -> f64;
    /// The epoch of this hub.
    fn epoch(&self) -> &str;
    /// The build of this hub.
    fn build(&self) -> &str;
    /// Where this hub is to be found.
    fn address(&self) -> &Address;
    /// The lock that this hub holds.
    fn lock(&self) -> Option<&str>;
}

impl HubMessage {
    /// Writes the message.
    pub fn encode<F: Foreign>(&self, env: &impl Env) -> F {
        let mut items = Vec::with_capacity(4);
        match self {
            Self::Welcome => items.extend([number(op::WELCOME), welcome(env)]),
            Self::Attached {
                handle,
                conn,
                next,
                ignored,
                status,
            } => {
                let ignored = ignored.iter().map(|name| F::from_text(name)).collect();
                items.extend([
                    number(op::ATTACHED),
                    number(handle.0),
                    number(conn.0),
                    F::from_number(*next as f64),
                    F::array(ignored),
                ]);
                push_status(status, env, &mut items);
            }
            Self::Refused {
                handle,
                code,
                detail,
            } => items.extend([
                number(op::REFUSED),
                number(handle.0),
                F::from_text(code),
                F::from_text(detail),
            ]),
            Self::Status(conn, status) => {
                items.extend([number(op::STATUS), number(conn.0)]);
                push_status(status, env, &mut items);
            }
            Self::Sent {
                handle,
                handed,
                confirmed,
            } => items.extend([
                number(op::SENT),
                number(handle.0),
                F::from_number(*handed as f64),
                F::from_number(*confirmed as f64),
            ]),
            Self::Failed {
                handle,
                first,
                count,
                reason,
            } => items.extend([
                number(op::FAILED),
                number(handle.0),
                F::from_number(*first as f64),
                F::from_number(*count as f64),
                F::from_text(reason.code()),
            ]),
            Self::Gap { conn, lost, reason } => {
                let (reason, suspected) = match reason {
                    GapReason::Lost(reason) => (reason.code(), 1),
                    GapReason::Dropped(loss) => (loss.code(), 0),
                };
                let bound =
                    |bound: Option<u64>| bound.map_or(F::null(), |at| F::from_number(at as f64));
                items.extend([
                    number(op::GAP),
                    number(conn.0),
                    bound(lost.map(|(from, _)| from)),
                    bound(lost.map(|(_, to)| to)),
                    bound(lost.map(|(from, to)| to - from)),
                    F::from_text(reason),
                    number(suspected),
                ]);
            }
            Self::Overflow {
                conn,
                count,
                policy,
            } => items.extend([
                number(op::OVERFLOW),
                number(conn.0),
                F::from_number(*count as f64),
                F::from_text(policy.code()),
            ]),
            Self::Closed {
                handle,
                code,
                reason,
                clean,
            } => items.extend([
                number(op::CLOSED),
                number(handle.0),
                number(u32::from(*code)),
                F::from_text(reason),
                number(u32::from(*clean)),
            ]),
            Self::Beat => items.extend([number(op::BEAT), F::from_text(env.epoch())]),
            Self::Ask => items.push(number(op::ASK)),
            Self::Need { handle, id, kind } => items.extend([
                number(op::NEED),
                number(handle.0),
                number(*id),
                F::from_text(kind.code()),
            ]),
            Self::Move(to) => items.extend([
                number(op::MOVE),
                F::object(vec![
                    ("workerUrl", F::from_text(&to.worker_url)),
                    ("name", F::from_text(&to.name)),
                ]),
            ]),
            Self::Beside { protocol, build } => {
                items.extend([number(op::BESIDE), number(*protocol), F::from_text(build)])
            }
            Self::Census { tabs, connections } => {
                items.extend([number(op::CENSUS), number(*tabs), number(*connections)]);
            }
            Self::Alert(conn, alert) => items = alert.items(*conn),
            Self::Reply(id, report) => {
                items.extend([number(op::REPLY), number(*id), report.tell()]);
            }
            Self::Unsubscribed {
                handle,
                number: of,
                code,
                detail,
            } => items.extend([
                number(op::UNSUBSCRIBED),
                number(handle.0),
                number(*of),
                F::from_text(code.code()),
                F::from_text(detail),
            ]),
            Self::Missed {
                handle,
                number: of,
                from,
                to,
                loss,
            } => items.extend([
                number(op::MISSED),
                number(handle.0),
                number(*of),
                from.as_deref().map_or(F::null(), F::from_text),
                to.as_deref().map_or(F::null(), F::from_text),
                F::from_text(loss.code()),
                number(u32::from(*loss == Loss::CountedAnew)),
            ]),
            Self::Unanswered {
                handle,
                number: of,
                code,
            } => items.extend([
                number(op::UNANSWERED),
                number(handle.0),
                number(*of),
                F::from_text(code.code()),
            ]),
            Self::Breaker {
                name,
                view,
                ignored,
            } => {
                items.extend([number(op::BREAKER), F::from_text(name)]);
                push_view(view, &mut items);
                items.push(F::array(
                    ignored.iter().map(|name| F::from_text(name)).collect(),
                ));
            }
            Self::Verdict { name, id, verdict } => {
                items.extend([number(op::VERDICT), F::from_text(name), number(*id)]);
                match verdict {
                    Ok(permit) => items.extend([
                        number(1),
                        number(permit.generation),
                        number(permit.id),
                        span(permit.lease),
                    ]),
                    Err(refusal) => items.extend([
                        number(0),
                        F::from_text(refusal.reason.code()),
                        span(refusal.retry_after),
                    ]),
                }
            }
            Self::Ungated(name) => items.extend([number(op::UNGATED), F::from_text(name)]),
            Self::Who => items.push(number(op::WHO)),
            Self::Error { op, error } => {
                items.extend([number(op::ERROR), number(*op), F::from_text(error.code())]);
            }
        }
        F::array(items)
    }
}

fn push_view<F: Foreign>(view: &BreakerView, items: &mut Vec<F>) {
    let counters = view
        .counters
        .all()
        .map(|count| F::from_number(count as f64));
    items.extend([
        F::from_text(view.state.code()),
        F::from_text(view.reason.code()),
        number(view.generation),
        span(view.remaining),
        span(Some(view.open_for)),
        number(view.openings),
        span(view.age),
        span(view.slow_after),
        F::array(counters.into()),
    ]);
}

/// A time in milliseconds, or nothing.
fn span<F: Foreign>(span: Option<Duration>) -> F {
    span.map_or(F::null(), |span| {
        F::from_number(span.as_secs_f64() * 1000.0)
    })
}

fn number<F: Foreign>(value: u32) -> F {
    F::from_number(f64::from(value))
}

fn welcome<F: Foreign>(env: &impl Env) -> F {
    F::object(vec![
        ("protocol", number(MAJOR)),
        ("build", F::from_text(env.build())),
        ("epoch", F::from_text(env.epoch())),
        ("lock", env.lock().map_or(F::null(), F::from_text)),
        ("workerUrl", F::from_text(&env.address().worker_url)),
        ("name", F::from_text(&env.address().name)),
    ])
}

fn push_status<F: Foreign>(status: &Status, env: &impl Env, items: &mut Vec<F>) {
    let moment = |at: Time| F::from_number(env.wall(at));
    items.extend([
        F::from_text(status.state.code()),
        number(status.attempt),
        status.next_attempt_at.map_or(F::null(), moment),
        status
            .code
            .map_or(F::null(), |code| number(u32::from(code))),
        F::from_text(status.reason.code()),
        moment(status.since),
        F::from_text(status.transport.code()),
        F::from_text(&status.protocol),
        F::from_text(&status.extensions),
        number(status.cause as u32),
        F::from_text(&status.close_reason),
        number(u32::from(status.clean)),
        status
            .notice
            .map_or(F::null(), |notice| F::from_text(notice.code())),
    ]);
}
