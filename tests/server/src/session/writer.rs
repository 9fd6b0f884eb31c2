//! Writes the queue of one WebSocket.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use crate::connection::{CloseOrder, Connection, Item, Outgoing};
use crate::registry::{By, Ending};
use crate::state::App;

/// Writes until there is nothing more to write.
///
/// Returns only when a close frame was sent and not answered in time; every other end is the reader's to see.
pub async fn write(
    sink: SplitSink<WebSocket, Message>,
    mut queue: mpsc::Receiver<Item>,
    app: &App,
    connection: &Connection,
) -> Ending {
    let mut writer = Writer {
        sink,
        app,
        connection,
        unflushed: 0,
    };
    let written = writer.write_all(&mut queue).await;
    // Frees the credits of what is left, so that a reader which waits for them sees the end.
    drop(queue);
    match written {
        Ok(order) => {
            sleep(CLOSE_PATIENCE + connection.tcp.delay() * 2).await;
            Ending {
                code: order.code,
                reason: order.reason,
                clean: false,
                by: By::Server,
            }
        }
        Err(_) => pending().await,
    }
}

struct Writer<'a> {
    sink: SplitSink<WebSocket, Message>,
    app: &'a App,
    connection: &'a Connection,
    /// Data frames that have been buffered since the last flush.
    unflushed: u64,
}

impl Writer<'_> {
    async fn write_all(
        &mut self,
        queue: &mut mpsc::Receiver<Item>,
    ) -> Result<CloseOrder, axum::Error> {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            if queue.recv_many(&mut batch, BATCH).await == 0 {
                return pending().await;
            }
            for item in batch.drain(..) {
                if let Some(due) = item.due
                    && due > Instant::now()
                {
                    self.flush().await?;
                    sleep_until(due).await;
                }
                match item.outgoing {
                    Outgoing::One(message) => self.feed(message).await?,
                    Outgoing::Many(texts, share) => {
                        let count = texts.len() as u64;
                        for text in texts {
                            self.feed(Message::Text(text)).await?;
                        }
                        if let Some(share) = share {
                            share.count_sent(count);
                        }
                    }
                    Outgoing::Close(order) => {
                        self.flush().await?;
                        return self.close(order).await;
                    }
                }
            }
            self.flush().await?;
            // Lets the reader have its turn while the queue never runs dry.
            tokio::task::yield_now().await;
        }
    }

    async fn feed(&mut self, message: Message) -> Result<(), axum::Error> {
        self.sink.feed(message).await?;
        self.unflushed += 1;
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), axum::Error> {
        // A flush for nothing would send the answer to a close frame that the reader holds back.
        if self.unflushed == 0 {
            return Ok(());
        }
        self.sink.flush().await?;
        let frames = std::mem::take(&mut self.unflushed);
        self.connection.count_sent(frames);
        self.app.counts.sent.fetch_add(frames, Ordering::SeqCst);
        self.app.changed.raise();
        Ok(())
    }

    async fn close(&mut self, order: CloseOrder) -> Result<CloseOrder, axum::Error> {
        let order = self.connection.closing.get_or_init(|| order).clone();
        let frame = CloseFrame {
            code: order.code,
            reason: order.reason.as_str().into(),
        };
        self.sink.send(Message::Close(Some(frame))).await?;
        Ok(order)
    }
}

/// How many queue entries are written between two flushes.
const BATCH: usize = 64;

/// How long the client may take to answer a close frame.
pub const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
