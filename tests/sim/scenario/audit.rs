//! What holds at the end of every scenario.

use std::collections::BTreeMap;

use core::time::Duration;

use tabwire::protocol::State;

use super::stage::{Host, Stage};
use crate::page::Fate;
use crate::plan::Action;

/// What became of the messages of a scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct Losses {
    /// Broadcasts that living tabs missed, each at a gap that it was told of.
    pub lost: u64,
    /// Sends that living tabs counted as failed.
    pub failed: u64,
}

/// Without pings, after so long a send counts as arrived.
const SETTLED: Duration = Duration::from_secs(12);

impl Stage {
    /// Every living tab is open; nothing came twice; what a tab missed lies at a gap; every send arrived once or was counted; the
    /// server has one connection a key.
    pub fn audit(&mut self) -> Result<Losses, String> {
        let names: Vec<_> = self.players.keys().cloned().collect();
        for name in &names {
            self.wait(Duration::from_secs(10), |stage| {
                let last = stage.shown(name).last();
                last.filter(|shown| shown.state == State::Open).map(drop)
            })
            .map_err(|why| format!("{why} tab {name} to be open at the end"))?;
        }
        self.pass(SETTLED)?;
        let cast = self.world.carry_out(Action::Cast(0, 1, 20));
        cast.map_err(|breach| breach.detail)?;
        self.pass(Duration::from_secs(1))?;
        let casts = self.world.server.casts(0);
        let mut losses = Losses::default();
        for name in &names {
            let heard = self.socket(name).view.last_cast();
            if heard != Some(casts) {
                return Err(format!("tab {name} heard {heard:?} last, of {casts}"));
            }
            losses.lost += self.missed(name);
            losses.failed += self.check_sends(name)?;
        }
        let live = self.world.server.live(0) - self.deaf();
        let expected = self.connections();
        if live != expected {
            return Err(format!("the server has {live} connections, not {expected}"));
        }
        Ok(losses)
    }

    /// Connections of the server whose browser has left without its hearing of it.
    fn deaf(&self) -> usize {
        let sessions = self.world.server.sessions(0);
        let is_deaf = |link: &&_| !self.world.net.links.arrives(**link);
        sessions.iter().filter(is_deaf).count()
    }

    /// How many connections the server should have.
    fn connections(&self) -> usize {
        if self.host == Host::ThisTab {
            return self.players.len();
        }
        let mut keys: Vec<_> = self
            .players
            .keys()
            .map(|name| self.socket(name).key())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    }

    fn missed(&self, name: &str) -> u64 {
        let logs = self
            .page(name)
            .handles
            .iter()
            .filter_map(|handle| handle.view.log.as_ref());
        logs.map(|log| log.missed).sum()
    }

    fn check_sends(&self, name: &str) -> Result<u64, String> {
        let mut copies = BTreeMap::new();
        for arrival in &self.world.server.arrivals {
            *copies.entry(arrival.send).or_insert(0) += 1;
        }
        let mut failed = 0;
        let fates = self
            .page(name)
            .handles
            .iter()
            .flat_map(|handle| handle.sends.fates());
        for (send, fate) in fates {
            let copies = copies.get(&send).copied().unwrap_or(0);
            let is_counted = matches!(fate, Fate::Reported(_));
            failed += u64::from(is_counted);
            if copies > 1 || (copies == 0 && !is_counted) {
                return Err(format!(
                    "{send:?} of tab {name} arrived {copies} times, and is {fate:?}"
                ));
            }
        }
        Ok(failed)
    }
}
