//! The live streams of events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::state::App;
use crate::sync::lock;

/// Knows every live stream, on both listeners.
#[derive(Default)]
pub struct Streams(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    opened: u64,
    live: BTreeMap<u64, Stream>,
}

struct Stream {
    wire: bool,
    cut: bool,
}

impl Streams {
    /// How many are live.
    pub fn count(&self) -> usize {
        lock(&self.0).live.len()
    }

    /// Whether one of these is live.
    pub fn any_of(&self, ids: &[u64]) -> bool {
        let inner = lock(&self.0);
        ids.iter().any(|id| inner.live.contains_key(id))
    }

    /// Marks those of the wire as cut, and names them.
    pub fn cut(&self) -> Vec<u64> {
        let mut inner = lock(&self.0);
        let of_the_wire = inner.live.iter_mut().filter(|(_, stream)| stream.wire);
        of_the_wire
            .map(|(id, stream)| {
                stream.cut = true;
                *id
            })
            .collect()
    }

    /// Whether one is to end.
    pub fn is_cut(&self, id: u64) -> bool {
        lock(&self.0).live.get(&id).is_none_or(|stream| stream.cut)
    }

    fn open(&self, wire: bool) -> u64 {
        let mut inner = lock(&self.0);
        inner.opened += 1;
        let id = inner.opened;
        inner.live.insert(id, Stream { wire, cut: false });
        id
    }
}

/// Keeps a stream live for as long as it exists.
pub struct Lease {
    /// The state that knows the stream.
    pub app: Arc<App>,
    /// The number of the stream.
    pub id: u64,
}

impl Lease {
    /// Makes a stream live.
    pub fn new(app: Arc<App>, wire: bool) -> Self {
        let id = app.events.streams.open(wire);
        app.changed.raise();
        Self { app, id }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.app.events.streams.0).live.remove(&self.id);
        self.app.changed.raise();
    }
}
