//! Plain loops, compiled once more for processors with wider registers.
//!
//! The code is the same, and so are its operations and their order: what comes out are the same bits. It must be
//! inlined all the way for that, which is what `#[inline(always)]` is for in what is run like this.

#[cfg(target_arch = "x86_64")]
use super::processor::{Avx2, Avx512};

/// Work that may be compiled for wider registers.
pub(in crate::engine) trait Vectorised {
    /// What comes of it.
    type Output;

    /// Does it. Implementations are to be `#[inline(always)]`, and so is all they call that takes time.
    fn run(self) -> Self::Output;
}

/// Does `work` in the widest registers that are used.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls code for a processor with AVX-512 or AVX2")]
pub(in crate::engine) fn vectorised<W: Vectorised>(work: W) -> W::Output {
    if Avx512::used().is_some() {
        // SAFETY: there is AVX-512, as the token proves.
        return unsafe { with_avx512(work) };
    }
    if Avx2::used().is_some() {
        // SAFETY: there is AVX2, as the token proves.
        return unsafe { with_avx2(work) };
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn with_avx512<W: Vectorised>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<W: Vectorised>(work: W) -> W::Output {
    work.run()
}

/// Does `work`.
#[cfg(not(target_arch = "x86_64"))]
pub(in crate::engine) fn vectorised<W: Vectorised>(work: W) -> W::Output {
    work.run()
}
