//! What a socket takes in faster than the network takes it away.

use core::time::Duration;

use super::connection::{Connection, Cx, Phase};
use super::io::{Output, Payload, TimerReason};

/// Above so many bytes that the browser has not passed on, nothing more is given to a socket.
const HIGH: usize = 1 << 20;
/// At so many it goes on.
const LOW: usize = HIGH / 4;
/// After so many bytes it is asked how many there are.
const MEASURE_AFTER: u32 = 1 << 18;
/// How often that is asked again above the mark.
const MEASURE_EVERY: Duration = Duration::from_millis(50);

/// How much a socket has taken in.
#[derive(Debug, Default)]
pub struct Outflow {
    /// Bytes given to it since it was measured.
    given: u32,
    is_measuring: bool,
    is_high: bool,
}

impl Outflow {
    /// Whether the socket takes more.
    pub const fn is_open(&self) -> bool {
        !self.is_measuring && !self.is_high
    }

    /// Notes what is given to it. Tells whether it is to be measured.
    pub fn give(&mut self, bytes: usize) -> bool {
        self.given = self.given.saturating_add(bytes as u32);
        self.is_measuring = self.given >= MEASURE_AFTER;
        self.is_measuring
    }
}

impl<P: Payload> Connection<P> {
    /// So many bytes have not been passed on by the browser. That is a hint: WebKit says 0 whatever there is.
    pub(super) fn handle_buffered(&mut self, bytes: usize, cx: &mut Cx<'_, P>) {
        let was_high = self.outflow.is_high;
        let mark = if was_high { LOW } else { HIGH };
        self.outflow = Outflow {
            is_high: bytes > mark,
            ..Outflow::default()
        };
        if self.outflow.is_high {
            self.counters.rare.congested += u64::from(!was_high);
            self.set_timer_in(TimerReason::Drain, MEASURE_EVERY, cx);
        } else {
            self.drain(cx);
            self.post_verdicts(cx);
        }
    }

    /// Asks the socket how much it has not passed on.
    pub(super) fn measure(&mut self, cx: &mut Cx<'_, P>) {
        if let Phase::Up { socket, .. } = self.phase {
            self.outflow.is_measuring = true;
            cx.out.push(Output::Measure(socket));
        }
    }

    /// Another socket has taken in nothing yet.
    pub(super) fn reset_outflow(&mut self, cx: &mut Cx<'_, P>) {
        self.outflow = Outflow::default();
        cx.timers.clear(self.owner(), TimerReason::Drain);
    }
}
