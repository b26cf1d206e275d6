//! [`GappedKernel`](super::gapped::GappedKernel) for processors with AVX-512: a row is one register, as a rule.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::gapped::{GappedKernel, RESTRICTION};
use super::gapped_band::{Between, Ended, MARGIN, SLACK, WIDEST, gapped_rows, lay_out};
use super::trace::Extent;

const LANES: usize = 64;
/// The bits of all lanes.
const FULL: u64 = u64::MAX;

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(bytes: &[u8; LANES]) -> __m512i {
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store(bytes: &mut [u8; LANES], value: __m512i) {
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn splat(byte: u8) -> __m512i {
    _mm512_set1_epi8(byte as i8)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn add(a: __m512i, b: __m512i) -> __m512i {
    _mm512_adds_epu8(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn subtract(a: __m512i, b: __m512i) -> __m512i {
    _mm512_subs_epu8(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn max(a: __m512i, b: __m512i) -> __m512i {
    _mm512_max_epu8(a, b)
}

/// Whether `a ≥ b` in each lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn at_least(a: __m512i, b: __m512i) -> __mmask64 {
    _mm512_cmpge_epu8_mask(a, b)
}

#[inline]
fn bits(lanes: __mmask64) -> u64 {
    lanes
}

/// The lanes of a mask, and 0 in others.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn keep(value: __m512i, lanes: __mmask64) -> __m512i {
    _mm512_maskz_mov_epi8(lanes, value)
}

/// The mask of so many lanes.
#[inline]
fn first_lanes(count: usize) -> __mmask64 {
    if count < LANES { (1 << count) - 1 } else { FULL }
}

/// Moves lanes up by 16; the upper ones of `below` come in.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn up_by_16(below: __m512i, lanes: __m512i) -> __m512i {
    _mm512_alignr_epi64::<6>(lanes, below)
}

/// Moves lanes up by one; the last lane of `below` comes in.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn shift_up(below: __m512i, lanes: __m512i) -> __m512i {
    _mm512_alignr_epi8::<15>(lanes, up_by_16(below, lanes))
}

/// Moves lanes down by one; the first lane of `above` comes in.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn shift_down(lanes: __m512i, above: __m512i) -> __m512i {
    _mm512_alignr_epi8::<1>(_mm512_alignr_epi64::<2>(above, lanes), lanes)
}

/// The last lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn last(lanes: __m512i) -> u8 {
    _mm_extract_epi8::<15>(_mm512_extracti32x4_epi32::<3>(lanes)) as u8
}

/// Running maximum of the lanes up to each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn running_maximum(mut lanes: __m512i) -> __m512i {
    let nothing = splat(0);
    lanes = max(lanes, _mm512_alignr_epi8::<15>(lanes, up_by_16(nothing, lanes)));
    lanes = max(lanes, _mm512_alignr_epi8::<14>(lanes, up_by_16(nothing, lanes)));
    lanes = max(lanes, _mm512_alignr_epi8::<12>(lanes, up_by_16(nothing, lanes)));
    lanes = max(lanes, _mm512_alignr_epi8::<8>(lanes, up_by_16(nothing, lanes)));
    lanes = max(lanes, up_by_16(nothing, lanes));
    max(lanes, _mm512_alignr_epi64::<4>(lanes, nothing))
}

/// The scores of a query residue, codes 0–15 and 16–31, in each part of a register.
struct Table(__m512i, __m512i);

/// What all rows have in common.
struct Constants {
    /// What a gap costs that is extended by each lane's number of residues.
    from_0: __m512i,
    /// And by 1, 2, 4, 8, 16 and 32.
    steps: [__m512i; 6],
    /// Whether gaps that are worth it may be longer than the first five of these reach.
    are_long: bool,
    /// For each column of the first lane, modulo [`RESTRICTION`], the lanes in which a gap may be open.
    may_gap: [u64; RESTRICTION],
}

impl Constants {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn new(kernel: &GappedKernel) -> Self {
        let mut from_0 = [0; LANES];
        for (lane, cost) in from_0.iter_mut().enumerate() {
            *cost = kernel.extend.saturating_mul(lane as u8);
        }
        let mut may_gap = [0; RESTRICTION];
        for (phase, lanes) in may_gap.iter_mut().enumerate() {
            let first = (RESTRICTION - phase) % RESTRICTION;
            *lanes = (first..LANES).step_by(RESTRICTION).fold(0, |lanes, lane| lanes | 1 << lane);
        }
        let steps = [1, 2, 4, 8, 16, 32].map(|step| splat(kernel.extend.saturating_mul(step)));
        Self { from_0: load(&from_0), steps, are_long: kernel.longest_gap() > 32, may_gap }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn table(&self, [low, high]: &[[u8; 16]; 2]) -> Table {
        // SAFETY: the arrays are as long as the registers.
        let (low, high) =
            unsafe { (_mm_loadu_si128(low.as_ptr().cast()), _mm_loadu_si128(high.as_ptr().cast())) };
        Table(_mm512_broadcast_i32x4(low), _mm512_broadcast_i32x4(high))
    }

    /// Scores against residues.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn scores(&self, table: &Table, residues: __m512i) -> __m512i {
        _mm512_or_si512(
            _mm512_shuffle_epi8(table.0, _mm512_add_epi8(residues, splat(0x70))),
            _mm512_shuffle_epi8(table.1, _mm512_sub_epi8(residues, splat(16))),
        )
    }

    #[inline]
    fn may_gap(&self, phase: usize) -> __mmask64 {
        self.may_gap[phase]
    }

    /// Best scores with a gap open along the row, from those of gaps that open in each lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn row_gaps(&self, mut gaps: __m512i) -> __m512i {
        let nothing = splat(0);
        let [one, two, four, eight, sixteen, thirty_two] = self.steps;
        gaps = max(gaps, subtract(_mm512_alignr_epi8::<15>(gaps, up_by_16(nothing, gaps)), one));
        gaps = max(gaps, subtract(_mm512_alignr_epi8::<14>(gaps, up_by_16(nothing, gaps)), two));
        gaps = max(gaps, subtract(_mm512_alignr_epi8::<12>(gaps, up_by_16(nothing, gaps)), four));
        gaps = max(gaps, subtract(_mm512_alignr_epi8::<8>(gaps, up_by_16(nothing, gaps)), eight));
        gaps = max(gaps, subtract(up_by_16(nothing, gaps), sixteen));
        if self.are_long {
            gaps = max(gaps, subtract(_mm512_alignr_epi64::<4>(gaps, nothing), thirty_two));
        }
        gaps
    }

    /// The same with a gap that comes into the first lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn go_on(&self, gaps: __m512i, incoming: u8) -> __m512i {
        max(gaps, subtract(splat(incoming), self.from_0))
    }
}

gapped_rows! { lanes: 64, register: __m512i, feature: "avx512f,avx512bw", narrow: 1, wide: 2 }
