//! Which processor code is written for, and proof that this one is such.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

use thiserror::Error;

/// Processors that code is written for, each with what those before it have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Processor {
    /// Any.
    Portable,
    /// With AVX2.
    Avx2,
    /// With those parts of AVX-512 that kernels use.
    Avx512,
}

/// A processor that was asked for and is not this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this processor has no {0}; it can do {best}", best = Processor::here())]
pub struct OtherProcessor(Processor);

/// A text that names no processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("kernels are portable, avx2 or avx512")]
pub struct UnknownProcessor;

/// The processor whose kernels are used, as a number; the best until one has been asked for.
static USED: AtomicU8 = AtomicU8::new(Processor::Avx512 as u8);

impl Processor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The best that this processor is.
    pub fn here() -> Self {
        if avx512_is_here() {
            Self::Avx512
        } else if avx2_is_here() {
            Self::Avx2
        } else {
            Self::Portable
        }
    }

    /// Has searches that are prepared from now on in this process use kernels for this processor. Results are
    /// the same with all.
    ///
    /// # Errors
    /// If the processor is another one.
    pub fn use_kernels(self) -> Result<(), OtherProcessor> {
        if self > Self::here() {
            return Err(OtherProcessor(self));
        }
        USED.store(self as u8, Ordering::Relaxed);
        Ok(())
    }

    /// Whether kernels for this processor may be used.
    fn is_used(self) -> bool {
        self as u8 <= USED.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        })
    }
}

impl FromStr for Processor {
    type Err = UnknownProcessor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|processor| processor.to_string() == text).ok_or(UnknownProcessor)
    }
}

/// Proof that there is AVX2: nothing else makes one.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Avx2(());

impl Avx2 {
    /// If the processor has it.
    #[cfg(test)]
    pub(in crate::engine) fn here() -> Option<Self> {
        avx2_is_here().then_some(Self(()))
    }

    /// If the processor has it and its kernels are used.
    pub(in crate::engine) fn used() -> Option<Self> {
        (Processor::Avx2.is_used() && avx2_is_here()).then_some(Self(()))
    }
}

/// Proof that there are the foundation of AVX-512 and its bytes and words: nothing else makes one.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Avx512(());

impl Avx512 {
    /// If the processor has it.
    #[cfg(test)]
    pub(in crate::engine) fn here() -> Option<Self> {
        avx512_is_here().then_some(Self(()))
    }

    /// If the processor has it and its kernels are used.
    pub(in crate::engine) fn used() -> Option<Self> {
        (Processor::Avx512.is_used() && avx512_is_here()).then_some(Self(()))
    }
}

/// Proof that there are permutations of bytes, too, and what counts and moves bits: nothing else makes one.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Avx512Permutations(());

impl Avx512Permutations {
    /// If the processor has it and its kernels are used.
    pub(in crate::engine) fn used() -> Option<Self> {
        Avx512::used().filter(|_| permutations_are_here()).map(|_| Self(()))
    }
}

#[cfg(target_arch = "x86_64")]
fn avx2_is_here() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
fn avx2_is_here() -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
fn avx512_is_here() -> bool {
    std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512bw")
}

#[cfg(not(target_arch = "x86_64"))]
fn avx512_is_here() -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
fn permutations_are_here() -> bool {
    std::arch::is_x86_feature_detected!("avx512vbmi")
        && std::arch::is_x86_feature_detected!("popcnt")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
}

#[cfg(not(target_arch = "x86_64"))]
fn permutations_are_here() -> bool {
    false
}
