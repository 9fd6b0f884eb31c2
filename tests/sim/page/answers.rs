//! What the functions of a page's user give when the hub asks for a url or a token.

use core::time::Duration;

/// How often they fail, and how long tokens last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Candour {
    /// Decides which questions get no good answer; 0 for none of them.
    pub seed: u32,
    /// How long a token lasts, if that is known.
    pub lasts: Option<Duration>,
    /// How long the functions take.
    pub takes: Duration,
}

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// What was asked for.
    Good,
    /// The function failed.
    Failed,
    /// It gave something that cannot be used.
    Bad,
    /// It does not come back.
    None,
}

impl Candour {
    /// Mostly good, now and then slow, or with tokens that do not last.
    pub fn random(seed: u32) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed.into());
        let lasts = [None, Some(1), Some(20_000), Some(90_000), Some(600_000)];
        let takes = [0, 0, 0, 300, 4000, 12_000];
        Self {
            seed: if rng.bool() { 0 } else { seed },
            lasts: lasts[rng.usize(0..lasts.len())].map(Duration::from_millis),
            takes: Duration::from_millis(takes[rng.usize(0..takes.len())]),
        }
    }

    /// What becomes of the question with this number.
    pub fn of(self, number: u32) -> Reply {
        if self.seed == 0 {
            return Reply::Good;
        }
        match (self.seed.wrapping_mul(number).wrapping_mul(2_654_435_761) >> 24) % 40 {
            0 => Reply::Bad,
            1..6 => Reply::Failed,
            6..10 => Reply::None,
            _ => Reply::Good,
        }
    }
}
