//! [`UngappedKernel`](super::ungapped::UngappedKernel) for processors with AVX-512 and its byte
//! permutations (VBMI).
//!
//! A register holds the 32 pairs to the left of the middle, nearest first, and then the 32 pairs to
//! the right.

#![expect(unsafe_code, reason = "vector loads")]

use std::arch::x86_64::*;
use std::hint::select_unpredictable;

use super::ungapped::{
    FAR_REACH, KernelQueries, KernelSubject, Outcome, REACH, SecondHit, Table, UngappedKernel,
};

const LANES: usize = 64;
/// The lanes of every other 128 bits.
const ODD_QUARTERS: __mmask64 = 0xFFFF_0000_FFFF_0000;
/// The lanes of the upper 256 bits.
const UPPER_HALF: __mmask64 = 0xFFFF_FFFF_0000_0000;
/// What selects the row in the place of a query residue.
const ROW: i8 = 0x60;

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load(bytes: &[u8; LANES]) -> __m512i {
    // SAFETY: the array is as long as the register.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Both halves of a table.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn halves(table: &Table) -> [__m512i; 2] {
    let start: *const i8 = table.0.as_ptr();
    // SAFETY: the array is as long as two registers.
    unsafe { [_mm512_loadu_si512(start.cast()), _mm512_loadu_si512(start.add(LANES).cast())] }
}

/// What does not change from hit to hit.
struct Constants {
    tables: [[__m512i; 2]; 7],
    /// Order of lanes that puts the lower half, then all, back to front.
    left_half: __m512i,
    left_all: __m512i,
    /// For each lane the last lane of the quarter before its own, if that is an odd one.
    quarter_ends: __m512i,
}

impl Constants {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn new(tables: &[Table; 7]) -> Self {
        let back_to_front = |lanes: usize| -> [u8; LANES] {
            std::array::from_fn(|lane| if lane < lanes { lanes - 1 - lane } else { lane } as u8)
        };
        Self {
            tables: [
                halves(&tables[0]),
                halves(&tables[1]),
                halves(&tables[2]),
                halves(&tables[3]),
                halves(&tables[4]),
                halves(&tables[5]),
                halves(&tables[6]),
            ],
            left_half: load(&back_to_front(REACH)),
            left_all: load(&back_to_front(LANES)),
            quarter_ends: _mm512_mask_blend_epi8(UPPER_HALF, _mm512_set1_epi8(15), _mm512_set1_epi8(47)),
        }
    }

    /// Scores of pairs, given the places of their query residues.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn scores(&self, places: &[u8; LANES], residues: &[u8; LANES]) -> __m512i {
        let places = load(places);
        // The row of the query residue, then the subject residue: (places & ROW) | residues.
        let within = _mm512_ternarylogic_epi32::<0xEA>(places, _mm512_set1_epi8(ROW), load(residues));
        let bit0 = _mm512_test_epi8_mask(places, _mm512_set1_epi8(1));
        let bit1 = _mm512_test_epi8_mask(places, _mm512_set1_epi8(2));
        let bit2 = _mm512_test_epi8_mask(places, _mm512_set1_epi8(4));
        let t01 = _mm512_mask_blend_epi8(bit0, self.looked_up::<0>(within), self.looked_up::<1>(within));
        let t23 = _mm512_mask_blend_epi8(bit0, self.looked_up::<2>(within), self.looked_up::<3>(within));
        let t45 = _mm512_mask_blend_epi8(bit0, self.looked_up::<4>(within), self.looked_up::<5>(within));
        let t0123 = _mm512_mask_blend_epi8(bit1, t01, t23);
        let t456 = _mm512_mask_blend_epi8(bit1, t45, self.looked_up::<6>(within));
        _mm512_mask_blend_epi8(bit2, t0123, t456)
    }

    /// What a table holds at these places.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn looked_up<const TABLE: usize>(&self, within: __m512i) -> __m512i {
        let [low, high] = self.tables[TABLE];
        _mm512_permutex2var_epi8(low, within, high)
    }

    /// Running sums in either half.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn sums(&self, mut lanes: __m512i) -> __m512i {
        lanes = _mm512_adds_epi8(lanes, _mm512_bslli_epi128::<1>(lanes));
        lanes = _mm512_adds_epi8(lanes, _mm512_bslli_epi128::<2>(lanes));
        lanes = _mm512_adds_epi8(lanes, _mm512_bslli_epi128::<4>(lanes));
        lanes = _mm512_adds_epi8(lanes, _mm512_bslli_epi128::<8>(lanes));
        _mm512_adds_epi8(lanes, _mm512_maskz_permutexvar_epi8(ODD_QUARTERS, self.quarter_ends, lanes))
    }

    /// Running sums over all lanes, from those in either half.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn joined_sums(&self, lanes: __m512i) -> __m512i {
        _mm512_adds_epi8(lanes, _mm512_maskz_permutexvar_epi8(UPPER_HALF, _mm512_set1_epi8(31), lanes))
    }

    /// Running maxima in either half; at least 0.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn maxima(&self, lanes: __m512i) -> __m512i {
        let mut lanes = _mm512_max_epi8(lanes, _mm512_bslli_epi128::<1>(lanes));
        lanes = _mm512_max_epi8(lanes, _mm512_bslli_epi128::<2>(lanes));
        lanes = _mm512_max_epi8(lanes, _mm512_bslli_epi128::<4>(lanes));
        lanes = _mm512_max_epi8(lanes, _mm512_bslli_epi128::<8>(lanes));
        lanes = _mm512_max_epi8(lanes, _mm512_maskz_permutexvar_epi8(ODD_QUARTERS, self.quarter_ends, lanes));
        _mm512_max_epi8(lanes, _mm512_setzero_si512())
    }

    /// Running maxima over all lanes, from those in either half.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn joined_maxima(&self, lanes: __m512i) -> __m512i {
        _mm512_max_epi8(lanes, _mm512_maskz_permutexvar_epi8(UPPER_HALF, _mm512_set1_epi8(31), lanes))
    }
}

/// Where sums are so far below their maxima that the extension is dropped.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn dropped(sums: __m512i, maxima: __m512i, drop_off: u8) -> __mmask64 {
    _mm512_cmpge_epi8_mask(_mm512_subs_epi8(maxima, sums), _mm512_set1_epi8(drop_off as i8))
}

/// Where sums to the right are so low that with the best sum to the left they are not positive.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn sunk(sums: __m512i, left: __m512i) -> __mmask64 {
    _mm512_cmple_epi8_mask(sums, _mm512_sub_epi8(_mm512_setzero_si512(), left))
}

/// Where maxima to the right are so high that with the best sum to the left they reach the limit.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn enough(maxima: __m512i, left: __m512i, limit: i8) -> __mmask64 {
    _mm512_cmpge_epi8_mask(maxima, _mm512_subs_epi8(_mm512_set1_epi8(limit), left))
}

/// The best sum to the left: in all lanes, its score, and how many pairs reach it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt")]
fn best_left(maxima: __m512i, end: u32, lanes: __mmask64) -> (__m512i, i8, u32) {
    let best = _mm512_permutexvar_epi8(_mm512_set1_epi8(end as i8), maxima);
    let score = _mm_cvtsi128_si32(_mm512_castsi512_si128(best)) as i8;
    let before = (_mm512_cmplt_epi8_mask(maxima, best) & lanes).count_ones();
    (best, score, before + u32::from(score > 0))
}

/// Residues of the best-scoring prefix of a word; the shortest of these, or 0.
#[inline]
fn best_prefix(kernel: &UngappedKernel, places: &[u8], residues: &[u8]) -> usize {
    let (mut sum, mut best, mut length) = (0, 0, 0);
    for (i, (&place, &residue)) in places.iter().zip(residues).enumerate() {
        sum += i32::from(kernel.score(place, residue));
        let is_better = sum > best;
        best = best.max(sum);
        length = select_unpredictable(is_better, i + 1, length);
    }
    length
}

/// A hit with what is read to extend it.
struct Extension<'a> {
    kernel: &'a UngappedKernel,
    hit: SecondHit,
    /// Where the two sides meet, from the first residue of the padded queries and subject.
    query_middle: usize,
    subject_middle: usize,
    /// Residues of the best prefix of the word.
    prefix: usize,
    drop_off: u8,
    limit: i8,
}

impl<'a> Extension<'a> {
    /// `None` if the hit lies outside.
    #[inline]
    fn new(
        kernel: &'a UngappedKernel,
        queries: &KernelQueries,
        subject: &KernelSubject,
        hit: SecondHit,
    ) -> Option<Self> {
        let (query_at, subject_at) = (hit.query_at as usize, hit.subject_at as usize);
        let places = queries.places.get(query_at + FAR_REACH..query_at + FAR_REACH + kernel.word)?;
        let residues = subject.0.get(subject_at + FAR_REACH..subject_at + FAR_REACH + kernel.word)?;
        let prefix = best_prefix(kernel, places, residues);
        Some(Self {
            kernel,
            hit,
            query_middle: query_at + FAR_REACH + prefix,
            subject_middle: subject_at + FAR_REACH + prefix,
            prefix,
            drop_off: *queries.drop_offs.get(query_at)?,
            limit: queries.limit,
        })
    }

    /// The lanes that start so many residues before the middle; `None` if these are not all there.
    #[inline]
    fn lanes<'b>(
        &self,
        queries: &'b KernelQueries,
        subject: &'b KernelSubject,
        before: usize,
    ) -> Option<[&'b [u8; LANES]; 2]> {
        Some([
            queries.places.get(self.query_middle - before..)?.first_chunk()?,
            subject.0.get(self.subject_middle - before..)?.first_chunk()?,
        ])
    }

    /// Whether an extension to the left of this length reaches the first hit.
    #[inline]
    fn reaches_first(&self, left_length: u32) -> bool {
        left_length + self.kernel.word as u32 >= self.prefix as u32 + self.hit.distance
    }

    /// The outcome of an extension that goes to the right for so many pairs.
    #[inline]
    fn covered(&self, right_end: u32) -> i32 {
        self.hit.subject_at as i32 + self.prefix as i32 + right_end as i32 + 1 - self.kernel.word as i32
    }

    /// Looks at the pairs near the middle. `None` if the extension goes on beyond these.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt,bmi1,bmi2")]
    fn near(&self, constants: &Constants, lanes: [&[u8; LANES]; 2]) -> Option<i32> {
        let scores = _mm512_permutexvar_epi8(constants.left_half, constants.scores(lanes[0], lanes[1]));
        let sums = constants.sums(scores);
        let maxima = constants.maxima(sums);
        let dropped = dropped(sums, maxima, self.drop_off);
        let left_end = (dropped as u32).trailing_zeros();
        let (left, left_score, left_length) = best_left(maxima, left_end, !UPPER_HALF);
        let reaches_first = self.reaches_first(left_length);
        let right_end = (((dropped | sunk(sums, left)) >> REACH) as u32).trailing_zeros();
        let enough = enough(maxima, left, self.limit) >> REACH >> right_end & 1 == 1;
        let is_kept = (left_score >= self.limit) | (reaches_first & enough);
        let goes_on = (left_end == REACH as u32) | (reaches_first & (right_end == REACH as u32));
        let known = select_unpredictable(reaches_first, self.covered(right_end), Outcome::NOTHING.0);
        (!goes_on).then_some(select_unpredictable(is_kept, Outcome::UNKNOWN.0, known))
    }

    /// Looks at more pairs, first to the left and then, if need be, to the right.
    #[cold]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt,bmi1,bmi2")]
    fn far(&self, constants: &Constants, left: [&[u8; LANES]; 2], right: [&[u8; LANES]; 2]) -> Outcome {
        let scores = _mm512_permutexvar_epi8(constants.left_all, constants.scores(left[0], left[1]));
        let sums = constants.joined_sums(constants.sums(scores));
        let maxima = constants.joined_maxima(constants.maxima(sums));
        let left_end = dropped(sums, maxima, self.drop_off).trailing_zeros();
        let (left, left_score, left_length) = best_left(maxima, left_end, u64::MAX);
        if left_end == FAR_REACH as u32 || left_score >= self.limit {
            return Outcome::UNKNOWN;
        }
        if !self.reaches_first(left_length) {
            return Outcome::NOTHING;
        }
        let sums = constants.joined_sums(constants.sums(constants.scores(right[0], right[1])));
        let maxima = constants.joined_maxima(constants.maxima(sums));
        let right_end = (dropped(sums, maxima, self.drop_off) | sunk(sums, left)).trailing_zeros();
        if right_end == FAR_REACH as u32 || enough(maxima, left, self.limit) >> right_end & 1 == 1 {
            return Outcome::UNKNOWN;
        }
        Outcome(self.covered(right_end))
    }
}

/// Appends an outcome for each hit.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt,bmi1,bmi2")]
pub(super) fn extend(
    kernel: &UngappedKernel,
    queries: &KernelQueries,
    subject: &KernelSubject,
    hits: &[SecondHit],
    outcomes: &mut Vec<Outcome>,
) {
    let constants = Constants::new(&kernel.tables);
    outcomes.reserve(hits.len());
    for &hit in hits {
        let outcome = outcome(&constants, kernel, queries, subject, hit);
        outcomes.push(outcome.unwrap_or(Outcome::UNKNOWN));
    }
}

/// The outcome of a hit; `None` if it lies outside.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,popcnt,bmi1,bmi2")]
fn outcome(
    constants: &Constants,
    kernel: &UngappedKernel,
    queries: &KernelQueries,
    subject: &KernelSubject,
    hit: SecondHit,
) -> Option<Outcome> {
    let extension = Extension::new(kernel, queries, subject, hit)?;
    if let Some(outcome) = extension.near(constants, extension.lanes(queries, subject, REACH)?) {
        return Some(Outcome(outcome));
    }
    let left = extension.lanes(queries, subject, FAR_REACH)?;
    Some(extension.far(constants, left, extension.lanes(queries, subject, 0)?))
}
