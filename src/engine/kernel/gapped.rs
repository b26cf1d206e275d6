//! Gapped X-drop scores in bytes: which alignments fall short of a cutoff.
//!
//! Nearly all preliminary gapped extensions score too little to be kept, and for these the score is
//! all that matters. Its values differ by less than a byte holds as long as it stays below the
//! cutoff, so that 32 columns of a row fit one AVX2 register. What reaches the cutoff is left to
//! [`Extender`](crate::engine::align::gapped::Extender), the twin, which also knows where it ends.

use super::processor::Avx2;
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

/// Columns of a chunk of a row.
pub(super) const LANES: usize = 32;

/// 32 columns of the current row. Values are biased by [`GappedKernel::zero`]; 0 is a dead cell.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Chunk {
    /// Best score ending in each column.
    pub(super) best: [u8; LANES],
    /// Best score with a gap in the subject open for the next row.
    pub(super) gap: [u8; LANES],
    /// The subject residue whose pair leads into each column.
    pub(super) residues: [u8; LANES],
    /// All ones where a gap in the subject may be open.
    pub(super) may_gap: [u8; LANES],
    /// All ones where there is a column, 0 beyond the end of the subject.
    pub(super) exists: [u8; LANES],
}

impl Chunk {
    /// Puts a live cell into a lane; a gap may open after it.
    pub(super) fn set(&mut self, lane: usize, score: u8, open: u8) {
        self.best[lane] = score;
        self.gap[lane] = score.saturating_sub(open);
    }
}

/// Reusable working memory of [`GappedKernel`].
#[derive(Debug, Default)]
pub(in crate::engine) struct GappedLanes {
    pub(super) chunks: Vec<Chunk>,
}

/// The scoring of a search, in bytes.
#[derive(Debug)]
pub(in crate::engine) struct GappedKernel {
    /// Scores of each query code against subject codes, plus `bias`: codes 0–15, then 16–31.
    pub(super) rows: [[[u8; 16]; 2]; LANES],
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
    /// Largest limit that bytes can decide.
    ceiling: i32,
    avx2: Avx2,
}

impl GappedKernel {
    /// A kernel for extensions with these scores, gap costs and drop-off (raw score units). `None`
    /// if the processor lacks AVX2 or the values do not fit bytes.
    pub(in crate::engine) fn new(scores: &Scores, gaps: GapCosts, x: i32) -> Option<Self> {
        Self::with(Avx2::used()?, scores, gaps, x)
    }

    fn with(avx2: Avx2, scores: &Scores, gaps: GapCosts, x: i32) -> Option<Self> {
        let codes = || 1..ALPHABET_SIZE as u8;
        let all = || codes().flat_map(|a| codes().map(move |b| scores.score(a, b)));
        let (lowest, highest) = (all().min()?, all().max()?);
        let x = x.max(gaps.of(1));
        let bias = u8::try_from(-lowest.min(0)).ok()?;
        let zero = u8::try_from(x + highest.max(0) + 1).ok()?;
        let mut rows = [[[0; 16]; 2]; LANES];
        for query in codes() {
            for subject in codes() {
                let score = scores.score(query, subject) + i32::from(bias);
                rows[query as usize][subject as usize / 16][subject as usize % 16] =
                    u8::try_from(score).ok()?;
            }
        }
        debug_assert!(lowest > FORBIDDEN, "a forbidden score does not fit a byte");
        // A row may exceed the best score so far by one pair, to which the bias is added.
        let ceiling = i32::from(u8::MAX) - i32::from(zero) - highest.max(0) - i32::from(bias);
        (ceiling > 0).then_some(())?;
        Some(Self {
            rows,
            bias,
            open: u8::try_from(gaps.of(1)).ok()?,
            extend: u8::try_from(gaps.extend).ok()?,
            x: u8::try_from(x).ok()?,
            zero,
            ceiling,
            avx2,
        })
    }

    /// Largest limit that can be decided.
    pub(in crate::engine) fn ceiling(&self) -> i32 {
        self.ceiling
    }

    /// Whether the score of the alignment through the pair `start` = (query, subject) position stays
    /// below `limit`. `false` also if bytes cannot tell.
    pub(in crate::engine) fn falls_short(
        &self,
        query: &[u8],
        subject: &[u8],
        start: (usize, usize),
        gaps: Gaps,
        limit: i32,
        lanes: &mut GappedLanes,
    ) -> bool {
        let (left_query, right_query) = query.split_at(start.0 + 1);
        let (left_subject, right_subject) = subject.split_at(start.1 + 1);
        let left = self.side::<true>(left_query, left_subject, gaps, limit, lanes);
        left.is_some_and(|left| {
            self.side::<false>(right_query, right_subject, gaps, limit - left, lanes).is_some()
        })
    }

    /// Score of one side, which starts at the last residues (`LEFT`) or the first; `None` if it
    /// reaches `limit` or bytes cannot tell.
    fn side<const LEFT: bool>(
        &self,
        query: &[u8],
        subject: &[u8],
        gaps: Gaps,
        limit: i32,
        lanes: &mut GappedLanes,
    ) -> Option<i32> {
        if limit > self.ceiling {
            return None;
        }
        if query.is_empty() || subject.is_empty() {
            return (limit > 0).then_some(0);
        }
        match gaps {
            Gaps::Anywhere => extend::<LEFT, false>(self, query, subject, limit, lanes),
            Gaps::Restricted => extend::<LEFT, true>(self, query, subject, limit, lanes),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls code for a processor with AVX2")]
fn extend<const LEFT: bool, const RESTRICTED: bool>(
    kernel: &GappedKernel,
    query: &[u8],
    subject: &[u8],
    limit: i32,
    lanes: &mut GappedLanes,
) -> Option<i32> {
    let _: Avx2 = kernel.avx2;
    // SAFETY: there is AVX2, as the kernel's field proves.
    unsafe { super::gapped_avx2::extend::<LEFT, RESTRICTED>(kernel, query, subject, limit, lanes) }
}

#[cfg(not(target_arch = "x86_64"))]
fn extend<const LEFT: bool, const RESTRICTED: bool>(
    _: &GappedKernel,
    _: &[u8],
    _: &[u8],
    _: i32,
    _: &mut GappedLanes,
) -> Option<i32> {
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::relatives::relative;
    use super::*;
    use crate::engine::align::gapped::{Extender, Workspace};
    use crate::scoring::{Matrix, MatrixName};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn kernel_and_twin_agree(
            query in prop::collection::vec(1..28u8, 1..250),
            changes in prop::collection::vec((0..300usize, 0..40u8), 0..60),
            start in (0.0..1.0f64, 0.0..1.0f64),
            name in prop::sample::select(MatrixName::ALL.to_vec()),
            (open, extend, x) in (1..15, 1..4, 1..70),
            limit in 1..120,
            gaps in prop::sample::select(vec![Gaps::Anywhere, Gaps::Restricted]),
        ) {
            let subject = relative(&query, &changes);
            let start = (
                (start.0 * query.len() as f64) as usize,
                ((start.0 * 0.9 + start.1 * 0.1) * subject.len() as f64) as usize,
            );
            let matrix = Matrix::new(name);
            let costs = GapCosts { open, extend };
            let twin = Extender { scores: matrix.scores(), wide: None, gaps: costs, x };
            let score = twin.score(&query, &subject, start, gaps, &mut Workspace::default()).score;
            if let Some(kernel) = GappedKernel::new(matrix.scores(), costs, x) {
                let short = kernel.falls_short(&query, &subject, start, gaps, limit, &mut GappedLanes::default());
                prop_assert_eq!(short, score < limit && limit <= kernel.ceiling, "score {}", score);
            }
        }
    }

    #[test]
    fn the_default_scoring_fits_bytes_wherever_there_is_avx2() {
        let kernel = GappedKernel::new(Matrix::blosum62().scores(), GapCosts { open: 11, extend: 1 }, 38);
        assert_eq!(kernel.is_some(), Avx2::used().is_some());
        assert!(kernel.is_none_or(|kernel| kernel.ceiling > 150));
    }
}
