//! One accepted TCP connection that can be cut, hung or half closed to its client while its tasks are using it.

use std::io;
use std::net::{Shutdown, TcpStream as StdStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::sieve::Sieve;
use crate::sync::lock;

/// How a connection is ended below the WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// By RST: what is on its way is lost in both directions.
    Reset,
    /// By a plain FIN.
    Fin,
}

/// The handle of one accepted TCP connection, shared by its stream and by the faults.
pub struct Tcp {
    /// Its number among all accepted connections.
    pub id: u64,
    /// Whether it came in by the wire listener, which is the one that faults act on.
    pub wire: bool,
    delay_ms: AtomicU64,
    swallowed: AtomicU64,
    sieve: Mutex<Sieve>,
    gate: Mutex<Gate>,
}

struct Gate {
    stream: Option<TcpStream>,
    hung: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Tcp {
    /// Takes charge of an accepted connection.
    pub fn new(id: u64, wire: bool, stream: TcpStream) -> Self {
        Self {
            id,
            wire,
            delay_ms: AtomicU64::new(0),
            swallowed: AtomicU64::new(0),
            sieve: Mutex::default(),
            gate: Mutex::new(Gate {
                stream: Some(stream),
                hung: false,
                reader: None,
                writer: None,
            }),
        }
    }

    /// Whether it has neither been cut nor closed.
    pub fn is_open(&self) -> bool {
        lock(&self.gate).stream.is_some()
    }

    /// Whether it is held still by [`Tcp::hang`].
    pub fn is_hung(&self) -> bool {
        lock(&self.gate).hung
    }

    /// Stops all reading and writing, or lets both go on where they were.
    pub fn hang(&self, hung: bool) {
        let mut gate = lock(&self.gate);
        gate.hung = hung;
        gate.wake();
    }

    /// Notes that what its client sends from now on are the frames of a WebSocket.
    pub fn begin_frames(&self) {
        lock(&self.sieve).begin();
    }

    /// Whether the frames of its client are thrown away.
    pub fn is_half_open(&self) -> bool {
        lock(&self.sieve).is_shut()
    }

    /// Throws away the frames of its client that come from now on, or lets them in again.
    pub fn half_open(&self, half_open: bool) {
        lock(&self.sieve).shut(half_open);
    }

    /// How many messages have been thrown away.
    pub fn swallowed(&self) -> u64 {
        self.swallowed.load(Ordering::SeqCst)
    }

    /// How long each WebSocket frame is held back, in each direction.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.load(Ordering::Relaxed))
    }

    /// Sets what [`Tcp::delay`] says of frames from now on.
    pub fn set_delay(&self, millis: u64) {
        self.delay_ms.store(millis, Ordering::Relaxed);
    }

    /// Ends the connection at once, hung or not; its tasks then meet an error.
    pub fn cut(&self, how: Cut) {
        if let Some(stream) = self.take() {
            match how {
                Cut::Reset => reset(stream),
                Cut::Fin => finish(stream),
            }
        }
    }

    fn take(&self) -> Option<TcpStream> {
        let mut gate = lock(&self.gate);
        let stream = gate.stream.take();
        gate.wake();
        stream
    }

    fn poll<T>(
        &self,
        side: fn(&mut Gate) -> &mut Option<Waker>,
        cx: &mut Context<'_>,
        io: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let mut gate = lock(&self.gate);
        let hung = gate.hung;
        let Some(stream) = gate.stream.as_mut() else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let polled = if hung {
            Poll::Pending
        } else {
            io(Pin::new(stream), cx)
        };
        if polled.is_pending() {
            match side(&mut gate) {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
        polled
    }
}

impl Gate {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }
}

/// Closes a connection by RST.
pub fn reset(stream: TcpStream) {
    // Fails only on a socket that is dead already, which is what is wanted.
    let _ = stream.set_zero_linger();
}

/// Closes the sending side, then reads on until the peer has closed too.
///
/// A socket closed with unread bytes, or written to after its close, would answer with RST instead.
fn finish(stream: TcpStream) {
    let half_closed = stream
        .into_std()
        .and_then(|stream: StdStream| stream.shutdown(Shutdown::Write).map(|()| stream))
        .and_then(TcpStream::from_std);
    if let Ok(mut stream) = half_closed {
        tokio::spawn(timeout(FIN_PATIENCE, async move {
            let mut scrap = vec![0; 64 * 1024];
            while matches!(stream.read(&mut scrap).await, Ok(1..)) {}
        }));
    }
}

/// What is told of a stream while it is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many messages of the client were thrown away.
    Swallowed(u64),
    /// Its user has dropped it.
    Closed,
}

/// The byte stream of one connection, as hyper and the WebSocket use it.
pub struct GatedStream {
    tcp: Arc<Tcp>,
    listener: Box<Listener>,
}

type Listener = dyn Fn(&Tcp, Event) + Send + Sync;

impl GatedStream {
    /// Makes the stream of `tcp`, which tells `listener` what happens to it.
    pub fn new(tcp: Arc<Tcp>, listener: impl Fn(&Tcp, Event) + Send + Sync + 'static) -> Self {
        Self {
            tcp,
            listener: Box::new(listener),
        }
    }

    /// The handle of the connection.
    pub fn tcp(&self) -> &Arc<Tcp> {
        &self.tcp
    }
}

impl Drop for GatedStream {
    fn drop(&mut self) {
        drop(self.tcp.take());
        (self.listener)(&self.tcp, Event::Closed);
    }
}

impl AsyncRead for GatedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let before = buffer.filled().len();
            ready!(self.tcp.poll(
                |gate| &mut gate.reader,
                cx,
                |stream, cx| stream.poll_read(cx, buffer),
            ))?;
            let fresh = buffer.filled_mut().get_mut(before..).unwrap_or_default();
            if fresh.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let (kept, swallowed) = lock(&self.tcp.sieve).sift(fresh);
            buffer.set_filled(before + kept);
            if swallowed > 0 {
                self.tcp.swallowed.fetch_add(swallowed, Ordering::SeqCst);
                (self.listener)(&self.tcp, Event::Swallowed(swallowed));
            }
            // A read of nothing would mean the end.
            if kept > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for GatedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.tcp.poll(
            |gate| &mut gate.writer,
            cx,
            |stream, cx| stream.poll_write(cx, bytes),
        )
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll(
            |gate| &mut gate.writer,
            cx,
            |stream, cx| stream.poll_flush(cx),
        )
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.poll(
            |gate| &mut gate.writer,
            cx,
            |stream, cx| stream.poll_shutdown(cx),
        )
    }
}

/// How long a peer may take to answer a FIN before its connection is closed all the same.
const FIN_PATIENCE: Duration = Duration::from_secs(10);
