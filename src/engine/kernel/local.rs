//! Best local scores (Smith–Waterman) of a query and many subjects at once.
//!
//! Each subject has a lane of its own, so that no score depends on what lies beside it: the organisation of
//! Rognes, BMC Bioinformatics 12:221 (2011). There are bytes below the one that stands for 0, as many as a pair or
//! a gap may cost, so that nothing has to saturate: processors add and subtract faster without.

use super::byte_scores::{ByteScores, PADDING, letter};
use super::processor::{Avx2, Avx512};
use crate::scoring::{GapCosts, Scores};
use crate::sequence::alphabet::ALPHABET_SIZE;

/// Subjects that are compared at a time.
pub(in crate::engine) const LOCAL_LANES: usize = 64;

/// One letter of each subject.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Column(pub(super) [u8; LOCAL_LANES]);

/// Subjects side by side: what is the first letter of each, the second, and so on.
#[derive(Debug, Default)]
pub(in crate::engine) struct SubjectColumns {
    columns: Vec<Column>,
    /// Letters of each subject.
    lengths: Vec<usize>,
}

impl SubjectColumns {
    /// Lays down [`LOCAL_LANES`] subjects at most, given as residue codes.
    pub(in crate::engine) fn fill<'a>(&mut self, subjects: impl IntoIterator<Item = &'a [u8]>) {
        self.columns.clear();
        self.lengths.clear();
        for (lane, subject) in subjects.into_iter().take(LOCAL_LANES).enumerate() {
            if subject.len() > self.columns.len() {
                self.columns.resize(subject.len(), Column([PADDING; LOCAL_LANES]));
            }
            for (column, &code) in self.columns.iter_mut().zip(subject) {
                column.0[lane] = letter(code);
            }
            self.lengths.push(subject.len());
        }
    }

    /// The columns that any of some lanes has letters in.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn of(&self, lanes: std::ops::Range<usize>) -> &[Column] {
        let lengths = &self.lengths[lanes.start.min(self.lengths.len())..lanes.end.min(self.lengths.len())];
        &self.columns[..lengths.iter().copied().max().unwrap_or(0)]
    }
}

/// Reusable working memory of comparisons.
#[derive(Debug, Default)]
pub(in crate::engine) struct LocalLanes {
    #[cfg(target_arch = "x86_64")]
    avx2: super::local_avx2::Rows,
    #[cfg(target_arch = "x86_64")]
    avx512: super::local_avx512::Rows,
}

/// Most that a gap's first residue costs here: more than any score that is told apart, so that gaps which cost more
/// open nowhere.
const MOST_FIRST: i32 = 120;
/// Most that a further one costs here, which is more than in any table of statistics.
const MOST_FURTHER: i32 = 7;

/// The scoring of a search, in bytes.
#[derive(Debug)]
pub(super) struct LocalScoring {
    pub(super) scores: ByteScores,
    /// Cost of a gap's first residue.
    pub(super) first: i8,
    /// Cost of each further one.
    pub(super) further: i8,
    /// The byte that stands for score 0.
    pub(super) zero: i8,
    /// The score from which on scores are not told apart: no pair leads from below it beyond a byte.
    pub(super) ceiling: u8,
}

/// Works out best local scores.
#[derive(Debug)]
pub(in crate::engine) struct LocalKernel {
    scoring: LocalScoring,
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "the twin does the work"))]
    avx2: Option<Avx2>,
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "the twin does the work"))]
    avx512: Option<Avx512>,
}

impl LocalKernel {
    pub(in crate::engine) fn new(scores: &Scores, gaps: GapCosts) -> Self {
        Self::with(scores, gaps, (Avx2::used(), Avx512::used()))
    }

    fn with(scores: &Scores, gaps: GapCosts, (avx2, avx512): (Option<Avx2>, Option<Avx512>)) -> Self {
        let codes = || 1..ALPHABET_SIZE as u8;
        let all = || codes().flat_map(|a| codes().map(move |b| scores.score(a, b)));
        let (lowest, highest) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
        let (first, further) = (gaps.of(1).clamp(0, MOST_FIRST), gaps.extend.clamp(0, MOST_FURTHER));
        let below = (first + further).max(-lowest).clamp(0, i32::from(i8::MAX));
        let scoring = LocalScoring {
            scores: ByteScores::not_below(scores, -below as i8),
            first: first as i8,
            further: further as i8,
            zero: (i32::from(i8::MIN) + below) as i8,
            ceiling: (i32::from(u8::MAX) - below - highest.max(0)).max(0) as u8,
        };
        Self { scoring, avx2, avx512 }
    }

    /// The score from which on scores are not told apart.
    pub(in crate::engine) fn ceiling(&self) -> u8 {
        self.scoring.ceiling
    }

    /// The best score of a query, given as letters, with each subject, not above [`ceiling`](Self::ceiling).
    pub(in crate::engine) fn scores(
        &self,
        query: &[u8],
        subjects: &SubjectColumns,
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "the twin needs none"))]
        workspace: &mut LocalLanes,
    ) -> [u8; LOCAL_LANES] {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(avx512) = self.avx512 {
                let rows = &mut workspace.avx512;
                return super::local_avx512::scores(avx512, &self.scoring, query, subjects, rows);
            }
            if let Some(avx2) = self.avx2 {
                let rows = &mut workspace.avx2;
                return super::local_avx2::scores(avx2, &self.scoring, query, subjects, rows);
            }
        }
        let mut best = [0; LOCAL_LANES];
        for (lane, (best, &length)) in best.iter_mut().zip(&subjects.lengths).enumerate() {
            let subject = subjects.columns[..length].iter().map(|column| column.0[lane]);
            *best = self.score(query, subject);
        }
        best
    }

    /// The same for one subject.
    fn score(&self, query: &[u8], subject: impl Iterator<Item = u8>) -> u8 {
        let LocalScoring { scores, first, further, ceiling, .. } = &self.scoring;
        let (first, further) = (i32::from(*first), i32::from(*further));
        let mut rows = vec![(0, -first); query.len()];
        let mut best = 0;
        for residue in subject {
            let (mut diagonal, mut query_gap) = (0, -first);
            for (&letter, (score, subject_gap)) in query.iter().zip(&mut rows) {
                let pair = diagonal + i32::from(scores.score(letter, residue));
                diagonal = *score;
                *score = pair.max(*subject_gap).max(query_gap).max(0);
                best = best.max(*score);
                let opened = *score - first;
                *subject_gap = opened.max(*subject_gap - further);
                query_gap = opened.max(query_gap - further);
            }
        }
        best.min(i32::from(*ceiling)) as u8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::relatives::relative;
    use super::*;
    use crate::engine::align::smith_waterman::{Local, LocalWorkspace};
    use crate::engine::watch::{Watch, to_the_end};
    use crate::scoring::{Matrix, MatrixName};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn kernels_twin_and_the_textbook_agree(
            query in prop::collection::vec(1..28u8, 0..120),
            others in prop::collection::vec(prop::collection::vec((0..150usize, 0..40u8), 0..60), 0..=LOCAL_LANES),
            short in 0..150usize,
            name in prop::sample::select(MatrixName::ALL.to_vec()),
            (open, extend) in (0..15, 1..4),
        ) {
            let mut subjects: Vec<Vec<u8>> = others.iter().map(|changes| relative(&query, changes)).collect();
            if let Some(first) = subjects.first_mut() {
                first.truncate(short);
            }
            let matrix = Matrix::new(name);
            let gaps = GapCosts { open, extend };
            let letters: Vec<u8> = query.iter().map(|&code| letter(code)).collect();
            let mut columns = SubjectColumns::default();
            columns.fill(subjects.iter().map(Vec::as_slice));
            let scores = |kernels| {
                let kernel = LocalKernel::with(matrix.scores(), gaps, kernels);
                kernel.scores(&letters, &columns, &mut LocalLanes::default())
            };
            let expected = scores((None, None));
            let ceiling = LocalKernel::new(matrix.scores(), gaps).ceiling();
            prop_assert_eq!(scores((Avx2::here(), None)), expected);
            prop_assert_eq!(scores((Avx2::here(), Avx512::here())), expected);

            let local = Local { scores: matrix.scores(), gaps };
            let (mut workspace, watch) = (LocalWorkspace::default(), Watch::new(&to_the_end));
            for (subject, score) in subjects.iter().zip(expected) {
                workspace.taken.clear(query.len());
                let end = local.last_pair(&query, subject, (&mut workspace, &watch.lookout()));
                prop_assert_eq!(i32::from(score), end.score.min(i32::from(ceiling)));
            }
        }
    }
}
