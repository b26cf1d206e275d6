//! Local gapped scores in bands round diagonals, of many pairs at once.
//!
//! The pairs of a batch share rows, a stretch of one query; each lies in a lane of its own, with a diagonal
//! of its own. Scores are kept less 128, as those of [`windows`](super::windows).

use super::byte_scores::{ByteScores, PADDING};
use super::processor::Avx2;
use super::windows::LANES;
use crate::scoring::{GapCosts, Scores};

/// Diagonals of a band.
pub(in crate::engine) const BAND: usize = 32;
/// Most rows of a batch.
pub(in crate::engine) const ROWS: usize = 320;

/// A subject and the band in which it is compared.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Lane<'a> {
    /// Letters of the whole subject.
    pub(in crate::engine) subject: &'a [u8],
    /// Where in the subject the first row has its first column; may be outside.
    pub(in crate::engine) start: isize,
}

impl Lane<'_> {
    /// The letter in a column of the band.
    #[inline]
    fn letter(&self, column: usize) -> u8 {
        self.start
            .checked_add_unsigned(column)
            .and_then(|place| usize::try_from(place).ok())
            .and_then(|place| self.subject.get(place).copied())
            .unwrap_or(PADDING)
    }

    /// The letters of 16 columns.
    #[inline]
    pub(super) fn piece(&self, column: usize) -> [u8; 16] {
        let whole = usize::try_from(self.start + column as isize)
            .ok()
            .and_then(|start| self.subject.get(start..)?.first_chunk());
        whole.copied().unwrap_or_else(|| std::array::from_fn(|place| self.letter(column + place)))
    }
}

/// Scores pairs in bands.
#[derive(Debug)]
pub(in crate::engine) struct BandedKernel {
    pub(super) scores: ByteScores,
    /// Cost of a gap's first residue.
    pub(super) open: i8,
    /// Cost of each further residue of a gap.
    pub(super) extend: i8,
    avx2: Option<Avx2>,
}

impl BandedKernel {
    pub(in crate::engine) fn new(scores: &Scores, gaps: GapCosts) -> Self {
        let byte = |cost: i32| cost.clamp(0, i32::from(i8::MAX)) as i8;
        Self {
            scores: ByteScores::new(scores),
            open: byte(gaps.of(1)),
            extend: byte(gaps.extend),
            avx2: Avx2::used(),
        }
    }

    /// Best local score of each lane with the letters of `rows`, 255 at most. The lanes do not depend on one
    /// another.
    ///
    /// # Panics
    /// If there are more rows than [`ROWS`] or more lanes than [`LANES`].
    pub(in crate::engine) fn scores(&self, rows: &[u8], lanes: &[Lane<'_>]) -> [u8; LANES] {
        assert!(rows.len() <= ROWS && lanes.len() <= LANES, "rows and lanes fit a batch");
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = self.avx2 {
            return super::banded_avx2::scores(avx2, self, rows, lanes);
        }
        let mut best = [0; LANES];
        for (best, lane) in best.iter_mut().zip(lanes) {
            *best = self.score(rows, lane);
        }
        best
    }

    /// Best local score of a lane.
    fn score(&self, rows: &[u8], lane: &Lane<'_>) -> u8 {
        // The last row's best scores, and those with a gap in the query's direction, by diagonal.
        let (mut scores, mut gaps) = ([i8::MIN; BAND + 1], [i8::MIN; BAND + 1]);
        let mut best = i8::MIN;
        for (row, &query) in rows.iter().enumerate() {
            let mut row_gap = i8::MIN;
            for diagonal in 0..BAND {
                let pair = self.scores.score(query, lane.letter(row + diagonal));
                let gap = gaps[diagonal + 1];
                let score = scores[diagonal].saturating_add(pair).max(row_gap).max(gap);
                best = best.max(score);
                scores[diagonal] = score;
                let opened = score.saturating_sub(self.open);
                row_gap = row_gap.saturating_sub(self.extend).max(opened);
                gaps[diagonal] = gap.saturating_sub(self.extend).max(opened);
            }
        }
        best.wrapping_sub(i8::MIN) as u8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::byte_scores::letter;
    use super::super::relatives::relative;
    use super::*;
    use crate::scoring::{Matrix, MatrixName};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn kernel_and_twin_agree(
            query in prop::collection::vec(1..28u8, 1..ROWS),
            changes in prop::collection::vec((0..300usize, 0..40u8), 0..60),
            starts in prop::collection::vec(-400..400isize, 1..LANES + 1),
            name in prop::sample::select(MatrixName::ALL.to_vec()),
            (open, extend) in (0..200, 0..20),
        ) {
            let letters = |codes: &[u8]| codes.iter().map(|&code| letter(code)).collect::<Vec<u8>>();
            let subject = letters(&relative(&query, &changes));
            let lanes: Vec<Lane<'_>> =
                starts.iter().map(|&start| Lane { subject: &subject, start: start - BAND as isize / 2 }).collect();
            let scores = |avx2| {
                let costs = GapCosts { open, extend };
                let kernel = BandedKernel { avx2, ..BandedKernel::new(Matrix::new(name).scores(), costs) };
                kernel.scores(&letters(&query), &lanes)[..lanes.len()].to_vec()
            };
            if let Some(avx2) = Avx2::here() {
                prop_assert_eq!(scores(Some(avx2)), scores(None));
            }
        }
    }

    #[test]
    fn a_gap_costs_what_it_should() {
        let kernel = BandedKernel::new(Matrix::blosum62().scores(), GapCosts { open: 11, extend: 1 });
        let letters = |text: &str| -> Vec<u8> {
            text.bytes().map(|byte| letter(crate::sequence::alphabet::encode(byte).unwrap_or(0))).collect()
        };
        let (query, subject) = (letters("WWWWWWWWWW"), letters("WWWWWAAWWWWW"));
        let lane = Lane { subject: &subject, start: -(BAND as isize) / 2 };
        assert_eq!(kernel.scores(&query, &[lane])[0], 110 - 13);
    }
}
