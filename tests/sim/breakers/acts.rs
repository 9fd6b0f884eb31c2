//! What happens in a world, by chance.

use core::time::Duration;

use tabwire::core::Input;
use tabwire::protocol::{Calls, Order, Outcome, TabMessage, Wish};

use super::books::Ended;
use super::rules::one_of;
use super::tab::Call;
use super::world::{NAMES, World};

/// Steps of a world.
const STEPS: usize = 150;
/// Tabs at a time.
const MOST_TABS: usize = 6;
const MINUTE: u64 = 60_000_000;

type Held = Result<(), String>;

/// What a tab does about a breaker, and what happens besides that is about one.
type Deed = fn(&mut World, usize, usize) -> Held;
type Event = fn(&mut World, usize) -> Held;

/// What a tab that is awake does, and what befalls tabs and hub. The number says how often.
const BY_TABS: &[(u32, Deed)] = &[
    (40, World::call),
    (12, |world, place, of| world.ask(place, of, Wish::Call)),
    (60, World::end_call),
    (20, World::report_batch),
    (6, World::say_again),
    (4, World::say_nonsense),
    (5, World::reject),
    (12, |world, place, of| world.ask(place, of, Wish::Retry)),
    (3, World::force),
    (3, World::gate),
    (3, World::suspend),
    (3, World::die),
];
const BY_OTHERS: &[(u32, Event)] = &[
    (60, World::pass_some),
    (20, World::pass_to_an_end),
    (5, World::jump_ahead),
    (5, World::set_wall_clock),
    (10, World::come_back),
    (6, World::open_tab),
    (3, World::lose_hub),
];

impl World {
    pub fn act_by_chance(&mut self) -> Held {
        // Each world does more of some things and less of others.
        let weigh = |rng: &mut fastrand::Rng, usual: u32| usual * one_of(rng, [0, 1, 1, 2, 4]);
        let by_tabs: Vec<_> = BY_TABS
            .iter()
            .map(|(usual, _)| weigh(&mut self.rng, *usual))
            .collect();
        let by_others: Vec<_> = BY_OTHERS
            .iter()
            .map(|(usual, _)| weigh(&mut self.rng, *usual))
            .collect();
        (self.bad_luck, self.slowness) = (self.rng.u8(..10), self.rng.u8(..10));
        for _ in 0..self.rng.usize(1..=MOST_TABS) {
            self.add_tab()?;
        }
        for _ in 0..STEPS {
            let of = self.rng.usize(..self.names());
            let awake: Vec<_> = (0..self.tabs.len())
                .filter(|place| self.tabs[*place].is_known && !self.tabs[*place].is_suspended)
                .collect();
            let place = (!awake.is_empty()).then(|| awake[self.rng.usize(..awake.len())]);
            match place {
                Some(place) if self.rng.u8(..10) < 7 => {
                    if let Some(kind) = pick(&mut self.rng, &by_tabs) {
                        BY_TABS[kind].1(self, place, of)?;
                    }
                }
                _ => {
                    if let Some(kind) = pick(&mut self.rng, &by_others) {
                        BY_OTHERS[kind].1(self, of)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A call begins, at once if the tab knows that it may.
    fn call(&mut self, place: usize, of: usize) -> Held {
        match self.tabs[place].free_pass(of) {
            Some(generation) => {
                self.tabs[place].calls.push(Call {
                    of,
                    generation,
                    permit: 0,
                });
                Ok(())
            }
            None => self.ask(place, of, Wish::Call),
        }
    }

    fn end_call(&mut self, place: usize, _: usize) -> Held {
        let tab = &mut self.tabs[place];
        if tab.calls.is_empty() {
            return Ok(());
        }
        let call = tab.calls.swap_remove(self.rng.usize(..tab.calls.len()));
        tab.ended.push(call);
        let outcome = self.draw_outcome();
        self.report(place, call, outcome, 1)
    }

    /// Calls without a permit that have ended well, told together and late.
    fn report_batch(&mut self, place: usize, of: usize) -> Held {
        let Some(generation) = self.tabs[place].free_pass(of) else {
            return Ok(());
        };
        let (count, permit) = (self.rng.u32(0..8), 0);
        let call = Call {
            of,
            generation,
            permit,
        };
        self.report(place, call, Outcome::Success, count)
    }

    /// What was said before, or what another tab has said.
    fn say_again(&mut self, place: usize, _: usize) -> Held {
        let ended: Vec<_> = self.tabs.iter().flat_map(|tab| &tab.ended).collect();
        if ended.is_empty() {
            return Ok(());
        }
        let call = *ended[self.rng.usize(..ended.len())];
        let outcome = self.draw_outcome();
        self.report(place, call, outcome, 1)
    }

    fn say_nonsense(&mut self, place: usize, of: usize) -> Held {
        let call = Call {
            of,
            generation: self.rng.u32(..8),
            permit: self.rng.u32(..4),
        };
        let (outcome, count) = (self.draw_outcome(), self.rng.u32(..4));
        self.report(place, call, outcome, count)
    }

    fn reject(&mut self, place: usize, of: usize) -> Held {
        let call = Call {
            of,
            generation: 0,
            permit: 0,
        };
        let count = self.rng.u32(1..20);
        self.report(place, call, Outcome::Rejected, count)
    }

    fn report(&mut self, place: usize, call: Call, outcome: Outcome, count: u32) -> Held {
        let of = call.of;
        let is_failure = matches!(outcome, Outcome::Failure(_));
        let is_slow = self.rng.u8(..10) < self.slowness;
        let slow = if is_slow { self.rng.u32(0..=count) } else { 0 };
        let ago = one_of(&mut self.rng, [0, 0, 0, 50, 250, 3000]);
        let ended = Ended {
            generation: call.generation,
            permit: call.permit,
            outcome,
            calls: Calls {
                all: count,
                failures: if is_failure { count } else { 0 },
                slow,
            },
            ago: Duration::from_millis(ago),
        };
        let message = TabMessage::Outcome {
            name: NAMES[of].into(),
            generation: ended.generation,
            permit: ended.permit,
            outcome,
            calls: ended.calls,
            ago: ended.ago,
        };
        let (port, id) = (self.tabs[place].port, self.tabs[place].id);
        let line = format!("tab {id} reports of {of}: {ended:?}");
        self.step(line, Input::Message(port, message), |books, now, shown| {
            books.outcome(port, of, ended, (now, shown))
        })
    }

    fn draw_outcome(&mut self) -> Outcome {
        if self.rng.u8(..10) >= self.bad_luck {
            return Outcome::Success;
        }
        match self.rng.u8(..10) {
            0..3 => Outcome::Neutral,
            3..8 => Outcome::Failure(None),
            _ => {
                let after = one_of(&mut self.rng, [0, 10, 800, 5000, 120_000, 100_000_000]);
                Outcome::Failure(Some(Duration::from_millis(after)))
            }
        }
    }

    fn force(&mut self, place: usize, of: usize) -> Held {
        let order = one_of(
            &mut self.rng,
            [Order::Reset, Order::Reset, Order::Open, Order::Close],
        );
        let (port, id) = (self.tabs[place].port, self.tabs[place].id);
        let name = NAMES[of].into();
        let message = TabMessage::Force { name, order };
        let line = format!("tab {id} orders {order:?} for {of}");
        self.step(line, Input::Message(port, message), |books, now, _| {
            Ok(books.force(of, order, now))
        })
    }

    fn suspend(&mut self, place: usize, _: usize) -> Held {
        let tab = &mut self.tabs[place];
        tab.is_suspended = true;
        let (port, line) = (tab.port, format!("tab {} is suspended", tab.id));
        let input = Input::Message(port, TabMessage::Suspend);
        self.step(line, input, |books, _, _| {
            books.suspended.insert(port);
            Ok(Vec::new())
        })
    }

    /// Its calls are never heard of again.
    fn die(&mut self, place: usize, _: usize) -> Held {
        let tab = self.tabs.remove(place);
        let input = match self.rng.bool() {
            true => Input::Message(tab.port, TabMessage::Bye),
            false => Input::LockGranted(tab.port),
        };
        let line = format!("tab {} is gone", tab.id);
        self.step(line, input, |books, now, _| {
            books.remove(tab.port, now);
            Ok(Vec::new())
        })
    }

    fn pass_some(&mut self, _: usize) -> Held {
        let most = one_of(
            &mut self.rng,
            [1, 1000, 60_000, 1_000_000, 10_000_000, 2 * MINUTE],
        );
        let span = self.rng.u64(0..=most);
        self.pass(span)
    }

    /// Until something is over by time alone, or just not yet.
    fn pass_to_an_end(&mut self, of: usize) -> Held {
        let rest = self.until_next(of);
        let span = rest.saturating_sub(self.rng.u64(..2));
        self.pass(span)
    }

    /// The computer sleeps: what was due meanwhile is noticed late, or after something else.
    fn jump_ahead(&mut self, _: usize) -> Held {
        self.now += self.rng.u64(..100 * MINUTE);
        self.say(|| "the clock has jumped".into());
        if self.rng.bool() {
            self.wake_hub()
        } else {
            Ok(())
        }
    }

    fn set_wall_clock(&mut self, _: usize) -> Held {
        let most = one_of(&mut self.rng, [10_000, 3_000_000, 90 * MINUTE as i64]);
        let by = self.rng.i64(-most..=most);
        self.wall_off += by;
        self.say(|| format!("the clock on the wall is set by {by} µs"));
        Ok(())
    }

    /// A suspended tab is back, or says hello again; one that the hub does not know starts over.
    fn come_back(&mut self, _: usize) -> Held {
        let away = |place: &usize| self.tabs[*place].is_suspended || !self.tabs[*place].is_known;
        let away: Vec<_> = (0..self.tabs.len()).filter(away).collect();
        if away.is_empty() {
            return Ok(());
        }
        let place = away[self.rng.usize(..away.len())];
        if !self.tabs[place].is_known {
            return self.greet(place);
        }
        let tab = &mut self.tabs[place];
        tab.is_suspended = false;
        let (port, line) = (tab.port, format!("tab {} is back", tab.id));
        let message = match self.rng.bool() {
            true => TabMessage::Resume,
            false => self.hello_again(place),
        };
        self.step(line, Input::Message(port, message), |books, _, _| {
            Ok(books.wake(port))
        })
    }

    fn open_tab(&mut self, _: usize) -> Held {
        if self.tabs.len() < MOST_TABS {
            self.add_tab()?;
        }
        Ok(())
    }

    /// Tabs that are awake find the next hub one after the other, and not all at once.
    fn lose_hub(&mut self, _: usize) -> Held {
        self.start_hub()?;
        let mut places: Vec<_> = (0..self.tabs.len()).collect();
        self.rng.shuffle(&mut places);
        for place in places {
            if !self.tabs[place].is_suspended && self.rng.u8(..4) > 0 {
                self.greet(place)?;
            }
        }
        Ok(())
    }
}

fn pick(rng: &mut fastrand::Rng, weights: &[u32]) -> Option<usize> {
    let all: u32 = weights.iter().sum();
    let mut left = rng.u32(..all.max(1));
    weights.iter().position(|weight| {
        let is_it = left < *weight;
        left = left.saturating_sub(*weight);
        is_it
    })
}
