//! The worker of a page that leads: `worker/lead.ts`, and the ports between it and pages.

use super::channel::{Party, Word};
use super::event::{LedEvent, Note, Task};
use crate::event::{Event, ToPage};
use crate::hubs::HubNo;
use crate::invariants::Held;
use crate::world::World;
use tabwire::core::PortId;
use tabwire::protocol::HubMessage;

impl World {
    /// Something happens among pages that lead each other.
    pub fn happen_among_pages(&mut self, event: LedEvent) -> Held {
        match event {
            LedEvent::AtPage(tab, seat, task) => self.do_task(tab, seat, task),
            LedEvent::AtWorker(hub, word) => {
                if self.hubs.is_awake(hub) {
                    self.hear_at_worker(hub, word);
                }
                Ok(())
            }
            LedEvent::AtChannel(port, note) => {
                self.net.hear_note(port, note);
                Ok(())
            }
            LedEvent::Script(hub) => {
                if self.hubs.is_awake(hub) {
                    self.begin_to_lead(hub);
                }
                Ok(())
            }
            LedEvent::Freed(tab) => {
                let next = self.led.lock.forget(tab);
                self.grant(next);
                Ok(())
            }
            LedEvent::Look => self.look_who_leads(),
        }
    }

    /// A message of a hub has come to a page. Tells whether it comes to nothing, or to no more than that the hub is found.
    pub fn meets_first(&mut self, port: PortId, message: &ToPage, away: u32) -> bool {
        let found = self
            .led
            .seekers
            .iter()
            .find(|(_, seeker)| seeker.seat.port == Some(port));
        let Some((tab, seeker)) = found else {
            return false;
        };
        let (tab, seat) = (*tab, &seeker.seat);
        if seat.is_away || seat.away != away {
            // Its channel is closed, and keeps nothing; or the worker did not know yet that it was.
            self.pages[tab.0 as usize].miss();
            return true;
        }
        if matches!(message, ToPage::Message(HubMessage::Failed { .. })) {
            self.net.post_note(port, Note::Confirmed);
        }
        let seat = &self.led.seekers[&tab].seat;
        if !seat.is_found {
            let task = Task::First(port, message.clone());
            let first = LedEvent::AtPage(tab, seat.no, task);
            self.net.schedule.at(self.net.now(), Event::Led(first));
            return true;
        }
        match message {
            ToPage::Script => self.expect_hub(tab),
            ToPage::Welcome(_) => self.expect_nothing(tab),
            ToPage::Crashed
            | ToPage::Beat(_)
            | ToPage::Gone(_)
            | ToPage::Message(_)
            | ToPage::Batch { .. }
            | ToPage::Subscribed(..)
            | ToPage::Answered(..) => {}
        }
        false
    }

    fn begin_to_lead(&mut self, hub: HubNo) {
        let Some(worker) = self.led.workers.get_mut(&hub) else {
            return;
        };
        worker.listens = true;
        let worker = *worker;
        self.net.post_to_page(worker.port, ToPage::Script);
        self.say(Party::Worker(hub), worker.tab, Word::Lead(worker.seat));
    }

    fn hear_at_worker(&mut self, hub: HubNo, word: Word) {
        let worker = self.led.workers[&hub];
        match word {
            Word::Who => self.say(Party::Worker(hub), worker.tab, Word::Lead(worker.seat)),
            Word::Join(of, port) if of == worker.seat => self.take_follower(hub, port),
            Word::Join(..) | Word::Claim(_) | Word::Lead(_) | Word::Left(_) => {}
        }
    }

    /// A page comes by a channel of its own. Should it be gone again nobody hears what is said there.
    fn take_follower(&mut self, hub: HubNo, port: PortId) {
        let worker = self.led.workers[&hub];
        let now = self.net.now();
        let mut seekers = self.led.seekers.iter();
        let follower = seekers.find(|(_, seeker)| seeker.seat.port == Some(port));
        let Some(follower) = follower.map(|(tab, _)| *tab) else {
            return;
        };
        self.hubs.open_port(port, hub);
        self.net.open_channel(port);
        self.net.hold_port(port, worker.up_at.max(now).since(now));
        self.led.ports.insert(port, (follower, worker.tab));
        if let Some(until) = self.led.channel.cut_until(follower, worker.tab, now) {
            self.net.cut_port(port, until);
        }
        self.net.post_to_page(port, ToPage::Script);
    }
}
