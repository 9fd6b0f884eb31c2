//! A world: its hubs, its pages, its server, and what happens among them.

use core::time::Duration;

use tabwire::core::{Input, PortId};
use tabwire::protocol::Liveness;
use tabwire::time::Time;

use crate::event::Event;
use crate::frame::Frame;
use crate::hubs::{HubNo, Hubs};
use crate::invariants::Held;
use crate::led::{LED, Led};
use crate::net::Net;
use crate::page::{LOOK_EVERY, Life, NOWHERE, Page, TabNo};
use crate::plan::{Action, Plan};
use crate::server::Server;
use crate::topics::TOPICS;
use crate::trace::Trace;
use crate::worker::{Build, Worker};

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// What carries things.
    pub net: Net,
    /// The hubs.
    pub hubs: Hubs,
    /// The server.
    pub server: Server,
    /// Every page there has been.
    pub pages: Vec<Page>,
    /// What happened.
    pub trace: Trace,
    /// Pages that lead each other, where they do.
    pub led: Led,
    /// What decides what the plan leaves open.
    pub rng: fastrand::Rng,
    /// What the seed has made of it.
    pub plan: Plan,
    /// Whether the browser is online.
    pub is_online: bool,
    /// When something came between the browser and the server of each identity for the last time.
    pub reachable_since: Vec<Time>,
    /// Handles so far.
    pub handles: u32,
    /// Requests so far.
    pub requests: u32,
    /// Since when several hubs have had a connection to the same identity.
    pub beside_since: Option<Time>,
    ports: u32,
    /// Events so far.
    pub steps: u64,
}

/// How often what must hold at any time is looked at.
pub const AUDIT_EVERY: Duration = Duration::from_millis(700);

impl World {
    /// The world of a seed, before anything has happened.
    pub fn new(seed: u64, is_traced: bool) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let plan = match seed {
            ..TOPICS => Plan::random(&mut rng),
            TOPICS..LED => Plan::with_topics(&mut rng),
            LED.. => Plan::led(&mut rng),
        };
        Self::of(plan, rng, is_traced)
    }

    /// The world of a plan, before anything has happened.
    pub fn of(mut plan: Plan, mut rng: fastrand::Rng, is_traced: bool) -> Self {
        let mut net = Net::new(plan.weather, &mut rng);
        for (at, action) in core::mem::take(&mut plan.actions) {
            net.schedule.at(at, Event::Act(action));
        }
        net.after(AUDIT_EVERY, Event::Audit);
        let led = Led::new(plan.is_led, &mut rng, &mut net);
        let identities = plan.identities.len();
        Self {
            hubs: Hubs::new(plan.speech.is_none(), &mut rng),
            server: Server::new(identities, plan.habits, plan.speech),
            net,
            pages: Vec::new(),
            trace: Trace::new(is_traced),
            led,
            rng,
            plan,
            is_online: true,
            reachable_since: vec![Time::ZERO; identities],
            handles: 0,
            requests: 0,
            beside_since: None,
            ports: 0,
            steps: 0,
        }
    }

    /// Goes on until `end`.
    pub fn run_until(&mut self, end: Time) -> Held {
        while let Some(event) = self.net.schedule.next(end) {
            self.steps += 1;
            self.happen(event)?;
        }
        Ok(())
    }

    /// Opens a page of a build.
    pub fn open_page(&mut self, build: Build, liveness: Liveness, is_visible: bool) -> TabNo {
        let no = TabNo(self.pages.len() as u32);
        let worker = if self.plan.is_apart {
            Worker::Own(no)
        } else {
            Worker::Shared(build, None)
        };
        let port = if self.plan.is_led {
            NOWHERE
        } else {
            self.connect(worker)
        };
        let seen = (is_visible, self.is_online);
        let page = Page::open(no, (port, worker), liveness, seen, &mut self.net);
        self.pages.push(page);
        if self.plan.is_led {
            self.open_among_pages(no);
        }
        no
    }

    /// The lock of a page is free some 20 ms after the page is gone.
    pub fn free_lock(&mut self, tab: TabNo) {
        let delay = Duration::from_millis(self.rng.u64(17..42));
        self.net.after(delay, Event::TabGone(tab));
    }

    /// Something has come between the browser and the server of an identity.
    pub fn disturb(&mut self, identity: usize) {
        self.reachable_since[identity] = self.net.now();
    }

    /// Tells the hub behind a port something. If there is none any more, nobody listens.
    pub fn input(&mut self, port: PortId, input: Input<Frame>) -> Held {
        match self.hubs.at(port) {
            Some(hub) => self.tell(hub, input),
            None => Ok(()),
        }
    }

    /// Tells a hub something, if it lives.
    pub fn tell(&mut self, hub: HubNo, input: Input<Frame>) -> Held {
        self.hubs.input(hub, input, &mut self.net, &mut self.trace)
    }

    /// The worker of a hub is restarted, and the ports of the pages lead to its new hub.
    pub fn restart_worker(&mut self, hub: HubNo) {
        let ports: Vec<_> = self.living().map(|index| self.pages[index].port).collect();
        self.hubs.restart(hub, &ports, &mut self.net);
    }

    /// The worker of a hub does nothing for a while.
    pub fn freeze_worker(&mut self, hub: HubNo, span: Duration) {
        self.hubs.freeze(hub, &self.net);
        self.net.after(span, Event::Thaw(hub));
    }

    /// Does what the plan says.
    pub fn act(&mut self, action: Action) -> Held {
        self.trace.say(self.net.now(), || format!("* {action:?}"));
        self.carry_out(action)
    }

    /// A page looks whether its hub is there.
    pub fn look(&mut self, tab: TabNo) -> Held {
        if self.pages[tab.0 as usize].life != Life::Dead {
            self.net.after(LOOK_EVERY, Event::Look(tab));
        }
        self.pages[tab.0 as usize].look(&mut self.net);
        self.reconnect(tab)
    }

    /// Gives a page that has lost its hub a fresh port.
    pub fn reconnect(&mut self, tab: TabNo) -> Held {
        if self.plan.is_led {
            return self.leave_hub(tab);
        }
        if self.pages[tab.0 as usize].has_lost_hub() {
            let worker = self.pages[tab.0 as usize].seek();
            let port = self.connect(worker);
            self.pages[tab.0 as usize].move_to(port, &mut self.net)?;
        }
        Ok(())
    }

    /// A port that nobody has yet.
    pub fn new_port(&mut self) -> PortId {
        self.ports += 1;
        PortId(self.ports)
    }

    fn connect(&mut self, worker: Worker) -> PortId {
        let port = self.new_port();
        self.hubs.connect(port, worker, &mut self.net);
        port
    }
}
