//! [`GappedKernel`](super::gapped::GappedKernel) for processors with AVX2: a row is two registers, as a rule.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::gapped::{GappedKernel, RESTRICTION};
use super::gapped_band::{Between, Ended, MARGIN, SLACK, WIDEST, gapped_rows, lay_out};
use super::trace::Extent;

const LANES: usize = 32;
/// The bits of all lanes.
const FULL: u32 = u32::MAX;

/// The number of each lane.
const NUMBERS: [u8; LANES] = {
    let mut numbers = [0; LANES];
    let mut lane = 0;
    while lane < LANES {
        numbers[lane] = lane as u8;
        lane += 1;
    }
    numbers
};

/// All ones for each column in which restricted extensions may have a gap open, from one of these on.
const MAY_GAP: [u8; LANES + RESTRICTION] = {
    let mut may_gap = [0; LANES + RESTRICTION];
    let mut column = 0;
    while column < may_gap.len() {
        may_gap[column] = u8::MAX;
        column += RESTRICTION;
    }
    may_gap
};

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; LANES]) -> __m256i {
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(bytes: &mut [u8; LANES], value: __m256i) {
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(byte: u8) -> __m256i {
    _mm256_set1_epi8(byte as i8)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: __m256i, b: __m256i) -> __m256i {
    _mm256_adds_epu8(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn subtract(a: __m256i, b: __m256i) -> __m256i {
    _mm256_subs_epu8(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn max(a: __m256i, b: __m256i) -> __m256i {
    _mm256_max_epu8(a, b)
}

/// All ones in each lane where `a ≥ b`.
#[inline]
#[target_feature(enable = "avx2")]
fn at_least(a: __m256i, b: __m256i) -> __m256i {
    _mm256_cmpeq_epi8(_mm256_max_epu8(a, b), a)
}

#[inline]
#[target_feature(enable = "avx2")]
fn bits(lanes: __m256i) -> u32 {
    _mm256_movemask_epi8(lanes) as u32
}

/// The lanes of a mask, and 0 in others.
#[inline]
#[target_feature(enable = "avx2")]
fn keep(value: __m256i, lanes: __m256i) -> __m256i {
    _mm256_and_si256(value, lanes)
}

/// The mask of so many lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn first_lanes(count: usize) -> __m256i {
    _mm256_cmpgt_epi8(splat(count as u8), load(&NUMBERS))
}

/// Moves lanes up by one; the last lane of `below` comes in.
#[inline]
#[target_feature(enable = "avx2")]
fn shift_up(below: __m256i, lanes: __m256i) -> __m256i {
    _mm256_alignr_epi8::<15>(lanes, _mm256_permute2x128_si256::<0x21>(below, lanes))
}

/// Moves lanes down by one; the first lane of `above` comes in.
#[inline]
#[target_feature(enable = "avx2")]
fn shift_down(lanes: __m256i, above: __m256i) -> __m256i {
    _mm256_alignr_epi8::<1>(_mm256_permute2x128_si256::<0x21>(lanes, above), lanes)
}

/// The last lane.
#[inline]
#[target_feature(enable = "avx2")]
fn last(lanes: __m256i) -> u8 {
    _mm256_extract_epi8::<31>(lanes) as u8
}

/// The last byte of the lower half in all of the upper half; zeros below.
#[inline]
#[target_feature(enable = "avx2")]
fn middle_upwards(lanes: __m256i) -> __m256i {
    _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x08>(lanes, lanes), splat(15))
}

/// Running maximum of the lanes up to each.
#[inline]
#[target_feature(enable = "avx2")]
fn running_maximum(mut lanes: __m256i) -> __m256i {
    lanes = max(lanes, _mm256_slli_si256::<1>(lanes));
    lanes = max(lanes, _mm256_slli_si256::<2>(lanes));
    lanes = max(lanes, _mm256_slli_si256::<4>(lanes));
    lanes = max(lanes, _mm256_slli_si256::<8>(lanes));
    max(lanes, middle_upwards(lanes))
}

/// The scores of a query residue, codes 0–15 and 16–31, in both halves of a register.
struct Table(__m256i, __m256i);

/// What all rows have in common: what a gap costs that is extended by each lane's number of residues, and by 1, 2, 4
/// and 8.
struct Constants {
    from_0: __m256i,
    from_1_in_upper: __m256i,
    steps: [__m256i; 4],
}

impl Constants {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(kernel: &GappedKernel) -> Self {
        let extend = kernel.extend;
        let mut from_0 = [0; LANES];
        let mut from_1_in_upper = [0; LANES];
        for lane in 0..LANES {
            from_0[lane] = extend.saturating_mul(lane as u8);
            from_1_in_upper[lane] = extend.saturating_mul((lane % 16) as u8 + 1);
        }
        Self {
            from_0: load(&from_0),
            from_1_in_upper: load(&from_1_in_upper),
            steps: [1, 2, 4, 8].map(|step| splat(extend.saturating_mul(step))),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn table(&self, [low, high]: &[[u8; 16]; 2]) -> Table {
        // SAFETY: the arrays are as long as the registers.
        let (low, high) =
            unsafe { (_mm_loadu_si128(low.as_ptr().cast()), _mm_loadu_si128(high.as_ptr().cast())) };
        Table(_mm256_broadcastsi128_si256(low), _mm256_broadcastsi128_si256(high))
    }

    /// Scores against residues.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn scores(&self, table: &Table, residues: __m256i) -> __m256i {
        _mm256_or_si256(
            _mm256_shuffle_epi8(table.0, _mm256_add_epi8(residues, splat(0x70))),
            _mm256_shuffle_epi8(table.1, _mm256_sub_epi8(residues, splat(16))),
        )
    }

    /// The lanes in which a gap may be open, if the first one's column is this modulo [`RESTRICTION`].
    #[inline]
    #[target_feature(enable = "avx2")]
    fn may_gap(&self, phase: usize) -> __m256i {
        load(MAY_GAP[phase..].first_chunk().expect("columns of any phase"))
    }

    /// Best scores with a gap open along the row, from those of gaps that open in each lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn row_gaps(&self, mut gaps: __m256i) -> __m256i {
        let [one, two, four, eight] = self.steps;
        gaps = max(gaps, subtract(_mm256_slli_si256::<1>(gaps), one));
        gaps = max(gaps, subtract(_mm256_slli_si256::<2>(gaps), two));
        gaps = max(gaps, subtract(_mm256_slli_si256::<4>(gaps), four));
        gaps = max(gaps, subtract(_mm256_slli_si256::<8>(gaps), eight));
        max(gaps, subtract(middle_upwards(gaps), self.from_1_in_upper))
    }

    /// The same with a gap that comes into the first lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn go_on(&self, gaps: __m256i, incoming: u8) -> __m256i {
        max(gaps, subtract(splat(incoming), self.from_0))
    }
}

gapped_rows! { lanes: 32, register: __m256i, feature: "avx2", narrow: 2, wide: 4 }
