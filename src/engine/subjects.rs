//! What the engine needs of a collection of database sequences.

use std::borrow::Cow;

/// A run of database sequences that can be read in any order by many threads.
///
/// `database::Volume` is one, tests use vectors. Indices run from 0 to `len() - 1`; the ordinal of
/// a sequence in the whole database is the run's first ordinal plus its index.
pub trait Subjects: Sync {
    /// Number of sequences.
    fn len(&self) -> usize;

    /// Whether there is no sequence at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Residue codes (see [`crate::sequence::alphabet`]) of sequence `index`, without sentinels.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    fn residues(&self, index: usize) -> &[u8];

    /// The definition line of sequence `index`, of either style of
    /// [`SubjectNames`](crate::sequence::names::SubjectNames), without `>`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    fn defline(&self, index: usize) -> Cow<'_, [u8]>;
}

impl<S: Subjects + ?Sized> Subjects for &S {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn residues(&self, index: usize) -> &[u8] {
        (**self).residues(index)
    }

    fn defline(&self, index: usize) -> Cow<'_, [u8]> {
        (**self).defline(index)
    }
}

impl<S: Subjects + ?Sized> Subjects for Box<S> {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn residues(&self, index: usize) -> &[u8] {
        (**self).residues(index)
    }

    fn defline(&self, index: usize) -> Cow<'_, [u8]> {
        (**self).defline(index)
    }
}
