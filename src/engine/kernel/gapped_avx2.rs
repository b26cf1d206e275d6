//! [`GappedKernel`](super::gapped::GappedKernel) for processors with AVX2.
//!
//! A row is done in chunks of 32 columns, from left to right. Within a chunk, gaps along the row and
//! the best score so far, which decides what is dropped, are running maxima: five steps each.

#![expect(unsafe_code, reason = "vector loads and stores")]

use std::arch::x86_64::*;

use super::gapped::{Chunk, GappedKernel, GappedLanes, LANES, RESTRICTION};

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; LANES]) -> __m256i {
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(bytes: &mut [u8; LANES], value: __m256i) {
    // SAFETY: the array is as long as the register.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), value) }
}

/// The same 16 bytes in both halves.
#[target_feature(enable = "avx2")]
fn both_halves(bytes: &[u8; 16]) -> __m256i {
    // SAFETY: the array is as long as the register.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
fn splat(byte: u8) -> __m256i {
    _mm256_set1_epi8(byte as i8)
}

/// Moves lanes up by one; the last lane of `below` comes in.
#[target_feature(enable = "avx2")]
fn shift_in(below: __m256i, lanes: __m256i) -> __m256i {
    _mm256_alignr_epi8::<15>(lanes, _mm256_permute2x128_si256::<0x21>(below, lanes))
}

/// One bit per lane: whether `a ≥ b`.
#[target_feature(enable = "avx2")]
fn at_least(a: __m256i, b: __m256i) -> __m256i {
    _mm256_cmpeq_epi8(_mm256_max_epu8(a, b), a)
}

#[target_feature(enable = "avx2")]
fn bits(lanes: __m256i) -> u32 {
    _mm256_movemask_epi8(lanes) as u32
}

/// The last lane.
#[target_feature(enable = "avx2")]
fn last(lanes: __m256i) -> u8 {
    _mm256_extract_epi8::<31>(lanes) as u8
}

/// The last byte of the lower half in all of the upper half; zeros below.
#[target_feature(enable = "avx2")]
fn middle_upwards(lanes: __m256i) -> __m256i {
    _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x08>(lanes, lanes), splat(15))
}

/// Running maximum of the lanes up to each.
#[target_feature(enable = "avx2")]
fn running_maximum(mut lanes: __m256i) -> __m256i {
    lanes = _mm256_max_epu8(lanes, _mm256_slli_si256::<1>(lanes));
    lanes = _mm256_max_epu8(lanes, _mm256_slli_si256::<2>(lanes));
    lanes = _mm256_max_epu8(lanes, _mm256_slli_si256::<4>(lanes));
    lanes = _mm256_max_epu8(lanes, _mm256_slli_si256::<8>(lanes));
    _mm256_max_epu8(lanes, middle_upwards(lanes))
}

/// What a gap costs that has been extended by each lane's number of residues, and by 1, 2, 4 and 8.
struct Ramp {
    from_0: __m256i,
    from_1_in_upper: __m256i,
    steps: [__m256i; 4],
}

impl Ramp {
    #[target_feature(enable = "avx2")]
    fn new(extend: u8) -> Self {
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

    /// Best scores with a gap open along the row, from those of gaps that open in each lane, and of
    /// one that comes into the first.
    #[target_feature(enable = "avx2")]
    fn run(&self, opened: __m256i, incoming: u8) -> __m256i {
        let mut gaps = opened;
        let [one, two, four, eight] = self.steps;
        gaps = _mm256_max_epu8(gaps, _mm256_subs_epu8(_mm256_slli_si256::<1>(gaps), one));
        gaps = _mm256_max_epu8(gaps, _mm256_subs_epu8(_mm256_slli_si256::<2>(gaps), two));
        gaps = _mm256_max_epu8(gaps, _mm256_subs_epu8(_mm256_slli_si256::<4>(gaps), four));
        gaps = _mm256_max_epu8(gaps, _mm256_subs_epu8(_mm256_slli_si256::<8>(gaps), eight));
        gaps = _mm256_max_epu8(gaps, _mm256_subs_epu8(middle_upwards(gaps), self.from_1_in_upper));
        _mm256_max_epu8(gaps, _mm256_subs_epu8(splat(incoming), self.from_0))
    }
}

/// The chunk of columns that starts at 32 × `index`, all cells dead. `None` if a residue is not one
/// of the alphabet's.
fn chunk<const LEFT: bool, const RESTRICTED: bool>(subject: &[u8], index: usize) -> Option<Chunk> {
    let none = [0; LANES];
    let mut chunk = Chunk { best: none, gap: none, residues: none, exists: none, may_gap: [u8::MAX; LANES] };
    if RESTRICTED {
        for (lane, may_gap) in chunk.may_gap.iter_mut().enumerate() {
            *may_gap = if (index * LANES + lane).is_multiple_of(RESTRICTION) { u8::MAX } else { 0 };
        }
    }
    // The pair of residue i leads from column i to column i + 1.
    let start = (index * LANES).saturating_sub(1);
    let skipped = usize::from(index == 0);
    let count = (LANES - skipped).min(subject.len() - start);
    let residues = &mut chunk.residues[skipped..skipped + count];
    if LEFT {
        let end = subject.len() - start;
        residues.iter_mut().zip(subject[..end].iter().rev()).for_each(|(to, from)| *to = *from);
    } else {
        residues.copy_from_slice(&subject[start..start + count]);
    }
    chunk.exists[..skipped + count].fill(u8::MAX);
    residues.iter().all(|&code| (1..28).contains(&code)).then_some(chunk)
}

/// Fills row 0, the origin and a gap along the row. Returns the last live column, or `None` if a
/// residue is unknown.
fn first_row<const LEFT: bool, const RESTRICTED: bool>(
    kernel: &GappedKernel,
    subject: &[u8],
    chunks: &mut Vec<Chunk>,
) -> Option<usize> {
    chunks.clear();
    let mut score = Some(kernel.zero);
    for column in 0..=subject.len() {
        let Some(live) = score.filter(|score| *score >= kernel.zero - kernel.x) else {
            return Some(column - 1);
        };
        if column % LANES == 0 {
            chunks.push(chunk::<LEFT, RESTRICTED>(subject, column / LANES)?);
        }
        chunks[column / LANES].set(column % LANES, live, kernel.open);
        score = live.checked_sub(if column == 0 { kernel.open } else { kernel.extend });
    }
    Some(subject.len())
}

/// Ends the first row of a restricted extension as the twin does: it goes on from the pair behind
/// the last column of row 0, `corner` with its score, as if a gap were open. Later rows end with a
/// dead cell, from which nothing goes on. Returns the last live column.
fn go_on_behind<const LEFT: bool>(
    kernel: &GappedKernel,
    subject: &[u8],
    corner: (usize, u8),
    query_code: u8,
    threshold: i32,
    chunks: &mut Vec<Chunk>,
) -> Option<usize> {
    let (mut last_live, score) = corner;
    if last_live == subject.len() {
        return Some(last_live);
    }
    let residue = subject[if LEFT { subject.len() - 1 - last_live } else { last_live }];
    let scores = kernel.rows[query_code as usize].get(residue as usize / 16)?;
    let pair = scores[residue as usize % 16];
    let mut score = i32::from(score) + i32::from(pair) - i32::from(kernel.bias);
    while last_live < subject.len() && score >= threshold {
        last_live += 1;
        if last_live / LANES == chunks.len() {
            chunks.push(chunk::<LEFT, true>(subject, chunks.len())?);
        }
        chunks[last_live / LANES].set(last_live % LANES, score as u8, kernel.open);
        score -= i32::from(kernel.extend);
    }
    Some(last_live)
}

/// Score of one side, which is below `limit`; `None` if it reaches that or a residue is unknown.
#[target_feature(enable = "avx2")]
pub(super) fn extend<const LEFT: bool, const RESTRICTED: bool>(
    kernel: &GappedKernel,
    query: &[u8],
    subject: &[u8],
    limit: i32,
    lanes: &mut GappedLanes,
) -> Option<i32> {
    let ramp = Ramp::new(kernel.extend);
    let (bias, open, extend) = (splat(kernel.bias), splat(kernel.open), splat(kernel.extend));
    let zero = i32::from(kernel.zero);
    let x = i32::from(kernel.x);
    let columns = subject.len() + 1;
    let chunks = &mut lanes.chunks;

    let mut best = zero;
    let initial = first_row::<LEFT, RESTRICTED>(kernel, subject, chunks)?;
    let mut last_live = initial;
    // The twin's first row ends where row 0 does: no pair leads on from there.
    let corner = std::mem::take(&mut chunks[last_live / LANES].best[last_live % LANES]);

    let mut first_chunk = 0;
    for row in 0..query.len() {
        let code = if LEFT { query[query.len() - 1 - row] } else { query[row] };
        if !(1..28).contains(&code) {
            return None;
        }
        let [low, high] = &kernel.rows[code as usize];
        let (low, high) = (both_halves(low), both_halves(high));
        let mut threshold = splat((best - x) as u8);
        let mut old_below = _mm256_setzero_si256();
        let mut incoming = 0;
        let mut first_live = None;
        let reach = last_live + 1;
        let row_gap_allowed = !RESTRICTED || (row + 1).is_multiple_of(RESTRICTION);
        let mut index = first_chunk;
        while index * LANES < columns && (index * LANES <= reach || i32::from(incoming) >= best - x) {
            if index == chunks.len() {
                chunks.push(chunk::<LEFT, RESTRICTED>(subject, index)?);
            }
            let chunk = &mut chunks[index];
            let residues = load(&chunk.residues);
            let scores = _mm256_or_si256(
                _mm256_shuffle_epi8(low, _mm256_add_epi8(residues, splat(0x70))),
                _mm256_shuffle_epi8(high, _mm256_sub_epi8(residues, splat(16))),
            );
            let old = load(&chunk.best);
            let diagonal = shift_in(old_below, old);
            old_below = old;
            let gap = load(&chunk.gap);
            let usable = if RESTRICTED { _mm256_and_si256(gap, load(&chunk.may_gap)) } else { gap };
            let mut cell = _mm256_subs_epu8(_mm256_adds_epu8(diagonal, scores), bias);
            cell = _mm256_and_si256(_mm256_max_epu8(cell, usable), load(&chunk.exists));

            let opened = _mm256_subs_epu8(cell, open);
            let mut row_gap = _mm256_setzero_si256();
            let opens = bits(at_least(opened, threshold)) != 0 || i32::from(incoming) >= best - x;
            if row_gap_allowed && opens {
                row_gap = ramp.run(shift_in(_mm256_setzero_si256(), opened), incoming);
                cell = _mm256_and_si256(_mm256_max_epu8(cell, row_gap), load(&chunk.exists));
            }

            let mut live = at_least(cell, threshold);
            let bar = splat(best as u8);
            if bits(at_least(bar, cell)) != u32::MAX {
                let so_far = _mm256_max_epu8(running_maximum(cell), bar);
                let before = shift_in(splat(best as u8), so_far);
                live = at_least(cell, _mm256_subs_epu8(before, splat(kernel.x)));
                best = i32::from(last(so_far));
                if best - zero >= limit {
                    return None;
                }
                threshold = splat((best - x) as u8);
            }
            cell = _mm256_and_si256(cell, live);
            store(&mut chunk.best, cell);
            let opened = _mm256_subs_epu8(cell, open);
            store(&mut chunk.gap, _mm256_max_epu8(_mm256_subs_epu8(gap, extend), opened));
            if row_gap_allowed {
                incoming = last(_mm256_max_epu8(_mm256_subs_epu8(row_gap, extend), opened));
            }
            let live = bits(live);
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
        if RESTRICTED && row == 0 && last_live == initial {
            let go_on = go_on_behind::<LEFT>;
            last_live = go_on(kernel, subject, (initial, corner), code, best - x, chunks)?;
        }
    }
    Some(best - zero)
}
