//! Pings and pongs of one socket.

use super::io::Payload;
use super::trips::Trips;
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
    /// When the ping was sent that waits for its pong; never, if none does.
    sent_at: Time,
    trips: Trips,
}

impl<P: Payload> Heartbeat<P> {
    /// A heartbeat at rest.
    pub fn new(config: &HeartbeatConfig) -> Self {
        Self {
            ping: config.message.as_deref().map(P::from_text),
            pong: config.pong.as_deref().map(P::from_text),
            sent_at: Time::NEVER,
            trips: Trips::NONE,
        }
    }

    /// The ping, if there are pings.
    pub fn ping(&self) -> Option<&P> {
        self.ping.as_ref()
    }

    /// Whether any frame answers a ping.
    pub fn takes_any(&self) -> bool {
        self.pong.is_none()
    }

    /// Whether this frame is a pong, and not for the tabs.
    pub fn is_pong(&self, frame: &P) -> bool {
        self.pong.as_ref() == Some(frame)
    }

    /// Whether a ping waits for its pong.
    pub fn is_waiting(&self) -> bool {
        self.sent_at != Time::NEVER
    }

    /// The round trips of the pings.
    pub fn trips(&self) -> &Trips {
        &self.trips
    }

    /// Notes that a ping was sent.
    pub fn handle_sent(&mut self, now: Time) {
        self.sent_at = now;
    }

    /// Notes that the socket is gone.
    pub fn handle_lost(&mut self) {
        self.sent_at = Time::NEVER;
    }

    /// Tells what a frame means that is the pong, or is not. A pong takes the round trip.
    pub fn handle_frame(&mut self, is_pong: bool, takes_any: bool, now: Time) -> Beat {
        if self.ping.is_none() {
            Beat::Message
        } else if is_pong {
            self.take_rtt(now);
            Beat::Pong
        } else if takes_any && self.is_waiting() {
            self.take_rtt(now);
            Beat::MessageAndPong
        } else {
            Beat::Message
        }
    }

    fn take_rtt(&mut self, now: Time) {
        if self.is_waiting() {
            self.trips.add(self.sent_at, now);
            self.sent_at = Time::NEVER;
        }
    }
}
