//! What the actions of led worlds do.

use core::time::Duration;

use super::Deed;
use crate::page::TabNo;
use crate::world::World;

impl World {
    /// Something befalls the page that leads, or another.
    pub fn do_among_pages(&mut self, deed: Deed) {
        match deed {
            Deed::Stop(tab) => {
                if let Some(tab) = self.nth_awake(tab) {
                    self.stop_page(tab);
                }
            }
            Deed::Cut(tab, millis) => {
                if let Some(tab) = self.nth_awake(tab) {
                    self.cut_off(tab, span(millis));
                }
            }
            Deed::Call(tab, fails) => {
                if let Some(tab) = self.nth_awake(tab) {
                    let page = &mut self.pages[tab.0 as usize];
                    if let Some(gate) = &mut page.gate {
                        let call = gate.call(fails);
                        page.post(call, &mut self.net);
                    }
                }
            }
            Deed::EndLeader(_)
            | Deed::SuspendLeader(_)
            | Deed::StopLeader
            | Deed::CutLeader(_)
            | Deed::KillLeader
            | Deed::BlockLeader(_) => {
                if let Some(tab) = self.leader() {
                    self.befall_leader(tab, deed);
                }
            }
        }
    }

    fn befall_leader(&mut self, tab: TabNo, deed: Deed) {
        let is_awake = self.pages[tab.0 as usize].is_awake();
        match deed {
            Deed::EndLeader(says_bye) => self.end_tab(tab, says_bye),
            Deed::SuspendLeader(is_cached) if is_awake => self.suspend_tab(tab, is_cached),
            Deed::StopLeader if is_awake => self.stop_page(tab),
            Deed::CutLeader(millis) => self.cut_off(tab, span(millis)),
            Deed::KillLeader => {
                if let Some((hub, _)) = self.led.seat(tab).leads {
                    self.hubs.kill(hub, &mut self.net);
                    self.disturb_all();
                }
            }
            Deed::BlockLeader(millis) => {
                let until = self.net.now() + span(millis);
                self.pages[tab.0 as usize].inbox.block(until);
            }
            Deed::SuspendLeader(_)
            | Deed::StopLeader
            | Deed::Stop(_)
            | Deed::Cut(..)
            | Deed::Call(..) => {}
        }
    }

    fn nth_awake(&self, number: u8) -> Option<TabNo> {
        let awake: Vec<_> = self
            .living()
            .filter(|index| self.pages[*index].is_awake())
            .collect();
        let index = awake.get(usize::from(number) % awake.len().max(1))?;
        Some(TabNo(*index as u32))
    }
}

fn span(millis: u32) -> Duration {
    Duration::from_millis(millis.into())
}
