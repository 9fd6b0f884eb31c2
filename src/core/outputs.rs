//! The outputs that wait for the driver.

use std::collections::VecDeque;

use super::inspector::Inspector;
use super::io::Output;

/// So much room is kept once all are carried out: more than that comes of a burst.
const KEPT: usize = 256;

/// A queue of outputs, in the order in which they must be carried out.
#[derive(Debug)]
pub struct Outputs<P> {
    queue: VecDeque<Output<P>>,
    /// Who looks inside.
    pub inspector: Option<Box<Inspector<P>>>,
}

impl<P> Outputs<P> {
    /// Adds an output.
    pub fn push(&mut self, output: Output<P>) {
        self.queue.push_back(output);
    }

    /// Takes the next output.
    pub fn pop(&mut self) -> Option<Output<P>> {
        let output = self.queue.pop_front();
        if self.queue.is_empty() && self.queue.capacity() > KEPT {
            self.queue = VecDeque::new();
        }
        output
    }
}

impl<P> Default for Outputs<P> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            inspector: None,
        }
    }
}
