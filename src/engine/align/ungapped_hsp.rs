//! What gapped extensions start from.

/// An ungapped alignment of a query of the batch and a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct UngappedHsp {
    /// Place of the query in the batch.
    pub(in crate::engine) query_place: u32,
    /// Raw score.
    pub(in crate::engine) score: i32,
    /// First aligned residue of the query.
    pub(in crate::engine) query_start: u32,
    /// First aligned residue of the subject.
    pub(in crate::engine) subject_start: u32,
    /// Number of aligned pairs.
    pub(in crate::engine) length: u32,
}
