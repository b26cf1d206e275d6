//! Eight numbers side by side in two registers of AVX2.

#![expect(
    unsafe_code,
    reason = "calls of what only such processors have, in code that is compiled for them alone"
)]

use std::arch::x86_64::*;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use super::lanes::Lanes;

/// Registers that eight numbers take.
const PARTS: usize = 2;
/// Numbers in each of them.
const WIDTH: usize = 4;

/// Eight numbers. Values are made where there is such a processor, and nowhere else: by work that
/// [`side_by_side`](super::lanes::side_by_side) runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Eight([__m256d; PARTS]);

impl Add for Eight {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(std::array::from_fn(|part| unsafe { _mm256_add_pd(self.0[part], other.0[part]) }))
    }
}

impl Sub for Eight {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(std::array::from_fn(|part| unsafe { _mm256_sub_pd(self.0[part], other.0[part]) }))
    }
}

impl Mul for Eight {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(std::array::from_fn(|part| unsafe { _mm256_mul_pd(self.0[part], other.0[part]) }))
    }
}

impl Div for Eight {
    type Output = Self;

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(std::array::from_fn(|part| unsafe { _mm256_div_pd(self.0[part], other.0[part]) }))
    }
}

impl Neg for Eight {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.add_to_bits(1 << 63)
    }
}

impl AddAssign for Eight {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Eight {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Lanes for Eight {
    const COUNT: usize = 8;

    #[inline(always)]
    fn all(value: f64) -> Self {
        // SAFETY: see the type.
        Self([unsafe { _mm256_set1_pd(value) }; PARTS])
    }

    #[inline(always)]
    fn from_fn(of_lane: impl Fn(usize) -> f64) -> Self {
        let load = |part: usize| {
            let values: [f64; WIDTH] = std::array::from_fn(|lane| of_lane(part * WIDTH + lane));
            // SAFETY: see the type; the array is as long as the register.
            unsafe { _mm256_loadu_pd(values.as_ptr()) }
        };
        Self(std::array::from_fn(load))
    }

    #[inline(always)]
    fn lane(&self, lane: usize) -> f64 {
        let mut values = [0.0; WIDTH];
        // SAFETY: see the type; the array is as long as the register.
        unsafe { _mm256_storeu_pd(values.as_mut_ptr(), self.0[lane / WIDTH]) };
        values[lane % WIDTH]
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: see the type.
        Self(self.0.map(|part| unsafe { _mm256_sqrt_pd(part) }))
    }

    #[inline(always)]
    fn or_others(self, lanes: u64, others: Self) -> Self {
        let chosen = |part: usize| {
            let bit = |lane: usize| if lanes >> (part * WIDTH + lane) & 1 == 0 { 0.0 } else { -1.0 };
            // SAFETY: see the type.
            unsafe {
                let takes = _mm256_setr_pd(bit(0), bit(1), bit(2), bit(3));
                _mm256_blendv_pd(others.0[part], self.0[part], takes)
            }
        };
        Self(std::array::from_fn(chosen))
    }

    #[inline(always)]
    fn or_less(self, others: Self) -> Self {
        let less = |part: usize| {
            let (these, others) = (self.0[part], others.0[part]);
            // SAFETY: see the type.
            unsafe {
                let not_negative = _mm256_cmp_pd::<_CMP_GE_OQ>(others, _mm256_setzero_pd());
                let takes = _mm256_and_pd(not_negative, _mm256_cmp_pd::<_CMP_LT_OQ>(others, these));
                _mm256_blendv_pd(these, others, takes)
            }
        };
        Self(std::array::from_fn(less))
    }

    #[inline(always)]
    fn are_normal(self) -> bool {
        self.0.iter().all(|&part| {
            // SAFETY: see the type.
            unsafe {
                let enough = _mm256_cmp_pd::<_CMP_GE_OQ>(part, _mm256_set1_pd(f64::MIN_POSITIVE));
                let finite = _mm256_cmp_pd::<_CMP_LE_OQ>(part, _mm256_set1_pd(f64::MAX));
                _mm256_movemask_pd(_mm256_and_pd(enough, finite)) == 0b1111
            }
        })
    }

    #[inline(always)]
    fn add_to_bits(self, bits: u64) -> Self {
        let sum = |part| {
            // SAFETY: see the type.
            unsafe {
                let sum = _mm256_add_epi64(_mm256_castpd_si256(part), _mm256_set1_epi64x(bits as i64));
                _mm256_castsi256_pd(sum)
            }
        };
        Self(self.0.map(sum))
    }

    #[inline(always)]
    fn and_bits(self, bits: u64) -> Self {
        let kept = |part| {
            // SAFETY: see the type.
            unsafe {
                let kept = _mm256_and_si256(_mm256_castpd_si256(part), _mm256_set1_epi64x(bits as i64));
                _mm256_castsi256_pd(kept)
            }
        };
        Self(self.0.map(kept))
    }

    #[inline(always)]
    fn exponent_bits(self) -> Self {
        // SAFETY: see the type.
        Self(
            self.0.map(|part| unsafe {
                _mm256_castsi256_pd(_mm256_srli_epi64::<52>(_mm256_castpd_si256(part)))
            }),
        )
    }
}
