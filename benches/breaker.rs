//! The breaker alone, natively: decisions a second. `benches/browser/breaker.bench.ts` plays the same sequence in a page.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a bench may fail by panicking, and criterion's macro documents nothing"
)]

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tabwire::core::{Breaker, Hub, Input, Output, Payload, PortId};
use tabwire::protocol::{
    BreakerConfig, BreakerOptions, BreakerState, Calls, Fraction, Hello, HubMessage, Liveness,
    Order, Outcome, Period, Positive, Recent, TabMessage, Wish,
};
use tabwire::time::Time;

fn main_benches(criterion: &mut Criterion) {
    let steps = sequence();
    let calls = steps.iter().filter(|step| **step != Step::Wait).count() as u64;
    let mut group = criterion.benchmark_group("breaker");

    group.throughput(Throughput::Elements(calls));
    for (name, window) in [
        ("30 s", BreakerConfig::default().window),
        ("100 calls", Recent::Calls(Positive(100))),
    ] {
        group.bench_function(format!("bursts, window of {name}"), |bencher| {
            let mut caller = Caller::new(BreakerConfig { window, ..config() });
            bencher.iter(|| caller.play(&steps));
            assert!(caller.breaker.counters.trips > 0);
        });
    }
    group.bench_function(
        "bursts, each call a word with a hub of 10 tabs",
        |bencher| {
            let mut hub = gated_hub(10);
            let mut now = Time::ZERO;
            bencher.iter(|| play_by_hub(&mut hub, &steps, &mut now));
        },
    );

    group.throughput(Throughput::Elements(1));
    group.bench_function("closed", |bencher| {
        let mut caller = Caller::new(config());
        bencher.iter(|| caller.call(true));
        assert_eq!(caller.breaker.state(caller.now), BreakerState::Closed);
    });
    group.bench_function("open", |bencher| {
        let mut caller = Caller::new(config());
        caller.breaker.force(Order::Open, caller.now);
        bencher.iter(|| caller.call(true));
    });
    group.finish();
}

/// What happens next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Somebody calls, and it would succeed or fail.
    Call(bool),
    /// The clock goes on until the breaker is half-open, if it was open.
    Wait,
}

/// The same as `sequence` in `benches/browser/pages/gates.js`: 20 times a hundred successes and more, then a burst of failures.
fn sequence() -> Vec<Step> {
    let mut seed: u32 = 2463534242;
    let mut draw = |below: u32| {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed % below
    };
    let mut steps = Vec::new();
    for _ in 0..20 {
        steps.extend((0..100 + draw(201)).map(|_| Step::Call(true)));
        steps.extend((0..6 + draw(20)).map(|_| Step::Call(false)));
        steps.push(Step::Wait);
    }
    steps
}

/// Open for as long as the breakers in the page, and always as long.
fn config() -> BreakerConfig {
    options().resolve()
}

fn options() -> BreakerOptions {
    BreakerOptions {
        reset_timeout: Some(Period::from_millis(50)),
        jitter: Some(Fraction::new(0.0)),
        ..BreakerOptions::default()
    }
}

const WAIT: Duration = Duration::from_millis(60);

struct Caller {
    breaker: Breaker<u32>,
    now: Time,
    rng: fastrand::Rng,
}

impl Caller {
    fn new(config: BreakerConfig) -> Self {
        Self {
            breaker: Breaker::new(config),
            now: Time::ZERO,
            rng: fastrand::Rng::with_seed(7),
        }
    }

    fn play(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Call(succeeds) => self.call(*succeeds),
                Step::Wait => self.now = self.now + WAIT,
            }
        }
    }

    fn call(&mut self, succeeds: bool) {
        match black_box(self.breaker.acquire(1, self.now, &mut self.rng)) {
            Ok(permit) => self.breaker.report(
                (permit.generation, permit.id, 1),
                ended(succeeds),
                self.now,
                &mut self.rng,
            ),
            Err(refusal) => {
                black_box(refusal);
            }
        }
    }
}

fn ended(succeeds: bool) -> (Outcome, Calls, Duration) {
    let outcome = if succeeds {
        Outcome::Success
    } else {
        Outcome::Failure(None)
    };
    let calls = Calls {
        all: 1,
        failures: u32::from(!succeeds),
        slow: 0,
    };
    (outcome, calls, Duration::ZERO)
}

/// No frame comes here.
#[derive(Clone, PartialEq)]
struct Frame;

impl Payload for Frame {
    fn size(&self) -> usize {
        0
    }

    fn from_text(_: &str) -> Self {
        Self
    }

    fn head(&self, _: usize) -> Option<Cow<'_, str>> {
        None
    }
}

/// A hub with so many tabs that use one breaker.
fn gated_hub(tabs: u32) -> Hub<Frame> {
    let mut hub = Hub::new(1);
    for port in 0..tabs {
        let hello = Hello {
            protocol: 1,
            build: "bench".into(),
            tab: port.to_string(),
            liveness: Liveness::Locks,
            lock: String::new(),
            visible: true,
            focused: false,
            online: true,
        };
        let gate = TabMessage::Gate {
            name: "api".into(),
            options: Ok(Box::new(options())),
            snapshot: None,
        };
        for message in [TabMessage::Hello(hello), gate] {
            tell(&mut hub, PortId(port + 1), message, Time::ZERO);
        }
    }
    hub
}

/// Plays the sequence from one tab that knows nothing by itself, which is the most that a hub can be asked.
fn play_by_hub(hub: &mut Hub<Frame>, steps: &[Step], now: &mut Time) {
    let port = PortId(1);
    for step in steps {
        let Step::Call(succeeds) = step else {
            *now = *now + WAIT;
            continue;
        };
        let wish = TabMessage::Acquire {
            name: "api".into(),
            id: 1,
            wish: Wish::Call,
        };
        if let Some((generation, permit)) = tell(hub, port, wish, *now) {
            let (outcome, calls, ago) = ended(*succeeds);
            let report = TabMessage::Outcome {
                name: "api".into(),
                generation,
                permit,
                outcome,
                calls,
                ago,
            };
            tell(hub, port, report, *now);
        }
    }
}

/// Hands a message over and carries nothing out. Gives the generation and permit that were granted, if any were.
fn tell(
    hub: &mut Hub<Frame>,
    port: PortId,
    message: TabMessage<Frame>,
    now: Time,
) -> Option<(u32, u32)> {
    hub.handle_input(now, Input::Message(port, message));
    let mut granted = None;
    loop {
        let output = black_box(hub.poll_output());
        if matches!(output, Output::Timeout(_)) {
            return granted;
        }
        if let Output::Post(_, HubMessage::Verdict { verdict, .. }) = output {
            granted = verdict.ok().map(|permit| (permit.generation, permit.id));
        }
    }
}

criterion_group!(benches, main_benches);
criterion_main!(benches);
