//! The two listeners: the wire, which stops and starts on command and is faulted, and the site, which only listens.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::state::App;
use crate::tcp::{Cut, Event, GatedStream, Tcp};

/// The TCP connection that a request came in by.
#[derive(Clone)]
pub struct Peer(pub Arc<Tcp>);

impl Connected<IncomingStream<'_, WireListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, WireListener>) -> Self {
        Self(Arc::clone(stream.io().tcp()))
    }
}

impl Connected<IncomingStream<'_, SiteListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, SiteListener>) -> Self {
        Self(Arc::clone(stream.io().tcp()))
    }
}

/// Stops and starts the wire listener from the controls.
pub struct WireSwitch {
    commands: mpsc::Sender<Command>,
    listening: AtomicBool,
    /// Counts the commands, so that a restart does not undo what was commanded after it.
    turns: AtomicU64,
}

type Command = (bool, oneshot::Sender<io::Result<()>>);

impl WireSwitch {
    /// Makes the switch of a listener that listens, and the end that the listener obeys.
    pub fn new() -> (Self, mpsc::Receiver<Command>) {
        let (commands, receiver) = mpsc::channel(1);
        let switch = Self {
            commands,
            listening: AtomicBool::new(true),
            turns: AtomicU64::new(0),
        };
        (switch, receiver)
    }

    /// Whether the wire port is open.
    pub fn is_listening(&self) -> bool {
        self.listening.load(Ordering::SeqCst)
    }

    /// Opens or closes the wire port and returns when that is done, with the number of this turn.
    ///
    /// # Errors
    /// Those of binding and listening.
    pub async fn turn(&self, on: bool) -> io::Result<u64> {
        let turn = self.turns.fetch_add(1, Ordering::SeqCst) + 1;
        let (answer, answered) = oneshot::channel();
        let gone = || io::Error::other("the wire listener has ended");
        self.commands.send((on, answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())??;
        Ok(turn)
    }

    /// Whether nothing has been commanded since `turn`.
    pub fn is_last_turn(&self, turn: u64) -> bool {
        self.turns.load(Ordering::SeqCst) == turn
    }
}

/// Listens on the wire port.
pub struct WireListener {
    app: Arc<App>,
    address: SocketAddr,
    port: Port,
    commands: mpsc::Receiver<Command>,
    accepted: u64,
}

enum Port {
    Open(TcpListener),
    /// Bound without listening: connections are refused, and neither another program nor the near end of a
    /// connection to this very port can be given it.
    Reserved(TcpSocket),
    /// Neither, after an error that the command was answered with.
    Lost,
}

impl WireListener {
    /// Makes the listener from one that is already open.
    pub fn new(
        app: Arc<App>,
        listener: TcpListener,
        commands: mpsc::Receiver<Command>,
    ) -> io::Result<Self> {
        Ok(Self {
            app,
            address: listener.local_addr()?,
            port: Port::Open(listener),
            commands,
            accepted: 0,
        })
    }

    fn turn(&mut self, on: bool) -> io::Result<()> {
        match (on, std::mem::replace(&mut self.port, Port::Lost)) {
            (true, Port::Open(listener)) => self.port = Port::Open(listener),
            (true, Port::Reserved(socket)) => self.port = Port::Open(socket.listen(BACKLOG)?),
            (true, Port::Lost) => self.port = Port::Open(bind(self.address.port())?),
            (false, Port::Reserved(socket)) => self.port = Port::Reserved(socket),
            (false, port) => {
                drop(port);
                self.app.wire.listening.store(false, Ordering::SeqCst);
                self.app.cut_wire(Cut::Reset);
                self.port = Port::Reserved(reserve(self.address.port())?);
            }
        }
        self.app.wire.listening.store(on, Ordering::SeqCst);
        self.app.changed.raise();
        Ok(())
    }

    fn enter(&mut self, stream: TcpStream) -> Option<GatedStream> {
        self.accepted += 1;
        self.app.counts.attempts.fetch_add(1, Ordering::SeqCst);
        let tcp = prepare(self.accepted, true, stream);
        let kept = self.app.faults.accept(&tcp);
        self.app.changed.raise();
        kept.then(|| {
            let app = Arc::clone(&self.app);
            GatedStream::new(tcp, move |tcp, event| match event {
                Event::Swallowed(messages) => {
                    app.counts.swallowed.fetch_add(messages, Ordering::SeqCst);
                    app.changed.raise();
                }
                Event::Closed => app.faults.forget(tcp),
            })
        })
    }
}

impl Listener for WireListener {
    type Io = GatedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (GatedStream, SocketAddr) {
        loop {
            let accepted = async {
                match &self.port {
                    Port::Open(listener) => accept(listener).await,
                    Port::Reserved(_) | Port::Lost => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some((on, answer)) = self.commands.recv() => {
                    // Who gave the command may have hung up; it is carried out all the same.
                    let _ = answer.send(self.turn(on));
                }
                (stream, address) = accepted => {
                    if let Some(stream) = self.enter(stream) {
                        return (stream, address);
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Listens on the site port.
pub struct SiteListener {
    listener: TcpListener,
    accepted: u64,
}

impl SiteListener {
    /// Makes the listener from one that is already open.
    pub fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            accepted: 0,
        }
    }
}

impl Listener for SiteListener {
    type Io = GatedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (GatedStream, SocketAddr) {
        let (stream, address) = accept(&self.listener).await;
        self.accepted += 1;
        let tcp = prepare(self.accepted, false, stream);
        (GatedStream::new(tcp, |_, _| {}), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Opens a loopback port, 0 for any free one.
///
/// # Errors
/// Those of binding and listening.
pub fn bind(port: u16) -> io::Result<TcpListener> {
    reserve(port)?.listen(BACKLOG)
}

fn reserve(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    Ok(socket)
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // A connection that died in the queue is nothing; without descriptors, trying on at once would only spin.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

fn prepare(id: u64, wire: bool, stream: TcpStream) -> Arc<Tcp> {
    // Fails only on a socket that is dead already, which its first read will tell.
    let _ = stream.set_nodelay(true);
    Arc::new(Tcp::new(id, wire, stream))
}

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// How long accepting pauses after an error.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
