//! Which pairs are worth blastp's pair code, and where in them alignments start.
//!
//! A [`Selector`] chooses pairs; blastp's word finder (`words`, `two_hits`, `ungapped`) then says where a pair
//! may have alignments. So whatever the selector, what comes out for a pair is what blastp has for it. Only
//! `thorough` goes on where words find nothing: its pairs have a start then that blastp does not see.

mod diagonals;
mod every;
pub(super) mod extension;
mod pairs;
mod seeded;
mod symbols;
mod thorough;
mod two_hits;
pub(super) mod ungapped;
pub(super) mod words;

use std::fmt::Debug;
use std::num::NonZeroUsize;

use every::Every;
use seeded::Seeded;
use thorough::Thorough;

use super::align::scheme::Scheme;
use super::query::SearchedQuery;
use super::subjects::Subjects;
use super::watch::Watch;

/// Chooses the pairs that are compared.
pub(super) trait Selector: Debug + Send + Sync {
    /// Query residues that are joined for one pass over the subjects, unless a single query is longer.
    fn residues_at_a_time(&self) -> usize;

    /// Prepares joined queries; `None` if all pairs are worth comparing.
    fn prepare<'a>(
        &'a self,
        queries: &[&SearchedQuery<'_>],
        scheme: &'a Scheme,
    ) -> Option<Box<dyn Prepared + 'a>>;
}

/// Joined queries, ready to have subjects chosen for them.
pub(super) trait Prepared {
    /// Cuts subjects, given by their indices, into sections that are chosen from one after the other.
    fn sections(&self, subjects: &dyn Subjects, indices: Vec<u32>) -> Vec<Vec<u32>>;

    /// For each query the subjects of a section that are worth comparing with it, ascending.
    ///
    /// Whether a pair is chosen depends on its two sequences and the options only. What is chosen is half done if
    /// the watch is over.
    fn choose(
        &self,
        subjects: &dyn Subjects,
        section: &[u32],
        threads: NonZeroUsize,
        watch: &Watch<'_>,
    ) -> Vec<Vec<u32>>;

    /// Whether a chosen pair in which words find nothing worth keeping starts from its best local alignment.
    fn looks_beyond_words(&self) -> bool {
        false
    }
}

/// The selector of the mode that was asked for.
pub(super) fn selector(scheme: &Scheme) -> Box<dyn Selector> {
    if let Some(seeded) = Seeded::new(scheme) {
        return Box::new(seeded);
    }
    match Thorough::new(scheme) {
        Some(thorough) => Box::new(thorough),
        None => Box::new(Every),
    }
}
