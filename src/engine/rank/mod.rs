//! Hits, their order, and which of them stay within the limits of a list.

mod best_hit;
pub(super) mod contest;
mod culling;
pub(super) mod hit;
pub(super) mod hitlist;
pub(super) mod subject_best;
