//! What the actions of a plan do to a world.

use core::time::Duration;

use tabwire::core::{FUNCTION, Input, PortId};
use tabwire::protocol::{
    Attach, ConnId, HandleId, Hello, Liveness, MAJOR, MessageError, Needs, Outgoing, PeerMessage,
    TabMessage,
};

use crate::driver::{Driver, url_of};
use crate::event::Event;
use crate::frame::{Frame, HandleNo, SendNo};
use crate::hubs::HubNo;
use crate::invariants::Held;
use crate::net::Net;
use crate::page::{Candour, Life, Page, TabNo};
use crate::plan::Action;
use crate::server::Mode;
use crate::worker::{Build, Worker};
use crate::world::World;

/// More pages than this are not alive at once.
const MOST_PAGES: usize = 6;
/// A page has no more handles than this that have not ended.
const MOST_HANDLES: usize = 4;

impl World {
    /// Does one thing, if there is somebody to do it.
    pub fn carry_out(&mut self, action: Action) -> Held {
        match action {
            Action::OpenTab(is_newer, has_locks, is_visible) => {
                if self.living().count() < MOST_PAGES {
                    let liveness = if has_locks {
                        Liveness::Locks
                    } else {
                        Liveness::Heartbeat
                    };
                    let build = Build(1 + u8::from(is_newer));
                    self.open_page(build, liveness, is_visible);
                }
            }
            Action::Candour(tab, seed) => self.with_page(tab, |page, _| {
                page.candour = Candour::random(seed);
            }),
            Action::Tokens(refuses, is_frank) => {
                self.server.tokens.refuse_known(refuses);
                self.server.tokens.is_frank = is_frank;
                self.disturb_all();
            }
            Action::Attach(tab, identity, seed) => self.attach(tab, identity, seed),
            Action::Detach(tab, handle, code) => {
                self.with_handle(tab, handle, |page, index, net| {
                    page.detach(index, code, net);
                })
            }
            Action::Purge(tab, handle) => {
                self.with_handle(tab, handle, |page, index, net| page.purge(index, net));
            }
            Action::Send(tab, handle, count, size) => {
                self.with_handle(tab, handle, |page, index, net| {
                    page.send(index, count, size, net);
                });
            }
            Action::Led(deed) => self.do_among_pages(deed),
            Action::Topic(tab, handle, deed) => self.do_with_topics(tab, handle, deed),
            Action::Word(identity, word) => {
                let identity = self.identity(identity);
                self.speak(identity, word);
            }
            Action::Reconnect(tab, handle) => self.with_handle(tab, handle, |page, index, net| {
                page.post(TabMessage::Reconnect(page.handles[index].id), net);
            }),
            Action::Shutdown(tab, handle) => self.with_handle(tab, handle, |page, index, net| {
                page.post(TabMessage::Shutdown(page.handles[index].id), net);
            }),
            Action::Show(tab, visible) => self.with_page(tab, |page, net| page.show(visible, net)),
            Action::Report(tab) => self.with_page(tab, |page, net| {
                page.post(TabMessage::Report(7), net);
            }),
            Action::Pace(tab, micros) => self.with_page(tab, |page, _| {
                page.inbox
                    .set_pace(Duration::from_micros(u64::from(micros)));
            }),
            Action::Block(tab, millis) => self.with_page(tab, |page, net| {
                page.inbox
                    .block(net.now() + Duration::from_millis(u64::from(millis)));
            }),
            Action::Suspend(tab, is_cached) => self.suspend(tab, is_cached),
            Action::Return(tab, says_hello) => self.bring_back(tab, says_hello),
            Action::Die(tab) => self.end_page(tab, false),
            Action::Bye(tab) => self.end_page(tab, true),
            Action::Babble(tab, kind) => return self.babble(tab, kind),
            Action::Online(is_online) => self.set_online(is_online),
            Action::Forbid(identity, is_forbidden) => {
                let identity = self.disturbed(identity);
                self.net.links.forbid(identity, is_forbidden);
            }
            Action::Cast(identity, count, size) => {
                let identity = self.identity(identity);
                self.server.cast(&mut self.net, identity, (count, size));
            }
            Action::Close(identity, code) => {
                let identity = self.disturbed(identity);
                self.server.close(&mut self.net, identity, code);
            }
            Action::Reset(identity, all) => {
                let identity = self.disturbed(identity);
                self.server.reset(&mut self.net, identity, all);
            }
            Action::Mode(identity, mode) => {
                let identity = self.disturbed(identity);
                self.server.set_mode(identity, mode);
            }
            Action::Hang(identity, up, down) => {
                let identity = self.disturbed(identity);
                self.hang(identity, up, down);
            }
            Action::Stall(identity, millis) => {
                let identity = self.identity(identity);
                self.stall(identity, Duration::from_millis(u64::from(millis)));
            }
            Action::Stop => self.stop(true),
            Action::Restart => self.stop(false),
            Action::Beside(number) => {
                let other = PeerMessage::Other {
                    protocol: MAJOR + 1 + u32::from(number % 2),
                    build: "1.0.0".into(),
                    epoch: format!("other-{}", number % 8),
                };
                for hub in self.hubs.living().map(Driver::no) {
                    self.net
                        .after(Duration::ZERO, Event::AtPeer(hub, other.clone()));
                }
            }
            Action::KillWorker(number) => {
                if let Some(hub) = self.worker(number) {
                    self.hubs.kill(hub, &mut self.net);
                    self.disturb_all();
                }
            }
            Action::RestartWorker(number) => {
                if let Some(hub) = self.worker(number) {
                    self.restart_worker(hub);
                    self.disturb_all();
                }
            }
            Action::FreezeWorker(number, millis) => {
                if let Some(hub) = self.worker(number) {
                    self.freeze_worker(hub, Duration::from_millis(u64::from(millis)));
                    self.disturb_all();
                }
            }
            Action::Sleep(millis, stands_still) => {
                let now = self.net.now();
                let span = Duration::from_millis(u64::from(millis));
                self.hubs.sleep(&self.net);
                self.net.clock.sleep(now, span, stands_still);
                self.net.schedule.at(now + span, Event::Wake);
                for identity in 0..self.plan.identities.len() {
                    self.reachable_since[identity] = now + span;
                }
            }
            Action::SetClock(seconds) => {
                let ahead = Duration::from_secs(u64::from(seconds));
                self.net.clock.set_wall(ahead);
            }
        }
        Ok(())
    }

    /// Pages that are not dead.
    pub fn living(&self) -> impl Iterator<Item = usize> {
        (0..self.pages.len()).filter(|index| self.pages[*index].life != Life::Dead)
    }

    /// The browser goes online or offline: every page that is awake says so.
    pub fn set_online(&mut self, is_online: bool) {
        self.is_online = is_online;
        for identity in 0..self.reachable_since.len() {
            self.disturb(identity);
            if !is_online && self.rng.bool() {
                self.hang(identity, true, true);
            }
        }
        for page in &mut self.pages {
            page.set_online(is_online, &mut self.net);
        }
    }

    /// A suspended page is back. Where its lock was lost, it says hello.
    pub fn bring_back(&mut self, tab: u8, says_hello: bool) {
        let suspended: Vec<_> = self
            .living()
            .filter(|index| self.pages[*index].life == Life::Suspended)
            .collect();
        if let Some(index) = pick(&suspended, tab) {
            self.bring_back_tab(TabNo(index as u32), says_hello);
        }
    }

    /// This page is back.
    pub fn bring_back_tab(&mut self, tab: TabNo, says_hello: bool) {
        if self.plan.is_led {
            self.return_among_pages(tab);
        } else {
            let is_online = self.is_online;
            let page = &mut self.pages[tab.0 as usize];
            let has_lost_lock = page.liveness == Liveness::Locks && !page.has_lock;
            let own = self.hubs.of(Worker::Own(page.no));
            page.come_back(says_hello || has_lost_lock, is_online, &mut self.net);
            if let Some(hub) = own {
                self.net.after(Duration::ZERO, Event::Thaw(hub));
                self.disturb_all();
            }
        }
    }

    fn stop(&mut self, is_stopped: bool) {
        for identity in 0..self.plan.identities.len() {
            if is_stopped {
                self.server.reset(&mut self.net, identity, false);
                self.server.set_mode(identity, Mode::Refuse);
            } else {
                self.server.set_mode(identity, Mode::Normal);
            }
            self.disturb(identity);
        }
    }

    fn stall(&mut self, identity: usize, span: Duration) {
        let now = self.net.now();
        for link in self.server.sessions(identity) {
            self.net.links.stall(now, link, span);
        }
        // What stalls is late for a while, and what comes meanwhile waits behind it.
        self.reachable_since[identity] = now + span;
    }

    fn hang(&mut self, identity: usize, up: bool, down: bool) {
        for link in self.server.sessions(identity) {
            self.net.links.hang(link, up, down);
        }
    }

    fn attach(&mut self, tab: u8, identity: u8, seed: u64) {
        let identity = self.identity(identity);
        let mut rng = fastrand::Rng::with_seed(seed);
        let options = self.plan.identities[identity].options(&mut rng);
        let is_bad = rng.u8(0..50) == 0;
        // One user most of the time.
        let key = ["", "", "", "another"][rng.usize(0..4)];
        let wants_token = self.plan.identities[identity].wants_token();
        let needs_url = rng.u8(0..6) == 0;
        let has_function = rng.u8(0..8) > 0;
        let needs = Needs {
            url: needs_url,
            token: wants_token && has_function,
        };
        let (url, key) = if needs.url {
            (FUNCTION.into(), format!("{key}/{identity}"))
        } else {
            (url_of(identity), key.into())
        };
        let attach = Attach {
            url,
            protocols: Vec::new(),
            key,
            needs,
            options: if is_bad {
                Err("queue.ttl")
            } else {
                Ok(options)
            },
        };
        let no = HandleNo(self.handles);
        self.handles += 1;
        self.with_page(tab, |page, net| {
            if page
                .handles
                .iter()
                .filter(|handle| handle.is_usable())
                .count()
                < MOST_HANDLES
            {
                page.attach(no, attach, net);
                page.lead(url_of(identity));
            }
        });
    }

    fn suspend(&mut self, tab: u8, is_cached: bool) {
        if let Some(index) = self.awake(tab) {
            self.suspend_tab(TabNo(index as u32), is_cached);
        }
    }

    /// This page is frozen, or cached so that it loses its lock.
    pub fn suspend_tab(&mut self, tab: TabNo, is_cached: bool) {
        let index = tab.0 as usize;
        self.pages[index].suspend(&mut self.net);
        if self.plan.is_led {
            self.sleep_among_pages(tab, is_cached);
        }
        if let Some(hub) = self.hubs.of(Worker::Own(self.pages[index].no)) {
            self.hubs.freeze(hub, &self.net);
        }
        if is_cached && self.pages[index].has_lock {
            self.pages[index].has_lock = false;
            self.free_lock(self.pages[index].no);
        }
    }

    fn end_page(&mut self, tab: u8, says_bye: bool) {
        let living: Vec<_> = self.living().collect();
        if let Some(index) = pick(&living, tab) {
            self.end_tab(TabNo(index as u32), says_bye);
        }
    }

    /// This page is gone, with a goodbye or without.
    pub fn end_tab(&mut self, tab: TabNo, says_bye: bool) {
        let page = &mut self.pages[tab.0 as usize];
        let is_told = says_bye && page.is_awake();
        if is_told {
            page.post(TabMessage::Bye, &mut self.net);
        }
        if self.plan.is_led {
            self.end_among_pages(tab, is_told);
        }
        let page = &mut self.pages[tab.0 as usize];
        page.die();
        let own = self.hubs.of(Worker::Own(page.no));
        if core::mem::take(&mut page.has_lock) {
            let tab = page.no;
            self.free_lock(tab);
        }
        if let Some(hub) = own {
            self.hubs.kill(hub, &mut self.net);
        }
    }

    /// Somebody says something that makes no sense.
    fn babble(&mut self, tab: u8, kind: u8) -> Held {
        let page = self.awake(tab).filter(|_| kind.is_multiple_of(2));
        let stranger = PortId(u32::MAX - u32::from(kind));
        let handle = HandleId(1_000_000);
        let frame = Frame::Sent(
            SendNo {
                handle: HandleNo(u32::MAX),
                number: 0,
            },
            1,
        );
        let message = match kind / 2 % 8 {
            0 => TabMessage::Alive,
            1 => TabMessage::Ack {
                conn: ConnId(u32::from(kind) % 5),
                next: (1 << 53) - 1,
            },
            2 => TabMessage::Detach {
                handle,
                code: None,
                reason: String::new(),
                purge: false,
            },
            3 => TabMessage::Send {
                handle,
                conn: ConnId(u32::from(kind) % 5),
                first: (1 << 53) - 1,
                frames: vec![Outgoing::Frame(frame); 3],
            },
            4 => TabMessage::Reconnect(handle),
            5 => TabMessage::Shutdown(handle),
            6 => TabMessage::Hello(Hello {
                protocol: 99,
                build: String::new(),
                tab: String::new(),
                liveness: Liveness::Heartbeat,
                lock: String::new(),
                visible: true,
                focused: true,
                online: false,
            }),
            _ => {
                let nonsense = Input::Malformed(stranger, 0, MessageError::Malformed);
                return self.input_from_strangers(nonsense);
            }
        };
        if let Some(index) = page {
            self.pages[index].post(message, &mut self.net);
            return Ok(());
        }
        self.input_from_strangers(Input::Message(stranger, message))
    }

    /// Every hub hears what comes through a port that no page has.
    fn input_from_strangers(&mut self, input: Input<Frame>) -> Held {
        let hubs: Vec<_> = self.hubs.awake().map(Driver::no).collect();
        for hub in hubs {
            self.tell(hub, input.clone())?;
        }
        Ok(())
    }

    fn worker(&self, number: u8) -> Option<HubNo> {
        let living: Vec<_> = self.hubs.living().map(Driver::no).collect();
        living
            .get(usize::from(number) % living.len().max(1))
            .copied()
    }

    /// Something has come between the browser and its servers.
    pub fn disturb_all(&mut self) {
        for identity in 0..self.plan.identities.len() {
            self.disturb(identity);
        }
    }

    fn identity(&self, number: u8) -> usize {
        usize::from(number) % self.plan.identities.len()
    }

    /// An identity whose server is about to be out of reach for a moment.
    fn disturbed(&mut self, number: u8) -> usize {
        let identity = self.identity(number);
        self.disturb(identity);
        identity
    }

    fn awake(&self, tab: u8) -> Option<usize> {
        let awake: Vec<_> = self
            .living()
            .filter(|index| self.pages[*index].is_awake())
            .collect();
        pick(&awake, tab)
    }

    fn with_page(&mut self, tab: u8, act: impl FnOnce(&mut Page, &mut Net)) {
        if let Some(index) = self.awake(tab) {
            act(&mut self.pages[index], &mut self.net);
        }
    }

    /// Does something with a handle of a page that is awake.
    pub fn with_handle(
        &mut self,
        tab: u8,
        handle: u8,
        act: impl FnOnce(&mut Page, usize, &mut Net),
    ) {
        self.with_page(tab, |page, net| {
            let usable: Vec<_> = page
                .handles
                .iter()
                .enumerate()
                .filter(|(_, handle)| handle.is_usable())
                .map(|(index, _)| index)
                .collect();
            if let Some(index) = pick(&usable, handle) {
                act(page, index, net);
            }
        });
    }
}

fn pick(from: &[usize], number: u8) -> Option<usize> {
    from.get(usize::from(number) % from.len().max(1)).copied()
}
