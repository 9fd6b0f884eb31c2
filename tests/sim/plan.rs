//! What a seed makes of a world: its options, its weather, and what happens when.

use core::time::Duration;

use tabwire::time::Time;

use crate::led;
use crate::link::Weather;
use crate::options::Base;
use crate::server::{Habits, Mode};
use crate::topics::{self, Deed, Kind, Speech, Word};

/// Everything that is decided before a world begins.
#[derive(Debug)]
pub struct Plan {
    /// The options of each identity.
    pub identities: Vec<Base>,
    /// How links are.
    pub weather: Weather,
    /// How the server is.
    pub habits: Habits,
    /// How the server speaks of topics, in a world that has some.
    pub speech: Option<Speech>,
    /// When the last action is over.
    pub end: Time,
    /// Whether each page has a hub of its own.
    pub is_apart: bool,
    /// Whether the hub of all is that of a page which leads.
    pub is_led: bool,
    /// What happens, in order.
    pub actions: Vec<(Time, Action)>,
}

/// Something that is done to the world. Tabs and handles are drawn from those there are by these numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// A page of the newer build or not is opened, with locks or heartbeat, visible or not.
    OpenTab(bool, bool, bool),
    /// A page's functions answer in another way from now on. The number seeds that.
    Candour(u8, u32),
    /// The server refuses the tokens that it knows, or takes all again; and says so with a close code, or by failed handshakes.
    Tokens(bool, bool),
    /// A handle is opened on an identity. The number seeds its options.
    Attach(u8, u8, u64),
    /// A handle is closed with a code.
    Detach(u8, u8, Option<u16>),
    /// A handle is closed, and everything about its key is to be erased.
    Purge(u8, u8),
    /// A handle sends so many messages of a size.
    Send(u8, u8, u16, u32),
    /// A page is shown or hidden.
    Show(u8, bool),
    /// A page is frozen, or cached so that it loses its lock.
    Suspend(u8, bool),
    /// A suspended page is back, with hello or with resume.
    Return(u8, bool),
    /// A page dies without a word.
    Die(u8),
    /// A page says goodbye.
    Bye(u8),
    /// A page takes so many microseconds for a message from now on.
    Pace(u8, u32),
    /// A page does nothing for so many milliseconds.
    Block(u8, u32),
    /// A page says something that makes no sense.
    Babble(u8, u8),
    /// A page asks for the report.
    Report(u8),
    /// A page asks for a fresh socket.
    Reconnect(u8, u8),
    /// A page ends a connection for all.
    Shutdown(u8, u8),
    /// The server says so many messages of a size to everybody on an identity.
    Cast(u8, u16, u32),
    /// The server closes what is connected to an identity.
    Close(u8, u16),
    /// The server drops what is connected to an identity, with or without what is under way.
    Reset(u8, bool),
    /// The server treats who connects to an identity differently.
    Mode(u8, Mode),
    /// Links of an identity hang: to the server, to the browser.
    Hang(u8, bool, bool),
    /// Links of an identity stall for so many milliseconds.
    Stall(u8, u32),
    /// The server is stopped: everything is dropped and refused.
    Stop,
    /// The server is back, for all identities.
    Restart,
    /// A hub of another protocol major tells of itself.
    Beside(u8),
    /// A worker ends without a word.
    KillWorker(u8),
    /// A worker is restarted without a word: its ports lead to an empty hub.
    RestartWorker(u8),
    /// A worker does nothing for so many milliseconds.
    FreezeWorker(u8, u32),
    /// The computer sleeps for so many milliseconds. The monotonic clock stands still meanwhile, or goes on.
    Sleep(u32, bool),
    /// The wall clock is set so many seconds ahead of the right time.
    SetClock(u32),
    /// Something befalls the page that leads, or the others.
    Led(led::Deed),
    /// A page does something with topics, through a handle.
    Topic(u8, u8, Deed),
    /// The server of an identity does something with its topics.
    Word(u8, Word),
    /// The browser goes offline or online.
    Online(bool),
    /// The browser refuses to construct WebSockets to an identity, or no longer.
    Forbid(u8, bool),
}

impl Action {
    /// Whether it is something that the server does, or the way to it, which do not sleep when the computer does.
    pub fn is_of_server(self) -> bool {
        match self {
            Self::Cast(..)
            | Self::Word(..)
            | Self::Close(..)
            | Self::Reset(..)
            | Self::Mode(..)
            | Self::Tokens(..)
            | Self::Hang(..)
            | Self::Stall(..)
            | Self::Stop
            | Self::Restart => true,
            Self::OpenTab(..)
            | Self::Candour(..)
            | Self::Attach(..)
            | Self::Detach(..)
            | Self::Purge(..)
            | Self::Send(..)
            | Self::Show(..)
            | Self::Suspend(..)
            | Self::Return(..)
            | Self::Die(_)
            | Self::Bye(_)
            | Self::Pace(..)
            | Self::Block(..)
            | Self::Babble(..)
            | Self::Report(_)
            | Self::Reconnect(..)
            | Self::Shutdown(..)
            | Self::Beside(_)
            | Self::KillWorker(_)
            | Self::RestartWorker(_)
            | Self::FreezeWorker(..)
            | Self::Sleep(..)
            | Self::Led(_)
            | Self::Topic(..)
            | Self::SetClock(_)
            | Self::Online(_)
            | Self::Forbid(..) => false,
        }
    }
}

impl Plan {
    /// A plan in which nothing happens by itself, with one server on a quick network.
    pub fn empty(is_apart: bool) -> Self {
        Self {
            identities: vec![Base::none()],
            weather: Weather {
                latency: Duration::from_millis(1),
                jitter: Duration::ZERO,
            },
            habits: Habits {
                echoes: true,
                greets: false,
                babbles: false,
            },
            speech: None,
            end: Time::NEVER,
            is_apart,
            is_led: false,
            actions: Vec::new(),
        }
    }

    /// Draws a plan.
    pub fn random(rng: &mut fastrand::Rng) -> Self {
        Self::draw(None, false, rng)
    }

    /// Draws a plan with topics.
    pub fn with_topics(rng: &mut fastrand::Rng) -> Self {
        let speech = Speech::random(rng);
        Self::draw(Some(speech), false, rng)
    }

    /// Draws a plan in which a page leads, with topics or without.
    pub fn led(rng: &mut fastrand::Rng) -> Self {
        let speech = (rng.u8(0..3) == 0).then(|| Speech::random(rng));
        Self::draw(speech, true, rng)
    }

    fn draw(speech: Option<Speech>, is_led: bool, rng: &mut fastrand::Rng) -> Self {
        let identities: Vec<_> = (0..rng.usize(1..=3))
            .map(|_| Base::random(speech, rng))
            .collect();
        let weather = Weather {
            latency: Duration::from_micros(rng.u64(2000..80_000)),
            jitter: Duration::from_micros([0, 5000, 80_000][rng.usize(0..3)]),
        };
        let habits = Habits {
            echoes: rng.bool(),
            greets: rng.bool(),
            babbles: rng.u8(0..5) == 0,
        };
        let habits = match speech {
            None => habits,
            Some(speech) => Habits {
                echoes: habits.echoes && speech.has_others,
                greets: habits.greets && speech.has_others,
                babbles: false,
            },
        };
        let is_apart = rng.u8(0..10) == 0 && !is_led;
        let mut draw = Draw::new(speech.is_some(), is_led, rng);
        let end = Time::from_millis(draw.rng.u64(600_000..720_000));
        let mut actions = vec![(Time::ZERO, Action::OpenTab(false, draw.rng.bool(), true))];
        let mut now = Time::ZERO;
        while now < end {
            draw.next(now, &mut actions);
            now = now + draw.pause();
        }
        actions.sort_by_key(|(at, _)| *at);
        if speech.is_some_and(|speech| !speech.has_others) {
            actions.retain(|(_, action)| !action.needs_others());
        }
        if is_led {
            actions.retain(|(_, action)| !action.is_of_shared_workers());
        }
        Self {
            identities,
            weather,
            habits,
            end,
            is_apart,
            is_led,
            speech,
            actions,
        }
    }
}

/// Draws actions. Which kinds a world has and how often differs from world to world, so that each meets others.
struct Draw<'a> {
    rng: &'a mut fastrand::Rng,
    weights: Vec<(u32, Kind)>,
    pause: Duration,
}

const KINDS: &[(u32, Kind)] = &[
    (30, |rng| {
        Action::OpenTab(rng.u8(0..8) == 0, rng.bool(), rng.bool())
    }),
    (60, |rng| {
        Action::Attach(rng.u8(..), rng.u8(..), rng.u64(..))
    }),
    (6, |rng| Action::Candour(rng.u8(..), rng.u32(..))),
    (5, |rng| Action::Tokens(rng.u8(0..3) > 0, rng.bool())),
    (15, |rng| {
        Action::Detach(rng.u8(..), rng.u8(..), parting(rng))
    }),
    (4, |rng| Action::Purge(rng.u8(..), rng.u8(..))),
    (120, |rng| {
        Action::Send(rng.u8(..), rng.u8(..), rng.u16(1..20), size(rng))
    }),
    (25, |rng| Action::Show(rng.u8(..), rng.bool())),
    (12, |rng| Action::Suspend(rng.u8(..), rng.bool())),
    (16, |rng| Action::Return(rng.u8(..), rng.bool())),
    (6, |rng| Action::Die(rng.u8(..))),
    (5, |rng| Action::Bye(rng.u8(..))),
    (15, |rng| {
        Action::Pace(rng.u8(..), [5, 5, 500, 20_000, 200_000][rng.usize(0..5)])
    }),
    (10, |rng| {
        Action::Block(rng.u8(..), [100, 2000, 10_000, 90_000][rng.usize(0..4)])
    }),
    (5, |rng| Action::Babble(rng.u8(..), rng.u8(..))),
    (5, |rng| Action::Report(rng.u8(..))),
    (5, |rng| Action::Reconnect(rng.u8(..), rng.u8(..))),
    (2, |rng| Action::Shutdown(rng.u8(..), rng.u8(..))),
    (90, |rng| {
        Action::Cast(rng.u8(..), rng.u16(1..30), size(rng))
    }),
    (8, |rng| {
        Action::Close(
            rng.u8(..),
            [3000, 1001, 1011, 1012, 1013, 4401][rng.usize(0..6)],
        )
    }),
    (10, |rng| Action::Reset(rng.u8(..), rng.bool())),
    (8, |rng| Action::Mode(rng.u8(..), mode(rng))),
    (8, |rng| Action::Hang(rng.u8(..), rng.bool(), rng.bool())),
    (8, |rng| {
        Action::Stall(rng.u8(..), [300, 1500, 8000][rng.usize(0..3)])
    }),
    (4, |_| Action::Stop),
    (12, |_| Action::Restart),
    (2, |rng| Action::Beside(rng.u8(..))),
    (3, |rng| Action::KillWorker(rng.u8(..))),
    (3, |rng| Action::RestartWorker(rng.u8(..))),
    (2, |rng| {
        Action::FreezeWorker(rng.u8(..), [3000, 15_000, 60_000, 400_000][rng.usize(0..4)])
    }),
    (2, |rng| {
        Action::Sleep([5000, 30_000, 600_000][rng.usize(0..3)], rng.bool())
    }),
    (1, |rng| {
        Action::SetClock([0, 20, 3600, 86_400][rng.usize(0..4)])
    }),
    (8, |rng| Action::Online(rng.u8(0..3) > 0)),
    (1, |rng| Action::Forbid(rng.u8(..), rng.u8(0..4) == 0)),
];

impl<'a> Draw<'a> {
    fn new(has_topics: bool, is_led: bool, rng: &'a mut fastrand::Rng) -> Self {
        let topics = if has_topics { topics::KINDS } else { &[] };
        let led = if is_led { led::KINDS } else { &[] };
        let own = topics.iter().chain(led);
        let weights = KINDS
            .iter()
            .map(|(weight, kind)| (weight * [0, 1, 3, 3, 10][rng.usize(0..5)], *kind))
            .collect::<Vec<_>>();
        let own = own.map(|(weight, kind)| (weight * [1, 1, 3, 3, 10][rng.usize(0..5)], *kind));
        let weights = weights.into_iter().chain(own).collect();
        Self {
            pause: Duration::from_millis([300, 1000, 3000][rng.usize(0..3)]),
            rng,
            weights,
        }
    }

    /// Draws the next action; broadcasts also come in series.
    fn next(&mut self, now: Time, actions: &mut Vec<(Time, Action)>) {
        let Some(kind) = self.kind() else {
            return;
        };
        let action = kind(self.rng);
        actions.push((now, action));
        let may_repeat = matches!(
            action,
            Action::Cast(..) | Action::Send(..) | Action::Word(_, Word::Say(..))
        );
        if may_repeat && self.rng.u8(0..5) == 0 {
            let gap = Duration::from_micros([5, 500, 5000, 100_000][self.rng.usize(0..4)]);
            let mut at = now;
            for _ in 0..self.rng.u8(2..20) {
                at = at + gap;
                actions.push((at, action));
            }
        }
    }

    fn kind(&mut self) -> Option<Kind> {
        let total: u32 = self.weights.iter().map(|(weight, _)| weight).sum();
        let mut rest = self.rng.u32(0..total.max(1));
        for (weight, kind) in &self.weights {
            if rest < *weight {
                return Some(*kind);
            }
            rest -= weight;
        }
        None
    }

    /// Mostly short, now and then long enough for what takes its time, rarely for a cached page to be forgotten.
    fn pause(&mut self) -> Duration {
        match self.rng.u16(0..1000) {
            0 => Duration::from_secs(16 * 60),
            1..30 => Duration::from_secs(self.rng.u64(5..60)),
            30..300 => Duration::from_micros(self.rng.u64(0..5000)),
            _ => self.pause.mul_f64(2.0 * self.rng.f64()),
        }
    }
}

fn size(rng: &mut fastrand::Rng) -> u32 {
    [1, 20, 200, 200, 1500, 20_000][rng.usize(0..6)]
}

fn parting(rng: &mut fastrand::Rng) -> Option<u16> {
    rng.bool().then(|| 3000 + rng.u16(0..1000))
}

fn mode(rng: &mut fastrand::Rng) -> Mode {
    match rng.u8(0..6) {
        0 => Mode::Refuse,
        1 => Mode::Ignore,
        2 => Mode::AcceptThenClose([1001, 1012, 1008][rng.usize(0..3)]),
        3 => Mode::Mute,
        _ => Mode::Normal,
    }
}
