//! Gapped X-drop scores in bytes, of alignments without their columns.
//!
//! All that an extension keeps lies within the drop-off of its best score, so that a byte holds it, if what all have
//! in common is taken off now and then; and nearly always it lies within 64 neighbouring diagonals.
//! [`Extender`](crate::engine::align::gapped::Extender) is the twin, to which the rest is left. A cell that it
//! drops has no influence on any cell that it keeps.

use super::processor::{Avx2, Avx512};
use super::trace::Extent;
use crate::scoring::{FORBIDDEN, GapCosts, Scores};
use crate::sequence::alphabet::ALPHABET_SIZE;

/// Restricted extensions open gaps only at offsets that are multiples of this.
pub(in crate::engine) const RESTRICTION: usize = 10;

/// Which gaps an extension may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Gaps {
    /// Gaps anywhere.
    Anywhere,
    /// Gaps that open at every tenth offset only: a cheaper first look.
    Restricted,
}

/// Reusable working memory of [`GappedKernel`]: the residues of the subject's side in the order in which they are read.
#[derive(Debug, Default)]
pub(in crate::engine) struct GappedLanes(#[cfg(target_arch = "x86_64")] Vec<u8>);

/// Codes that tables have room for.
const CODES: usize = 32;

/// What does the work.
#[derive(Clone, Copy, Debug)]
enum Instructions {
    Avx2(Avx2),
    Avx512(Avx512),
}

/// The scoring of a search, in bytes.
#[derive(Debug)]
pub(in crate::engine) struct GappedKernel {
    /// Scores of each query code against subject codes, plus `bias`: codes 0–15, then 16–31.
    pub(super) rows: [[[u8; 16]; 2]; CODES],
    /// What makes all scores positive.
    pub(super) bias: u8,
    /// Cost of a gap's first residue.
    pub(super) open: u8,
    /// Cost of each further residue of a gap.
    pub(super) extend: u8,
    /// Drop-off.
    pub(super) x: u8,
    /// The byte that stands for score 0: so large that what grows out of a dead cell in one row stays
    /// below the drop-off.
    pub(super) zero: u8,
    /// The byte up to which the best score may grow before something is taken off.
    pub(super) highest_to_go_on: u8,
    by: Instructions,
}

impl GappedKernel {
    /// A kernel for extensions with these scores, gap costs and drop-off (raw score units). `None`
    /// if the processor has neither AVX2 nor AVX-512 or the values do not fit bytes.
    pub(in crate::engine) fn new(scores: &Scores, gaps: GapCosts, x: i32) -> Option<Self> {
        let avx2 = || Avx2::used().map(Instructions::Avx2);
        Self::with(Avx512::used().map(Instructions::Avx512).or_else(avx2)?, scores, gaps, x)
    }

    fn with(by: Instructions, scores: &Scores, gaps: GapCosts, x: i32) -> Option<Self> {
        let codes = || 1..ALPHABET_SIZE as u8;
        let all = || codes().flat_map(|a| codes().map(move |b| scores.score(a, b)));
        let (lowest, highest) = (all().min()?, all().max()?);
        let x = x.max(gaps.of(1));
        let bias = u8::try_from(-lowest.min(0)).ok()?;
        let zero = u8::try_from(x + highest.max(0) + 1).ok()?;
        let mut rows = [[[0; 16]; 2]; CODES];
        for query in codes() {
            for subject in codes() {
                let score = scores.score(query, subject) + i32::from(bias);
                rows[query as usize][subject as usize / 16][subject as usize % 16] =
                    u8::try_from(score).ok()?;
            }
        }
        debug_assert!(lowest > FORBIDDEN, "a forbidden score does not fit a byte");
        // A row may exceed the best score so far by one pair, to which the bias is added.
        let highest_to_go_on = i32::from(u8::MAX) - highest.max(0) - i32::from(bias);
        let highest_to_go_on = u8::try_from(highest_to_go_on).ok().filter(|&most| most > zero)?;
        Some(Self {
            rows,
            bias,
            open: u8::try_from(gaps.of(1)).ok()?,
            extend: u8::try_from(gaps.extend).ok()?,
            x: u8::try_from(x).ok()?,
            zero,
            highest_to_go_on,
            by,
        })
    }

    /// Residues of the longest gap that may be kept.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn longest_gap(&self) -> usize {
        usize::from(self.x - self.open) / usize::from(self.extend).max(1) + 1
    }

    /// Score and extent of one side, which starts at the last residues (`LEFT`) or the first; `None` if bytes or
    /// the kernel's diagonals do not suffice.
    pub(in crate::engine) fn extend<const LEFT: bool, const RESTRICTED: bool>(
        &self,
        query: &[u8],
        subject: &[u8],
        lanes: &mut GappedLanes,
    ) -> Option<Extent> {
        if query.is_empty() || subject.is_empty() {
            return Some(Extent { score: 0, rows: 0, columns: 0 });
        }
        run::<LEFT, RESTRICTED>(self, query, subject, lanes)
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls code for a processor that is there")]
fn run<const LEFT: bool, const RESTRICTED: bool>(
    kernel: &GappedKernel,
    query: &[u8],
    subject: &[u8],
    lanes: &mut GappedLanes,
) -> Option<Extent> {
    match kernel.by {
        // SAFETY: there is AVX2, as the value proves.
        Instructions::Avx2(_) => unsafe {
            super::gapped_avx2::extend::<LEFT, RESTRICTED>(kernel, query, subject, &mut lanes.0)
        },
        // SAFETY: there are these parts of AVX-512, as the value proves.
        Instructions::Avx512(_) => unsafe {
            super::gapped_avx512::extend::<LEFT, RESTRICTED>(kernel, query, subject, &mut lanes.0)
        },
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn run<const LEFT: bool, const RESTRICTED: bool>(
    _: &GappedKernel,
    _: &[u8],
    _: &[u8],
    _: &mut GappedLanes,
) -> Option<Extent> {
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::relatives::relative;
    use super::*;
    use crate::engine::align::gapped::{Extender, Gapped, Workspace};
    use crate::scoring::{Matrix, MatrixName};

    /// All that this processor has.
    fn all_instructions() -> impl Iterator<Item = Instructions> {
        let avx2 = Avx2::here().map(Instructions::Avx2);
        avx2.into_iter().chain(Avx512::here().map(Instructions::Avx512))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]
        #[test]
        fn kernel_and_twin_agree(
            query in prop::collection::vec(1..28u8, 1..250),
            changes in prop::collection::vec((0..300usize, 0..40u8), 0..60),
            repeats in 1..4usize,
            start in (0.0..1.0f64, 0.0..1.0f64),
            name in prop::sample::select(MatrixName::ALL.to_vec()),
            (open, extend, x) in (1..15, 1..4, 1..90),
            gaps in prop::sample::select(vec![Gaps::Anywhere, Gaps::Restricted]),
        ) {
            let subject = relative(&query, &changes).repeat(repeats);
            let start = (
                (start.0 * query.len() as f64) as usize,
                ((start.0 * 0.9 + start.1 * 0.1) * subject.len() as f64) as usize,
            );
            let matrix = Matrix::new(name);
            let costs = GapCosts { open, extend };
            let twin = Extender { scores: matrix.scores(), bytes: None, wide: None, gaps: costs, x };
            let expected = twin.score(&query, &subject, start, gaps, &mut Workspace::default());
            for by in all_instructions() {
                let bytes = GappedKernel::with(by, matrix.scores(), costs, x);
                let kernel = Extender { bytes: bytes.as_ref(), ..twin };
                let found = kernel.score(&query, &subject, start, gaps, &mut Workspace::default());
                prop_assert_eq!(&found, &expected, "{:?}", by);
            }
        }
    }

    /// What is left to the twin would agree with it, whatever the kernel did.
    #[test]
    fn usual_extensions_are_not_left_to_the_twin() {
        let query: Vec<u8> = (0..900_u32).map(|i| (1 + (i * i * 7 + i / 3 * 5 + i) % 20) as u8).collect();
        let mut subject = query.clone();
        subject.splice(500..500, [5; 20]);
        subject.drain(100..120);
        let (costs, x) = (GapCosts { open: 11, extend: 1 }, 38);
        for by in all_instructions() {
            let kernel = GappedKernel::with(by, Matrix::blosum62().scores(), costs, x).expect("small values");
            let lanes = &mut GappedLanes::default();
            let extents = [
                kernel.extend::<true, false>(&query, &subject, lanes),
                kernel.extend::<false, false>(&query, &subject, lanes),
                kernel.extend::<false, true>(&query, &subject, lanes),
            ];
            for extent in extents {
                assert!(extent.is_some_and(|extent| extent.score > 300), "{by:?}: {extents:?}");
            }
        }
    }

    #[test]
    fn at_the_ends_of_sequences_nothing_is_left_to_extend() {
        let scores = Matrix::blosum62();
        let costs = GapCosts { open: 11, extend: 1 };
        let twin = Extender { scores: scores.scores(), bytes: None, wide: None, gaps: costs, x: 38 };
        for by in all_instructions() {
            let kernel = GappedKernel::with(by, scores.scores(), costs, 38);
            let kernel = Extender { bytes: kernel.as_ref(), ..twin };
            for start in [(0, 0), (0, 2), (2, 0), (2, 2)] {
                let score = |extender: &Extender<'_>| -> Gapped {
                    extender.score(&[1, 3, 4], &[1, 3, 4], start, Gaps::Anywhere, &mut Workspace::default())
                };
                assert_eq!(score(&kernel), score(&twin), "{by:?}: {start:?}");
            }
        }
    }

    #[test]
    fn the_default_scoring_fits_bytes_wherever_there_is_avx2() {
        let kernel = GappedKernel::new(Matrix::blosum62().scores(), GapCosts { open: 11, extend: 1 }, 38);
        assert_eq!(kernel.is_some(), Avx2::used().is_some());
    }
}
