//! What happened, for those who must find out why.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};

use tabwire::time::Time;

/// The last lines of a world, and a fingerprint of all. Costs nothing unless it is on.
#[derive(Debug)]
pub struct Trace {
    is_on: bool,
    kept: usize,
    lines: VecDeque<String>,
    hasher: DefaultHasher,
}

/// How many lines are kept, unless `TABWIRE_LINES` says otherwise.
const KEPT: usize = 40;

impl Trace {
    /// An empty trace.
    pub fn new(is_on: bool) -> Self {
        let kept = std::env::var("TABWIRE_LINES").ok();
        Self {
            is_on,
            kept: kept.and_then(|lines| lines.parse().ok()).unwrap_or(KEPT),
            lines: VecDeque::new(),
            hasher: DefaultHasher::new(),
        }
    }

    /// Notes a line, if the trace is on.
    pub fn say(&mut self, now: Time, line: impl FnOnce() -> String) {
        if !self.is_on {
            return;
        }
        let line = format!("{:>13.3} ms  {}", now.as_millis_f64(), line());
        self.hasher.write(line.as_bytes());
        if self.lines.len() == self.kept {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The last lines.
    pub fn lines(self) -> Vec<String> {
        self.lines.into()
    }

    /// The fingerprint of all lines.
    pub fn fingerprint(&self) -> u64 {
        self.hasher.finish()
    }
}
