//! What each event leads to.

use core::time::Duration;

use tabwire::core::Input;

use crate::event::{Event, ToPage};
use crate::hubs::HubNo;
use crate::invariants::Held;
use crate::led::LedEvent;
use crate::net::Net;
use crate::page::{Life, TabNo};
use crate::worker::Worker;
use crate::world::{AUDIT_EVERY, World};

impl World {
    /// Lets an event happen, unless the computer sleeps or the hub that it is for is frozen: then it happens later. Nobody uses a
    /// computer that sleeps.
    pub fn happen(&mut self, event: Event) -> Held {
        if let Some(at) = self.net.clock.wakes_at(self.net.now())
            && !event.is_outside()
        {
            if !matches!(event, Event::Act(_)) {
                self.net.schedule.at(at, event);
            }
            return Ok(());
        }
        let hub = self.hub_of(&event);
        match self.hubs.hold(hub, event) {
            Some(event) => self.take_place(event),
            None => Ok(()),
        }
    }

    fn take_place(&mut self, event: Event) -> Held {
        match event {
            Event::Act(action) => self.act(action),
            Event::AtHub(port, message) => {
                self.net.welcome_back(port);
                self.input(port, Input::Message(port, message))
            }
            Event::AtPage(port, message, away) => {
                if self.meets_first(port, &message, away) {
                    return Ok(());
                }
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
                    let heard = || format!("    {tab:?} hears {message:?}");
                    self.trace.say(self.net.now(), heard);
                }
                page.take_turn(turn, &mut self.net)?;
                self.reconnect(tab)
            }
            Event::Look(tab) => self.look(tab),
            Event::Answer(tab, port, id, answer) => {
                self.pages[tab.0 as usize].give(port, id, answer, &mut self.net);
                Ok(())
            }
            Event::Patience(tab, handle, number) => {
                self.lose_patience(tab, handle, number);
                Ok(())
            }
            Event::Up(link, what) => {
                if self.net.links.arrive_up(link, &what) {
                    self.server.handle(&mut self.net, link, what);
                }
                self.check_broker()
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
                let wall = self.net.clock.wall(self.net.now());
                let driver = self.hubs.get_mut(hub);
                if driver.is_some_and(|driver| driver.is_timer(number)) {
                    self.tell(hub, Input::Timeout { wall })
                } else {
                    Ok(())
                }
            }
            Event::TabGone(tab) => self.grant_lock_of_tab(tab),
            Event::HubGone(hub) => self.grant_lock_of_hub(hub),
            Event::HubUp(hub) => self.start_hub(hub),
            Event::Announced(from, message) => {
                let others: Vec<_> = self.hubs.living().map(|driver| driver.no()).collect();
                for hub in others.into_iter().filter(|hub| *hub != from) {
                    self.net
                        .after(Duration::ZERO, Event::AtPeer(hub, message.clone()));
                }
                Ok(())
            }
            Event::AtPeer(hub, message) => self.tell(hub, Input::Peer(message)),
            // What the sleep of the computer has put off to this moment happens to the frozen hub before it is thawed.
            Event::Thaw(hub) => {
                self.net.after(Duration::ZERO, Event::Thawed(hub));
                Ok(())
            }
            Event::Thawed(hub) => {
                self.hubs.thaw(hub, &mut self.net);
                self.disturb_all();
                Ok(())
            }
            Event::Wake => {
                self.hubs.wake(&self.net);
                self.disturb_all();
                Ok(())
            }
            Event::Led(event) => self.happen_among_pages(event),
            Event::Audit => {
                self.net.after(AUDIT_EVERY, Event::Audit);
                self.audit()
            }
        }
    }

    /// The hub that an event is for.
    fn hub_of(&self, event: &Event) -> Option<HubNo> {
        match event {
            Event::AtHub(port, _) | Event::Led(LedEvent::AtChannel(port, _)) => self.hubs.at(*port),
            Event::Down(link, _) => self.net.links.hub_of(*link),
            Event::Tick(hub) | Event::Timer(hub, _) | Event::HubUp(hub) | Event::AtPeer(hub, _) => {
                Some(*hub)
            }
            Event::Led(LedEvent::AtWorker(hub, _) | LedEvent::Script(hub)) => Some(*hub),
            Event::Led(LedEvent::AtPage(..) | LedEvent::Freed(_) | LedEvent::Look)
            | Event::Act(_)
            | Event::AtPage(..)
            | Event::Turn(..)
            | Event::Look(_)
            | Event::Answer(..)
            | Event::Patience(..)
            | Event::Up(..)
            | Event::TabGone(_)
            | Event::HubGone(_)
            | Event::Announced(..)
            | Event::Thaw(_)
            | Event::Thawed(_)
            | Event::Wake
            | Event::Audit => None,
        }
    }

    fn grant_lock_of_tab(&mut self, tab: TabNo) -> Held {
        if self.pages[tab.0 as usize].has_lock {
            return Ok(());
        }
        let watchers: Vec<_> = self
            .hubs
            .awake()
            .flat_map(|driver| driver.watchers(tab))
            .collect();
        for port in watchers {
            self.input(port, Input::LockGranted(port))?;
        }
        Ok(())
    }

    fn grant_lock_of_hub(&mut self, gone: HubNo) -> Held {
        if self.hubs.get_mut(gone).is_some() {
            return Ok(());
        }
        for page in &mut self.pages {
            if page.waits_for(gone) {
                let told = ToPage::Gone(gone);
                page.inbox.push(told, page.is_awake(), &mut self.net);
            }
        }
        let awake: Vec<_> = self.hubs.awake().map(|driver| driver.no()).collect();
        for hub in awake {
            let driver = self.hubs.get_mut(hub);
            if driver.is_some_and(|driver| driver.hears_end_of(gone)) {
                let epoch = gone.epoch();
                self.tell(hub, Input::PeerGone { epoch })?;
            }
        }
        Ok(())
    }

    /// A hub is up: where others could run, it lets itself be found.
    fn start_hub(&mut self, hub: HubNo) -> Held {
        let others = self.hubs.living().filter(|other| other.no() != hub).count() > 0;
        let Some(driver) = self.hubs.get_mut(hub) else {
            return Ok(());
        };
        let Worker::Shared(build, _) = driver.worker() else {
            return Ok(());
        };
        let me = Box::new(driver.peer(build.name(), &self.net));
        self.tell(
            hub,
            Input::Start {
                me,
                others: Some(others),
                locks_fall: true,
            },
        )
    }
}
