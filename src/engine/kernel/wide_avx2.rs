//! [`extend_wide`](super::wide::extend_wide) for processors with AVX2.
//!
//! A row is done in chunks of 16 columns, from left to right. Within a chunk, gaps along the row and
//! the best score so far, which decides what is dropped, are running maxima: four steps each.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::trace::{EXTENDS_COLUMN_GAP, EXTENDS_ROW_GAP, Extent, FROM_COLUMN_GAP, FROM_ROW_GAP, Trace};
use super::wide::{Extension, SplitRow};
use super::wide_row::{self, first_row, trace_first_row};
use crate::sequence::alphabet::ALPHABET_SIZE;

/// Columns of a chunk of a row.
const LANES: usize = 16;

/// What stands for code 0: a byte shuffle finds in the low byte what belongs to codes 0–15, and gives 0 for others; the
/// high byte finds nothing.
const CODE_0: u16 = 0x8070;

/// Columns of a row.
pub(super) type Chunk = wide_row::Chunk<LANES, CODE_0>;

#[inline]
#[target_feature(enable = "avx2")]
fn load(lanes: &[u16; LANES]) -> __m256i {
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(lanes: &mut [u16; LANES], value: __m256i) {
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(value: u16) -> __m256i {
    _mm256_set1_epi16(value as i16)
}

/// The same 16 bytes in both halves.
#[inline]
#[target_feature(enable = "avx2")]
fn both_halves(bytes: &[u8; 16]) -> __m256i {
    // SAFETY: the array is as long as the register.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

/// Moves lanes up by one; the last lane of `below` comes in.
#[inline]
#[target_feature(enable = "avx2")]
fn shift_in(below: __m256i, lanes: __m256i) -> __m256i {
    _mm256_alignr_epi8::<14>(lanes, _mm256_permute2x128_si256::<0x21>(below, lanes))
}

/// All ones in the lanes where `a ≥ b`.
#[inline]
#[target_feature(enable = "avx2")]
fn at_least(a: __m256i, b: __m256i) -> __m256i {
    _mm256_cmpeq_epi16(_mm256_max_epu16(a, b), a)
}

/// Two bits per lane.
#[inline]
#[target_feature(enable = "avx2")]
fn bits(lanes: __m256i) -> u32 {
    _mm256_movemask_epi8(lanes) as u32
}

#[inline]
#[target_feature(enable = "avx2")]
fn last(lanes: __m256i) -> u16 {
    _mm256_extract_epi16::<15>(lanes) as u16
}

/// The last lane of the lower half in all of the upper half; zeros below.
#[inline]
#[target_feature(enable = "avx2")]
fn middle_upwards(lanes: __m256i) -> __m256i {
    let lower = _mm256_permute2x128_si256::<0x08>(lanes, lanes);
    _mm256_shuffle_epi8(lower, _mm256_set1_epi16(0x0F0E))
}

/// Running maximum of the lanes up to each.
#[inline]
#[target_feature(enable = "avx2")]
fn running_maximum(lanes: __m256i) -> __m256i {
    let mut most = lanes;
    most = _mm256_max_epu16(most, _mm256_slli_si256::<2>(most));
    most = _mm256_max_epu16(most, _mm256_slli_si256::<4>(most));
    most = _mm256_max_epu16(most, _mm256_slli_si256::<8>(most));
    _mm256_max_epu16(most, middle_upwards(most))
}

/// Costs of extending gaps.
struct Ramp {
    /// By 1, 2 and 4 lanes.
    steps: [__m256i; 3],
    /// From the end of the half before a lane's own.
    from_half: __m256i,
    /// From the first lane.
    from_first: __m256i,
}

impl Ramp {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(extend: u16) -> Self {
        let (mut from_half, mut from_first) = ([0; LANES], [0; LANES]);
        for lane in 0..LANES {
            from_half[lane] = extend.saturating_mul(lane as u16 % 8 + 1);
            from_first[lane] = extend.saturating_mul(lane as u16);
        }
        let step = |residues| splat(extend.saturating_mul(residues));
        Self {
            steps: [step(1), step(2), step(4)],
            from_half: load(&from_half),
            from_first: load(&from_first),
        }
    }

    /// Best scores with a gap open along the row, from those of gaps that open in each lane, and of
    /// one that comes into the first.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn row_gaps(&self, opened: __m256i, incoming: u16) -> __m256i {
        let mut gaps = opened;
        gaps = _mm256_max_epu16(gaps, _mm256_subs_epu16(_mm256_slli_si256::<2>(gaps), self.steps[0]));
        gaps = _mm256_max_epu16(gaps, _mm256_subs_epu16(_mm256_slli_si256::<4>(gaps), self.steps[1]));
        gaps = _mm256_max_epu16(gaps, _mm256_subs_epu16(_mm256_slli_si256::<8>(gaps), self.steps[2]));
        gaps = _mm256_max_epu16(gaps, _mm256_subs_epu16(middle_upwards(gaps), self.from_half));
        _mm256_max_epu16(gaps, _mm256_subs_epu16(splat(incoming), self.from_first))
    }
}

/// A row of scores, as bytes that shuffles look up.
struct Pairs {
    low: [__m256i; 2],
    high: [__m256i; 2],
}

impl Pairs {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(row: &SplitRow) -> Self {
        Self {
            low: [both_halves(&row.low[0]), both_halves(&row.low[1])],
            high: [both_halves(&row.high[0]), both_halves(&row.high[1])],
        }
    }

    /// The scores of a chunk's residues.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn of(&self, residues: __m256i) -> __m256i {
        // Low bytes first: the high ones of these places find nothing. Then the other way round.
        let swapped = _mm256_or_si256(_mm256_slli_epi16::<8>(residues), _mm256_srli_epi16::<8>(residues));
        let turn = splat(0x80);
        let low = _mm256_or_si256(
            _mm256_shuffle_epi8(self.low[0], residues),
            _mm256_shuffle_epi8(self.low[1], _mm256_xor_si256(residues, turn)),
        );
        let high = _mm256_or_si256(
            _mm256_shuffle_epi8(self.high[0], swapped),
            _mm256_shuffle_epi8(self.high[1], _mm256_xor_si256(swapped, splat(0x8000))),
        );
        _mm256_or_si256(low, high)
    }
}

/// All ones in the first `count` lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn first(count: usize) -> __m256i {
    const ONES: [u16; 2 * LANES] = {
        let mut ones = [0; 2 * LANES];
        let mut lane = 0;
        while lane < LANES {
            ones[lane] = u16::MAX;
            lane += 1;
        }
        ones
    };
    let start = LANES - count.min(LANES);
    load(ONES[start..].first_chunk().expect("what starts in the first half is followed by another"))
}

/// Score and extent of one side; `None` if 16 bits do not hold it, a residue is unknown or residues meet that
/// must not be aligned.
#[target_feature(enable = "avx2")]
pub(super) fn extend<const LEFT: bool, const TRACE: bool>(
    extension: &Extension<'_>,
    query: &[u8],
    subject: &[u8],
    chunks: &mut Vec<Chunk>,
    trace: &mut Trace,
) -> Option<Extent> {
    let ramp = Ramp::new(extension.extend);
    let &Extension { scores, x, zero, ceiling, .. } = extension;
    let (bias, open, extend) = (splat(scores.bias), splat(extension.open), splat(extension.extend));
    let nothing = _mm256_setzero_si256();
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
        let pairs = Pairs::new(&scores.split[code]);
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
            let exists = first(columns - index * LANES);
            let old = load(&chunk.best);
            let diagonal = shift_in(old_below, old);
            let diagonal =
                _mm256_subs_epu16(_mm256_adds_epu16(diagonal, pairs.of(load(&chunk.residues))), bias);
            old_below = old;
            let gap = load(&chunk.gap);
            let upright = _mm256_and_si256(exists, _mm256_max_epu16(diagonal, gap));

            let opened = _mm256_subs_epu16(upright, open);
            let mut row_gap = nothing;
            let mut cell = upright;
            if bits(at_least(opened, threshold)) != 0 || incoming >= best - x {
                row_gap = ramp.row_gaps(shift_in(nothing, opened), incoming);
                cell = _mm256_and_si256(exists, _mm256_max_epu16(upright, row_gap));
            }

            let mut live = at_least(cell, threshold);
            if bits(at_least(splat(best), cell)) != u32::MAX {
                let so_far = _mm256_max_epu16(running_maximum(cell), splat(best));
                let before = shift_in(splat(best), so_far);
                live = at_least(cell, _mm256_subs_epu16(before, splat(x)));
                best = last(so_far);
                let lane = bits(_mm256_cmpeq_epi16(cell, splat(best))).trailing_zeros() / 2;
                end = Extent { score: 0, rows: row + 1, columns: index * LANES + lane as usize };
                if best > ceiling {
                    return None;
                }
                threshold = splat(best - x);
            }
            cell = _mm256_and_si256(live, cell);
            store(&mut chunk.best, cell);
            let opened = _mm256_subs_epu16(cell, open);
            let (longer_gap, longer_row_gap) =
                (_mm256_subs_epu16(gap, extend), _mm256_subs_epu16(row_gap, extend));
            store(&mut chunk.gap, _mm256_max_epu16(longer_gap, opened));
            incoming = last(_mm256_max_epu16(longer_row_gap, opened));
            if TRACE {
                let flag = |value: u8| splat(u16::from(value));
                let not_from_gap = at_least(diagonal, gap);
                let not_from_row_gap = at_least(upright, row_gap);
                let mut steps = _mm256_andnot_si256(not_from_gap, flag(FROM_COLUMN_GAP));
                steps = _mm256_blendv_epi8(flag(FROM_ROW_GAP), steps, not_from_row_gap);
                let extends = _mm256_and_si256(at_least(longer_gap, opened), flag(EXTENDS_COLUMN_GAP));
                let extends_row = _mm256_and_si256(at_least(longer_row_gap, opened), flag(EXTENDS_ROW_GAP));
                steps = _mm256_or_si256(steps, _mm256_or_si256(extends, extends_row));
                trace.push(&bytes(steps));
            }
            let live = bits(live);
            if live != 0 {
                first_live.get_or_insert(index);
                last_live = index * LANES + (LANES - 1 - live.leading_zeros() as usize / 2);
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

/// The low bytes of the lanes, which are small.
#[inline]
#[target_feature(enable = "avx2")]
fn bytes(lanes: __m256i) -> [u8; LANES] {
    let packed = _mm_packus_epi16(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256::<1>(lanes));
    let mut bytes = [0; LANES];
    // SAFETY: the array is as long as the register.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), packed) };
    bytes
}
