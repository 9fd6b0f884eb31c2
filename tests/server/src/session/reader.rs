//! Reads the frames of one WebSocket, counts, records and answers them.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::time::{Instant, sleep_until};

use crate::connection::{Connection, Outgoing};
use crate::registry::{By, Ending};
use crate::speech::{self, Answer};
use crate::state::App;
use crate::topics;

/// Reads until the connection has ended, and tells how it did.
pub async fn read(
    mut stream: SplitStream<WebSocket>,
    app: &App,
    connection: &Connection,
) -> Ending {
    let mut reader = Reader {
        app,
        connection,
        held: VecDeque::new(),
        close: None,
    };
    let mut ended = false;
    while !ended || !reader.held.is_empty() {
        let due = reader.held.front().map(|(due, _)| *due);
        // A close frame that is held back holds up the reading too: reading on would answer it.
        let close_held = matches!(reader.held.back(), Some((_, Message::Close(_))));
        let readable = !ended && !close_held && reader.held.len() < MOST_HELD;
        tokio::select! {
            biased;
            () = wait_until(due) => {
                if let Some((_, message)) = reader.held.pop_front() {
                    reader.handle(message).await;
                }
            }
            next = stream.next(), if readable => match next {
                Some(Ok(message)) => {
                    if let Some(message) = reader.hold(message) {
                        reader.handle(message).await;
                    }
                }
                Some(Err(_)) | None => {
                    ended = true;
                    if !connection.tcp.is_open() {
                        reader.held.clear();
                    }
                }
            }
        }
    }
    reader.ending()
}

struct Reader<'a> {
    app: &'a App,
    connection: &'a Connection,
    /// Frames that the delay fault holds back, with the time at which each is handled.
    held: VecDeque<(Instant, Message)>,
    /// The close frame of the client.
    close: Option<Option<CloseFrame>>,
}

impl Reader<'_> {
    /// Holds a frame back if there is a delay, and returns it otherwise; none overtakes a held one.
    fn hold(&mut self, message: Message) -> Option<Message> {
        let delay = self.connection.tcp.delay();
        if delay.is_zero() && self.held.is_empty() {
            return Some(message);
        }
        self.held.push_back((Instant::now() + delay, message));
        None
    }

    async fn handle(&mut self, message: Message) {
        match message {
            Message::Text(text) => {
                self.app.record.add_text(self.connection.id, &text);
                self.count();
                if let Some(dialect) = self.connection.origin.purpose.dialect() {
                    let answer = topics::answer(self.app, self.connection, dialect, &text);
                    if let Some(answer) = answer {
                        self.reply(Message::Text(answer.into())).await;
                    }
                    return;
                }
                match speech::answer(self.connection.origin.purpose, &text) {
                    Answer::Nothing => {}
                    Answer::Echo => self.reply(Message::Text(text)).await,
                    Answer::Reply(reply) => self.reply(Message::Text(reply.into())).await,
                    Answer::Broadcast(text) => speech::broadcast(self.app, &text),
                    Answer::Tabs(count) => {
                        self.app.counts.tabs.store(count, Ordering::SeqCst);
                        self.app.changed.raise();
                    }
                }
            }
            Message::Binary(bytes) => {
                self.app.record.add_binary(self.connection.id, &bytes);
                self.count();
                if speech::echoes_binary(self.connection.origin.purpose) {
                    self.reply(Message::Binary(bytes)).await;
                }
            }
            Message::Close(frame) => self.close = Some(frame),
            Message::Ping(_) | Message::Pong(_) => {}
        }
    }

    fn count(&self) {
        self.connection.received.fetch_add(1, Ordering::SeqCst);
        self.app.counts.received.fetch_add(1, Ordering::SeqCst);
        self.app.changed.raise();
    }

    async fn reply(&self, message: Message) {
        // Nothing can be sent once the connection is closing; what is still read is only recorded.
        let _ = self.connection.push_paced(Outgoing::One(message), 1).await;
    }

    fn ending(self) -> Ending {
        match (self.connection.closing.get(), self.close) {
            (Some(order), Some(_)) => Ending {
                code: order.code,
                reason: order.reason.clone(),
                clean: true,
                by: By::Server,
            },
            (None, Some(frame)) => Ending {
                code: frame.as_ref().map_or(1005, |frame| frame.code),
                reason: frame.map_or_else(String::new, |frame| frame.reason.to_string()),
                clean: true,
                by: By::Client,
            },
            (_, None) if !self.connection.tcp.is_open() => Ending::broken(By::Cut),
            (_, None) => Ending::broken(By::Lost),
        }
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// How many frames are held back before reading pauses.
const MOST_HELD: usize = 65_536;
