//! What hubs say to each other, so that the tabs of two builds meet in one hub.

use core::cmp::Ordering;

use super::{Address, Foreign, MAJOR};

/// A message on the channel that all hubs of an origin share.
#[derive(Clone, Debug, PartialEq)]
pub enum PeerMessage {
    /// A hub is there.
    Here(Box<Peer>),
    /// A hub of another protocol major is there. Of such a message only the beginning can be read.
    Other {
        /// Its major.
        protocol: u32,
        /// Its build.
        build: String,
        /// Its epoch.
        epoch: String,
    },
    /// A hub has closed its sockets for good.
    Gone {
        /// Its epoch.
        epoch: String,
    },
    /// Somebody looks for a hub.
    Who,
}

/// A hub, as others see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// Its build.
    pub build: String,
    /// Its epoch.
    pub epoch: String,
    /// The lock that it holds, where there are locks.
    pub lock: Option<String>,
    /// Where it is to be found.
    pub address: Address,
    /// When it was started, in wall-clock milliseconds since 1970.
    pub since: f64,
}

impl Peer {
    /// Which of two hubs is the better one: that of the newer build, then the one that has been there for longer, then by epoch.
    /// All hubs come to the same verdict.
    pub fn rank(&self, other: &Self) -> Ordering {
        let newer = Build::of(&self.build).cmp(&Build::of(&other.build));
        newer
            .then_with(|| other.since.total_cmp(&self.since))
            .then_with(|| other.epoch.cmp(&self.epoch))
    }
}

/// What of a build's name tells its age: the version, by the rules of Semantic Versioning 2.0.0, clause 11.
/// What follows `+` does not count. A name that is no version is older than all that are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Build {
    numbers: [u64; 3],
    release: Release,
}

/// A pre-release is older than its release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Release {
    Pre(Vec<Part>),
    Full,
}

/// Numbers are older than words, and smaller numbers than larger ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Word(String),
}

impl Build {
    /// Reads the name of a build.
    pub fn of(name: &str) -> Self {
        let version = name.split('+').next().unwrap_or_default();
        let (core, pre) = match version.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (version, None),
        };
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(core.split('.')) {
            *number = part.parse().unwrap_or_default();
        }
        let part = |part: &str| {
            part.parse()
                .map_or_else(|_| Part::Word(part.into()), Part::Number)
        };
        let release = pre.map_or(Release::Full, |pre| {
            Release::Pre(pre.split('.').map(part).collect())
        });
        Self { numbers, release }
    }
}

impl PeerMessage {
    /// Reads a message. Whatever `from` is, this returns; what makes no sense is nothing.
    pub fn decode<F: Foreign>(from: &F) -> Option<Self> {
        from.length()?;
        match from.item(0).text()?.as_str() {
            "here" => {
                let protocol = from.item(1).number()? as u32;
                let build = from.item(2).text()?;
                let epoch = from.item(3).text()?;
                if protocol != MAJOR {
                    return Some(Self::Other {
                        protocol,
                        build,
                        epoch,
                    });
                }
                Some(Self::Here(Box::new(Peer {
                    build,
                    epoch,
                    lock: from.item(4).text(),
                    address: Address {
                        worker_url: from.item(5).text()?,
                        name: from.item(6).text()?,
                    },
                    since: from.item(7).number()?,
                })))
            }
            "gone" => Some(Self::Gone {
                epoch: from.item(1).text()?,
            }),
            "who" => Some(Self::Who),
            _ => None,
        }
    }

    /// Writes a message.
    pub fn encode<F: Foreign>(&self) -> F {
        F::array(match self {
            Self::Here(peer) => vec![
                F::from_text("here"),
                F::from_number(f64::from(MAJOR)),
                F::from_text(&peer.build),
                F::from_text(&peer.epoch),
                peer.lock.as_deref().map_or(F::null(), F::from_text),
                F::from_text(&peer.address.worker_url),
                F::from_text(&peer.address.name),
                F::from_number(peer.since),
            ],
            Self::Other {
                protocol,
                build,
                epoch,
            } => vec![
                F::from_text("here"),
                F::from_number(f64::from(*protocol)),
                F::from_text(build),
                F::from_text(epoch),
            ],
            Self::Gone { epoch } => vec![F::from_text("gone"), F::from_text(epoch)],
            Self::Who => vec![F::from_text("who")],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(build: &str, since: f64, epoch: &str) -> Peer {
        Peer {
            build: build.into(),
            epoch: epoch.into(),
            lock: None,
            address: Address::default(),
            since,
        }
    }

    #[test]
    fn versions_are_compared_as_versions() {
        let versions = [
            "no version",
            "0.1.0-alpha",
            "0.1.0-alpha.1",
            "0.1.0-alpha.beta",
            "0.1.0-beta.2",
            "0.1.0-beta.11",
            "0.1.0",
            "0.2.0",
            "0.10.0",
            "1.0.0+later",
        ];
        for pair in versions.windows(2) {
            assert!(Build::of(pair[0]) < Build::of(pair[1]), "{pair:?}");
        }
        assert_eq!(Build::of("1.0.0+a"), Build::of("1.0.0+b"));
    }

    #[test]
    fn of_equal_builds_the_hub_that_has_been_there_for_longer_is_better() {
        let old = peer("0.1.0+a", 1.0, "b");
        let young = peer("0.1.0+b", 2.0, "a");
        assert_eq!(old.rank(&young), Ordering::Greater);
        assert_eq!(young.rank(&old), Ordering::Less);
        assert_eq!(peer("0.2.0", 3.0, "c").rank(&old), Ordering::Greater);
        let twin = peer("0.1.0+c", 1.0, "c");
        assert_eq!(old.rank(&twin), Ordering::Greater);
    }
}
