//! What is left of a search that was stopped: enough to go on as if it had not been.
//!
//! For each query it says which subjects it has not been compared with, and which of the others were chosen
//! and wait for their alignments. So what has been done is not done again, and the hits of all that a search was
//! stopped and went on are, joined, those of a search in one go.

use std::iter::once;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::align::preliminary::PreliminaryHsp;
use super::rank::hit::{Rank, allocated};
use super::rank::hitlist::Ranked;

/// What is left to do of a search in one part of a database; to be gone on with in the same part, with the
/// same queries and options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rest {
    /// By query, or by piece of a query.
    pub(super) lists: Vec<Left>,
}

/// What is left to do for one query, or for one piece of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Left {
    /// The subjects that it has not been compared with.
    pub(super) subjects: Stretches,
    /// The best of the others by preliminary rank, if they have not been aligned.
    pub(super) nominees: Vec<Nominee>,
}

/// A subject that reached the preliminary E-value limit for a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Nominee {
    pub(super) rank: Rank,
    /// Index of the subject in its part.
    pub(super) index: u32,
    pub(super) hsps: Vec<PreliminaryHsp>,
}

impl Ranked for Nominee {
    fn rank(&self) -> Rank {
        self.rank
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + allocated(&self.hsps)
    }
}

/// Indices of subjects, as half-open ranges that do not touch, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stretches(Vec<Range<u32>>);

impl Rest {
    /// All that there is to do for so many lists of candidates in a part of so many `subjects`.
    pub(super) fn all(lists: usize, subjects: usize) -> Self {
        let left = Left { subjects: Stretches::new(once(0..subjects as u32)), nominees: Vec::new() };
        Self { lists: vec![left; lists] }
    }

    /// The lists that something is left to do for, as runs of those that have been compared with the same
    /// subjects.
    pub(super) fn runs(&self) -> Vec<Range<usize>> {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (place, left) in self.lists.iter().enumerate().filter(|(_, left)| !left.is_done()) {
            match runs.last_mut() {
                Some(run) if run.end == place && self.lists[run.start].subjects == left.subjects => {
                    run.end += 1;
                }
                _ => runs.push(place..place + 1),
            }
        }
        runs
    }

    /// Itself, unless nothing is left to do.
    pub(super) fn unless_done(self) -> Option<Self> {
        (!self.lists.iter().all(Left::is_done)).then_some(self)
    }
}

impl Left {
    fn is_done(&self) -> bool {
        self.subjects.0.is_empty() && self.nominees.is_empty()
    }
}

impl Stretches {
    /// From ranges in any order that do not overlap.
    pub(super) fn new(ranges: impl IntoIterator<Item = Range<u32>>) -> Self {
        let mut ranges: Vec<Range<u32>> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        ranges.dedup_by(|next, last| {
            let touches = next.start == last.end;
            if touches {
                last.end = next.end;
            }
            touches
        });
        Self(ranges)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, ascending.
    pub(super) fn indices(&self) -> impl Iterator<Item = u32> {
        self.0.iter().cloned().flatten()
    }

    /// Number of subjects.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).sum()
    }

    /// Cut into blocks of at most `size` subjects.
    pub(super) fn blocks(&self, size: u32) -> Vec<Range<u32>> {
        let cut = |range: &Range<u32>| {
            let (start, end) = (range.start, range.end);
            (start..end).step_by(size as usize).map(move |first| first..end.min(first.saturating_add(size)))
        };
        self.0.iter().flat_map(cut).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_join_what_touches_and_are_cut_into_blocks() {
        let stretches = Stretches::new([300..310, 5..5, 10..20, 0..10, 21..22]);
        assert_eq!(stretches, Stretches(vec![0..20, 21..22, 300..310]));
        assert_eq!((stretches.len(), stretches.is_empty()), (31, false));
        assert_eq!(stretches.blocks(8), [0..8, 8..16, 16..20, 21..22, 300..308, 308..310]);
        assert!(Stretches::new(once(3..3)).is_empty());
    }

    #[test]
    fn runs_are_of_lists_with_the_same_subjects_left() {
        let mut rest = Rest::all(6, 10);
        assert!(rest.runs().into_iter().eq(once(0..6)));
        rest.lists[1] = Left::default();
        rest.lists[4].subjects = Stretches::new(once(3..10));
        rest.lists[5].subjects = Stretches::new(once(3..10));
        assert_eq!(rest.runs(), [0..1, 2..4, 4..6]);
        assert!(rest.clone().unless_done().is_some());
        rest.lists = vec![Left::default(); 6];
        assert_eq!((rest.runs(), rest.unless_done()), (Vec::new(), None));
    }
}
