//! What happens among pages that lead each other.

use tabwire::core::PortId;

use super::channel::Word;
use super::lock::Request;
use crate::event::ToPage;
use crate::hubs::HubNo;
use crate::page::TabNo;

/// One search of a page for a hub, numbered through its world. Who leads does so under the number of its search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeatNo(pub u32);

/// Something among pages that lead each other.
#[derive(Clone, Debug)]
pub enum LedEvent {
    /// A task of a page, about one of its searches.
    AtPage(TabNo, SeatNo, Task),
    /// A word has come to the worker of a page that leads.
    AtWorker(HubNo, Word),
    /// What a page has said of its channel has come to the worker at the other end.
    AtChannel(PortId, Note),
    /// The script of such a worker runs.
    Script(HubNo),
    /// The browser has noticed that a page is gone which has said nothing.
    Freed(TabNo),
    /// Time to look how many lead.
    Look,
}

/// What a page that follows says of its channel.
#[derive(Clone, Copy, Debug)]
pub enum Note {
    /// It has heard what it was told of failed sends, the first that it had not confirmed.
    Confirmed,
    /// It has closed it, so often in all.
    Away(u32),
}

/// What a page has to do when it can.
#[derive(Clone, Debug)]
pub enum Task {
    /// It begins to search anew.
    Begin,
    /// It hears a word on the channel.
    Hear(Word),
    /// The first message has come through its port.
    First(PortId, ToPage),
    /// The lock is its own.
    Granted(Request),
    /// Its lock was stolen.
    Stolen(Request),
    /// It has waited long enough for the one who has the lock. The number tells whether it still waits.
    Waited(u32),
    /// The script, or the hub after that, does not answer in time. The number tells whether that is still waited for.
    Late(u32),
}
