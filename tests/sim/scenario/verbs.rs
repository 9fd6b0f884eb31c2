//! What each verb does.

use core::time::Duration;

use tabwire::protocol::State;

use super::parse::Step;
use super::stage::{Host, Stage};
use crate::hubs::HubNo;
use crate::page::Fate;
use crate::plan::Action;
use crate::server::Mode;
use crate::worker::{Build, Worker};

/// Verbs that are no fault: a wait looks back past them.
const QUIET: &[&str] = &["options", "open", "send", "cast", "wait", "expect"];
/// How long what is expected may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl Stage {
    /// Plays one step.
    pub fn play(&mut self, step: &Step) -> Result<(), String> {
        let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
        if !QUIET.contains(&step.verb.as_str()) {
            self.mark();
        }
        match (step.verb.as_str(), words.as_slice()) {
            ("options", [json]) => {
                self.options = serde_json::from_str(json).map_err(|error| error.to_string())?;
            }
            ("open", names) => {
                for name in names {
                    self.open(name, Build(1))?;
                }
            }
            ("newer", [name]) => self.open(name, Build(2))?,
            ("close", names) => {
                for name in names {
                    self.leave(name, true)?;
                }
            }
            ("crash", [name]) => self.leave(name, false)?,
            ("freeze", ["worker"]) => self.each_worker(|stage, hub| {
                stage.world.hubs.freeze(hub, &stage.world.net);
            }),
            ("freeze", ["worker", span]) => {
                let span = seconds(span)?;
                self.each_worker(|stage, hub| stage.world.freeze_worker(hub, span));
                self.pass(span)?;
                self.fault_at = self.world.net.now();
            }
            ("thaw", ["worker"]) => self.each_worker(|stage, hub| {
                stage.world.hubs.thaw(hub, &mut stage.world.net);
            }),
            ("freeze", [name]) if self.is_leader(name)? => {
                // Its process is stopped, as in the engines that know no other way.
                let player = self.player(name)?;
                player.is_away = true;
                let tab = player.tab;
                self.world.stop_page(tab);
            }
            ("freeze", [name]) => self.suspend(name, false)?,
            ("cache", [name]) => self.suspend(name, true)?,
            ("thaw", [name]) => self.bring_back(name, false)?,
            ("restore", [name]) => self.bring_back(name, true)?,
            ("part", ["leader", span]) => {
                let span = seconds(span)?;
                let leader = self.world.leader().ok_or("nobody leads")?;
                self.world.cut_off(leader, span);
            }
            ("kill", ["worker"]) => self.each_worker(|stage, hub| {
                stage.world.hubs.kill(hub, &mut stage.world.net);
            }),
            ("restart", ["worker"]) => self.each_worker(|stage, hub| {
                stage.world.restart_worker(hub);
            }),
            ("server", mode) => self.order(mode)?,
            ("sleep", [span]) => {
                let span = seconds(span)?;
                // As the browsers' processes are stopped, the clocks go on.
                self.act(Action::Sleep(span.as_millis() as u32, false))?;
                self.pass(span)?;
                self.fault_at = self.world.net.now();
            }
            ("clock", [span]) => self.act(Action::SetClock(seconds(span)?.as_secs() as u32))?,
            ("offline" | "online", [name]) => {
                let tab = self.player(name)?.tab;
                let page = &mut self.world.pages[tab.0 as usize];
                page.set_online(step.verb == "online", &mut self.world.net);
            }
            ("send", [name, count]) => {
                let tab = self.player(name)?.tab;
                let page = &mut self.world.pages[tab.0 as usize];
                let last = page.handles.len() - 1;
                page.send(last, number(count)? as u16, 20, &mut self.world.net);
            }
            ("cast", [count]) => self.act(Action::Cast(0, number(count)? as u16, 20))?,
            ("token", [mode]) => self.world.server.tokens.refuse_known(*mode == "refuse"),
            ("login", [name, key]) => {
                let tab = self.player(name)?.tab;
                let page = &mut self.world.pages[tab.0 as usize];
                page.purge(page.handles.len() - 1, &mut self.world.net);
                self.attach(name, key)?;
            }
            ("wait", words) => self.await_words(words)?,
            ("expect", [name, what, wished @ ..]) => {
                let wished = wished.join(" ");
                let seen = self.wait(PATIENCE, |stage| {
                    stage.seen(name, what).contains(&wished).then_some(())
                });
                seen.map_err(|why| {
                    format!(
                        "{why} {name} to see {what} {wished}: {:?}",
                        self.seen(name, what)
                    )
                })?;
            }
            _ => return Err("there is no such verb".into()),
        }
        self.pause()
    }

    fn await_words(&mut self, words: &[&str]) -> Result<(), String> {
        let (words, within) = match words {
            [words @ .., "within", span] => (words, seconds(span)?),
            words => (words, PATIENCE),
        };
        if let ["connections", count] = words {
            let count = number(count)? as usize;
            return self
                .wait(within, |stage| {
                    (stage.world.server.live(0) == count).then_some(())
                })
                .map_err(|why| format!("{why} {count} connections"));
        }
        let Some((state, names)) = words.split_last() else {
            return Err("nobody is waited for".into());
        };
        let state = state_named(state)?;
        for name in names {
            let since = self.until(name, state, within)?;
            if state == State::Open {
                self.recovered_at = self.recovered_at.max(since);
            }
        }
        Ok(())
    }

    /// What a tab has seen of one kind, as `expect` writes it.
    fn seen(&self, name: &str, what: &str) -> Vec<String> {
        let socket = self.socket(name);
        match what {
            "gap" => {
                let log = socket.view.log.as_ref();
                log.map_or(Vec::new(), |log| {
                    log.gaps.iter().map(|gap| (*gap).into()).collect()
                })
            }
            "reason" => {
                let reasons = self.shown(name).iter().map(|shown| shown.reason.into());
                reasons.collect()
            }
            "epochs" => {
                let mut hubs: Vec<_> = self
                    .shown(name)
                    .iter()
                    .filter_map(|shown| shown.hub)
                    .collect();
                hubs.sort();
                hubs.dedup();
                vec![hubs.len().to_string()]
            }
            _ => {
                let mut counts = std::collections::BTreeMap::new();
                for (_, fate) in socket.sends.fates() {
                    if let Fate::Reported(reason) = fate {
                        *counts.entry(reason.code()).or_insert(0) += 1;
                    }
                }
                counts
                    .into_iter()
                    .map(|(reason, count)| format!("{reason} {count}"))
                    .collect()
            }
        }
    }

    fn order(&mut self, mode: &[&str]) -> Result<(), String> {
        match mode {
            ["stop"] => self.act(Action::Stop),
            ["start" | "heal"] => self.act(Action::Restart),
            ["reset"] => self.act(Action::Reset(0, false)),
            ["close", code] => self.act(Action::Close(0, number(code)? as u16)),
            ["refuse"] => self.act(Action::Mode(0, Mode::Refuse)),
            ["hang"] => self.act(Action::Hang(0, true, true)),
            ["half-open"] => self.act(Action::Hang(0, true, false)),
            _ => Err("there is no such server".into()),
        }
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        let held = self.world.carry_out(action);
        held.map_err(|breach| format!("{:?}: {}", breach.check, breach.detail))
    }

    fn leave(&mut self, name: &str, says_bye: bool) -> Result<(), String> {
        let tab = self.player(name)?.tab;
        self.players.remove(name);
        self.world.end_tab(tab, says_bye);
        Ok(())
    }

    fn is_leader(&mut self, name: &str) -> Result<bool, String> {
        let tab = self.player(name)?.tab;
        Ok(self.world.leader() == Some(tab))
    }

    /// WebKit takes the lock of a page that it caches, the others keep it.
    fn suspend(&mut self, name: &str, is_cached: bool) -> Result<(), String> {
        let player = self.player(name)?;
        player.is_away = true;
        let tab = player.tab;
        self.world.suspend_tab(tab, is_cached);
        Ok(())
    }

    fn bring_back(&mut self, name: &str, says_hello: bool) -> Result<(), String> {
        let player = self.player(name)?;
        player.is_away = false;
        let tab = player.tab;
        self.world.bring_back_tab(tab, says_hello);
        Ok(())
    }

    fn each_worker(&mut self, act: impl Fn(&mut Self, HubNo)) {
        let hubs: Vec<_> = self
            .world
            .hubs
            .living()
            .filter(|driver| match driver.worker() {
                Worker::Shared(..) => self.host == Host::SharedWorker,
                Worker::Led(_) => self.host == Host::LeaderTab,
                Worker::Own(_) => self.host == Host::ThisTab,
            })
            .map(|driver| driver.no())
            .collect();
        for hub in hubs {
            act(self, hub);
        }
        self.world.disturb_all();
    }
}

fn number(word: &str) -> Result<u32, String> {
    word.parse().map_err(|_| format!("{word} is no number"))
}

fn seconds(word: &str) -> Result<Duration, String> {
    let seconds: f64 = word.parse().map_err(|_| format!("{word} is no number"))?;
    Ok(Duration::from_secs_f64(seconds))
}

fn state_named(name: &str) -> Result<State, String> {
    const STATES: [State; 8] = [
        State::Idle,
        State::Connecting,
        State::Open,
        State::Suspect,
        State::Reconnecting,
        State::Offline,
        State::Closed,
        State::Failed,
    ];
    let named = STATES.into_iter().find(|state| state.code() == name);
    named.ok_or_else(|| format!("there is no state {name}"))
}
