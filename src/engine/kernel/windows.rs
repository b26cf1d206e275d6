//! Best gapless scores of many pairs of windows at once.
//!
//! A window is a run of letters around a seed. All windows of one side are compared with all of the other:
//! 32 of one side lie in the lanes of a register, transposed, so that a column is compared with one letter
//! of the other side. Scores are kept less 128: the saturation of bytes is then the floor at 0 of local
//! scores, and the ceiling is 255.

use super::byte_scores::ByteScores;
use super::processor::Avx2;
use crate::scoring::Scores;

/// Letters of a window.
pub(in crate::engine) const WIDTH: usize = 64;
/// Those of them before the seed.
pub(in crate::engine) const BEFORE: usize = 28;
/// Windows in the lanes of a register.
pub(in crate::engine) const LANES: usize = 32;

/// Windows of one side: letters, and the positions in them around which the windows lie.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Windows<'a> {
    pub(in crate::engine) letters: &'a [u8],
    pub(in crate::engine) positions: &'a [u32],
}

impl<'a> Windows<'a> {
    /// The letters of a window.
    ///
    /// # Panics
    /// If there are not enough letters on both sides of the position.
    #[inline]
    pub(super) fn window(&self, position: u32) -> &'a [u8; WIDTH] {
        let start = position as usize - BEFORE;
        self.letters[start..].first_chunk().expect("letters are followed by padding")
    }
}

/// Two windows that score enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Found {
    /// Position of the window that lay in a lane.
    pub(in crate::engine) lane: u32,
    /// Position of the other one.
    pub(in crate::engine) other: u32,
    /// Best score of a run of pairs, 255 at most.
    pub(in crate::engine) score: u8,
}

/// Reusable working memory of comparisons.
#[derive(Debug, Default)]
pub(in crate::engine) struct WindowLanes {
    #[cfg(target_arch = "x86_64")]
    columns: super::windows_avx2::Columns,
}

/// Compares windows with windows.
#[derive(Debug)]
pub(in crate::engine) struct WindowKernel {
    scores: ByteScores,
    avx2: Option<Avx2>,
}

impl WindowKernel {
    pub(in crate::engine) fn new(scores: &Scores) -> Self {
        Self { scores: ByteScores::new(scores), avx2: Avx2::used() }
    }

    /// Adds to `found` all pairs of a window of `lanes` and one of `others` whose best score is at least
    /// `least`, which is at least 1.
    pub(in crate::engine) fn join(
        &self,
        lanes: Windows<'_>,
        others: Windows<'_>,
        least: u8,
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "the twin needs none"))]
        workspace: &mut WindowLanes,
        found: &mut Vec<Found>,
    ) {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = self.avx2 {
            return super::windows_avx2::join(
                avx2,
                &self.scores,
                lanes,
                others,
                least,
                &mut workspace.columns,
                found,
            );
        }
        for &lane in lanes.positions {
            for &other in others.positions {
                let score = best(&self.scores, lanes.window(lane), others.window(other));
                if score >= least {
                    found.push(Found { lane, other, score });
                }
            }
        }
    }
}

/// Best score of a run of pairs of two windows.
fn best(scores: &ByteScores, lane: &[u8; WIDTH], other: &[u8; WIDTH]) -> u8 {
    let (mut sum, mut best) = (i8::MIN, i8::MIN);
    for (&subject, &query) in lane.iter().zip(other) {
        sum = sum.saturating_add(scores.score(query, subject));
        best = best.max(sum);
    }
    best.wrapping_sub(i8::MIN) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::byte_scores::{PADDING, letter};
    use super::*;
    use crate::scoring::{Matrix, MatrixName};

    fn padded(codes: &[u8]) -> Vec<u8> {
        let padding = [PADDING; WIDTH];
        let letters = codes.iter().map(|&code| letter(code));
        padding.into_iter().chain(letters).chain(padding).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn kernel_and_twin_agree(
            query in prop::collection::vec(0..30u8, 1..150),
            changes in prop::collection::vec((0..150usize, 0..30u8), 0..40),
            lanes in prop::collection::vec(0..1_000u32, 0..100),
            others in prop::collection::vec(0..1_000u32, 0..20),
            name in prop::sample::select(MatrixName::ALL.to_vec()),
            least in 1..100u8,
        ) {
            let mut subject = query.clone();
            for (place, code) in changes {
                let place = place % subject.len();
                subject[place] = code;
            }
            let place = |position: u32| WIDTH as u32 + position % query.len() as u32;
            let lanes: Vec<u32> = lanes.into_iter().map(place).collect();
            let others: Vec<u32> = others.into_iter().map(place).collect();
            let (query, subject) = (padded(&query), padded(&subject));
            let found = |avx2| {
                let kernel = WindowKernel { scores: ByteScores::new(Matrix::new(name).scores()), avx2 };
                let mut found = Vec::new();
                let lanes = Windows { letters: &subject, positions: &lanes };
                kernel.join(lanes, Windows { letters: &query, positions: &others }, least, &mut WindowLanes::default(), &mut found);
                found.sort_unstable();
                found
            };
            if let Some(avx2) = Avx2::here() {
                prop_assert_eq!(found(Some(avx2)), found(None));
            }
        }
    }
}
