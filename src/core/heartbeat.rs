//! Pings and pongs of one socket.

use core::time::Duration;

use super::io::Payload;
use crate::protocol::HeartbeatConfig;
use crate::time::Time;

/// What a frame means to the heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// It is a message, and proves nothing about the outbound path.
    Message,
    /// It is a message, and answers the ping.
    MessageAndPong,
    /// It is the pong, and not for the tabs.
    Pong,
}

/// The state of the heartbeat of one socket.
#[derive(Debug)]
pub struct Heartbeat<P> {
    ping: Option<P>,
    pong: Option<P>,
    sent_at: Option<Time>,
    rtt: Option<Duration>,
}

impl<P: Payload> Heartbeat<P> {
    /// A heartbeat at rest.
    pub fn new(config: &HeartbeatConfig) -> Self {
        Self {
            ping: config.message.as_deref().map(P::from_text),
            pong: config.pong.as_deref().map(P::from_text),
            sent_at: None,
            rtt: None,
        }
    }

    /// The ping, if there are pings.
    pub fn ping(&self) -> Option<&P> {
        self.ping.as_ref()
    }

    /// Whether a new socket has proved itself with this frame.
    pub fn is_proof(&self, frame: &P) -> bool {
        self.pong.as_ref().is_none_or(|pong| pong == frame)
    }

    /// Whether this frame is a pong, and not for the tabs.
    pub fn is_pong(&self, frame: &P) -> bool {
        self.pong.as_ref() == Some(frame)
    }

    /// Whether a ping waits for its pong.
    pub fn is_waiting(&self) -> bool {
        self.sent_at.is_some()
    }

    /// The last round trip.
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// Notes that a ping was sent.
    pub fn handle_sent(&mut self, now: Time) {
        self.sent_at = Some(now);
    }

    /// Notes that the socket is gone.
    pub fn handle_lost(&mut self) {
        self.sent_at = None;
    }

    /// Tells what a frame means. A pong takes the round trip.
    pub fn handle_frame(&mut self, frame: &P, now: Time) -> Beat {
        if self.ping.is_none() {
            return Beat::Message;
        }
        let matched = self.pong.as_ref().map(|pong| pong == frame);
        match (matched, self.sent_at) {
            (Some(true), sent_at) => {
                self.take_rtt(sent_at, now);
                Beat::Pong
            }
            (None, Some(sent_at)) => {
                self.take_rtt(Some(sent_at), now);
                Beat::MessageAndPong
            }
            (Some(false), _) | (None, None) => Beat::Message,
        }
    }

    fn take_rtt(&mut self, sent_at: Option<Time>, now: Time) {
        if let Some(sent_at) = sent_at {
            self.rtt = Some(now.since(sent_at));
            self.sent_at = None;
        }
    }
}
