//! Counts the requests that a fault leaves unanswered.

use std::sync::atomic::Ordering;

use crate::state::App;

/// Counts one unanswered request for as long as it exists, since its client may leave at any time.
pub struct Pending<'a>(&'a App);

impl<'a> Pending<'a> {
    /// Begins to count it.
    pub fn begin(app: &'a App) -> Self {
        app.counts.pending.fetch_add(1, Ordering::SeqCst);
        app.changed.raise();
        Self(app)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.counts.pending.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.raise();
    }
}
