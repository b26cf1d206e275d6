//! Kernels: the engine's innermost loops as the processor likes them best.
//!
//! The only place in the engine with `unsafe` code. Each kernel answers exactly what its safe twin
//! elsewhere in the engine answers, or declines, and is chosen when the program runs: where AVX2, or
//! AVX-512 for those that need it, is missing, the twins do the work. Property tests hold every kernel
//! against its twin.

mod gapped;
#[cfg(target_arch = "x86_64")]
mod gapped_avx2;
mod prefetch;
#[cfg(test)]
mod relatives;
mod trace;
mod ungapped;
#[cfg(target_arch = "x86_64")]
mod ungapped_avx512;
mod wide;
#[cfg(target_arch = "x86_64")]
mod wide_avx512;

pub(super) use gapped::{GappedKernel, GappedLanes, Gaps, RESTRICTION};
pub(super) use prefetch::prefetch;
pub(super) use trace::{
    EXTENDS_COLUMN_GAP, EXTENDS_ROW_GAP, Extent, FROM_COLUMN_GAP, FROM_DIAGONAL, FROM_ROW_GAP, ORIGIN, Trace,
};
pub(super) use ungapped::{KernelQueries, KernelSubject, Outcome, SecondHit, UngappedKernel};
pub(super) use wide::{WideLanes, WideScores, extend_wide};
