//! What the engine needs of a collection of database sequences.

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

    /// The whole definition line of sequence `index`, without `>`; bytes as they were given.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    fn defline(&self, index: usize) -> &[u8];
}
