//! Tells waiters that something they may wait for has changed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Wakes those who wait for a condition on the shared state.
///
/// Costs the one who changes the state a single atomic load while nobody waits.
#[derive(Default)]
pub struct Signal {
    waiting: AtomicUsize,
    notify: Notify,
}

impl Signal {
    /// Makes every waiter look again; to be called after the change.
    pub fn raise(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.notify.notify_waiters();
        }
    }

    /// Waits until `holds` says yes, however long that takes.
    pub async fn when(&self, mut holds: impl FnMut() -> bool) {
        while !self.until(Instant::now() + LONG, &mut holds).await {}
    }

    /// Waits until `holds` says yes, and tells whether it did so before the deadline.
    pub async fn until(&self, deadline: Instant, mut holds: impl FnMut() -> bool) -> bool {
        let _waiting = Waiting::begin(&self.waiting);
        loop {
            // Enabled before the look: a change between look and wait is not missed.
            let mut notified = std::pin::pin!(self.notify.notified());
            notified.as_mut().enable();
            if holds() {
                return true;
            }
            if timeout_at(deadline, notified).await.is_err() {
                return holds();
            }
        }
    }
}

/// Counts one waiter for as long as it lives, since a waiting request may be dropped at any time.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Long enough never to matter: a wait that ends then looks again and goes on.
const LONG: Duration = Duration::from_secs(3600);
