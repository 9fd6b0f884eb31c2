//! Runs one WebSocket: reads and answers, writes what is queued, reports, and ends at the right time.

mod reader;
mod writer;

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use crate::connection::{CloseOrder, Connection, Item, Outgoing, Purpose};
use crate::pipeline;
use crate::registry::{By, Ending};
use crate::state::App;

pub use self::writer::CLOSE_PATIENCE;

/// Keeps a connection live for as long as it exists, so that no path, not even a failed upgrade, leaves one behind.
pub struct Lease {
    app: Arc<App>,
    connection: Arc<Connection>,
}

impl Lease {
    /// Makes the lease of a connection that has been admitted.
    pub fn new(app: Arc<App>, connection: Arc<Connection>) -> Self {
        Self { app, connection }
    }

    /// Runs the connection to its end.
    pub async fn run(self, socket: WebSocket, queue: mpsc::Receiver<Item>) {
        let (sink, stream) = socket.split();
        let mut reader = pin!(reader::read(stream, &self.app, &self.connection));
        let mut writer = pin!(writer::write(sink, queue, &self.app, &self.connection));
        let ending = tokio::select! {
            // The reader first: a writer that is never held up must not keep frames and closes from being seen.
            biased;
            ending = &mut reader => ending,
            ending = &mut writer => ending,
            never = close_at_age(&self.app, &self.connection) => match never {},
            never = report(&self.connection) => match never {},
        };
        // Before the socket is dropped: whoever sees it closed finds it gone from the count.
        self.end(ending);
    }

    fn end(&self, ending: Ending) {
        self.app.topics.forget(self.connection.id);
        if self.app.registry.retire(self.connection.id, ending) {
            self.app.changed.raise();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.end(Ending::broken(By::Lost));
    }
}

async fn close_at_age(app: &App, connection: &Connection) -> Infallible {
    if let Some(age) = app.options.max_age {
        sleep_until(connection.opened + age).await;
        connection.push(Outgoing::Close(CloseOrder {
            code: 1001,
            reason: "max age".into(),
        }));
    }
    pending().await
}

async fn report(connection: &Connection) -> Infallible {
    let Purpose::Pipeline { every } = connection.origin.purpose else {
        return pending().await;
    };
    let mut ticks = interval(Duration::from_millis(every.max(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let report = Message::Text(pipeline::report().into());
        connection.push_if_idle(Outgoing::One(report));
    }
}
