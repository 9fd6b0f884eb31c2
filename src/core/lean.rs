//! What most connections have nothing of.

use core::ops::{Deref, DerefMut};
use std::collections::VecDeque;

use litemap::LiteMap;

/// Something that takes no memory of its own until it is changed: it is looked at like the blank one.
#[derive(Debug)]
pub struct Lean<T>(Option<Box<T>>);

/// What there is a blank one of.
pub trait Blank: Default + 'static {
    /// It.
    const BLANK: &'static Self;
}

impl<T> Lean<T> {
    /// A blank one.
    pub const NONE: Self = Self(None);

    /// One that is not blank, if it is given.
    pub fn of(value: Option<T>) -> Self {
        Self(value.map(Box::new))
    }

    /// It, if it is not blank.
    pub fn made(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Takes it, and leaves a blank one.
    pub fn take(&mut self) -> T
    where
        T: Blank,
    {
        self.0.take().map_or_else(T::default, |own| *own)
    }
}

impl<T: 'static> Lean<Vec<T>> {
    /// Takes away what is not kept.
    pub fn keep(&mut self, is_kept: impl FnMut(&T) -> bool) {
        if let Some(things) = self.made() {
            things.retain(is_kept);
        }
        self.0.take_if(|things| things.is_empty());
    }
}

impl<T: 'static> Lean<VecDeque<T>> {
    /// Takes away what is not kept.
    pub fn keep(&mut self, is_kept: impl FnMut(&T) -> bool) {
        if let Some(things) = self.made() {
            things.retain(is_kept);
        }
        self.0.take_if(|things| things.is_empty());
    }
}

impl<K: Ord + 'static, V: 'static> Lean<LiteMap<K, V>> {
    /// Takes away what is not kept.
    pub fn keep(&mut self, mut is_kept: impl FnMut(&K) -> bool) {
        if let Some(things) = self.made() {
            things.retain(|key, _| is_kept(key));
        }
        self.0.take_if(|things| things.is_empty());
    }
}

impl<T> Default for Lean<T> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<T: Blank> Deref for Lean<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::BLANK)
    }
}

impl<T: Blank> DerefMut for Lean<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: 'static> Blank for Vec<T> {
    const BLANK: &'static Self = &Self::new();
}

impl<T: 'static> Blank for VecDeque<T> {
    const BLANK: &'static Self = &Self::new();
}

impl<K: 'static, V: 'static> Blank for LiteMap<K, V> {
    const BLANK: &'static Self = &Self::new();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_memory_once_it_is_changed_until_it_is_taken() {
        let mut lean: Lean<Vec<u8>> = Lean::default();
        assert!(lean.is_empty() && lean.take().is_empty());
        assert!(lean.0.is_none());
        lean.push(1);
        assert_eq!(*lean, [1]);
        assert_eq!(lean.take(), [1]);
        assert!(lean.0.is_none());
    }
}
