//! The transitions that there may be.

use tabwire::protocol::{Cause, Reason, State, Status};

/// Whether `status` may follow a status in state `from`, for its reason and with its cause.
pub fn is_legal(from: State, status: &Status) -> bool {
    let (to, reason, cause) = (status.state, status.reason, status.cause);
    TRANSITIONS
        .iter()
        .filter(|(froms, tos, _, _)| froms.contains(&from) && tos.contains(&to))
        .any(|(_, _, reasons, cause_of)| reasons.contains(&reason) && *cause_of == cause)
        && (status.next_attempt_at.is_some() == matches!(to, State::Reconnecting | State::Offline)
            || reason == Reason::Moved)
}

type Transition = (&'static [State], &'static [State], &'static [Reason], Cause);

const UP: &[State] = &[State::Open, State::Suspect];
const WAITING: &[State] = &[State::Reconnecting, State::Offline];
const ALIVE: &[State] = &[
    State::Connecting,
    State::Open,
    State::Suspect,
    State::Reconnecting,
    State::Offline,
];

/// From, to, why, and which event of the WebSocket interface it is.
const TRANSITIONS: &[Transition] = &[
    (
        &[State::Idle],
        &[State::Connecting],
        &[Reason::Attached],
        Cause::None,
    ),
    (
        &[State::Connecting],
        &[State::Open],
        &[Reason::Opened],
        Cause::Opened,
    ),
    (
        &[State::Connecting],
        WAITING,
        &[
            Reason::ConnectFailed,
            Reason::ConnectTimeout,
            Reason::VerifyTimeout,
            Reason::BreakerOpen,
            Reason::AuthRefused,
        ],
        Cause::AttemptFailed,
    ),
    (
        &[State::Connecting],
        &[State::Connecting],
        &[
            Reason::Requested,
            Reason::Attached,
            Reason::Retry,
            Reason::Asking,
        ],
        Cause::None,
    ),
    (
        &[State::Idle],
        &[State::Connecting],
        &[Reason::Asking],
        Cause::None,
    ),
    (
        &[
            State::Idle,
            State::Connecting,
            State::Reconnecting,
            State::Offline,
        ],
        WAITING,
        &[Reason::TokenWait],
        Cause::None,
    ),
    (UP, &[State::Suspect], &[Reason::Woke], Cause::None),
    (UP, &[State::Open], &[Reason::Handover], Cause::None),
    (
        &[State::Reconnecting],
        &[State::Reconnecting],
        &[Reason::Woke],
        Cause::None,
    ),
    (
        &[State::Offline],
        &[State::Offline],
        &[Reason::Woke],
        Cause::None,
    ),
    (UP, &[State::Reconnecting], &[Reason::Moved], Cause::Lost),
    (
        &[State::Open],
        &[State::Suspect],
        &[Reason::PongLate],
        Cause::None,
    ),
    (
        &[State::Suspect],
        &[State::Open],
        &[Reason::Recovered],
        Cause::None,
    ),
    (
        UP,
        WAITING,
        &[
            Reason::ClosedByServer,
            Reason::ConnectionLost,
            Reason::PongTimeout,
            Reason::WakeTimeout,
            Reason::Stale,
            Reason::AuthRefused,
            Reason::Requested,
        ],
        Cause::Lost,
    ),
    (
        WAITING,
        &[State::Connecting],
        &[
            Reason::Retry,
            Reason::Requested,
            Reason::Attached,
            Reason::Asking,
        ],
        Cause::None,
    ),
    (
        &[State::Reconnecting],
        &[State::Offline],
        &[Reason::Offline],
        Cause::None,
    ),
    (
        &[State::Offline],
        &[State::Reconnecting],
        &[Reason::Online],
        Cause::None,
    ),
    (
        ALIVE,
        &[State::Closed],
        &[Reason::Shutdown, Reason::FatalCode],
        Cause::None,
    ),
    (
        &[State::Idle],
        &[State::Closed],
        &[Reason::Shutdown],
        Cause::None,
    ),
    (
        &[State::Connecting],
        &[State::Failed],
        &[
            Reason::MaxAttempts,
            Reason::SocketRefused,
            Reason::BadUrl,
            Reason::BadToken,
        ],
        Cause::AttemptFailed,
    ),
];
