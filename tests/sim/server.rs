//! A model of the server: takes connections or not, echoes, broadcasts, and remembers what it got.

use std::collections::BTreeMap;

use crate::frame::{Frame, SendNo};
use crate::link::{Down, LinkId, Up};
use crate::net::Net;
use crate::tokens::Tokens;
use crate::topics::{Broker, Speech, TopicNo};

/// What the server does with who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Takes it and talks.
    Normal,
    /// Refuses it.
    Refuse,
    /// Never answers the handshake.
    Ignore,
    /// Takes it and closes at once with this code.
    AcceptThenClose(u16),
    /// Takes it, and then neither hears nor says anything.
    Mute,
}

/// Habits of a server, for a whole world.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Answers every message with one.
    pub echoes: bool,
    /// Says something as soon as somebody connects.
    pub greets: bool,
    /// Says what means pong, too, though nobody has asked.
    pub babbles: bool,
}

/// What arrived, and on which link.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The send.
    pub send: SendNo,
    /// The link.
    pub link: LinkId,
}

/// The server of all identities.
#[derive(Debug)]
pub struct Server {
    habits: Habits,
    modes: Vec<Mode>,
    sessions: BTreeMap<LinkId, Session>,
    casts: Vec<u64>,
    /// Its topics, if it has some.
    pub broker: Option<Broker>,
    /// Which tokens it takes.
    pub tokens: Tokens,
    /// What arrived, in order.
    pub arrivals: Vec<Arrival>,
}

#[derive(Debug)]
struct Session {
    identity: usize,
    said: u64,
    mute: bool,
    closing: Option<u16>,
}

/// The frame that the server takes for a ping.
pub const PING: &str = "ping";
/// The frame with which it answers.
pub const PONG: &str = "pong";

impl Server {
    /// A server that takes connections to so many identities.
    pub fn new(identities: usize, habits: Habits, speech: Option<Speech>) -> Self {
        Self {
            habits,
            modes: vec![Mode::Normal; identities],
            sessions: BTreeMap::new(),
            casts: vec![0; identities],
            broker: speech.map(Broker::new),
            tokens: Tokens::default(),
            arrivals: Vec::new(),
        }
    }

    /// What it does with who connects to this identity.
    pub fn mode(&self, identity: usize) -> Mode {
        self.modes[identity]
    }

    /// Changes that.
    pub fn set_mode(&mut self, identity: usize, mode: Mode) {
        self.modes[identity] = mode;
    }

    /// The connections of an identity that it does not know to be ending.
    pub fn sessions(&self, identity: usize) -> Vec<LinkId> {
        self.sessions
            .iter()
            .filter(|(_, session)| session.identity == identity && session.closing.is_none())
            .map(|(link, _)| *link)
            .collect()
    }

    /// Handles what has come through a link.
    pub fn handle(&mut self, net: &mut Net, link: LinkId, what: Up) {
        if let (Up::Close(_) | Up::Cut, Some(broker)) = (&what, &mut self.broker) {
            broker.leave(link);
        }
        match what {
            Up::Connect(identity, token) => self.handle_connect(net, identity, link, token),
            Up::Frame(frame) => self.handle_frame(net, link, frame),
            Up::Close(code) => {
                if let Some(session) = self.sessions.remove(&link)
                    && !session.mute
                {
                    // It answers with the code that has come, unless it has begun itself.
                    let code = session.closing.or(code).unwrap_or(1005);
                    net.go_down(link, Down::End(code));
                }
            }
            Up::Cut => {
                self.sessions.remove(&link);
            }
        }
    }

    /// How many broadcasts there were to an identity.
    pub fn casts(&self, identity: usize) -> u64 {
        self.casts[identity]
    }

    /// The connections of an identity, those aside that it does not know to be ending or does not hear.
    pub fn live(&self, identity: usize) -> usize {
        self.sessions(identity)
            .iter()
            .filter(|link| !self.sessions[link].mute)
            .count()
    }

    /// Says so many things to everybody who is connected.
    pub fn cast(&mut self, net: &mut Net, identity: usize, (count, size): (u16, u32)) {
        let sessions = self.sessions(identity);
        // What it keeps from somebody itself is not lost on the way.
        let is_heard = sessions.iter().all(|link| !self.sessions[link].mute);
        for _ in 0..count {
            self.casts[identity] += u64::from(is_heard);
            let number = is_heard.then_some(self.casts[identity]);
            for link in &sessions {
                self.say(net, *link, size, number);
            }
        }
    }

    /// Starts the closing handshake with everybody. What comes before the answer still counts.
    pub fn close(&mut self, net: &mut Net, identity: usize, code: u16) {
        for link in self.sessions(identity) {
            self.start_closing(net, link, code);
        }
    }

    /// Drops everybody.
    pub fn reset(&mut self, net: &mut Net, identity: usize, all: bool) {
        let gone: Vec<_> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.identity == identity)
            .map(|(link, _)| *link)
            .collect();
        for link in gone {
            self.sessions.remove(&link);
            if let Some(broker) = &mut self.broker {
                broker.leave(link);
            }
            net.reset(link, all);
        }
    }

    /// Says something of a topic to all who have subscribed.
    pub fn say_of(&mut self, net: &mut Net, identity: usize, topic: TopicNo) {
        let links = self.sessions(identity);
        if let Some(broker) = &mut self.broker {
            let said = broker.say(identity, topic, &links);
            self.say_all(net, said);
        }
    }

    /// How many messages of a topic there were.
    pub fn said(&self, identity: usize, topic: TopicNo) -> u64 {
        let broker = self.broker.as_ref();
        broker.map_or(0, |broker| broker.said(identity, topic))
    }

    /// It remembers nothing of the topics of an identity any more.
    pub fn forget(&mut self, identity: usize) {
        if let Some(broker) = &mut self.broker {
            broker.forget(identity);
        }
    }

    /// It wants all connections of an identity made anew.
    pub fn hint(&mut self, net: &mut Net, identity: usize, delay: Option<u32>) {
        let text = match delay {
            Some(delay) => format!(r#"{{"type":"reconnect","delay":{delay}}}"#),
            None => r#"{"type":"reconnect"}"#.into(),
        };
        for link in self.sessions(identity) {
            self.say_all(net, vec![(link, Frame::Text(text.as_str().into()))]);
        }
    }

    /// Something about topics has come.
    fn hear_of(&mut self, net: &mut Net, link: LinkId, text: &str) {
        let Some(identity) = self.sessions.get(&link).map(|session| session.identity) else {
            return;
        };
        let links = self.sessions(identity);
        let Some(broker) = &mut self.broker else {
            return;
        };
        let (published, said) = broker.handle((identity, link), text, &links);
        self.arrivals
            .extend(published.map(|send| Arrival { send, link }));
        self.say_all(net, said);
    }

    fn say_all(&mut self, net: &mut Net, said: Vec<(LinkId, Frame)>) {
        for (link, frame) in said {
            let session = self.sessions.get(&link);
            if session.is_some_and(|session| !session.mute && session.closing.is_none()) {
                net.go_down(link, Down::Frame(frame));
            }
        }
    }

    fn handle_connect(
        &mut self,
        net: &mut Net,
        identity: usize,
        link: LinkId,
        token: Option<String>,
    ) {
        let mut mode = self.modes[identity];
        if let Some(token) = token
            && !matches!(mode, Mode::Refuse | Mode::Ignore)
            && let Some(refusal) = self.tokens.check(token)
        {
            mode = refusal;
        }
        match mode {
            Mode::Refuse => {
                net.go_down(link, Down::Reset);
                return;
            }
            Mode::Ignore => return,
            Mode::Normal | Mode::Mute | Mode::AcceptThenClose(_) => {}
        }
        net.go_down(link, Down::Accept);
        let session = Session {
            identity,
            said: 0,
            mute: mode == Mode::Mute,
            closing: None,
        };
        self.sessions.insert(link, session);
        if self.habits.greets {
            self.say(net, link, 40, None);
        }
        if self.habits.babbles && mode != Mode::Mute {
            net.go_down(link, Down::Frame(Frame::Text(PONG.into())));
        }
        if let Mode::AcceptThenClose(code) = mode {
            self.start_closing(net, link, code);
        }
    }

    fn handle_frame(&mut self, net: &mut Net, link: LinkId, frame: Frame) {
        let Some(session) = self.sessions.get(&link).filter(|session| !session.mute) else {
            return;
        };
        let is_closing = session.closing.is_some();
        match frame {
            Frame::Text(text) if self.broker.is_some() => self.hear_of(net, link, &text),
            Frame::Text(text) => {
                if &*text == PING && !is_closing {
                    net.go_down(link, Down::Frame(Frame::Text(PONG.into())));
                }
            }
            Frame::Sent(send, size) => {
                self.arrivals.push(Arrival { send, link });
                if self.habits.echoes {
                    self.say(net, link, size, None);
                }
            }
            Frame::Cast(..) | Frame::Message(_) => {}
        }
    }

    fn say(&mut self, net: &mut Net, link: LinkId, size: u32, number: Option<u64>) {
        if let Some(session) = self.sessions.get_mut(&link)
            && !session.mute
            && session.closing.is_none()
        {
            let frame = Frame::Cast(link, session.said, size, number);
            session.said += 1;
            net.go_down(link, Down::Frame(frame));
        }
    }

    fn start_closing(&mut self, net: &mut Net, link: LinkId, code: u16) {
        if let Some(session) = self.sessions.get_mut(&link)
            && !session.mute
        {
            session.closing = Some(code);
            net.go_down(link, Down::Close(code));
        }
    }
}
