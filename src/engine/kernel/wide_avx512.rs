//! [`extend_wide`](super::wide::extend_wide) for processors with AVX-512.
//!
//! A row is done in chunks of 32 columns, from left to right. Within a chunk, gaps along the row and
//! the best score so far, which decides what is dropped, are running maxima: five steps each.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::trace::{EXTENDS_COLUMN_GAP, EXTENDS_ROW_GAP, Extent, FROM_COLUMN_GAP, FROM_ROW_GAP, Trace};
use super::wide::Extension;
use super::wide_row::{self, first_row, trace_first_row};
use crate::sequence::alphabet::ALPHABET_SIZE;

/// Columns of a chunk of a row.
const LANES: usize = 32;

/// Columns of a row; residues are their codes.
pub(super) type Chunk = wide_row::Chunk<LANES, 0>;

/// The lanes of every other 128 bits.
const ODD_QUARTERS: __mmask32 = 0xFF00_FF00;
/// The lanes of the upper 256 bits.
const UPPER_HALF: __mmask32 = 0xFFFF_0000;

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(lanes: &[u16; LANES]) -> __m512i {
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn store(lanes: &mut [u16; LANES], value: __m512i) {
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn splat(value: u16) -> __m512i {
    _mm512_set1_epi16(value as i16)
}

/// What does not change from chunk to chunk.
struct Constants {
    /// Order of lanes that moves these up by one, with the last lane of another register below.
    up_by_one: __m512i,
    /// For each lane the last lane of the quarter before its own, if that is an odd one.
    quarter_ends: __m512i,
    /// Costs of extending a gap by 1, 2 and 4 lanes.
    steps: [__m512i; 3],
    /// Costs of extending one from the end of the quarter, and of the half, before a lane's own.
    from_quarter: __m512i,
    from_half: __m512i,
    /// Costs of extending one from the first lane.
    from_first: __m512i,
}

impl Constants {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn new(extend: u16) -> Self {
        let mut up_by_one = [0; LANES];
        let mut from_quarter = [0; LANES];
        let mut from_half = [0; LANES];
        let mut from_first = [0; LANES];
        for lane in 0..LANES {
            up_by_one[lane] = (lane + 2 * LANES - 1) as u16 % (2 * LANES as u16);
            from_quarter[lane] = extend.saturating_mul(lane as u16 % 8 + 1);
            from_half[lane] = extend.saturating_mul(lane as u16 % 16 + 1);
            from_first[lane] = extend.saturating_mul(lane as u16);
        }
        Self {
            up_by_one: load(&up_by_one),
            quarter_ends: _mm512_mask_blend_epi16(UPPER_HALF, splat(7), splat(23)),
            steps: [splat(extend), splat(extend.saturating_mul(2)), splat(extend.saturating_mul(4))],
            from_quarter: load(&from_quarter),
            from_half: load(&from_half),
            from_first: load(&from_first),
        }
    }

    /// Moves lanes up by one; the last lane of `below` comes in.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn shift_in(&self, below: __m512i, lanes: __m512i) -> __m512i {
        _mm512_permutex2var_epi16(lanes, self.up_by_one, below)
    }

    /// Best scores with a gap open along the row, from those of gaps that open in each lane, and of
    /// one that comes into the first.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn row_gaps(&self, opened: __m512i, incoming: u16) -> __m512i {
        let mut gaps = opened;
        gaps = _mm512_max_epu16(gaps, _mm512_subs_epu16(_mm512_bslli_epi128::<2>(gaps), self.steps[0]));
        gaps = _mm512_max_epu16(gaps, _mm512_subs_epu16(_mm512_bslli_epi128::<4>(gaps), self.steps[1]));
        gaps = _mm512_max_epu16(gaps, _mm512_subs_epu16(_mm512_bslli_epi128::<8>(gaps), self.steps[2]));
        let quarters = _mm512_maskz_permutexvar_epi16(ODD_QUARTERS, self.quarter_ends, gaps);
        gaps = _mm512_max_epu16(gaps, _mm512_subs_epu16(quarters, self.from_quarter));
        let half = _mm512_maskz_permutexvar_epi16(UPPER_HALF, splat(15), gaps);
        gaps = _mm512_max_epu16(gaps, _mm512_subs_epu16(half, self.from_half));
        _mm512_max_epu16(gaps, _mm512_subs_epu16(splat(incoming), self.from_first))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn running_maximum(&self, lanes: __m512i) -> __m512i {
        let mut most = lanes;
        most = _mm512_max_epu16(most, _mm512_bslli_epi128::<2>(most));
        most = _mm512_max_epu16(most, _mm512_bslli_epi128::<4>(most));
        most = _mm512_max_epu16(most, _mm512_bslli_epi128::<8>(most));
        most = _mm512_max_epu16(most, _mm512_maskz_permutexvar_epi16(ODD_QUARTERS, self.quarter_ends, most));
        _mm512_max_epu16(most, _mm512_maskz_permutexvar_epi16(UPPER_HALF, splat(15), most))
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn last(lanes: __m512i) -> u16 {
    _mm_extract_epi16::<7>(_mm512_extracti32x4_epi32::<3>(lanes)) as u16
}

/// Score and extent of one side; `None` if 16 bits do not hold it, a residue is unknown or residues meet that
/// must not be aligned.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn extend<const LEFT: bool, const TRACE: bool>(
    extension: &Extension<'_>,
    query: &[u8],
    subject: &[u8],
    chunks: &mut Vec<Chunk>,
    trace: &mut Trace,
) -> Option<Extent> {
    let constants = Constants::new(extension.extend);
    let &Extension { scores, x, zero, ceiling, .. } = extension;
    let (bias, open, extend) = (splat(scores.bias), splat(extension.open), splat(extension.extend));
    let nothing = _mm512_setzero_si512();
    let columns = subject.len() + 1;

    let mut best = zero;
    let mut end = Extent { score: 0, rows: 0, columns: 0 };
    // The codes of all residues in the chunks.
    let mut codes = 0;
    let mut last_live = first_row::<LEFT, _, _>(extension, subject, chunks, &mut codes)?;
    if TRACE {
        trace_first_row(trace, last_live);
    }

    let mut first_chunk = 0;
    for row in 0..query.len() {
        let code = usize::from(if LEFT { query[query.len() - 1 - row] } else { query[row] });
        if code >= ALPHABET_SIZE || scores.forbidden[code] & codes != 0 {
            return None;
        }
        let pairs = load(&scores.rows[code]);
        let mut threshold = splat(best - x);
        let mut old_below = nothing;
        let mut incoming = 0;
        let mut first_live = None;
        let reach = last_live + 1;
        let mut index = first_chunk;
        if TRACE {
            trace.start_row(first_chunk * LANES);
        }
        while index * LANES < columns && (index * LANES <= reach || incoming >= best - x) {
            if index == chunks.len() {
                let (chunk, further) = Chunk::new::<LEFT>(subject, index)?;
                chunks.push(chunk);
                codes |= further;
                if scores.forbidden[code] & codes != 0 {
                    return None;
                }
            }
            let chunk = &mut chunks[index];
            let exists = u32::MAX >> LANES.saturating_sub(columns - index * LANES);
            let scores = _mm512_permutexvar_epi16(load(&chunk.residues), pairs);
            let old = load(&chunk.best);
            let diagonal = constants.shift_in(old_below, old);
            let diagonal = _mm512_subs_epu16(_mm512_adds_epu16(diagonal, scores), bias);
            old_below = old;
            let gap = load(&chunk.gap);
            let upright = _mm512_maskz_max_epu16(exists, diagonal, gap);

            let opened = _mm512_subs_epu16(upright, open);
            let mut row_gap = nothing;
            let mut cell = upright;
            if _mm512_cmpge_epu16_mask(opened, threshold) != 0 || incoming >= best - x {
                row_gap = constants.row_gaps(constants.shift_in(nothing, opened), incoming);
                cell = _mm512_maskz_max_epu16(exists, upright, row_gap);
            }

            let mut live = _mm512_cmpge_epu16_mask(cell, threshold);
            if _mm512_cmpgt_epu16_mask(cell, splat(best)) != 0 {
                let so_far = _mm512_max_epu16(constants.running_maximum(cell), splat(best));
                let before = constants.shift_in(splat(best), so_far);
                live = _mm512_cmpge_epu16_mask(cell, _mm512_subs_epu16(before, splat(x)));
                best = last(so_far);
                let lane = _mm512_cmpeq_epi16_mask(cell, splat(best)).trailing_zeros();
                end = Extent { score: 0, rows: row + 1, columns: index * LANES + lane as usize };
                if best > ceiling {
                    return None;
                }
                threshold = splat(best - x);
            }
            cell = _mm512_maskz_mov_epi16(live, cell);
            store(&mut chunk.best, cell);
            let opened = _mm512_subs_epu16(cell, open);
            let (longer_gap, longer_row_gap) =
                (_mm512_subs_epu16(gap, extend), _mm512_subs_epu16(row_gap, extend));
            store(&mut chunk.gap, _mm512_max_epu16(longer_gap, opened));
            incoming = last(_mm512_max_epu16(longer_row_gap, opened));
            if TRACE {
                let from_gap = _mm512_cmplt_epu16_mask(diagonal, gap);
                let from_row_gap = _mm512_cmplt_epu16_mask(upright, row_gap);
                let extends = _mm512_cmpge_epu16_mask(longer_gap, opened);
                let extends_row = _mm512_cmpge_epu16_mask(longer_row_gap, opened);
                let mut steps = _mm512_maskz_set1_epi16(from_gap, i16::from(FROM_COLUMN_GAP));
                steps = _mm512_mask_mov_epi16(steps, from_row_gap, splat(u16::from(FROM_ROW_GAP)));
                let column_flags = _mm512_maskz_set1_epi16(extends, i16::from(EXTENDS_COLUMN_GAP));
                let row_flags = _mm512_maskz_set1_epi16(extends_row, i16::from(EXTENDS_ROW_GAP));
                steps = _mm512_or_si512(steps, _mm512_or_si512(column_flags, row_flags));
                trace.push(&bytes(_mm512_cvtepi16_epi8(steps)));
            }
            if live != 0 {
                first_live.get_or_insert(index);
                last_live = index * LANES + (LANES - 1 - live.leading_zeros() as usize);
            }
            index += 1;
        }
        match first_live {
            Some(index) => first_chunk = index,
            None => break,
        }
    }
    end.score = i32::from(best - zero);
    Some(end)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn bytes(lanes: __m256i) -> [u8; LANES] {
    let mut bytes = [0; LANES];
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), lanes) };
    bytes
}
