//! Chooses all pairs.

use super::{Prepared, Selector};
use crate::engine::align::scheme::Scheme;
use crate::engine::query::SearchedQuery;

/// The selector of [`Mode::Exact`](crate::engine::Mode::Exact).
#[derive(Debug)]
pub(super) struct Every;

/// The diagonal state and the hot part of the word table then stay in the second-level cache, and the
/// list of a word is long enough to be worth going to.
const JOINED_RESIDUES: usize = 20_000;

impl Selector for Every {
    fn residues_at_a_time(&self) -> usize {
        JOINED_RESIDUES
    }

    fn prepare<'a>(&'a self, _: &[&SearchedQuery<'_>], _: &'a Scheme) -> Option<Box<dyn Prepared + 'a>> {
        None
    }
}
