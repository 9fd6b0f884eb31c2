//! A world: its hubs, its pages, its server, and what happens among them.

use core::time::Duration;

use tabwire::core::{Input, PortId};
use tabwire::protocol::Liveness;
use tabwire::time::Time;

use crate::driver::identity_of;
use crate::event::{Event, ToPage};
use crate::frame::Frame;
use crate::hubs::{HubNo, Hubs};
use crate::invariants::Held;
use crate::net::Net;
use crate::page::{LOOK_EVERY, Life, Page, TabNo};
use crate::plan::{Action, Plan};
use crate::server::{Mode, Server};
use crate::trace::Trace;

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
    ports: u32,
    /// Events so far.
    pub steps: u64,
}

/// How often what must hold at any time is looked at.
const AUDIT_EVERY: Duration = Duration::from_millis(700);

impl World {
    /// The world of a seed, before anything has happened.
    pub fn new(seed: u64, is_traced: bool) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut plan = Plan::random(&mut rng);
        let mut net = Net::new(plan.weather, &mut rng);
        for (at, action) in core::mem::take(&mut plan.actions) {
            net.schedule.at(at, Event::Act(action));
        }
        net.after(AUDIT_EVERY, Event::Audit);
        let identities = plan.identities.len();
        Self {
            hubs: Hubs::new(&mut rng),
            server: Server::new(identities, plan.habits),
            net,
            pages: Vec::new(),
            trace: Trace::new(is_traced),
            rng,
            plan,
            is_online: true,
            reachable_since: vec![Time::ZERO; identities],
            handles: 0,
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

    /// Opens a page.
    pub fn open_page(&mut self, liveness: Liveness, is_visible: bool) {
        let no = TabNo(self.pages.len() as u32);
        let port = self.connect();
        let seen = (is_visible, self.is_online);
        let page = Page::open(no, port, liveness, seen, &mut self.net);
        self.pages.push(page);
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

    fn happen(&mut self, event: Event) -> Held {
        match event {
            Event::Act(action) => self.act(action),
            Event::AtHub(port, message) => self.input(port, Input::Message(port, message)),
            Event::AtPage(port, message) => {
                if let Some(page) = self.pages.iter_mut().find(|page| page.port == port)
                    && page.life != Life::Dead
                {
                    page.inbox.push(message, page.is_awake(), &mut self.net);
                }
                Ok(())
            }
            Event::Turn(tab, turn) => {
                let page = &mut self.pages[tab.0 as usize];
                if let Some(message) = page.inbox.first(turn) {
                    self.trace
                        .say(self.net.now(), || format!("    {tab:?} hears {message:?}"));
                }
                page.take_turn(turn, &mut self.net)?;
                self.reconnect(tab)
            }
            Event::Look(tab) => self.look(tab),
            Event::Up(link, what) => {
                if self.net.links.arrive_up(link, &what) {
                    self.server.handle(&mut self.net, link, what);
                }
                Ok(())
            }
            Event::Down(link, what) => {
                let Net {
                    links, schedule, ..
                } = &mut self.net;
                match links.arrive_down(schedule, link, what) {
                    Some((hub, socket, event)) => self.tell(hub, Input::Socket(socket, event)),
                    None => Ok(()),
                }
            }
            Event::Tick(hub) => self.tell(hub, Input::Tick),
            Event::Timer(hub, number) => {
                let driver = self.hubs.get_mut(hub);
                if driver.is_some_and(|driver| driver.is_timer(number)) {
                    self.tell(hub, Input::Timeout)
                } else {
                    Ok(())
                }
            }
            Event::TabGone(tab) => {
                if !self.pages[tab.0 as usize].has_lock {
                    let watchers: Vec<_> = self
                        .hubs
                        .living()
                        .flat_map(|driver| driver.watchers(tab))
                        .collect();
                    for port in watchers {
                        self.input(port, Input::LockGranted(port))?;
                    }
                }
                Ok(())
            }
            Event::HubGone(hub) => {
                for page in &mut self.pages {
                    if page.waits_for(hub) {
                        page.inbox
                            .push(ToPage::Gone(hub), page.is_awake(), &mut self.net);
                    }
                }
                Ok(())
            }
            Event::Audit => {
                self.net.after(AUDIT_EVERY, Event::Audit);
                self.audit()
            }
        }
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

    /// The worker is restarted, and the ports of the pages lead to its new hub.
    pub fn restart_worker(&mut self) {
        let ports: Vec<_> = self.living().map(|index| self.pages[index].port).collect();
        self.hubs.restart(&ports, &mut self.net);
    }

    /// Does what the plan says.
    fn act(&mut self, action: Action) -> Held {
        self.trace.say(self.net.now(), || format!("* {action:?}"));
        self.carry_out(action)
    }

    /// A page looks whether its hub is there.
    fn look(&mut self, tab: TabNo) -> Held {
        if self.pages[tab.0 as usize].life != Life::Dead {
            self.net.after(LOOK_EVERY, Event::Look(tab));
        }
        self.pages[tab.0 as usize].look(&mut self.net);
        self.reconnect(tab)
    }

    /// Gives a page that has lost its hub a fresh port.
    fn reconnect(&mut self, tab: TabNo) -> Held {
        if self.pages[tab.0 as usize].has_lost_hub() {
            let port = self.connect();
            self.pages[tab.0 as usize].move_to(port, &mut self.net)?;
        }
        Ok(())
    }

    /// Looks at what must hold at any time.
    fn audit(&mut self) -> Held {
        let now = self.net.now();
        let reachable = |url: &str| match identity_of(url) {
            Some(identity) if self.is_online && self.server.mode(identity) == Mode::Normal => {
                self.reachable_since[identity]
            }
            Some(_) | None => now,
        };
        for driver in self.hubs.living() {
            let report = |port| driver.report(port);
            driver.reference().audit(now, reachable, report)?;
        }
        Ok(())
    }

    fn connect(&mut self) -> PortId {
        self.ports += 1;
        let port = PortId(self.ports);
        self.hubs.connect(port, &mut self.net);
        port
    }
}
