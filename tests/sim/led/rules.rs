//! What must hold where pages lead each other.

use core::time::Duration;

use tabwire::time::Time;

use super::event::LedEvent;
use crate::event::Event;
use crate::hubs::HubNo;
use crate::invariants::{Check, Held};
use crate::page::Stage;
use crate::worker::Worker;
use crate::world::World;

/// How often it is looked who leads.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long two hubs may have sockets: until the page whose lock was stolen has been told so and has ended its worker, which is
/// a task of the page, and no message that anybody could hold up.
const HANDOVER: Duration = Duration::from_millis(250);
/// How long after everything has healed all are with one leader: a silence, a search, and a second one after its pause.
const AGREED: Duration = Duration::from_secs(20);
/// So many seconds at most a page needs for what it has been told and has not handled.
const MOST_LAG: u32 = 120;

impl World {
    /// Of the hubs that can do anything and whose page can, one has sockets; two for the time of a handover.
    pub(super) fn look_who_leads(&mut self) -> Held {
        self.net.after(LOOK_EVERY, Event::Led(LedEvent::Look));
        let holders = self.holders();
        let now = self.net.now();
        if holders.len() < 2 {
            self.led.rivals_since = None;
            return Ok(());
        }
        let since = *self.led.rivals_since.get_or_insert(now);
        Check::OneLeader.require(now.since(since) <= HANDOVER, || {
            format!("{holders:?} lead beside each other since {since:?}")
        })
    }

    /// Lets what holds pages up or apart come to its end, after which all heals.
    pub fn reunite(&mut self) -> Held {
        let blocked = self
            .living()
            .map(|index| self.pages[index].inbox.blocked_until());
        let until = blocked.max().unwrap_or_default();
        let until = until.max(self.led.channel.whole_at());
        self.run_until(until.max(self.net.now()))
    }

    /// All has healed, and those who lagged behind have caught up: soon after that there is one leader.
    pub fn agree_who_leads(&mut self) -> Held {
        for _ in 0..MOST_LAG {
            let now = self.net.now();
            let is_idle = |index: usize| self.pages[index].inbox.is_idle(now);
            if self.living().all(is_idle) {
                break;
            }
            self.run_until(now + Duration::from_secs(1))?;
        }
        self.run_until(self.net.now() + AGREED)?;
        self.check_agreement()
    }

    /// One leads, and every page is there that does not lag behind what it has to do.
    pub fn check_agreement(&self) -> Held {
        let leaders: Vec<_> = self.led_hubs().collect();
        let is_empty = self.living().next().is_none();
        Check::OneLeader.require(is_empty || leaders.len() == 1, || {
            format!("{leaders:?} lead when all has healed")
        })?;
        for page in self.living().map(|index| &self.pages[index]) {
            let hub = page.hub();
            let is_there = hub.is_some() && hub == leaders.first().copied();
            let mut handles = page.handles.iter();
            let lacks = handles.find(|handle| handle.stage == Stage::Attaching);
            let is_busy = !page.inbox.is_idle(self.net.now());
            Check::AllFollow.require(is_busy || (is_there && lacks.is_none()), || {
                format!(
                    "{:?} is at {hub:?} of {leaders:?}, lacks {lacks:?}",
                    page.no
                )
            })?;
        }
        Ok(())
    }

    fn led_hubs(&self) -> impl Iterator<Item = HubNo> {
        let led = self
            .hubs
            .awake()
            .filter(|driver| matches!(driver.worker(), Worker::Led(_)));
        led.map(|driver| driver.no())
    }

    /// The hubs with sockets whose page hears what happens to its lock, and which nobody is cut off from.
    fn holders(&self) -> Vec<HubNo> {
        let now = self.net.now();
        let mut holders: Vec<_> = self
            .led_hubs()
            .filter(|hub| self.can_hear(*hub, now))
            .collect();
        if holders.len() > 1 {
            holders.retain(|hub| self.net.links.live().any(|(holder, _)| holder == *hub));
        }
        holders
    }

    fn can_hear(&self, hub: HubNo, now: Time) -> bool {
        let tab = self.led.workers[&hub].tab;
        let page = &self.pages[tab.0 as usize];
        let is_blocked = page.inbox.blocked_until() > now;
        page.is_awake() && !is_blocked && !self.led.channel.is_cut(tab, now)
    }
}
