//! One WebSocket for the whole browser: a hub that every tab shares.
//!
//! In a browser this crate is the WebAssembly of the npm package of the same name, which is what web apps install. To Rust it is a
//! library without IO: a state machine that shares connections among *tabs* (whoever speaks its protocol behind a port), reconnects,
//! notices dead paths, queues, counts what is lost, and keeps circuit breakers. Nothing in it but `web` names a browser, a clock or a
//! source of randomness, so everything that can go wrong is tested natively, in virtual time.
//!
//! # The contract
//!
//! A driver owns ports, sockets and a clock, and does only this:
//!
//! 1. [`Hub::handle_input`](core::Hub::handle_input) with the time and one [`Input`](core::Input): a tab or a socket has said something, a
//!    deadline has come.
//! 2. [`Hub::poll_output`](core::Hub::poll_output) until it gives [`Output::Timeout`](core::Output::Timeout), and does what each
//!    [`Output`](core::Output) says: open a socket, give it a frame, post to a port.
//! 3. Waits for the next thing to happen, or until the deadline of that timeout, which is then [`Input::Timeout`](core::Input::Timeout).
//!
//! Inputs that come about in step 2, such as [`Input::Tick`](core::Input::Tick), wait for step 1. Time is an argument ([`time::Time`],
//! from any origin; it never goes back) and the seed of all that is random is given to [`Hub::new`](core::Hub::new), so equal inputs
//! give equal outputs. A frame is whatever implements [`Payload`](core::Payload); it is cloned and measured, and read only where a
//! subprotocol has topics. A late event of a socket that is gone names nobody, so a driver need not keep track.
//!
//! ```
//! use std::borrow::Cow;
//! use tabwire::core::{Hub, Input, Output, Payload, PortId, SocketEvent};
//! use tabwire::protocol::{Attach, HandleId, Hello, Liveness, MAJOR, Needs, Options, TabMessage};
//! use tabwire::time::Time;
//!
//! #[derive(Clone, PartialEq)]
//! struct Text(String);
//! impl Payload for Text {
//!     fn size(&self) -> usize { self.0.len() }
//!     fn from_text(text: &str) -> Self { Self(text.into()) }
//!     fn head(&self, _most: usize) -> Option<Cow<'_, str>> { Some(self.0.as_str().into()) }
//! }
//!
//! /// One input, then every output up to the timeout.
//! fn drive(hub: &mut Hub<Text>, now: Time, input: Input<Text>) -> Vec<Output<Text>> {
//!     hub.handle_input(now, input);
//!     let outputs = std::iter::from_fn(|| Some(hub.poll_output()));
//!     outputs.take_while(|output| !matches!(output, Output::Timeout(_))).collect()
//! }
//!
//! let mut hub = Hub::new(42);
//! let tab = PortId(1);
//! let hello = Hello {
//!     protocol: MAJOR,
//!     build: "1.0.0".into(),
//!     tab: "a tab".into(),
//!     liveness: Liveness::Heartbeat,
//!     lock: String::new(),
//!     visible: true,
//!     focused: true,
//!     online: true,
//! };
//! drive(&mut hub, Time::ZERO, Input::Message(tab, TabMessage::Hello(hello)));
//!
//! // The first handle of a connection opens its socket.
//! let attach = Attach {
//!     url: "wss://example.com/live".into(),
//!     protocols: Vec::new(),
//!     key: String::new(),
//!     needs: Needs::default(),
//!     options: Ok(Options::default()),
//! };
//! let attach = TabMessage::Attach(HandleId(1), Box::new(attach));
//! let outputs = drive(&mut hub, Time::ZERO, Input::Message(tab, attach));
//! let socket = outputs.iter().find_map(|output| match output {
//!     Output::Open { socket, .. } => Some(*socket),
//!     _ => None,
//! });
//! let socket = socket.expect("a socket to open");
//!
//! // What the server sends is delivered to every tab.
//! let opened = SocketEvent::Opened { protocol: String::new(), extensions: String::new() };
//! drive(&mut hub, Time::from_millis(30), Input::Socket(socket, opened));
//! let frame = SocketEvent::Frame(Text("news".into()));
//! let outputs = drive(&mut hub, Time::from_millis(40), Input::Socket(socket, frame));
//! assert!(outputs.iter().any(|output| matches!(
//!     output,
//!     Output::Deliver(delivery) if delivery.frames().any(|Text(text)| text == "news")
//! )));
//! ```
//!
//! `cargo run --example native` is a whole driver: two tabs, a server in memory that hangs up, and the way back.
//!
//! # Layers
//!
//! [`time`] ← [`protocol`] ← [`core`] ← `web`; arrows point one way. [`protocol`] is what tabs and hub say to each other, with the
//! options and the reason codes; [`core`] is the hub. `web` is there for `wasm32` only: the driver of a browser, which
//! `wasm-pack build --target web` makes a package of whose `Hub` a worker script of one's own can host.

pub mod core;
pub mod protocol;
pub mod time;
#[cfg(target_arch = "wasm32")]
pub mod web;
