//! Which pairs are worth an alignment, and where it starts: blastp's word finder.

mod diagonals;
pub(super) mod extension;
mod symbols;
mod two_hits;
pub(super) mod ungapped;
pub(super) mod words;
