//! What a tab says to the hub.

use core::time::Duration;

use super::{
    BreakerOptions, Calls, ConnId, Foreign, Given, HandleId, Inspection, MOST_NAME, MessageError,
    Millis, Options, Order, Outcome, Snapshot, Wish, op,
};

/// A message of a tab.
#[derive(Clone, Debug, PartialEq)]
pub enum TabMessage<P> {
    /// First on every port.
    Hello(Hello),
    /// The tab leaves for good.
    Bye,
    /// Opens a handle.
    Attach(HandleId, Box<Attach>),
    /// Closes a handle.
    Detach {
        /// The handle.
        handle: HandleId,
        /// The close code, if one was given.
        code: Option<u16>,
        /// The close reason.
        reason: String,
        /// Whether everything about its key is to be erased once nobody holds it.
        purge: bool,
    },
    /// Frames to send, with the id of the first.
    Send {
        /// The handle that sends.
        handle: HandleId,
        /// The connection that the handle has been told it has. No two hubs are likely to number theirs alike: what was meant for
        /// the hub before is not sent by this one.
        conn: ConnId,
        /// Id of the first frame.
        first: u64,
        /// The frames.
        frames: Vec<Outgoing<P>>,
    },
    /// Subscribes to topics.
    Subscribe {
        /// The handle that wants them.
        handle: HandleId,
        /// Its connection.
        conn: ConnId,
        /// What it wants.
        subscriptions: Vec<Subscription>,
    },
    /// Ends subscriptions.
    Unsubscribe {
        /// The handle that had them.
        handle: HandleId,
        /// Its connection.
        conn: ConnId,
        /// Their numbers.
        numbers: Vec<u32>,
    },
    /// The listener of a subscription has dealt with a message that was for it alone.
    Done {
        /// The handle that has the subscription.
        handle: HandleId,
        /// Its connection.
        conn: ConnId,
        /// What the message was handed with.
        id: u32,
    },
    /// Asks the server something.
    Request {
        /// The handle that asks.
        handle: HandleId,
        /// Its connection.
        conn: ConnId,
        /// The number of the request at this handle.
        number: u32,
        /// What it asks, as JSON text.
        data: String,
        /// How long it waits.
        timeout: Millis,
    },
    /// Gives a request up.
    Cancel {
        /// The handle that asked.
        handle: HandleId,
        /// Its connection.
        conn: ConnId,
        /// The number of the request.
        number: u32,
    },
    /// All messages before `next` have been dispatched.
    Ack {
        /// The connection.
        conn: ConnId,
        /// The first sequence not dispatched.
        next: u64,
    },
    /// The tab is there, and asks whether the hub is.
    Alive,
    /// What the user sees of the tab.
    Visibility {
        /// Whether it is visible.
        visible: bool,
        /// Whether it has the focus.
        focused: bool,
    },
    /// What the tab knows of the network.
    Online(bool),
    /// The page is being frozen or cached.
    Suspend,
    /// The page is back.
    Resume,
    /// The user wants a fresh socket.
    Reconnect(HandleId),
    /// The user wants the connection closed in every tab.
    Shutdown(HandleId),
    /// Asks for the report.
    Report(u32),
    /// Asks for what there is to see inside.
    Inspect(Inspection),
    /// What the tab was asked for, under the number that it was asked with.
    Answer(u32, Answer),
    /// Uses a breaker, and wants to be told of it.
    Gate {
        /// Its name.
        name: String,
        /// The options given, or the name of the one that is wrong.
        options: Result<Box<BreakerOptions>, &'static str>,
        /// What the tab remembers of it.
        snapshot: Option<Snapshot>,
    },
    /// Calls have ended alike.
    Outcome {
        /// The name of their breaker.
        name: String,
        /// The generation in which they began.
        generation: u32,
        /// The permit of the one call, or 0.
        permit: u32,
        /// How they have ended.
        outcome: Outcome,
        /// How many they are.
        calls: Calls,
        /// How long ago the last of them ended.
        ago: Duration,
    },
    /// Asks for the right to make a call.
    Acquire {
        /// The name of its breaker.
        name: String,
        /// The number to answer with.
        id: u32,
        /// What it is for.
        wish: Wish,
    },
    /// Somebody decides about a breaker.
    Force {
        /// Its name.
        name: String,
        /// What is decided.
        order: Order,
    },
}

/// Something to send.
#[derive(Clone, Debug, PartialEq)]
pub enum Outgoing<P> {
    /// A frame as it is.
    Frame(P),
    /// What the subprotocol makes of a publication.
    Publish {
        /// The topic.
        topic: String,
        /// The data, as JSON text.
        data: String,
    },
}

/// One subscription of a handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its number at the handle.
    pub number: u32,
    /// The topic.
    pub topic: String,
    /// How many of the last messages it gets first.
    pub replay: u32,
    /// The last message that it has had, if it has had one with a position.
    pub last: Option<String>,
    /// Whether only the newest of what waits counts.
    pub is_conflated: bool,
    /// Whether each message is for one of all that are so, alone.
    pub is_single: bool,
}

/// Who a tab is.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The protocol major that it speaks.
    pub protocol: u32,
    /// The build that it comes from.
    pub build: String,
    /// Its random id.
    pub tab: String,
    /// How its death shows.
    pub liveness: Liveness,
    /// The lock that it holds, if it does.
    pub lock: String,
    /// Whether it is visible.
    pub visible: bool,
    /// Whether it has the focus.
    pub focused: bool,
    /// What it knows of the network.
    pub online: bool,
}

/// How the death of a tab shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It holds a Web Lock that the hub waits for.
    Locks,
    /// It answers when asked.
    Heartbeat,
}

/// What a handle wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Attach {
    /// The normalised absolute url.
    pub url: String,
    /// The subprotocols offered, in order.
    pub protocols: Vec<String>,
    /// The key that separates users.
    pub key: String,
    /// What the tab can be asked for.
    pub needs: Needs,
    /// The options given, or the name of the one that is wrong.
    pub options: Result<Options, &'static str>,
}

/// What the tab of a handle can be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The url of each attempt.
    pub url: bool,
    /// The token of each attempt.
    pub token: bool,
}

/// What a tab is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A url to connect to.
    Url,
    /// A token.
    Token,
}

impl Need {
    /// The word for it on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Token => "token",
        }
    }
}

/// What a tab answers when asked. Urls and tokens are secrets: they stand in no status, log or report.
#[derive(Clone, PartialEq)]
pub enum Answer {
    /// The url, normalised and absolute.
    Url(String),
    /// The token, and how long it is good for, where that is known.
    Token(String, Option<Duration>),
    /// The user's function threw, rejected, or did not come back.
    Failed,
    /// The user's function returned something that cannot be used.
    Bad(Need),
}

impl core::fmt::Debug for Answer {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        to.write_str(match self {
            Self::Url(_) => "Answer(url)",
            Self::Token(..) => "Answer(token)",
            Self::Failed => "Answer(failed)",
            Self::Bad(_) => "Answer(bad)",
        })
    }
}

impl<P> TabMessage<P> {
    /// Reads a message. Whatever `from` is, this returns.
    pub fn decode<F: Foreign<Payload = P>>(from: &F) -> Result<Self, MessageError> {
        if from.length().is_none() {
            return Err(MessageError::Malformed);
        }
        Ok(match natural(&from.item(0))? {
            op::HELLO => Self::Hello(hello(&from.item(1))?),
            op::BYE => Self::Bye,
            op::ATTACH => Self::Attach(handle(from)?, Box::new(attach(&from.item(2))?)),
            op::DETACH => Self::Detach {
                handle: handle(from)?,
                code: optional(&from.item(2), |value| {
                    u16::try_from(natural(value)?).map_err(|_| MessageError::Malformed)
                })?,
                reason: optional(&from.item(3), text)?.unwrap_or_default(),
                purge: optional(&from.item(4), flag)?.unwrap_or_default(),
            },
            op::SEND => Self::Send {
                handle: handle(from)?,
                conn: ConnId(natural(&from.item(2))?),
                first: sequence(&from.item(3))?,
                frames: list(&from.item(4), |item| outgoing(item))?,
            },
            op::ACK => Self::Ack {
                conn: ConnId(natural(&from.item(1))?),
                next: sequence(&from.item(2))?,
            },
            op::ALIVE => Self::Alive,
            op::VISIBILITY => Self::Visibility {
                visible: flag(&from.item(1))?,
                focused: flag(&from.item(2))?,
            },
            op::ONLINE => Self::Online(flag(&from.item(1))?),
            op::SUSPEND => Self::Suspend,
            op::RESUME => Self::Resume,
            op::RECONNECT => Self::Reconnect(handle(from)?),
            op::SHUTDOWN => Self::Shutdown(handle(from)?),
            op::REPORT => Self::Report(natural(&from.item(1))?),
            op::INSPECT => Self::Inspect(match natural(&from.item(1))? {
                0 => Inspection::Off,
                1 => Inspection::Sizes,
                2 => Inspection::Payloads,
                _ => return Err(MessageError::Malformed),
            }),
            op::SUBSCRIBE => Self::Subscribe {
                handle: handle(from)?,
                conn: ConnId(natural(&from.item(2))?),
                subscriptions: list(&from.item(3), |item| {
                    Ok(Subscription {
                        number: natural(&item.item(0))?,
                        topic: text(&item.item(1))?,
                        replay: natural(&item.item(2))?,
                        last: optional(&item.item(3), text)?,
                        is_conflated: optional(&item.item(4), flag)?.unwrap_or_default(),
                        is_single: optional(&item.item(5), flag)?.unwrap_or_default(),
                    })
                })?,
            },
            op::UNSUBSCRIBE => Self::Unsubscribe {
                handle: handle(from)?,
                conn: ConnId(natural(&from.item(2))?),
                numbers: list(&from.item(3), |item| natural(&item))?,
            },
            op::REQUEST => Self::Request {
                handle: handle(from)?,
                conn: ConnId(natural(&from.item(2))?),
                number: natural(&from.item(3))?,
                data: text(&from.item(4))?,
                timeout: Millis::read(&from.item(5)).ok_or(MessageError::Malformed)?,
            },
            op::DONE => Self::Done {
                handle: handle(from)?,
                conn: ConnId(natural(&from.item(2))?),
                id: natural(&from.item(3))?,
            },
            op::CANCEL => Self::Cancel {
                handle: handle(from)?,
                conn: ConnId(natural(&from.item(2))?),
                number: natural(&from.item(3))?,
            },
            op::GATE => Self::Gate {
                name: name(from)?,
                options: BreakerOptions::read(&from.item(2)).map(Box::new),
                snapshot: Snapshot::read(&from.item(3)),
            },
            op::OUTCOME => outcome(from)?,
            op::ACQUIRE => Self::Acquire {
                name: name(from)?,
                id: natural(&from.item(2))?,
                wish: match natural(&from.item(3))? {
                    0 => Wish::Call,
                    1 => Wish::Retry,
                    _ => return Err(MessageError::Malformed),
                },
            },
            op::FORCE => Self::Force {
                name: name(from)?,
                order: match natural(&from.item(2))? {
                    0 => Order::Reset,
                    1 => Order::Open,
                    2 => Order::Close,
                    _ => return Err(MessageError::Malformed),
                },
            },
            op::ANSWER => Self::Answer(natural(&from.item(1))?, answer(&from.item(2))?),
            _ => return Err(MessageError::UnknownOp),
        })
    }
}

/// The op of a message that could not be read, for the `error` that answers it; 0 if it has none.
pub fn op_of<F: Foreign>(from: &F) -> u32 {
    from.length()
        .and_then(|_| natural(&from.item(0)).ok())
        .unwrap_or(0)
}

fn outcome<P, F: Foreign>(from: &F) -> Result<TabMessage<P>, MessageError> {
    let after = optional(&from.item(8), |value| {
        Millis::read(value).ok_or(MessageError::Malformed)
    })?;
    let outcome = match natural(&from.item(4))? {
        0 => Outcome::Success,
        1 => Outcome::Failure(after.map(Millis::get)),
        2 => Outcome::Neutral,
        3 => Outcome::Rejected,
        _ => return Err(MessageError::Malformed),
    };
    let (all, slow) = (natural(&from.item(5))?, natural(&from.item(6))?);
    let is_failure = matches!(outcome, Outcome::Failure(_));
    Ok(TabMessage::Outcome {
        name: name(from)?,
        generation: natural(&from.item(2))?,
        permit: natural(&from.item(3))?,
        outcome,
        calls: Calls {
            all,
            failures: if is_failure { all } else { 0 },
            slow: slow.min(all),
        },
        ago: Millis::read(&from.item(7)).map_or(Duration::ZERO, Millis::get),
    })
}

fn name<F: Foreign>(from: &F) -> Result<String, MessageError> {
    let name = text(&from.item(1))?;
    if (1..=MOST_NAME).contains(&name.len()) {
        Ok(name)
    } else {
        Err(MessageError::Malformed)
    }
}

fn hello<F: Foreign>(from: &F) -> Result<Hello, MessageError> {
    let liveness = match text(&from.field("liveness"))?.as_str() {
        "locks" => Liveness::Locks,
        "heartbeat" => Liveness::Heartbeat,
        _ => return Err(MessageError::Malformed),
    };
    let tab = text(&from.field("tab"))?;
    let lock = optional(&from.field("lock"), text)?;
    Ok(Hello {
        protocol: natural(&from.field("protocol"))?,
        build: text(&from.field("build"))?,
        lock: lock.unwrap_or_else(|| format!("tabwire:tab:{tab}")),
        tab,
        liveness,
        visible: flag(&from.field("visible"))?,
        focused: flag(&from.field("focused"))?,
        online: flag(&from.field("online"))?,
    })
}

fn attach<F: Foreign>(from: &F) -> Result<Attach, MessageError> {
    Ok(Attach {
        url: text(&from.field("url"))?,
        protocols: list(&from.field("protocols"), |item| text(&item))?,
        key: text(&from.field("key"))?,
        needs: needs(&from.field("need"))?,
        options: Options::read(&from.field("options")),
    })
}

fn needs<F: Foreign>(from: &F) -> Result<Needs, MessageError> {
    let mut needs = Needs::default();
    let kinds = optional(from, |value| list(value, |item| text(&item)))?.unwrap_or_default();
    for kind in kinds {
        match kind.as_str() {
            "url" => needs.url = true,
            "token" => needs.token = true,
            _ => return Err(MessageError::Malformed),
        }
    }
    Ok(needs)
}

fn answer<F: Foreign>(from: &F) -> Result<Answer, MessageError> {
    if let Some(url) = from.field("url").text() {
        return Ok(Answer::Url(url));
    }
    if let Some(token) = from.field("token").text() {
        // One that has expired by the tab's clock may be good by the server's: nothing is known then.
        let lasts = optional(&from.field("expiresIn"), |value| {
            value.number().ok_or(MessageError::Malformed)?;
            Ok(Millis::read(value).map(Millis::get))
        })?;
        let lasts = lasts.flatten().filter(|lasts| !lasts.is_zero());
        return Ok(Answer::Token(token, lasts));
    }
    match text(&from.field("error"))?.as_str() {
        "failed" => Ok(Answer::Failed),
        "bad-url" => Ok(Answer::Bad(Need::Url)),
        "bad-token" => Ok(Answer::Bad(Need::Token)),
        _ => Err(MessageError::Malformed),
    }
}

fn outgoing<F: Foreign>(from: F) -> Result<Outgoing<F::Payload>, MessageError> {
    if from.length() == Some(2) {
        return Ok(Outgoing::Publish {
            topic: text(&from.item(0))?,
            data: text(&from.item(1))?,
        });
    }
    from.payload()
        .map(Outgoing::Frame)
        .ok_or(MessageError::Malformed)
}

fn handle<F: Foreign>(from: &F) -> Result<HandleId, MessageError> {
    natural(&from.item(1)).map(HandleId)
}

fn natural<F: Foreign>(value: &F) -> Result<u32, MessageError> {
    u32::try_from(sequence(value)?).map_err(|_| MessageError::Malformed)
}

fn sequence<F: Foreign>(value: &F) -> Result<u64, MessageError> {
    const LARGEST: f64 = 9_007_199_254_740_991.0;
    match value.number() {
        Some(number) if (0.0..=LARGEST).contains(&number) && number % 1.0 == 0.0 => {
            Ok(number as u64)
        }
        Some(_) | None => Err(MessageError::Malformed),
    }
}

fn flag<F: Foreign>(value: &F) -> Result<bool, MessageError> {
    match natural(value)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(MessageError::Malformed),
    }
}

fn text<F: Foreign>(value: &F) -> Result<String, MessageError> {
    value.text().ok_or(MessageError::Malformed)
}

fn optional<F: Foreign, T>(
    value: &F,
    read: impl FnOnce(&F) -> Result<T, MessageError>,
) -> Result<Option<T>, MessageError> {
    if value.is_nothing() {
        Ok(None)
    } else {
        read(value).map(Some)
    }
}

fn list<F: Foreign, T>(
    value: &F,
    mut read: impl FnMut(F) -> Result<T, MessageError>,
) -> Result<Vec<T>, MessageError> {
    let length = value.length().ok_or(MessageError::Malformed)?;
    (0..length).map(|index| read(value.item(index))).collect()
}
