//! What most connections have nothing of.

use core::ops::{Deref, DerefMut};

/// Something that takes no memory of its own until it is changed: it is looked at like the blank one.
#[derive(Debug)]
pub struct Lean<T>(Option<Box<T>>);

/// What there is a blank one of.
pub trait Blank: Sized + 'static {
    /// The one that is looked at.
    const BLANK: &'static Self;

    /// One that can be changed.
    fn blank() -> Self;
}

impl<T> Lean<T> {
    /// One that is not blank, if it is given.
    pub fn of(value: Option<T>) -> Self {
        Self(value.map(Box::new))
    }
}

impl<T> Default for Lean<T> {
    fn default() -> Self {
        Self(None)
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
        self.0.get_or_insert_with(|| Box::new(T::blank()))
    }
}
