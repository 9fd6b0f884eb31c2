//! What tab and hub say about circuit breakers.

use core::time::Duration;

use super::Foreign;
use super::option_values::{Given, Millis, Period, Positive};

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BreakerState {
    /// They pass.
    #[default]
    Closed,
    /// They are refused, for some time.
    Open,
    /// A few pass, which decide.
    HalfOpen,
    /// They are refused until somebody resets the breaker.
    ForcedOpen,
    /// They pass until somebody resets the breaker, however they end.
    ForcedClosed,
}

impl BreakerState {
    const ALL: [Self; 5] = [
        Self::Closed,
        Self::Open,
        Self::HalfOpen,
        Self::ForcedOpen,
        Self::ForcedClosed,
    ];

    /// The name on the wire and in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced-open",
            Self::ForcedClosed => "forced-closed",
        }
    }
}

impl Given for BreakerState {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let code = from.text()?;
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Why a breaker is in its state, or refuses a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BreakerReason {
    /// Nothing has happened yet.
    #[default]
    New,
    /// So many calls in a row have failed.
    Consecutive,
    /// So large a share of the last calls has failed.
    FailureRate,
    /// So large a share of the last calls was slow.
    SlowCalls,
    /// A probe has failed.
    ProbeFailed,
    /// Probe after probe has said nothing.
    ProbesLost,
    /// It was open at another hub, or before the page was loaded.
    Restored,
    /// A probe may pass.
    Probing,
    /// Enough probes have succeeded.
    Recovered,
    /// Somebody has decided it.
    Forced,
    /// Somebody has reset it.
    Reset,
    /// Too many calls have been made again.
    BudgetSpent,
}

impl BreakerReason {
    /// The word on the wire and in the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Consecutive => "consecutive-failures",
            Self::FailureRate => "failure-rate",
            Self::SlowCalls => "slow-calls",
            Self::ProbeFailed => "probe-failed",
            Self::ProbesLost => "probes-lost",
            Self::Restored => "restored",
            Self::Probing => "probing",
            Self::Recovered => "recovered",
            Self::Forced => "forced",
            Self::Reset => "reset",
            Self::BudgetSpent => "retry-budget-spent",
        }
    }
}

/// Longest name of a breaker, in bytes.
pub const MOST_NAME: usize = 1024;

/// How a call has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Success,
    /// It counts against the service. It may have said after what time to come again.
    Failure(Option<Duration>),
    /// It says nothing about the service: the caller has given it up, or the network is away.
    Neutral,
    /// It was refused in the tab.
    Rejected,
}

impl Outcome {
    /// What a response shows of the service, by its status (tests/fixtures/statuses.json). One that is busy, has had enough of us
    /// or was too slow is as good as none; what it refuses otherwise is its answer.
    pub fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            408 | 429 | 500.. => Self::Failure(retry_after),
            _ => Self::Success,
        }
    }
}

/// What somebody decides about a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It is as new.
    Reset,
    /// It refuses everything.
    Open,
    /// It refuses nothing.
    Close,
}

/// What is to be asked of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To call.
    Call,
    /// To call once more what has failed.
    Retry,
}

/// Which calls count as the last ones. Given as a number of milliseconds, or as `{ calls: n }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recent {
    /// Those of some time.
    Time(Period),
    /// So many.
    Calls(Positive),
}

/// Most calls that a window can be made of.
pub const MOST_CALLS: u32 = 1000;

impl Given for Recent {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        if let Some(span) = Period::read(from) {
            return Some(Self::Time(span));
        }
        let calls = Positive::read(&from.field("calls"))?;
        (calls.0 <= MOST_CALLS).then_some(Self::Calls(calls))
    }
}

/// How many calls may be made again. Given as `{ ratio, perSecond, burst }`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// So many for each call that has ended.
    pub ratio: f64,
    /// So many a second besides.
    pub per_second: f64,
    /// So many at once, at most.
    pub burst: f64,
}

impl Budget {
    /// One for five calls, one a second besides, and ten at once.
    pub const DEFAULT: Self = Self {
        ratio: 0.2,
        per_second: 1.0,
        burst: 10.0,
    };
}

impl Given for Budget {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        let part = |name, otherwise: f64| {
            let value = from.field(name);
            if value.is_nothing() {
                Some(otherwise)
            } else {
                value
                    .number()
                    .filter(|given| *given >= 0.0)
                    .map(|given| given.min(f64::from(u32::MAX)))
            }
        };
        from.text().is_none().then_some(())?;
        Some(Self {
            ratio: part("ratio", Self::DEFAULT.ratio)?,
            per_second: part("perSecond", Self::DEFAULT.per_second)?,
            burst: part("burst", Self::DEFAULT.burst)?,
        })
    }
}

/// Calls that are counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// All.
    pub all: u32,
    /// Those that failed.
    pub failures: u32,
    /// Those that took too long.
    pub slow: u32,
}

impl Calls {
    /// Adds others.
    pub fn add(&mut self, others: Self) {
        self.all = self.all.saturating_add(others.all);
        self.failures = self.failures.saturating_add(others.failures);
        self.slow = self.slow.saturating_add(others.slow);
    }

    /// Takes away some of them.
    pub fn sub(&mut self, some: Self) {
        self.all = self.all.saturating_sub(some.all);
        self.failures = self.failures.saturating_sub(some.failures);
        self.slow = self.slow.saturating_sub(some.slow);
    }

    /// Each of them, the failed and the slow ones first.
    pub fn each(self) -> impl Iterator<Item = Self> {
        (0..self.all).map(move |number| Self {
            all: 1,
            failures: u32::from(number < self.failures),
            slow: u32::from(number < self.slow),
        })
    }
}

/// What a tab remembers of a breaker, for a hub that knows less. Times are relative: nobody trusts another's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its state.
    pub state: BreakerState,
    /// How many transitions it had had.
    pub generation: u32,
    /// How long ago it went into that state.
    pub age: Duration,
    /// How long it stays open yet.
    pub remaining: Duration,
    /// How long it was to be open in all: the rest cannot be longer, whatever the clock of the wall has done.
    pub open_for: Duration,
    /// How often it has opened since it was closed.
    pub openings: u32,
}

impl Snapshot {
    /// Reads `[state, generation, age, remaining, openFor, openings]`.
    pub fn read<F: Foreign>(from: &F) -> Option<Self> {
        // A clock that was set back makes an age or a rest of less than nothing.
        let span =
            |index| Some(Millis::read(&from.item(index)).map_or(Duration::ZERO, Millis::get));
        let count = |index| {
            let number = from.item(index).number().filter(|number| *number >= 0.0)?;
            Some(number as u32)
        };
        Some(Self {
            state: BreakerState::read(&from.item(0))?,
            generation: count(1)?,
            age: span(2)?,
            remaining: span(3)?,
            open_for: span(4)?,
            openings: count(5)?,
        })
    }
}

/// Totals of a breaker, over all tabs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakerCounters {
    /// Calls that have succeeded.
    pub successes: u64,
    /// Calls that have failed.
    pub failures: u64,
    /// Calls that say nothing about the service.
    pub neutral: u64,
    /// Calls that took too long.
    pub slow: u64,
    /// Calls that were refused.
    pub rejected: u64,
    /// Results of calls that had begun before the last transition, or of probes that were given up: they decide nothing.
    pub stale: u64,
    /// Probes of which nothing was heard in time.
    pub expired: u64,
    /// Times that it has opened.
    pub trips: u64,
    /// Calls that were made again.
    pub retries: u64,
    /// Calls that were not made again because too many had been.
    pub exhausted: u64,
}

impl BreakerCounters {
    /// All totals, in the order of the fields.
    pub const fn all(&self) -> [u64; 10] {
        [
            self.successes,
            self.failures,
            self.neutral,
            self.slow,
            self.rejected,
            self.stale,
            self.expired,
            self.trips,
            self.retries,
            self.exhausted,
        ]
    }
}

/// What tabs see of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerView {
    /// Its state.
    pub state: BreakerState,
    /// Why it is in it.
    pub reason: BreakerReason,
    /// How many transitions there were.
    pub generation: u32,
    /// How long it stays open yet.
    pub remaining: Option<Duration>,
    /// How long that is in all.
    pub open_for: Duration,
    /// How often it has opened since it was closed.
    pub openings: u32,
    /// How long ago the last transition was, if there was one.
    pub age: Option<Duration>,
    /// From when on a call is slow, if any is.
    pub slow_after: Option<Duration>,
    /// The totals.
    pub counters: BreakerCounters,
}

/// The right to make one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// Its number; 0 where all calls may pass.
    pub id: u32,
    /// The generation of the breaker that gave it.
    pub generation: u32,
    /// How long it is good for.
    pub lease: Option<Duration>,
}

/// A call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: BreakerReason,
    /// After what time it is worth asking again, if there is such.
    pub retry_after: Option<Duration>,
}
