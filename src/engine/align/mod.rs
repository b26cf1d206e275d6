//! Blastp's pair code from ungapped HSPs on: what a pair scores with gaps, and how it is aligned.

pub(super) mod aligner;
mod alignment;
pub(super) mod best_stretch;
mod composition;
pub(super) mod containment;
pub(super) mod cutoffs;
pub(super) mod gapped;
pub(super) mod hsp;
pub(super) mod preliminary;
pub(super) mod scheme;
pub(super) mod smith_waterman;
pub(super) mod ungapped_hsp;
pub(super) mod without_gaps;
