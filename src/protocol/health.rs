//! What the health of a connection is measured against, and what is told when it falls.

use super::option_values::{Fraction, Given, Millis, Period, Positive};
use super::{ConnId, Foreign, op};

/// The bounds of health. Given as an object; what is not given has its default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Below this score, of 0 to 100, a connection is unhealthy. Default 50.
    pub score: u8,
    /// The smoothed round trip that costs all that round trips can cost, at least 1 ms. Default 1 s.
    pub rtt: Period,
    /// So many losses in five minutes are worth an alert, at least 1. Default 5.
    pub losses: Positive,
    /// Below this share of attempts that open a lost connection again, in five minutes and of at least four, there is an alert.
    /// Default 0.5.
    pub recovery_rate: Fraction,
    /// A connection that is open and has brought nothing but pongs for so long is stale. Default 10 min.
    pub silence: Millis,
}

impl Thresholds {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        score: 50,
        rtt: Period::from_millis(1000),
        losses: Positive(5),
        recovery_rate: Fraction::new(0.5),
        silence: Millis::from_millis(600_000),
    };
}

impl Given for Thresholds {
    fn read<F: Foreign>(from: &F) -> Option<Self> {
        if from.number().is_some() || from.text().is_some() || from.flag().is_some() {
            return None;
        }
        let defaults = Self::DEFAULT;
        let score = from.field("score");
        Some(Self {
            score: if score.is_nothing() {
                defaults.score
            } else {
                let score = score.number()?;
                (0.0..=100.0).contains(&score).then_some(score as u8)?
            },
            rtt: part::<Period, F>(from, "rtt")?.unwrap_or(defaults.rtt),
            losses: part(from, "losses")?.unwrap_or(defaults.losses),
            recovery_rate: part(from, "recoveryRate")?.unwrap_or(defaults.recovery_rate),
            silence: part(from, "silence")?.unwrap_or(defaults.silence),
        })
    }
}

/// A part of a value that may be left out.
fn part<T: Given, F: Foreign>(from: &F, name: &str) -> Option<Option<T>> {
    let value = from.field(name);
    if value.is_nothing() {
        Some(None)
    } else {
        T::read(&value).map(Some)
    }
}

/// Something that lowers the score of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ailment {
    /// It is not open.
    Down,
    /// It is open, and in doubt.
    Suspect,
    /// It was lost lately.
    Losses,
    /// Pings were not answered in time lately.
    MissedPongs,
    /// Attempts, sends or frames failed lately.
    Errors,
    /// Pings are answered slowly.
    Rtt,
    /// What tabs send waits.
    Queue,
}

impl Ailment {
    /// The word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Suspect => "suspect",
            Self::Losses => "losses",
            Self::MissedPongs => "missed-pongs",
            Self::Errors => "errors",
            Self::Rtt => "rtt",
            Self::Queue => "queue",
        }
    }
}

/// What tabs are told of the health of a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Alert {
    /// Its score has fallen below the threshold.
    Unhealthy {
        /// The score.
        score: u8,
        /// What it is so low for.
        reasons: Vec<Ailment>,
        /// How often it has fallen so.
        count: u32,
    },
    /// It is lost too often, or seldom comes back.
    Unstable {
        /// Which of the two.
        reason: Instability,
        /// How often it was lost in five minutes, or the share of attempts that brought it back.
        value: f64,
        /// The threshold that this has crossed.
        threshold: f64,
        /// How often that has happened.
        count: u32,
    },
}

/// How a connection is unstable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instability {
    /// It is lost too often.
    Losses,
    /// Too few attempts bring it back.
    RecoveryRate,
}

impl Instability {
    /// The word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Losses => "losses",
            Self::RecoveryRate => "recovery-rate",
        }
    }
}

impl Alert {
    /// The items of the message.
    pub(super) fn items<F: Foreign>(&self, conn: ConnId) -> Vec<F> {
        let count_of = |count: u32| ("count", F::from_number(f64::from(count)));
        let (event, fields) = match self {
            Self::Unhealthy {
                score,
                reasons,
                count,
            } => {
                let reasons = reasons.iter().map(|reason| F::from_text(reason.code()));
                let fields = vec![
                    ("score", F::from_number(f64::from(*score))),
                    ("reasons", F::array(reasons.collect())),
                    count_of(*count),
                ];
                ("unhealthyConnection", fields)
            }
            Self::Unstable {
                reason,
                value,
                threshold,
                count,
            } => {
                let fields = vec![
                    ("reason", F::from_text(reason.code())),
                    ("value", F::from_number(*value)),
                    ("threshold", F::from_number(*threshold)),
                    count_of(*count),
                ];
                ("stabilityAlert", fields)
            }
        };
        vec![
            F::from_number(f64::from(op::ALERT)),
            F::from_number(f64::from(conn.0)),
            F::from_text(event),
            F::object(fields),
        ]
    }
}
