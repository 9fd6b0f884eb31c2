//! Where a hub runs, as pages and other hubs name it.

use tabwire::protocol::Address;

use crate::hubs::HubNo;
use crate::led::SeatNo;
use crate::page::TabNo;

/// A build of the app, the newer one last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Build(pub u8);

/// A worker, as a page constructs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worker {
    /// The SharedWorker of a build, or the one that takes the place of a hub which does not answer any more.
    Shared(Build, Option<HubNo>),
    /// The dedicated worker of a page.
    Own(TabNo),
    /// The dedicated worker of a page that leads, for as long as it does.
    Led(SeatNo),
}

impl Build {
    /// Its version.
    pub fn name(self) -> String {
        format!("0.{}.0", self.0)
    }
}

impl Worker {
    /// What a page constructs to reach it.
    pub fn address(self) -> Address {
        match self {
            Self::Shared(build, replaced) => Address {
                worker_url: format!("{URL}{}", build.0),
                name: replaced.map_or(NAME.into(), |HubNo(hub)| format!("{NAME}~{hub}")),
            },
            Self::Own(_) | Self::Led(_) => Address::default(),
        }
    }

    /// The worker at an address.
    pub fn at(address: &Address) -> Option<Self> {
        let build = address.worker_url.strip_prefix(URL)?.parse().ok()?;
        let replaced = address.name.strip_prefix(NAME)?.strip_prefix('~');
        let replaced = replaced.and_then(|hub| hub.parse().ok()).map(HubNo);
        Some(Self::Shared(Build(build), replaced))
    }
}

const URL: &str = "https://sim.test/worker.js?build=";
const NAME: &str = "tabwire@1";
