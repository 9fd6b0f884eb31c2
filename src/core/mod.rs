//! The hub as a pure state machine: see [`Hub`] for the contract and [`Input`], [`Output`] for its whole boundary.

mod backoff;
mod connection;
mod fanout;
mod flow;
mod heartbeat;
mod hub;
mod io;
mod lifecycle;
mod outbox;
mod outputs;
mod tabs;
mod timers;

pub use backoff::Backoff;
pub use flow::Batch;
pub use hub::Hub;
pub use io::{
    Deadline, Delivery, Input, Output, Payload, PortId, SocketEvent, SocketId, TimerReason,
};
pub use tabs::{ANSWER_WITHIN, ASK_AFTER, FORGET_SUSPENDED_AFTER};
