//! Kernels: the engine's innermost loops as the processor likes them best.
//!
//! The only place in the engine with `unsafe` code. Each kernel answers exactly what its safe twin
//! elsewhere in the engine answers, or declines, and is chosen when the program runs: where AVX2, or
//! AVX-512 for those that need it, is missing, the twins do the work. Property tests hold every kernel
//! against its twin.

mod banded;
#[cfg(target_arch = "x86_64")]
mod banded_avx2;
mod byte_scores;
mod gapped;
#[cfg(target_arch = "x86_64")]
mod gapped_avx2;
#[cfg(target_arch = "x86_64")]
mod gapped_avx512;
#[cfg(target_arch = "x86_64")]
mod gapped_band;
mod local;
#[cfg(target_arch = "x86_64")]
mod local_avx2;
#[cfg(target_arch = "x86_64")]
mod local_avx512;
#[cfg(target_arch = "x86_64")]
mod local_lanes;
mod prefetch;
mod processor;
#[cfg(test)]
mod relatives;
mod trace;
#[cfg(target_arch = "x86_64")]
mod transpose;
mod ungapped;
#[cfg(target_arch = "x86_64")]
mod ungapped_avx512;
mod vectorised;
mod wide;
#[cfg(target_arch = "x86_64")]
mod wide_avx2;
#[cfg(target_arch = "x86_64")]
mod wide_avx512;
#[cfg(target_arch = "x86_64")]
mod wide_row;
mod windows;
#[cfg(target_arch = "x86_64")]
mod windows_avx2;

pub(super) use banded::{BAND, BandedKernel, Lane, ROWS};
pub(super) use byte_scores::{PADDING, letter};
pub(super) use gapped::{GappedKernel, GappedLanes, Gaps, RESTRICTION};
pub(super) use local::{LOCAL_LANES, LocalKernel, LocalLanes, SubjectColumns};
pub(super) use prefetch::prefetch;
pub use processor::{OtherProcessor, Processor, UnknownProcessor};
pub(super) use trace::{
    EXTENDS_COLUMN_GAP, EXTENDS_ROW_GAP, Extent, FROM_COLUMN_GAP, FROM_DIAGONAL, FROM_ROW_GAP, ORIGIN, Trace,
};
pub(super) use ungapped::{KernelQueries, KernelSubject, Outcome, SecondHit, UngappedKernel};
pub(super) use vectorised::{Vectorised, vectorised};
pub(super) use wide::{WideLanes, WideScores, extend_wide};
pub(super) use windows::{BEFORE, Found, LANES, WIDTH, WindowKernel, WindowLanes, Windows};
