//! How a page seeks a hub, and what it does when that is gone: `www/client/lead.ts`, step by step.

use core::time::Duration;

use super::channel::{Party, Word};
use super::event::{LedEvent, SeatNo, Task};
use super::lock::Request;
use super::seat::{PAUSE, Seat, Seeker};
use super::{Led, LedWorker};
use crate::event::{Event, ToPage};
use crate::invariants::Held;
use crate::page::{Life, NOWHERE, TabNo};
use crate::worker::Worker;
use crate::world::World;

/// How long the one who has the lock may take to say who leads.
const ANSWER: Duration = Duration::from_secs(1);
/// How long a search may take until the script answers, and how long the hub may take after that.
const SCRIPT: Duration = Duration::from_secs(5);
const READY: Duration = Duration::from_secs(15);
/// A hub that dies so soon after another is followed after a pause.
const YOUNG: Duration = Duration::from_secs(10);
/// What the pause grows to while nothing is found.
const LONG_PAUSE: Duration = Duration::from_secs(30);

impl Led {
    /// What a page does to find a hub.
    pub(super) fn seeker(&mut self, tab: TabNo) -> &mut Seeker {
        self.seekers.get_mut(&tab).expect("a page")
    }

    pub(super) fn seat(&mut self, tab: TabNo) -> &mut Seat {
        &mut self.seeker(tab).seat
    }

    fn new_seat(&mut self) -> SeatNo {
        self.seats += 1;
        SeatNo(self.seats)
    }
}

impl World {
    /// A page has been opened, and seeks a hub.
    pub fn open_among_pages(&mut self, tab: TabNo) {
        self.pages[tab.0 as usize].be_led();
        let no = self.led.new_seat();
        self.led.seekers.insert(tab, Seeker::new(no));
        self.begin(tab);
    }

    /// A page that has lost its hub leaves it, and seeks another: after a pause, if it loses them too often or finds none.
    pub fn leave_hub(&mut self, tab: TabNo) -> Held {
        let page = &mut self.pages[tab.0 as usize];
        if !page.has_lost_hub() || !page.is_awake() {
            return Ok(());
        }
        let now = self.net.now();
        if self.led.was_cut(page.port, now) {
            page.doubt();
        }
        page.depart(&mut self.net)?;
        self.close_seat(tab);
        let seeker = self.led.seeker(tab);
        seeker.has_past = true;
        let pause = if core::mem::take(&mut seeker.has_failed) {
            let pause = seeker.pause;
            seeker.pause = (2 * pause).min(LONG_PAUSE);
            pause
        } else {
            let before = seeker.lost_at.replace(now);
            let is_young = before.is_some_and(|before| now.since(before) < YOUNG);
            if is_young { PAUSE } else { Duration::ZERO }
        };
        self.plan_task(tab, pause, Task::Begin);
        Ok(())
    }

    /// Does a task of a page, or keeps it until the page can.
    pub(super) fn do_task(&mut self, tab: TabNo, seat: SeatNo, task: Task) -> Held {
        let page = &mut self.pages[tab.0 as usize];
        match page.life {
            Life::Dead => return Ok(()),
            Life::Suspended => {
                self.led.seeker(tab).tasks.push((seat, task));
                return Ok(());
            }
            Life::Awake => {}
        }
        let until = page.inbox.blocked_until();
        if until > self.net.now() {
            let later = Event::Led(LedEvent::AtPage(tab, seat, task));
            self.net.schedule.at(until, later);
            return Ok(());
        }
        let is_now = self.led.seat(tab).no == seat;
        if let Task::Granted(request) = task {
            if is_now {
                self.lead(tab, request);
            } else {
                self.release(request);
            }
            return Ok(());
        }
        if !is_now {
            return Ok(());
        }
        match task {
            Task::Begin => self.begin(tab),
            Task::Hear(word) => self.hear_word(tab, word),
            Task::First(port, message) => {
                let seat = self.led.seat(tab);
                if seat.port == Some(port) && !seat.is_over {
                    seat.is_found = true;
                    self.expect_within(tab, READY);
                    let page = &mut self.pages[tab.0 as usize];
                    page.arrive(port, &mut self.net);
                    page.inbox.push(message, true, &mut self.net);
                }
            }
            Task::Granted(_) => {}
            Task::Stolen(request) => {
                let leads = self.led.seat(tab).leads;
                if leads.is_some_and(|(_, held)| held == request) {
                    self.step_down(tab);
                    // It has not heard all that its hub has done.
                    self.pages[tab.0 as usize].risk();
                    self.crash(tab);
                }
            }
            Task::Waited(number) => {
                let seat = self.led.seat(tab);
                if seat.waits.is_some() && seat.timers == number {
                    self.settle_seat(tab);
                    self.steal(tab);
                }
            }
            Task::Late(number) => {
                let seat = self.led.seat(tab);
                if !seat.is_over && seat.lates == number {
                    return self.fail(tab);
                }
            }
        }
        self.leave_hub(tab)
    }

    /// A page ends its worker, if it leads, and says so.
    pub(super) fn step_down(&mut self, tab: TabNo) {
        let seat = self.led.seat(tab);
        let no = seat.no;
        if let Some((hub, request)) = seat.leads.take() {
            self.hubs.kill(hub, &mut self.net);
            self.disturb_all();
            // What its worker has said and the page has not heard is thrown away, and what is yet to come.
            let page = &mut self.pages[tab.0 as usize];
            page.inbox.clear();
            page.port = NOWHERE;
            self.say(Party::Page(tab), tab, Word::Left(no));
            self.release(request);
        }
    }

    /// The client of a page is told that its hub is gone, if it has one.
    pub(super) fn crash(&mut self, tab: TabNo) {
        let seat = self.led.seat(tab);
        if seat.is_found || seat.term == Some(seat.no) {
            let page = &mut self.pages[tab.0 as usize];
            let is_awake = page.is_awake();
            page.inbox.push(ToPage::Crashed, is_awake, &mut self.net);
        }
    }

    /// A page leaves what it has found, or searches no more.
    pub(super) fn close_seat(&mut self, tab: TabNo) {
        let seat = self.led.seat(tab);
        if seat.is_over {
            return;
        }
        seat.is_over = true;
        self.settle_seat(tab);
        self.step_down(tab);
        let seat = self.led.seat(tab);
        seat.listens = false;
        seat.port = None;
        seat.lates += 1;
        self.pages[tab.0 as usize].port = NOWHERE;
    }

    /// The script of a page's worker has answered, or the hub.
    pub(super) fn expect_within(&mut self, tab: TabNo, span: Duration) {
        let seat = self.led.seat(tab);
        seat.lates += 1;
        let number = seat.lates;
        self.plan_task(tab, span, Task::Late(number));
    }

    /// The script of its worker has said that it runs.
    pub(super) fn expect_hub(&mut self, tab: TabNo) {
        self.expect_within(tab, READY);
    }

    /// The hub has said welcome.
    pub(super) fn expect_nothing(&mut self, tab: TabNo) {
        let seeker = self.led.seeker(tab);
        seeker.seat.lates += 1;
        seeker.has_past = true;
        seeker.pause = PAUSE;
    }

    /// Says something to all who listen. Both pages and workers hear it, but for the speaker.
    pub(super) fn say(&mut self, speaker: Party, of: TabNo, word: Word) {
        self.trace
            .say(self.net.now(), || format!("    {speaker:?} says {word:?}"));
        let now = self.net.now();
        let pages: Vec<_> = self
            .led
            .seekers
            .iter()
            .filter(|(_, seeker)| seeker.seat.listens)
            .map(|(tab, seeker)| (*tab, seeker.seat.no))
            .filter(|(tab, _)| speaker != Party::Page(*tab))
            .collect();
        let workers: Vec<_> = self
            .led
            .workers
            .iter()
            .filter(|(hub, worker)| worker.listens && speaker != Party::Worker(**hub))
            .map(|(hub, worker)| (*hub, worker.tab))
            .collect();
        for (tab, seat) in pages {
            let to = (Party::Page(tab), tab);
            let at = self.led.channel.arrival((speaker, of), to, now);
            let event = LedEvent::AtPage(tab, seat, Task::Hear(word));
            self.net.schedule.at(at, Event::Led(event));
        }
        for (hub, tab) in workers {
            let to = (Party::Worker(hub), tab);
            let at = self.led.channel.arrival((speaker, of), to, now);
            let event = LedEvent::AtWorker(hub, word);
            self.net.schedule.at(at, Event::Led(event));
        }
    }

    /// The lock is given back, and goes to the next who waits.
    pub(super) fn release(&mut self, request: Request) {
        let next = self.led.lock.release(request);
        self.grant(next);
    }

    /// The browser tells somebody that the lock is its own.
    pub(super) fn grant(&mut self, request: Option<Request>) {
        if let Some(request) = request {
            let delay = self.led.task_delay();
            let event = LedEvent::AtPage(request.tab, request.seat, Task::Granted(request));
            self.net.after(delay, Event::Led(event));
        }
    }

    fn plan_task(&mut self, tab: TabNo, span: Duration, task: Task) {
        let no = self.led.seat(tab).no;
        self.net
            .after(span, Event::Led(LedEvent::AtPage(tab, no, task)));
    }

    fn begin(&mut self, tab: TabNo) {
        let no = self.led.new_seat();
        *self.led.seat(tab) = Seat {
            is_over: false,
            listens: true,
            ..Seat::new(no)
        };
        self.expect_within(tab, SCRIPT);
        self.say(Party::Page(tab), tab, Word::Who);
        self.wait(tab);
    }

    /// Waits for the lock, and for as long as the one who has it may take to answer.
    fn wait(&mut self, tab: TabNo) {
        self.settle_seat(tab);
        let request = self.new_request(tab);
        let seat = self.led.seat(tab);
        seat.waits = Some(request);
        seat.timers += 1;
        let number = seat.timers;
        let granted = self.led.lock.ask(request);
        self.grant(granted);
        self.plan_task(tab, ANSWER, Task::Waited(number));
    }

    fn steal(&mut self, tab: TabNo) {
        let request = self.new_request(tab);
        self.trace
            .say(self.net.now(), || format!("    {tab:?} steals the lock"));
        let from = self.led.lock.steal(request);
        self.grant(Some(request));
        if let Some(from) = from {
            // Who has not been told yet that it has the lock is told that first.
            let delay = self.led.task_delay() + Duration::from_millis(2);
            let event = LedEvent::AtPage(from.tab, from.seat, Task::Stolen(from));
            self.net.after(delay, Event::Led(event));
        }
    }

    fn new_request(&mut self, tab: TabNo) -> Request {
        let seat = self.led.seat(tab);
        seat.requests += 1;
        Request {
            tab,
            seat: seat.no,
            number: seat.requests,
        }
    }

    /// It is clear who leads, or it waits anew.
    fn settle_seat(&mut self, tab: TabNo) {
        if let Some(request) = self.led.seat(tab).waits.take() {
            self.led.lock.withdraw(request);
        }
    }

    fn hear_word(&mut self, tab: TabNo, word: Word) {
        let seat = self.led.seat(tab);
        if !seat.listens {
            return;
        }
        match word {
            Word::Claim(_) if seat.term.is_none() => self.wait(tab),
            Word::Lead(of) if seat.term.is_none() && !seat.left.contains(&of) => {
                self.follow(tab, of);
            }
            Word::Left(of) => {
                seat.left.insert(of);
                if seat.term == Some(of) && seat.leads.is_none() {
                    self.crash(tab);
                }
            }
            Word::Who | Word::Claim(_) | Word::Lead(_) | Word::Join(..) => {}
        }
    }

    fn follow(&mut self, tab: TabNo, of: SeatNo) {
        self.settle_seat(tab);
        let port = self.new_port();
        let seat = self.led.seat(tab);
        seat.term = Some(of);
        seat.port = Some(port);
        self.say(Party::Page(tab), tab, Word::Join(of, port));
    }

    /// The lock is its own: it starts its worker and says hello to that.
    fn lead(&mut self, tab: TabNo, request: Request) {
        let seat = self.led.seat(tab);
        if seat.is_over || seat.term.is_some() {
            return self.release(request);
        }
        let no = seat.no;
        seat.term = Some(no);
        seat.waits = None;
        self.say(Party::Page(tab), tab, Word::Claim(no));
        let port = self.new_port();
        let worker = Worker::Led(no);
        let startup = self.hubs.connect(port, worker, &mut self.net);
        let hub = self.hubs.of(worker).expect("a hub");
        let worker = LedWorker {
            tab,
            seat: no,
            port,
            listens: false,
            up_at: self.net.now() + startup,
        };
        self.led.workers.insert(hub, worker);
        let script = startup.mul_f64(0.3 + 0.7 * self.led.rng.f64());
        self.net.after(script, Event::Led(LedEvent::Script(hub)));
        let seat = self.led.seat(tab);
        seat.leads = Some((hub, request));
        seat.port = Some(port);
        seat.is_found = true;
        self.pages[tab.0 as usize].arrive(port, &mut self.net);
    }

    /// Nothing was found in time. A page that has had a hub seeks again after a while, another gives up, and its user begins anew.
    fn fail(&mut self, tab: TabNo) -> Held {
        let seeker = self.led.seeker(tab);
        if seeker.has_past {
            seeker.has_failed = true;
            self.pages[tab.0 as usize].lose_hub();
            return self.leave_hub(tab);
        }
        self.trace
            .say(self.net.now(), || format!("    {tab:?} gives up"));
        let page = &mut self.pages[tab.0 as usize];
        page.depart(&mut self.net)?;
        page.quit()?;
        self.close_seat(tab);
        self.begin(tab);
        Ok(())
    }
}
