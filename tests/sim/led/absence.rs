//! Pages that are frozen, cached, stopped or gone while they lead or follow; and back.

use core::time::Duration;

use super::event::{LedEvent, Note, Task};
use super::seat::Sleep;
use crate::event::Event;
use crate::page::{Life, TabNo};
use crate::world::World;

/// What is left of a deadline of which a page has slept through the first half, or more.
const HALF: Duration = Duration::from_millis(2500);

impl World {
    /// A page has been told that it is about to be frozen or cached: one that leads ends its worker.
    pub fn sleep_among_pages(&mut self, tab: TabNo, is_cached: bool) {
        let is_leading = self.led.seat(tab).leads.is_some();
        self.step_down(tab);
        let seeker = self.led.seeker(tab);
        seeker.sleep = Some(match is_cached {
            true => Sleep::Cached,
            false => Sleep::Frozen,
        });
        let seat = &mut seeker.seat;
        // One that still seeks has nothing that it would close.
        if is_cached && seat.term.is_some() {
            seat.listens = false;
            seat.is_away = !is_leading;
            if let (true, Some(port)) = (seat.is_away, seat.port) {
                seat.away += 1;
                self.net.post_note(port, Note::Away(seat.away));
            }
        }
    }

    /// The process of a page is stopped, and its worker with it. Both keep what they have.
    pub fn stop_page(&mut self, tab: TabNo) {
        self.pages[tab.0 as usize].halt();
        let seeker = self.led.seeker(tab);
        seeker.sleep = Some(Sleep::Stopped);
        if let Some((hub, _)) = seeker.seat.leads {
            self.hubs.freeze(hub, &self.net);
            self.disturb_all();
        }
    }

    /// A page is back, and does what it would have done.
    pub fn return_among_pages(&mut self, tab: TabNo) {
        let is_online = self.is_online;
        let seeker = self.led.seeker(tab);
        let sleep = seeker.sleep.take();
        let tasks = core::mem::take(&mut seeker.tasks);
        let seat = &mut seeker.seat;
        let has_stepped_down = seat.has_stepped_down();
        let was_away = core::mem::take(&mut seat.is_away);
        seat.listens |= was_away;
        let leads = seat.leads;
        let page = &mut self.pages[tab.0 as usize];
        match sleep {
            Some(Sleep::Frozen | Sleep::Cached) => {
                page.come_back(sleep == Some(Sleep::Cached), is_online, &mut self.net);
                if has_stepped_down {
                    self.crash(tab);
                }
            }
            Some(Sleep::Stopped) | None => {
                page.go_on(&mut self.net);
                page.set_online(is_online, &mut self.net);
                if let Some((hub, _)) = leads {
                    self.net.after(Duration::ZERO, Event::Thaw(hub));
                    self.disturb_all();
                }
            }
        }
        let mut at = self.net.now();
        for (seat, task) in tasks {
            at = at + self.led.task_delay();
            // Deadlines are counted in halves, so that it first hears what has come meanwhile.
            let is_late = matches!(task, Task::Late(_));
            let half = if is_late { HALF } else { Duration::ZERO };
            let event = LedEvent::AtPage(tab, seat, task);
            self.net.schedule.at(at + half, Event::Led(event));
        }
    }

    /// A page is closed and told so, or it dies without a word.
    pub fn end_among_pages(&mut self, tab: TabNo, is_told: bool) {
        if is_told {
            self.close_seat(tab);
        }
        let seat = self.led.seat(tab);
        seat.listens = false;
        seat.is_over = true;
        seat.port = None;
        if let Some((hub, _)) = seat.leads.take() {
            self.hubs.kill(hub, &mut self.net);
            self.disturb_all();
        }
        let delay = Duration::from_millis(self.led.rng.u64(5..40));
        self.net.after(delay, Event::Led(LedEvent::Freed(tab)));
    }

    /// Nothing comes from a page to the others, nor from them to it, for so long. Its worker is with it.
    pub fn cut_off(&mut self, tab: TabNo, span: Duration) {
        let until = self.net.now() + span;
        self.led.channel.cut(tab, until);
        let ports = self.led.ports.iter();
        let cut = ports.filter(|(_, (follower, leader))| *follower == tab || *leader == tab);
        for (port, _) in cut {
            self.net.cut_port(*port, until);
        }
    }

    /// The page that leads, if there is one: not one that is stopped, if there is another.
    pub fn leader(&self) -> Option<TabNo> {
        let mut leaders: Vec<_> = self
            .led
            .seekers
            .iter()
            .filter(|(_, seeker)| seeker.seat.leads.is_some())
            .map(|(tab, _)| *tab)
            .collect();
        leaders.sort_by_key(|tab| self.pages[tab.0 as usize].life != Life::Awake);
        leaders.first().copied()
    }
}
