//! Bringing memory close before it is needed. Changes no result.

/// Asks for the start of `items` to be brought into the cache.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the intrinsic takes a pointer")]
#[inline]
pub(in crate::engine) fn prefetch<T>(items: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch reads nothing that the program can see, and no address makes it fail.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(items.as_ptr().cast()) }
}

/// Leaves it to the processor.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(in crate::engine) fn prefetch<T>(_: &[T]) {}
