//! What happens in led worlds, besides what happens in all.

use crate::plan::Action;
use crate::topics::Kind;

/// What befalls pages that lead or follow. Pages are drawn from those there are by the numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// The page that leads is closed, or dies without a word.
    EndLeader(bool),
    /// It is cached, or frozen and told so.
    SuspendLeader(bool),
    /// Its process is stopped.
    StopLeader,
    /// Nothing comes to it or from it for so many milliseconds.
    CutLeader(u32),
    /// Its worker ends without a word.
    KillLeader,
    /// It does nothing for so many milliseconds; its worker does.
    BlockLeader(u32),
    /// The process of a page is stopped.
    Stop(u8),
    /// Nothing comes to a page or from it for so many milliseconds.
    Cut(u8, u32),
    /// A page makes a call behind its breaker, which fails or not.
    Call(u8, bool),
}

/// Kinds, and how often they come.
pub const KINDS: &[(u32, Kind)] = &[
    (6, |rng| Action::Led(Deed::EndLeader(rng.bool()))),
    (6, |rng| Action::Led(Deed::SuspendLeader(rng.bool()))),
    (5, |_| Action::Led(Deed::StopLeader)),
    (5, |rng| Action::Led(Deed::CutLeader(span(rng)))),
    (3, |_| Action::Led(Deed::KillLeader)),
    (3, |rng| Action::Led(Deed::BlockLeader(span(rng)))),
    (5, |rng| Action::Led(Deed::Stop(rng.u8(..)))),
    (3, |rng| Action::Led(Deed::Cut(rng.u8(..), span(rng)))),
    (25, |rng| Action::Return(rng.u8(..), rng.bool())),
    (30, |rng| Action::OpenTab(false, rng.bool(), rng.bool())),
    (40, |rng| {
        Action::Led(Deed::Call(rng.u8(..), rng.u8(0..4) > 0))
    }),
];

/// Shorter than what anybody waits for, longer, and much longer.
fn span(rng: &mut fastrand::Rng) -> u32 {
    [50, 600, 2000, 6000, 9000, 20_000, 60_000][rng.usize(0..7)]
}

impl Action {
    /// Whether it is about what led worlds do not have: workers that are restarted with their ports, and newer builds.
    pub fn is_of_shared_workers(self) -> bool {
        matches!(self, Self::RestartWorker(_) | Self::OpenTab(true, ..))
    }
}
