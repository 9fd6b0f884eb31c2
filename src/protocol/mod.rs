//! The messages between tab and hub: `docs/PROTOCOL.md` as types, and the words they are made of.
//!
//! Decoding takes any foreign value ([`Foreign`]) and never panics: what does not fit is a [`MessageError`].

mod breaker;
mod error;
mod fallback;
mod foreign;
mod health;
mod hub;
mod inspect;
pub mod op;
mod option_values;
mod options;
mod peer;
pub mod reason;
mod report;
mod tab;

pub use breaker::{
    BreakerCounters, BreakerReason, BreakerState, BreakerView, Budget, Calls, MOST_CALLS,
    MOST_NAME, Order, Outcome, Permit, Recent, Refusal, Snapshot, Wish,
};
pub use error::MessageError;
pub use fallback::{After, Place, Polling, Transport};
pub use foreign::Foreign;
pub use health::{Ailment, Alert, Instability, Thresholds};
pub use hub::{Address, Cause, Env, GapReason, HubMessage, Notice, State, Status};
pub use inspect::{Entry, Inspection, Remark, Seen, encode_entries};
pub use option_values::{
    Amount, Count, Fraction, Given, Growth, Jitter, Millis, Overflow, Period, Positive, Preset,
    Resend, Span, Via, WhenSlow,
};
pub use options::{
    AuthConfig, AuthOptions, BreakerConfig, BreakerOptions, ConnectionConfig, FallbackConfig,
    FallbackOptions, FlowConfig, FlowOptions, HealthConfig, HealthOptions, HeartbeatConfig,
    HeartbeatOptions, Options, PoolConfig, PoolOptions, QueueConfig, QueueOptions, ReconnectConfig,
    ReconnectOptions, RecoveryConfig, RecoveryOptions, ReplayConfig, ReplayOptions,
    StalenessConfig, StalenessOptions,
};
pub use peer::{Build, Peer, PeerMessage};
pub use reason::{Loss, Reason, RequestError, SendFailure};
pub use report::{BreakerReport, ConnectionReport, Counters, Recent as RecentReport, Report};
pub use tab::{
    Answer, Attach, Hello, Liveness, Need, Needs, Outgoing, Subscription, TabMessage, op_of,
};

/// The version that hub and tab must share.
pub const MAJOR: u32 = 1;

/// A handle: a number that its tab chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandleId(pub u32);

/// A connection: a number that the hub chose, the same in every tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u32);
