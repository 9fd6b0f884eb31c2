//! Everything that can happen in a world.

use std::rc::Rc;

use tabwire::core::PortId;
use tabwire::protocol::{Answer, ConnId, HandleId, HubMessage, PeerMessage, TabMessage};

use crate::frame::Frame;
use crate::hubs::HubNo;
use crate::led::LedEvent;
use crate::link::{Down, LinkId, Up};
use crate::page::{HandleIndex, TabNo};
use crate::plan::Action;

/// Something that happens at its time.
#[derive(Clone, Debug)]
pub enum Event {
    /// The plan says so.
    Act(Action),
    /// A message of a page has come through its port.
    AtHub(PortId, TabMessage<Frame>),
    /// A message of the hub has come through a port. When it was posted the page was known to have been away so often.
    AtPage(PortId, ToPage, u32),
    /// A page handles what is first in its inbox. The number tells whether it still means to.
    Turn(TabNo, u64),
    /// A page looks whether its hub is silent.
    Look(TabNo),
    /// A function of a page's user has given what was asked for on a port, under this number.
    Answer(TabNo, PortId, u32, Answer),
    /// A page has waited long enough for the answer to a request of a handle.
    Patience(TabNo, HandleIndex, u32),
    /// Something has come through a link to the server.
    Up(LinkId, Up),
    /// Something has come through a link to the browser.
    Down(LinkId, Down),
    /// The tick that a hub asked for.
    Tick(HubNo),
    /// The timer of a hub. The number tells whether it is still set.
    Timer(HubNo, u64),
    /// The lock of a page is free.
    TabGone(TabNo),
    /// The worker of a hub has loaded its script and its wasm.
    HubUp(HubNo),
    /// A hub has said something to all others.
    Announced(HubNo, PeerMessage),
    /// What a hub has said has come to another.
    AtPeer(HubNo, PeerMessage),
    /// It does.
    Thawed(HubNo),
    /// The computer is awake again.
    Wake,
    /// A worker that was frozen for a while goes on.
    Thaw(HubNo),
    /// The lock of a hub is free.
    HubGone(HubNo),
    /// Something about pages that lead each other.
    Led(LedEvent),
    /// Time to look at what must hold at any time.
    Audit,
}

impl Event {
    /// Whether it happens outside the computer.
    pub fn is_outside(&self) -> bool {
        match self {
            Self::Up(..) => true,
            Self::Act(action) => action.is_of_server(),
            Self::AtHub(..)
            | Self::AtPage(..)
            | Self::Turn(..)
            | Self::Look(_)
            | Self::Answer(..)
            | Self::Patience(..)
            | Self::Down(..)
            | Self::Tick(_)
            | Self::Timer(..)
            | Self::TabGone(_)
            | Self::HubUp(_)
            | Self::Announced(..)
            | Self::AtPeer(..)
            | Self::Thaw(_)
            | Self::Thawed(_)
            | Self::Wake
            | Self::HubGone(_)
            | Self::Led(_)
            | Self::Audit => false,
        }
    }
}

/// What goes from the hub to a page, or from the browser about the hub.
#[derive(Clone, Debug)]
pub enum ToPage {
    /// The worker script runs, anew.
    Script,
    /// The hub is said to be gone, or the page has ended its worker.
    Crashed,
    /// The hub knows this page.
    Welcome(HubNo),
    /// The hub is there.
    Beat(HubNo),
    /// The lock of the hub was granted: it is no more.
    Gone(HubNo),
    /// A control message.
    Message(HubMessage),
    /// Messages of a connection.
    Batch {
        /// Which connection.
        conn: ConnId,
        /// Sequence of the first.
        first: u64,
        /// The messages, one array for all tabs.
        frames: Rc<Vec<Frame>>,
        /// Whether the page shall acknowledge them.
        want_ack: bool,
        /// What marks those of each topic, where one has a topic.
        marks: Option<Rc<Vec<u32>>>,
    },
    /// A subscription of a handle gets messages with this mark from here on; these have come before.
    Subscribed(HandleId, u32, Vec<Frame>, u32),
    /// The answer to a request of a handle.
    Answered(HandleId, u32, Frame),
}
