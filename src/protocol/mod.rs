//! The messages between tab and hub: `docs/PROTOCOL.md` as types, and the words they are made of.
//!
//! Decoding takes any foreign value ([`Foreign`]) and never panics: what does not fit is a [`MessageError`].

mod error;
mod foreign;
mod hub;
pub mod op;
mod options;
pub mod reason;
mod report;
mod tab;

pub use error::MessageError;
pub use foreign::Foreign;
pub use hub::{Cause, Env, GapReason, HubMessage, State, Status};
pub use options::{
    Amount, ConnectionConfig, Count, FlowConfig, FlowOptions, Fraction, HeartbeatConfig,
    HeartbeatOptions, Jitter, Millis, Options, Overflow, QueueConfig, QueueOptions,
    ReconnectConfig, ReconnectOptions, Resend, WhenSlow,
};
pub use reason::{Loss, Reason, SendFailure};
pub use report::{ConnectionReport, Counters, Report};
pub use tab::{Attach, Hello, Liveness, TabMessage, op_of};

/// The version that hub and tab must share.
pub const MAJOR: u32 = 1;

/// A handle: a number that its tab chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandleId(pub u32);

/// A connection: a number that the hub chose, the same in every tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u32);
