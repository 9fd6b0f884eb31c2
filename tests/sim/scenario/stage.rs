//! Where a scenario plays: a world, and its tabs by their names.

use std::collections::BTreeMap;

use core::time::Duration;

use serde_json::{Value, json};
use tabwire::protocol::{Attach, Liveness, Needs, Options, State};
use tabwire::time::Time;

use crate::driver::url_of;
use crate::frame::HandleNo;
use crate::json::Json;
use crate::page::{Handle, Page, Shown, TabNo};
use crate::plan::Plan;
use crate::worker::Build;
use crate::world::World;

/// Where the hub of a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// In a worker that all tabs share.
    SharedWorker,
    /// In a worker of the tab that leads.
    LeaderTab,
    /// In a worker of each tab.
    ThisTab,
}

/// A scenario under way.
#[derive(Debug)]
pub struct Stage {
    /// Where it plays.
    pub host: Host,
    /// Everything there is.
    pub world: World,
    /// The tabs that live.
    pub players: BTreeMap<String, Player>,
    /// What every socket is opened with.
    pub options: Value,
    /// When the first fault befell.
    pub first_fault_at: Option<Time>,
    /// When the last fault befell, or was over if it took its time.
    pub fault_at: Time,
    /// When the tabs were last seen to be open after it.
    pub recovered_at: Time,
    liveness: Liveness,
}

/// A tab of a scenario.
#[derive(Debug)]
pub struct Player {
    /// Its page.
    pub tab: TabNo,
    /// From which of its states on the next wait looks.
    pub cursor: usize,
    /// Whether nothing can be done in it now.
    pub is_away: bool,
}

/// What each step takes in a browser, more or less.
const STEP: Duration = Duration::from_millis(50);
/// How closely it is looked whether what is waited for has come.
const LOOK: Duration = Duration::from_millis(5);

impl Host {
    /// As it stands in the files.
    pub fn named(name: &str) -> Self {
        match name {
            "this-tab" => Self::ThisTab,
            "leader-tab" => Self::LeaderTab,
            _ => Self::SharedWorker,
        }
    }

    /// The same.
    pub fn code(self) -> &'static str {
        match self {
            Self::SharedWorker => "shared-worker",
            Self::LeaderTab => "leader-tab",
            Self::ThisTab => "this-tab",
        }
    }
}

impl Stage {
    /// An empty stage.
    pub fn new(host: Host, liveness: Liveness) -> Self {
        let mut plan = Plan::empty(host == Host::ThisTab);
        plan.is_led = host == Host::LeaderTab;
        let mut world = World::of(plan, fastrand::Rng::with_seed(7), false);
        world.server.tokens.is_frank = true;
        Self {
            host,
            world,
            players: BTreeMap::new(),
            options: json!({}),
            first_fault_at: None,
            fault_at: Time::ZERO,
            recovered_at: Time::ZERO,
            liveness,
        }
    }

    /// Opens a tab of that name with its socket, and waits until that is open.
    pub fn open(&mut self, name: &str, build: Build) -> Result<(), String> {
        let tab = self.world.open_page(build, self.liveness, true);
        let player = Player {
            tab,
            cursor: 0,
            is_away: false,
        };
        self.players.insert(name.into(), player);
        self.attach(name, "")
    }

    /// Opens a socket with this key.
    pub fn attach(&mut self, name: &str, key: &str) -> Result<(), String> {
        let attach = Attach {
            url: url_of(0),
            protocols: Vec::new(),
            key: key.into(),
            needs: Needs {
                url: false,
                token: self.options.get("auth").is_some(),
            },
            options: Options::read(&Json(self.options.clone())),
        };
        let casts = self.world.server.casts(0);
        let no = HandleNo(self.world.handles);
        self.world.handles += 1;
        let tab = self.player(name)?.tab;
        let page = &mut self.world.pages[tab.0 as usize];
        page.attach(no, attach, &mut self.world.net);
        if let Some(handle) = page.handles.last_mut() {
            handle.view.keep(casts);
        }
        self.player(name)?.cursor = 0;
        self.until(name, State::Open, Duration::from_secs(20))
            .map(drop)
    }

    /// A tab.
    pub fn player(&mut self, name: &str) -> Result<&mut Player, String> {
        let player = self.players.get_mut(name);
        player.ok_or_else(|| format!("there is no tab {name}"))
    }

    /// The page of a tab.
    pub fn page(&self, name: &str) -> &Page {
        &self.world.pages[self.players[name].tab.0 as usize]
    }

    /// The socket of a tab that was opened last.
    pub fn socket(&self, name: &str) -> &Handle {
        self.page(name).handles.last().expect("a socket")
    }

    /// What the socket of a tab has shown.
    pub fn shown(&self, name: &str) -> &[Shown] {
        let log = self.socket(name).view.log.as_ref();
        log.map_or(&[], |log| &log.shown)
    }

    /// A fault befalls: the next waits look at the states of now and at later ones.
    pub fn mark(&mut self) {
        let now = self.world.net.now();
        self.fault_at = now;
        self.first_fault_at.get_or_insert(now);
        let names: Vec<_> = self.players.keys().cloned().collect();
        for name in names {
            let last = self.shown(&name).len().saturating_sub(1);
            if let Some(player) = self.players.get_mut(&name)
                && !player.is_away
            {
                player.cursor = last;
            }
        }
    }

    /// Waits until a tab shows a state, or has shown it since the mark.
    pub fn until(&mut self, name: &str, state: State, within: Duration) -> Result<Time, String> {
        let cursor = self.player(name)?.cursor;
        let find = |stage: &Self| {
            let later = stage.shown(name).iter().enumerate().skip(cursor);
            later
                .filter(|(_, shown)| shown.state == state)
                .map(|(index, shown)| (index, shown.since))
                .next()
        };
        let found = self.wait(within, find).map_err(|why| {
            let shown = self.shown(name).last();
            format!("{why} tab {name} to be {}, it is {shown:?}", state.code())
        });
        let (index, since) = found?;
        self.player(name)?.cursor = index;
        Ok(since)
    }

    /// Lets time pass until something has come about.
    pub fn wait<T>(
        &mut self,
        within: Duration,
        find: impl Fn(&Self) -> Option<T>,
    ) -> Result<T, String> {
        let end = self.world.net.now() + within;
        loop {
            if let Some(found) = find(self) {
                return Ok(found);
            }
            if self.world.net.now() >= end {
                return Err(format!("{within:?} were not enough for"));
            }
            self.pass(LOOK)?;
        }
    }

    /// Lets so much time pass.
    pub fn pass(&mut self, span: Duration) -> Result<(), String> {
        let end = self.world.net.now() + span;
        let held = self.world.run_until(end);
        held.map_err(|breach| format!("{:?}: {}", breach.check, breach.detail))
    }

    /// Lets as much time pass as a step takes.
    pub fn pause(&mut self) -> Result<(), String> {
        self.pass(STEP)
    }
}
