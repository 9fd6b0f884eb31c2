//! What a route of the service does with its calls.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use serde::Deserialize;
use tokio::time::Instant;

use super::burst::Burst;

/// The body of `POST /control/service`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceOrder {
    route: String,
    #[serde(default)]
    mode: Kind,
    status: Option<u16>,
    retry_after: Option<String>,
    times: Option<u64>,
    delay_ms: Option<u64>,
    period_ms: Option<u64>,
    fail_ms: Option<u64>,
    chance: Option<f64>,
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Ok,
    Fail,
    Reset,
    Hang,
    Hold,
    Slow,
    Burst,
    Token,
}

/// The mode of a route.
pub enum Mode {
    /// So many calls, or all, are judged the same, and those after them are answered.
    Fixed {
        /// The judgement.
        verdict: Verdict,
        /// How many calls are left; `None` is without end.
        left: Option<u64>,
    },
    /// Calls are held.
    Hold,
    /// Calls fail in bursts.
    Burst(Burst),
    /// Calls fail with 401 but for those with the valid token.
    Token,
}

/// What becomes of one call.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is answered.
    Ok,
    /// It is answered after a while.
    Slow(Duration),
    /// It fails.
    Fail(Failure),
    /// Its TCP connection is reset.
    Reset,
}

/// How a call fails.
#[derive(Clone, Debug)]
pub struct Failure {
    /// With this status.
    pub status: StatusCode,
    /// With this advice.
    pub retry_after: Option<HeaderValue>,
}

impl Default for Mode {
    fn default() -> Self {
        Self::Fixed {
            verdict: Verdict::Ok,
            left: None,
        }
    }
}

impl Mode {
    /// Judges a call; `None` where it is to be held.
    pub fn judge(&mut self, now: Instant, has_token: impl FnOnce() -> bool) -> Option<Verdict> {
        match self {
            Self::Hold => None,
            Self::Token if has_token() => Some(Verdict::Ok),
            Self::Token => Some(Verdict::with_status(StatusCode::UNAUTHORIZED)),
            Self::Burst(burst) => Some(burst.judge(now)),
            Self::Fixed { verdict, left } => {
                let verdict = verdict.clone();
                if let Some(left) = left {
                    *left -= 1;
                    if *left == 0 {
                        *self = Self::default();
                    }
                }
                Some(verdict)
            }
        }
    }
}

impl Verdict {
    /// An answer with that status.
    pub fn with_status(status: StatusCode) -> Self {
        if status == StatusCode::OK {
            return Self::Ok;
        }
        Self::Fail(Failure {
            status,
            retry_after: None,
        })
    }
}

impl ServiceOrder {
    /// The route that is meant.
    pub fn route(&self) -> &str {
        route_name(&self.route)
    }

    /// The mode that is meant.
    ///
    /// # Errors
    /// A sentence that names what is missing or out of range.
    pub fn mode(&self) -> Result<Mode, String> {
        if self.route().is_empty() {
            return Err("route must not be empty".into());
        }
        if self.times == Some(0) {
            return Err("times must be at least 1".into());
        }
        let fixed = |verdict| Mode::Fixed {
            verdict,
            left: self.times,
        };
        Ok(match self.mode {
            Kind::Ok => Mode::default(),
            Kind::Fail => fixed(Verdict::Fail(self.failure()?)),
            Kind::Reset => fixed(Verdict::Reset),
            Kind::Hang | Kind::Hold => Mode::Hold,
            Kind::Slow => {
                let delay = self.delay_ms.ok_or("slow needs delay_ms")?;
                fixed(Verdict::Slow(Duration::from_millis(delay)))
            }
            Kind::Burst => Mode::Burst(self.burst()?),
            Kind::Token => Mode::Token,
        })
    }

    fn failure(&self) -> Result<Failure, String> {
        let value = |text: &String| {
            HeaderValue::from_str(text).map_err(|_| "retry_after must be the value of a header")
        };
        Ok(Failure {
            status: check_status(self.status.unwrap_or(DEFAULT_STATUS))?,
            retry_after: self.retry_after.as_ref().map(value).transpose()?,
        })
    }

    fn burst(&self) -> Result<Burst, String> {
        let period = self.period_ms.ok_or("burst needs period_ms")?;
        let fails = self.fail_ms.ok_or("burst needs fail_ms")?;
        if period == 0 || fails > period {
            return Err("period_ms must be at least 1 and at least fail_ms".into());
        }
        let chance = self.chance.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&chance) {
            return Err("chance must be from 0 to 1".into());
        }
        let times = [period, fails].map(Duration::from_millis);
        Ok(Burst::new(self.failure()?, times, chance, self.seed))
    }
}

/// The name of a route as it is counted, without a slash before it.
pub fn route_name(route: &str) -> &str {
    route.trim_start_matches('/')
}

/// Checks that a call may be answered with a status.
///
/// # Errors
/// A sentence that names the status.
pub fn check_status(status: u16) -> Result<StatusCode, String> {
    StatusCode::from_u16(status)
        .ok()
        .filter(|_| (200..=599).contains(&status))
        .ok_or_else(|| format!("the status {status} is not in 200..=599"))
}

/// The status of a failure where none is given.
const DEFAULT_STATUS: u16 = 503;
