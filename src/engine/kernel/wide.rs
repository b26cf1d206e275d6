//! Gapped X-drop extensions in 16 bits: 16 or 32 columns of a row at once, with the cells' origins.
//!
//! [`Extender`](crate::engine::align::gapped::Extender) is the twin. A cell that it drops has no influence on
//! any cell that it keeps: its scores, and those of gaps that go on through it, stay below what is
//! kept from then on. So it does not matter that they are computed differently here.

use super::processor::{Avx2, Avx512};
use super::trace::{Extent, Trace};
use crate::scoring::{FORBIDDEN, GapCosts, Scores};
use crate::sequence::alphabet::ALPHABET_SIZE;

/// Reusable working memory of wide extensions.
#[derive(Debug, Default)]
pub(in crate::engine) struct WideLanes {
    #[cfg(target_arch = "x86_64")]
    chunks_of_16: Vec<super::wide_avx2::Chunk>,
    #[cfg(target_arch = "x86_64")]
    chunks_of_32: Vec<super::wide_avx512::Chunk>,
}

/// Codes that tables have room for.
const CODES: usize = 32;

/// Scores as the kernel reads them.
#[derive(Debug)]
#[repr(align(64))]
pub(in crate::engine) struct WideScores {
    /// Scores of each query code against subject codes, plus `bias`.
    pub(super) rows: [[u16; CODES]; CODES],
    /// The same, each score in two bytes.
    pub(super) split: [SplitRow; CODES],
    /// For each query code a bit for every subject code with which it must not be aligned.
    pub(super) forbidden: [u32; CODES],
    /// What makes all scores positive.
    pub(super) bias: u16,
    highest: u16,
    by: Instructions,
}

/// The two bytes of a row's scores: those for codes 0–15, then those for 16–31.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SplitRow {
    pub(super) low: [[u8; 16]; 2],
    pub(super) high: [[u8; 16]; 2],
}

/// What does the work.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instructions {
    Avx2(Avx2),
    Avx512(Avx512),
}

impl WideScores {
    /// `None` if the processor has neither AVX2 nor AVX-512 or the scores are too large.
    pub(in crate::engine) fn new(scores: &Scores) -> Option<Self> {
        let avx2 = || Avx2::used().map(Instructions::Avx2);
        Self::with(Avx512::used().map(Instructions::Avx512).or_else(avx2)?, scores)
    }

    fn with(by: Instructions, scores: &Scores) -> Option<Self> {
        let codes = || 0..ALPHABET_SIZE as u8;
        let (mut lowest, mut highest) = (0, 0);
        let mut forbidden = [0; CODES];
        for query in codes() {
            for subject in codes() {
                let score = scores.score(query, subject);
                highest = highest.max(score);
                if score > FORBIDDEN {
                    lowest = lowest.min(score);
                } else {
                    forbidden[query as usize] |= 1 << subject;
                }
            }
        }
        let bias = u16::try_from(-lowest).ok().filter(|&bias| bias < 4_096)?;
        let highest = u16::try_from(highest).ok().filter(|&highest| highest < 4_096)?;
        let mut rows = [[0; CODES]; CODES];
        let mut split = [SplitRow::default(); CODES];
        for query in codes() {
            for subject in codes() {
                let score = scores.score(query, subject);
                if score > FORBIDDEN {
                    let score = (score + i32::from(bias)) as u16;
                    let (half, place) = (subject as usize / 16, subject as usize % 16);
                    rows[query as usize][subject as usize] = score;
                    let [low, high] = score.to_le_bytes();
                    split[query as usize].low[half][place] = low;
                    split[query as usize].high[half][place] = high;
                }
            }
        }
        Some(Self { rows, split, forbidden, bias, highest, by })
    }
}

/// One extension, in the units of the lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extension<'a> {
    pub(super) scores: &'a WideScores,
    /// Cost of a gap's first residue.
    pub(super) open: u16,
    /// Cost of each further residue of a gap.
    pub(super) extend: u16,
    /// Drop-off.
    pub(super) x: u16,
    /// What stands for score 0: so large that what grows out of a dead cell stays below the drop-off,
    /// and that no gap which opens in a live cell is dead.
    pub(super) zero: u16,
    /// Best score, with its bias, that leaves room for another pair.
    pub(super) ceiling: u16,
}

/// Extends over both sides, from the first residues or (`LEFT`) from the last. `None` if 16 bits cannot do it,
/// or if residues meet that must not be aligned: how the twin drops what goes through such a pair does not
/// fit 16 bits.
pub(in crate::engine) fn extend_wide<const LEFT: bool, const TRACE: bool>(
    scores: &WideScores,
    gaps: GapCosts,
    x: i32,
    (query, subject): (&[u8], &[u8]),
    lanes: &mut WideLanes,
    trace: &mut Trace,
) -> Option<Extent> {
    let small = |value: i32| u16::try_from(value).ok().filter(|&value| value < 16_384);
    let (open, extend, x) = (small(gaps.of(1))?, small(gaps.extend)?, small(x)?);
    let zero = x + open + scores.highest + 1;
    let ceiling = u16::MAX - scores.highest - scores.bias;
    let extension = Extension { scores, open, extend, x, zero, ceiling };
    run::<LEFT, TRACE>(&extension, query, subject, lanes, trace)
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls code for a processor that is there")]
fn run<const LEFT: bool, const TRACE: bool>(
    extension: &Extension<'_>,
    query: &[u8],
    subject: &[u8],
    lanes: &mut WideLanes,
    trace: &mut Trace,
) -> Option<Extent> {
    match extension.scores.by {
        Instructions::Avx2(_) => {
            let chunks = &mut lanes.chunks_of_16;
            // SAFETY: there is AVX2, as the value proves.
            unsafe { super::wide_avx2::extend::<LEFT, TRACE>(extension, query, subject, chunks, trace) }
        }
        Instructions::Avx512(_) => {
            let chunks = &mut lanes.chunks_of_32;
            // SAFETY: there are these parts of AVX-512, as the value proves.
            unsafe { super::wide_avx512::extend::<LEFT, TRACE>(extension, query, subject, chunks, trace) }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn run<const LEFT: bool, const TRACE: bool>(
    _: &Extension<'_>,
    _: &[u8],
    _: &[u8],
    _: &mut WideLanes,
    _: &mut Trace,
) -> Option<Extent> {
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::gapped::Gaps;
    use super::super::relatives::relative;
    use super::*;
    use crate::engine::align::gapped::{Extender, Workspace};
    use crate::scoring::{Matrix, MatrixName};

    /// All that this processor has.
    fn all_instructions() -> impl Iterator<Item = Instructions> {
        let avx2 = Avx2::here().map(Instructions::Avx2);
        avx2.into_iter().chain(Avx512::here().map(Instructions::Avx512))
    }

    /// A matrix in finer units, as those of adjusted compositions are.
    fn scaled(scores: &Scores, by: i32) -> Scores {
        let mut table = [[FORBIDDEN; ALPHABET_SIZE]; ALPHABET_SIZE];
        for (query, row) in (0..).zip(&mut table) {
            for (subject, score) in (0..).zip(row) {
                let plain = scores.score(query, subject);
                if plain > FORBIDDEN {
                    // Not all multiples, so that fewer scores are equal.
                    *score = plain * by + i32::from((query ^ subject) % 3) * (by / 8);
                }
            }
        }
        Scores::new(&table)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn kernel_and_twin_agree(
            query in prop::collection::vec(1..28u8, 1..250),
            changes in prop::collection::vec((0..300usize, 0..40u8), 0..60),
            start in (0.0..1.0f64, 0.0..1.0f64),
            name in prop::sample::select(MatrixName::ALL.to_vec()),
            (open, extend, x) in (0..15, 1..4, 1..70),
            scale in prop::sample::select(vec![1, 1, 8, 32]),
        ) {
            let subject = relative(&query, &changes);
            let start = (
                (start.0 * query.len() as f64) as usize,
                ((start.0 * 0.9 + start.1 * 0.1) * subject.len() as f64) as usize,
            );
            let scores = scaled(Matrix::new(name).scores(), scale);
            let gaps = GapCosts { open: open * scale, extend: extend * scale };
            let twin = Extender { scores: &scores, bytes: None, wide: None, gaps, x: x * scale };
            for by in all_instructions() {
                let wide = WideScores::with(by, &scores).expect("the scores are small");
                let kernel = Extender { wide: Some(&wide), ..twin };
                let (mut ours, mut theirs) = (Workspace::default(), Workspace::default());
                prop_assert_eq!(
                    kernel.score(&query, &subject, start, Gaps::Anywhere, &mut ours),
                    twin.score(&query, &subject, start, Gaps::Anywhere, &mut theirs)
                );
                prop_assert_eq!(
                    kernel.align(&query, &subject, start, &mut ours),
                    twin.align(&query, &subject, start, &mut theirs)
                );
            }
        }
    }

    #[test]
    fn what_16_bits_do_not_hold_is_left_to_the_twin() {
        let scores = scaled(Matrix::blosum62().scores(), 32);
        assert!(WideScores::new(&scaled(Matrix::blosum62().scores(), 1_000)).is_none());
        for by in all_instructions() {
            let wide = WideScores::with(by, &scores).expect("the scores are small");
            is_left_to_the_twin(&wide, &scores);
        }
    }

    fn is_left_to_the_twin(wide: &WideScores, scores: &Scores) {
        let (gaps, residues) = (GapCosts { open: 352, extend: 32 }, [20; 400]);
        let run = |length: usize, x| {
            let pair = (&residues[..length], &residues[..length]);
            let (mut lanes, mut trace) = (WideLanes::default(), Trace::default());
            extend_wide::<false, false>(wide, gaps, x, pair, &mut lanes, &mut trace)
        };
        // Tryptophan scores 11 with itself.
        let per_pair = 11 * 32;
        assert_eq!(run(150, 2_000).map(|extent| extent.score), Some(150 * scores.score(20, 20)));
        assert!(scores.score(20, 20) >= per_pair);
        assert_eq!(run(400, 2_000), None);
        assert_eq!(run(10, 20_000), None);
    }

    #[test]
    fn what_must_not_be_aligned_is_left_to_the_twin() {
        let residues = [20; 60];
        let mut with_gap = residues;
        with_gap[17] = 0;
        let gaps = GapCosts { open: 11, extend: 1 };
        for by in all_instructions() {
            let wide = WideScores::with(by, Matrix::blosum62().scores()).expect("the scores are small");
            let run = |query: &[u8], subject: &[u8]| {
                let (mut lanes, mut trace) = (WideLanes::default(), Trace::default());
                let right =
                    extend_wide::<false, false>(&wide, gaps, 65, (query, subject), &mut lanes, &mut trace);
                let left =
                    extend_wide::<true, false>(&wide, gaps, 65, (query, subject), &mut lanes, &mut trace);
                (right.is_some(), left.is_some())
            };
            assert_eq!(run(&residues, &residues), (true, true));
            assert_eq!(run(&residues, &with_gap), (false, false));
            assert_eq!(run(&with_gap, &residues), (false, false));
        }
    }
}
