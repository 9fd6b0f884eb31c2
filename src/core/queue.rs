//! A queue in which mostly nothing waits, or one thing.

use std::collections::{VecDeque, vec_deque};

/// A queue that has memory of its own for the first item, and allocates only while there are more.
///
/// [`VecDeque`] would allocate room for four with the first, and keep it.
#[derive(Debug)]
pub struct Queue<T> {
    first: Option<T>,
    /// What comes after the first. There is nothing if there is no first.
    #[allow(clippy::box_collection, reason = "a word for what mostly is not there")]
    rest: Option<Box<VecDeque<T>>>,
}

impl<T> Queue<T> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self {
            first: None,
            rest: None,
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.as_ref().map_or(0, |rest| rest.len())
    }

    /// What comes next.
    pub fn front(&self) -> Option<&T> {
        self.first.as_ref()
    }

    /// What comes next.
    pub fn front_mut(&mut self) -> Option<&mut T> {
        self.first.as_mut()
    }

    /// What comes last.
    pub fn back_mut(&mut self) -> Option<&mut T> {
        let last = self.rest.as_mut().and_then(|rest| rest.back_mut());
        last.or(self.first.as_mut())
    }

    /// What comes after so many others.
    pub fn get(&self, index: usize) -> Option<&T> {
        match index.checked_sub(1) {
            None => self.first.as_ref(),
            Some(index) => self.rest.as_ref()?.get(index),
        }
    }

    /// All in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Adds an item at the end.
    pub fn push_back(&mut self, item: T) {
        if self.first.is_none() {
            self.first = Some(item);
        } else {
            self.rest.get_or_insert_default().push_back(item);
        }
    }

    /// Adds an item before all others.
    pub fn push_front(&mut self, item: T) {
        if let Some(second) = self.first.replace(item) {
            self.rest.get_or_insert_default().push_front(second);
        }
    }

    /// Takes what comes next.
    pub fn pop_front(&mut self) -> Option<T> {
        let item = self.first.take();
        self.first = self.rest.as_mut().and_then(|rest| rest.pop_front());
        if self.first.is_none() {
            self.rest = None;
        }
        item
    }

    /// Takes what comes last.
    pub fn pop_back(&mut self) -> Option<T> {
        let last = self.rest.as_mut().and_then(|rest| rest.pop_back());
        last.or_else(|| self.pop_front())
    }

    /// Takes what comes after so many others.
    pub fn remove(&mut self, index: usize) -> Option<T> {
        match index.checked_sub(1) {
            None => self.pop_front(),
            Some(index) => self.rest.as_mut()?.remove(index),
        }
    }

    /// Takes away what is not kept.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&T) -> bool) {
        let keeps_first = self.first.as_ref().is_none_or(&mut is_kept);
        if let Some(rest) = &mut self.rest {
            rest.retain(is_kept);
        }
        if !keeps_first {
            self.pop_front();
        }
    }

    /// Takes all in order.
    pub fn take(&mut self) -> vec_deque::IntoIter<T> {
        let mut all = self.rest.take().map_or_else(VecDeque::new, |rest| *rest);
        if let Some(first) = self.first.take() {
            all.push_front(first);
        }
        all.into_iter()
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_what_a_vec_deque_does() {
        let mut rng = fastrand::Rng::with_seed(1);
        let (mut queue, mut model) = (Queue::default(), VecDeque::new());
        for number in 0..20_000_usize {
            let at = rng.usize(..4);
            match rng.u32(..10) {
                0..3 => {
                    queue.push_back(number);
                    model.push_back(number);
                }
                3 => {
                    queue.push_front(number);
                    model.push_front(number);
                }
                4..6 => assert_eq!(queue.pop_front(), model.pop_front()),
                6 => assert_eq!(queue.pop_back(), model.pop_back()),
                7 => assert_eq!(queue.remove(at), model.remove(at)),
                8 => {
                    queue.retain(|item| item % 5 != at);
                    model.retain(|item| item % 5 != at);
                }
                _ if at == 0 => assert!(queue.take().eq(core::mem::take(&mut model))),
                _ => assert_eq!(queue.back_mut(), model.back_mut()),
            }
            assert!(queue.iter().eq(&model) && queue.iter().rev().eq(model.iter().rev()));
            assert_eq!(
                (queue.front(), queue.get(at)),
                (model.front(), model.get(at))
            );
            assert_eq!(
                (queue.len(), queue.is_empty()),
                (model.len(), model.is_empty())
            );
        }
    }

    #[test]
    fn one_item_after_the_other_takes_no_memory() {
        let mut queue = Queue::default();
        for item in 0..10 {
            queue.push_back(item);
            assert!(queue.rest.is_none());
            queue.pop_front();
        }
        for item in 0..3 {
            queue.push_back(item);
        }
        assert!(queue.rest.is_some());
        while queue.pop_front().is_some() {}
        assert!(queue.rest.is_none());
    }
}
