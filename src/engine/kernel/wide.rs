//! Gapped X-drop extensions in 16 bits: 32 columns of a row at once, with the cells' origins.
//!
//! [`Extender`](crate::engine::align::gapped::Extender) is the twin. A cell that it drops has no influence on
//! any cell that it keeps: its scores, and those of gaps that go on through it, stay below what is
//! kept from then on. So it does not matter that they are computed differently here.

use super::trace::{Extent, Trace};
use crate::scoring::{FORBIDDEN, GapCosts, Scores};
use crate::sequence::alphabet::ALPHABET_SIZE;

/// Columns of a chunk of a row.
pub(super) const LANES: usize = 32;

/// 32 columns of the current row. Values are biased by [`Extension::zero`]; 0 is a dead cell.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Chunk {
    /// Best score ending in each column.
    pub(super) best: [u16; LANES],
    /// Best score with a gap in the subject open for the next row.
    pub(super) gap: [u16; LANES],
    /// The subject residue whose pair leads into each column.
    pub(super) residues: [u16; LANES],
}

/// Reusable working memory of wide extensions.
#[derive(Debug, Default)]
pub(in crate::engine) struct WideLanes {
    pub(super) chunks: Vec<Chunk>,
}

/// Scores as the kernel reads them.
#[derive(Debug)]
#[repr(align(64))]
pub(in crate::engine) struct WideScores {
    /// Scores of each query code against subject codes, plus `bias`.
    pub(super) rows: [[u16; LANES]; LANES],
    /// What makes all scores positive.
    pub(super) bias: u16,
    highest: u16,
}

impl WideScores {
    /// `None` if the processor lacks AVX-512 or the scores are too large.
    pub(in crate::engine) fn new(scores: &Scores) -> Option<Self> {
        if !available() {
            return None;
        }
        let codes = || 0..ALPHABET_SIZE as u8;
        let (mut lowest, mut highest) = (0, 0);
        for query in codes() {
            for subject in codes() {
                let score = scores.score(query, subject);
                highest = highest.max(score);
                if score > FORBIDDEN {
                    lowest = lowest.min(score);
                }
            }
        }
        // Pairs that must not be aligned become so bad that no extension goes on through one.
        let bias = u16::try_from(-lowest).ok().filter(|&bias| bias < 4_096)?;
        let highest = u16::try_from(highest).ok().filter(|&highest| highest < 4_096)?;
        let mut rows = [[0; LANES]; LANES];
        for query in codes() {
            for subject in codes() {
                let score = scores.score(query, subject);
                if score > FORBIDDEN {
                    rows[query as usize][subject as usize] = (score + i32::from(bias)) as u16;
                }
            }
        }
        Some(Self { rows, bias, highest })
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

/// Extends over both sides, from the first residues or (`LEFT`) from the last. `None` if 16 bits or
/// the processor cannot do it.
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
fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512bw")
}

#[cfg(not(target_arch = "x86_64"))]
fn available() -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls code for a processor with AVX-512")]
fn run<const LEFT: bool, const TRACE: bool>(
    extension: &Extension<'_>,
    query: &[u8],
    subject: &[u8],
    lanes: &mut WideLanes,
    trace: &mut Trace,
) -> Option<Extent> {
    // SAFETY: scores are only made where these parts of AVX-512 are available.
    unsafe { super::wide_avx512::extend::<LEFT, TRACE>(extension, query, subject, lanes, trace) }
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
            let twin = Extender { scores: &scores, wide: None, gaps, x: x * scale };
            if let Some(wide) = WideScores::new(&scores) {
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
        let Some(wide) = WideScores::new(&scores) else { return };
        let (gaps, residues) = (GapCosts { open: 352, extend: 32 }, [20; 400]);
        let run = |length: usize, x| {
            let pair = (&residues[..length], &residues[..length]);
            let (mut lanes, mut trace) = (WideLanes::default(), Trace::default());
            extend_wide::<false, false>(&wide, gaps, x, pair, &mut lanes, &mut trace)
        };
        // Tryptophan scores 11 with itself.
        let per_pair = 11 * 32;
        assert_eq!(run(150, 2_000).map(|extent| extent.score), Some(150 * scores.score(20, 20)));
        assert!(scores.score(20, 20) >= per_pair);
        assert_eq!(run(400, 2_000), None);
        assert_eq!(run(10, 20_000), None);
        assert!(WideScores::new(&scaled(Matrix::blosum62().scores(), 1_000)).is_none());
    }
}
