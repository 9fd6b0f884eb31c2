//! What happens in worlds with topics, besides what happens in all.

use super::{Deed, Word};
use crate::plan::Action;

/// Draws one kind of action.
pub type Kind = fn(&mut fastrand::Rng) -> Action;

/// Kinds, and how often they come.
pub const KINDS: &[(u32, Kind)] = &[
    (70, |rng| {
        let deed = Deed::Subscribe(rng.u8(..), rng.u8(0..4));
        Action::Topic(rng.u8(..), rng.u8(..), deed)
    }),
    (25, |rng| {
        Action::Topic(rng.u8(..), rng.u8(..), Deed::Unsubscribe(rng.u8(..)))
    }),
    (50, |rng| {
        let deed = Deed::Publish(rng.u8(..), rng.u8(1..4));
        Action::Topic(rng.u8(..), rng.u8(..), deed)
    }),
    (30, |rng| {
        let deed = Deed::Ask([30, 500, 5000, 30_000][rng.usize(0..4)]);
        Action::Topic(rng.u8(..), rng.u8(..), deed)
    }),
    (120, |rng| {
        Action::Word(rng.u8(..), Word::Say(rng.u8(..), rng.u8(1..6)))
    }),
    (4, |rng| Action::Word(rng.u8(..), Word::Forget)),
    (4, |rng| {
        let delay = [None, Some(0), Some(3000)][rng.usize(0..3)];
        Action::Word(rng.u8(..), Word::Hint(delay))
    }),
];
