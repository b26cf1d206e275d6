//! Numbers side by side: each operation is done for all lanes, and none sees another.
//!
//! All operations are exact or rounded as IEEE 754 has it, so that a lane has the bits that a number by itself would have.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

#[cfg(target_arch = "x86_64")]
use super::processor::{Avx2, Avx512};
use super::vectorised::{Vectorised, vectorised};

/// A number in each lane. Implementations are `#[inline(always)]`.
pub(in crate::engine) trait Lanes:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
{
    /// How many there are; 64 at most.
    const COUNT: usize;

    /// The same number in all of them.
    fn all(value: f64) -> Self;
    /// What a function has for the lane with each number.
    fn from_fn(of_lane: impl Fn(usize) -> f64) -> Self;
    /// The number in a lane.
    fn lane(&self, lane: usize) -> f64;
    fn sqrt(self) -> Self;
    /// These in lanes with a bit, others in those without.
    fn or_others(self, lanes: u64, others: Self) -> Self;
    /// Others in lanes where they are less than these and not less than 0, these elsewhere.
    fn or_less(self, others: Self) -> Self;
    /// Whether all are positive, finite and not subnormal.
    fn are_normal(self) -> bool;
    /// Adds to the bits, as of an integer that wraps around.
    fn add_to_bits(self, bits: u64) -> Self;
    /// Keeps these bits.
    fn and_bits(self, bits: u64) -> Self;
    /// Moves the bits of the exponent and the sign down to the lowest places.
    fn exponent_bits(self) -> Self;
}

impl Lanes for f64 {
    const COUNT: usize = 1;

    #[inline(always)]
    fn all(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn from_fn(of_lane: impl Fn(usize) -> f64) -> Self {
        of_lane(0)
    }
    #[inline(always)]
    fn lane(&self, _: usize) -> f64 {
        *self
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn or_others(self, lanes: u64, others: Self) -> Self {
        if lanes & 1 == 0 { others } else { self }
    }
    #[inline(always)]
    fn or_less(self, others: Self) -> Self {
        if others >= 0.0 && others < self { others } else { self }
    }
    #[inline(always)]
    fn are_normal(self) -> bool {
        (f64::MIN_POSITIVE..=f64::MAX).contains(&self)
    }
    #[inline(always)]
    fn add_to_bits(self, bits: u64) -> Self {
        f64::from_bits(self.to_bits().wrapping_add(bits))
    }
    #[inline(always)]
    fn and_bits(self, bits: u64) -> Self {
        f64::from_bits(self.to_bits() & bits)
    }
    #[inline(always)]
    fn exponent_bits(self) -> Self {
        f64::from_bits(self.to_bits() >> 52)
    }
}

/// Work on some items, each of which fills a lane.
pub(in crate::engine) trait LaneWork {
    /// What comes of it.
    type Output;

    /// How many items there are.
    fn items(&self) -> usize;

    /// Does it, so many items at a time. Implementations are to be `#[inline(always)]`, and so is all they call that
    /// takes time.
    fn run<V: Lanes>(self) -> Self::Output;
}

/// One item after the other.
struct OneByOne<W>(W);

impl<W: LaneWork> Vectorised for OneByOne<W> {
    type Output = W::Output;

    #[inline(always)]
    fn run(self) -> W::Output {
        self.0.run::<f64>()
    }
}

/// Does `work` in the widest registers that are used: several items side by side, if there are several.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls code for a processor with AVX-512 or AVX2")]
pub(in crate::engine) fn side_by_side<W: LaneWork>(work: W) -> W::Output {
    if work.items() > 1 {
        if Avx512::used().is_some() {
            // SAFETY: there is AVX-512, as the token proves.
            return unsafe { by_avx512(work) };
        }
        if Avx2::used().is_some() {
            // SAFETY: there is AVX2, as the token proves.
            return unsafe { by_avx2(work) };
        }
    }
    vectorised(OneByOne(work))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn by_avx512<W: LaneWork>(work: W) -> W::Output {
    work.run::<super::lanes_avx512::Eight>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn by_avx2<W: LaneWork>(work: W) -> W::Output {
    work.run::<super::lanes_avx2::Eight>()
}

/// Does `work`.
#[cfg(not(target_arch = "x86_64"))]
pub(in crate::engine) fn side_by_side<W: LaneWork>(work: W) -> W::Output {
    vectorised(OneByOne(work))
}
