//! The hub alone, natively: what a frame, a flush and an idle connection cost.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a bench may fail by panicking, and criterion's macro documents nothing"
)]

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tabwire::core::{Hub, Input, Output, Payload, PortId, SocketEvent, SocketId};
use tabwire::protocol::{Attach, HandleId, Hello, Liveness, Needs, Options, TabMessage};
use tabwire::time::Time;

/// As cheap to clone as a `JsValue`.
#[derive(Clone, PartialEq)]
struct Frame(u32);

impl Payload for Frame {
    fn size(&self) -> usize {
        200
    }

    fn from_text(text: &str) -> Self {
        Self(text.len() as u32)
    }

    fn head(&self, _: usize) -> Option<Cow<'_, str>> {
        None
    }
}

fn main_benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fan-out");
    for tabs in [1, 10, 100] {
        for frames in [1, 100] {
            group.throughput(Throughput::Elements(u64::from(tabs * frames)));
            group.bench_function(format!("{frames} frames to {tabs} tabs"), |bencher| {
                let (mut hub, socket) = hub_with(tabs);
                let mut next = 0;
                bencher.iter(|| {
                    for number in 0..frames {
                        let event = SocketEvent::Frame(Frame(number));
                        hub.handle_input(Time::ZERO, Input::Socket(socket, event));
                        drain(&mut hub);
                    }
                    hub.handle_input(Time::ZERO, Input::Tick);
                    drain(&mut hub);
                    next += u64::from(frames);
                    for port in 0..tabs {
                        let ack = TabMessage::Ack {
                            conn: socket.conn,
                            next,
                        };
                        hub.handle_input(Time::ZERO, Input::Message(PortId(port), ack));
                        drain(&mut hub);
                    }
                });
            });
        }
    }
    group.finish();

    criterion.bench_function("attach and detach beside 1000 connections", |bencher| {
        let mut hub = Hub::new(1);
        hello(&mut hub, PortId(0));
        for number in 0..1000 {
            attach(&mut hub, PortId(0), number);
        }
        bencher.iter_batched(
            || (),
            |()| {
                let attached = attach(&mut hub, PortId(0), 5000);
                let detach = TabMessage::Detach {
                    handle: HandleId(5000),
                    code: None,
                    reason: String::new(),
                    purge: false,
                };
                hub.handle_input(Time::ZERO, Input::Message(PortId(0), detach));
                drain(&mut hub);
                hub.handle_input(
                    Time::from_millis(5000),
                    Input::Timeout {
                        wall: Duration::ZERO,
                    },
                );
                drain(&mut hub);
                attached
            },
            BatchSize::SmallInput,
        );
    });
}

fn hub_with(tabs: u32) -> (Hub<Frame>, SocketId) {
    let mut hub = Hub::new(1);
    let mut socket = None;
    for port in 0..tabs {
        hello(&mut hub, PortId(port));
        socket = attach(&mut hub, PortId(port), 0).or(socket);
    }
    let socket = socket.unwrap();
    let opened = SocketEvent::Opened {
        protocol: String::new(),
        extensions: String::new(),
    };
    hub.handle_input(Time::ZERO, Input::Socket(socket, opened));
    drain(&mut hub);
    (hub, socket)
}

fn hello(hub: &mut Hub<Frame>, port: PortId) {
    let hello = Hello {
        protocol: 1,
        build: "bench".into(),
        tab: port.0.to_string(),
        liveness: Liveness::Locks,
        lock: String::new(),
        visible: true,
        focused: false,
        online: true,
    };
    hub.handle_input(Time::ZERO, Input::Message(port, TabMessage::Hello(hello)));
    drain(hub);
}

fn attach(hub: &mut Hub<Frame>, port: PortId, number: u32) -> Option<SocketId> {
    let attach = Attach {
        url: format!("ws://server/{number}"),
        protocols: Vec::new(),
        key: String::new(),
        needs: Needs::default(),
        options: Ok(Options::default()),
    };
    let message = TabMessage::Attach(HandleId(number), Box::new(attach));
    hub.handle_input(Time::ZERO, Input::Message(port, message));
    drain(hub)
}

/// Carries nothing out, but looks at every frame as a driver would.
fn drain(hub: &mut Hub<Frame>) -> Option<SocketId> {
    let mut opened = None;
    loop {
        match hub.poll_output() {
            Output::Timeout(_) => return opened,
            Output::Open { socket, .. } => opened = Some(socket),
            Output::Deliver(delivery) => {
                for frame in delivery.frames() {
                    black_box(frame.0);
                }
                black_box(delivery.ports);
            }
            Output::Post(..)
            | Output::Hand(..)
            | Output::Show(..)
            | Output::Send(..)
            | Output::Measure(_)
            | Output::Close { .. }
            | Output::Retire { .. }
            | Output::Announce(_)
            | Output::WatchPeer { .. }
            | Output::Fetch(_)
            | Output::Abort(..)
            | Output::Rebind { .. }
            | Output::Watch(..)
            | Output::Forget(_)
            | Output::Tick => {}
        }
    }
}

criterion_group!(benches, main_benches);
criterion_main!(benches);
