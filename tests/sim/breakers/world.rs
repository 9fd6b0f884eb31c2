//! One world: a hub at a time, a few tabs, two clocks, and the books beside them.

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::core::{Hub, Input, Output, PortId};
use tabwire::protocol::{
    BreakerOptions, BreakerView, Hello, HubMessage, Liveness, Permit, TabMessage, Wish,
};
use tabwire::time::Time;

use super::books::{Books, Said, Saying, Shown};
use super::rules::Rules;
use super::tab::{Call, Memory, Tab};
use crate::json::{Bytes, Json};

/// A tab that does nothing but look.
const OBSERVER: PortId = PortId(u32::MAX);
pub const NAMES: [&str; 2] = ["api", "api/users"];

/// One world.
pub struct World {
    pub rng: fastrand::Rng,
    pub rules: Vec<Rules>,
    /// Microseconds of virtual time, and how far the clock of the wall is beside it.
    pub now: u64,
    pub wall_off: i64,
    pub tabs: Vec<Tab>,
    /// How many of ten calls do not end well, and how many are slow.
    pub bad_luck: u8,
    pub slowness: u8,
    pub tally: Tally,
    pub lines: Vec<String>,
    is_traced: bool,
    hub: Hub<Bytes>,
    /// The clock of each hub starts when it does.
    hub_since: u64,
    books: Books,
    /// What a new page finds in the storage.
    storage: Vec<Option<Memory>>,
    last_id: u32,
}

/// What has come up, so that nobody is content with worlds in which nothing happens.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub steps: u64,
    reasons: BTreeMap<&'static str, u64>,
    verdicts: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        for (own, others) in [
            (&mut self.reasons, &other.reasons),
            (&mut self.verdicts, &other.verdicts),
        ] {
            for (name, count) in others {
                *own.entry(name).or_default() += count;
            }
        }
    }

    /// Every reason there is to be in a state and to be refused.
    pub fn require_all(&self) {
        let reasons = "consecutive-failures failure-rate slow-calls probe-failed probes-lost restored probing \
                       recovered forced reset";
        for reason in reasons.split(' ') {
            let times = self.reasons.get(reason).copied().unwrap_or_default();
            assert!(times >= 100, "{reason} came up {times} times");
        }
        let verdicts =
            "passed probe consecutive-failures probing restored retry-budget-spent forced";
        for verdict in verdicts.split(' ') {
            let times = self.verdicts.get(verdict).copied().unwrap_or_default();
            assert!(times >= 100, "{verdict} was said {times} times");
        }
    }
}

impl World {
    pub fn new(seed: u64, is_traced: bool) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let rules: Vec<_> = (0..rng.usize(1..=NAMES.len()))
            .map(|_| Rules::draw(&mut rng))
            .collect();
        Self {
            books: Books::new(&rules, 0),
            storage: vec![None; rules.len()],
            rng,
            rules,
            now: 5_000_000,
            wall_off: 1_700_000_000_000_000,
            tabs: Vec::new(),
            bad_luck: 0,
            slowness: 0,
            tally: Tally::default(),
            lines: Vec::new(),
            is_traced,
            hub: Hub::new(seed),
            hub_since: 0,
            last_id: 0,
        }
    }

    pub fn live(&mut self) -> Result<(), String> {
        for (of, rules) in self.rules.clone().iter().enumerate() {
            self.say(|| format!("{}: {rules:?}", NAMES[of]));
        }
        self.start_hub()?;
        self.act_by_chance()
    }

    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if self.is_traced {
            let at = self.now as f64 / 1000.0;
            self.lines.push(format!("{at:>14.3} ms  {}", line()));
        }
    }

    pub fn names(&self) -> usize {
        self.rules.len()
    }

    pub fn wall(&self) -> i64 {
        self.now as i64 + self.wall_off
    }

    /// What time it is for the hub.
    fn hub_now(&self) -> u64 {
        1_000_000 + self.now - self.hub_since
    }

    /// There is a new hub, and nobody has spoken to it.
    pub fn start_hub(&mut self) -> Result<(), String> {
        self.hub = Hub::new(self.rng.u64(..));
        self.hub_since = self.now;
        self.books = Books::new(&self.rules, self.hub_now());
        for tab in &mut self.tabs {
            tab.is_known = false;
        }
        let hello = Input::Message(OBSERVER, hello("observer".into()));
        self.step("a new hub".into(), hello, |_, _, _| Ok(Saying::new()))
    }

    /// A tab that is new, or back at a hub that does not know it.
    pub fn greet(&mut self, place: usize) -> Result<(), String> {
        self.last_id += 1;
        let port = PortId(self.last_id);
        let tab = &mut self.tabs[place];
        (tab.port, tab.is_known, tab.is_suspended) = (port, true, false);
        let (hello, uses) = (hello(format!("tab {}", tab.id)), tab.uses.clone());
        let line = format!("tab {} says hello as {port:?}", tab.id);
        self.step(line, Input::Message(port, hello), |_, _, _| {
            Ok(Saying::new())
        })?;
        for (of, _) in uses.iter().enumerate().filter(|(_, is_used)| **is_used) {
            self.gate(place, of)?;
        }
        Ok(())
    }

    /// A tab says what it uses, and what it remembers of that.
    pub fn gate(&mut self, place: usize, of: usize) -> Result<(), String> {
        let wall = self.wall();
        let tab = &mut self.tabs[place];
        tab.uses[of] = true;
        let (port, id) = (tab.port, tab.id);
        let snapshot = tab.memories[of].map(|memory| memory.snapshot(wall));
        let message = TabMessage::Gate {
            name: NAMES[of].into(),
            options: self.options(of),
            snapshot,
        };
        let line = format!("tab {id} gates {of} with {snapshot:?}");
        self.step(line, Input::Message(port, message), |books, now, _| {
            Ok(books.gate(port, of, snapshot, now))
        })
    }

    pub fn ask(&mut self, place: usize, of: usize, wish: Wish) -> Result<(), String> {
        self.last_id += 1;
        let (port, id) = (self.tabs[place].port, self.last_id);
        let message = TabMessage::Acquire {
            name: NAMES[of].into(),
            id,
            wish,
        };
        let line = format!("tab {} asks for a {wish:?} of {of}", self.tabs[place].id);
        self.step(line, Input::Message(port, message), |books, now, shown| {
            books.acquire(port, (of, id, wish), (now, shown))
        })
    }

    /// A new page.
    pub fn add_tab(&mut self) -> Result<(), String> {
        self.last_id += 1;
        let names = self.names();
        self.tabs.push(Tab {
            id: self.last_id,
            port: OBSERVER,
            is_suspended: false,
            is_known: false,
            uses: (0..names).map(|_| self.rng.u8(..8) > 0).collect(),
            memories: self.storage.clone(),
            calls: Vec::new(),
            ended: Vec::new(),
        });
        self.greet(self.tabs.len() - 1)
    }

    /// Gives the hub an input and the books the same, and compares what is said and how the breakers are.
    pub fn step(
        &mut self,
        line: String,
        input: Input<Bytes>,
        keep: impl FnOnce(&mut Books, u64, Shown<'_>) -> Result<Saying, String>,
    ) -> Result<(), String> {
        self.tally.steps += 1;
        self.say(|| line);
        let (posts, deadline) = self.feed(input);
        let views = self.look();
        let now = self.hub_now();
        for view in views.clone() {
            self.say(|| format!("    {view:?}"));
        }
        let verdict = posts.iter().find_map(|(_, message)| match message {
            HubMessage::Verdict { verdict, .. } => Some(*verdict),
            _ => None,
        });
        let shown = Shown {
            views: &views,
            verdict,
        };
        let expected = keep(&mut self.books, now, shown)?;
        for (of, view) in views.iter().enumerate() {
            let model = self.books.view(of, now);
            if *view != model {
                return Err(format!("breaker {of} is\n{view:?}\nand must be\n{model:?}"));
            }
        }
        if deadline != self.books.tell_at {
            let tell_at = self.books.tell_at;
            return Err(format!(
                "numbers are told at {deadline:?}, not at {tell_at:?}"
            ));
        }
        let mut said = Saying::new();
        for (port, message) in &posts {
            if let Some(own) = self.read(message, &views)? {
                said.push((*port, own));
            }
        }
        if by_port(&said) != by_port(&expected) {
            return Err(format!("{said:?} is said, and must be {expected:?}"));
        }
        for (port, message) in posts {
            self.hear(port, &message);
        }
        Ok(())
    }

    /// Lets deadlines that have come be noticed.
    pub fn wake_hub(&mut self) -> Result<(), String> {
        let wall = Duration::from_micros(self.wall().max(0) as u64);
        let timeout = Input::Timeout { wall };
        self.step("the deadline has come".into(), timeout, |books, now, _| {
            Ok(books.tell_numbers(now))
        })
    }

    /// Lets time pass, with the deadlines on their way.
    pub fn pass(&mut self, micros: u64) -> Result<(), String> {
        let until = self.now + micros;
        while let Some(at) = self.books.tell_at {
            let at = at + self.hub_since - 1_000_000;
            if at > until {
                break;
            }
            self.now = self.now.max(at);
            self.wake_hub()?;
        }
        self.now = until;
        Ok(())
    }

    fn options(&self, of: usize) -> Result<Box<BreakerOptions>, &'static str> {
        BreakerOptions::read(&Json(self.rules[of].wire())).map(Box::new)
    }

    fn feed(&mut self, input: Input<Bytes>) -> (Vec<(PortId, HubMessage)>, Option<u64>) {
        let now = Time::from_micros(self.hub_now());
        self.hub.handle_input(now, input);
        let mut posts = Vec::new();
        loop {
            match self.hub.poll_output() {
                Output::Post(port, message) => posts.push((port, message)),
                Output::Timeout(deadline) => {
                    posts.retain(|(port, _)| *port != OBSERVER);
                    return (posts, deadline.map(|deadline| deadline.at.as_micros()));
                }
                _ => {}
            }
        }
    }

    /// How the breakers are.
    fn look(&mut self) -> Vec<BreakerView> {
        (0..self.names()).map(|of| self.look_at(of)).collect()
    }

    /// How a breaker is, as the observer is told when it says that it uses it.
    fn look_at(&mut self, of: usize) -> BreakerView {
        let message = TabMessage::Gate {
            name: NAMES[of].into(),
            options: self.options(of),
            snapshot: None,
        };
        let now = Time::from_micros(self.hub_now());
        self.hub
            .handle_input(now, Input::Message(OBSERVER, message));
        let mut seen = None;
        loop {
            match self.hub.poll_output() {
                Output::Post(OBSERVER, HubMessage::Breaker { view, .. }) => seen = Some(view),
                Output::Timeout(_) => return seen.expect("a view"),
                output => panic!("{output:?} though somebody only looks"),
            }
        }
    }

    /// What a message says of breakers. How one is must be how it is after the step.
    fn read(&self, message: &HubMessage, views: &[BreakerView]) -> Result<Option<Said>, String> {
        let number = |name: &str| NAMES.iter().position(|own| *own == name);
        let said = match message {
            HubMessage::Breaker { name, view, .. } => {
                let of = number(name);
                if of.map(|of| &views[of]) != Some(view) {
                    return Err(format!("{name} is told to be {view:?}"));
                }
                of.map(Said::Breaker)
            }
            HubMessage::Verdict { name, id, verdict } => {
                number(name).map(|of| Said::Verdict(of, *id, *verdict))
            }
            HubMessage::Ungated(name) => number(name).map(Said::Ungated),
            _ => None,
        };
        Ok(said)
    }

    /// A tab hears something.
    fn hear(&mut self, port: PortId, message: &HubMessage) {
        let wall = self.wall();
        let Some(tab) = self.tabs.iter_mut().find(|tab| tab.port == port) else {
            return;
        };
        match message {
            HubMessage::Breaker { name, view, .. } => {
                let of = usize::from(**name != *NAMES[0]);
                let memory = Memory::of(view, wall);
                let known = tab.memories[of].map_or(0, |memory| memory.generation);
                tab.memories[of] = memory;
                if view.generation != known {
                    self.storage[of] = memory;
                    *self.tally.reasons.entry(view.reason.code()).or_default() += 1;
                }
            }
            HubMessage::Verdict { name, verdict, .. } => {
                let what = match verdict {
                    Ok(Permit { id: 0, .. }) => "passed",
                    Ok(_) => "probe",
                    Err(refusal) => refusal.reason.code(),
                };
                *self.tally.verdicts.entry(what).or_default() += 1;
                if let Ok(permit) = verdict {
                    tab.calls.push(Call {
                        of: usize::from(**name != *NAMES[0]),
                        generation: permit.generation,
                        permit: permit.id,
                    });
                }
            }
            _ => {}
        }
    }

    /// How many microseconds it is until time alone makes something different.
    pub fn until_next(&self, of: usize) -> u64 {
        self.books.until_next(of, self.hub_now())
    }

    pub fn hello_again(&self, place: usize) -> TabMessage<Bytes> {
        hello(format!("tab {}", self.tabs[place].id))
    }
}

fn by_port(saying: &Saying) -> BTreeMap<PortId, Vec<Said>> {
    let mut by_port: BTreeMap<PortId, Vec<Said>> = BTreeMap::new();
    for (port, said) in saying {
        by_port.entry(*port).or_default().push(*said);
    }
    by_port
}

fn hello(tab: String) -> TabMessage<Bytes> {
    TabMessage::Hello(Hello {
        protocol: 1,
        build: "test".into(),
        lock: tab.clone(),
        tab,
        liveness: Liveness::Locks,
        visible: true,
        focused: false,
        online: true,
    })
}
