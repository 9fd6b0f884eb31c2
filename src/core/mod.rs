//! The hub as a pure state machine: see [`Hub`] for the contract and [`Input`], [`Output`] for its whole boundary.

mod access;
mod asking;
mod backoff;
mod connection;
mod creation;
mod fanout;
mod flow;
mod hearing;
mod heartbeat;
mod hub;
mod interest;
mod io;
mod lean;
mod lifecycle;
mod meeting;
mod moving;
mod outbox;
mod outflow;
mod outputs;
mod pool;
mod position;
mod queue;
mod reading;
mod replace;
mod replay;
mod reporting;
mod requesting;
mod resuming;
mod sender;
mod shared;
mod single;
mod slow;
pub mod subprotocol;
mod subscribing;
mod tabs;
mod tally;
mod timers;
mod topics;
mod wake;

pub use access::{ANSWER_WITHIN as NEED_WITHIN, ASK_AGAIN};
pub use backoff::Backoff;
pub use connection::FUNCTION;
pub use flow::{Batch, Parcel, ParcelKind};
pub use hub::Hub;
pub use io::{
    Deadline, Delivery, Input, Output, Payload, PortId, SocketEvent, SocketId, TimerReason,
};
pub use meeting::{MEET_UNSEEN_WITHIN, MEET_WITHIN, YIELD_WITHIN};
pub use replace::CLOSE_WITHIN;
pub use single::SETTLE_WITHIN;
pub use tabs::{ANSWER_WITHIN, ASK_AFTER, FORGET_SUSPENDED_AFTER};
pub use topics::SUBSCRIBE_WITHIN;
pub use wake::{ASLEEP_AFTER, DOUBT_FOR, PROBE_WITHIN, WATCH_EVERY};
