//! Pairs of letters that are similar to a pair.

use crate::scoring::{Matrix, STANDARD};
use crate::sequence::alphabet::encode;

/// Standard residues.
pub(super) const LETTERS: usize = 20;
/// The residue code of a standard residue, from 0.
pub(super) fn code(place: usize) -> u8 {
    encode(STANDARD[place]).expect("standard residues have codes")
}

/// Pairs of them.
pub(super) const PAIRS: usize = LETTERS * LETTERS;
/// Room behind each list, so that it can be copied in steps of this.
pub(super) const STEP: usize = 8;

/// For every pair of standard residues all pairs, the most similar first.
#[derive(Debug)]
pub(super) struct SimilarPairs {
    /// Scores of single residues.
    single: [[i32; LETTERS]; LETTERS],
    lists: Vec<List>,
    /// Lowest score of any two pairs.
    lowest: i32,
}

#[derive(Debug)]
struct List {
    pairs: [u16; PAIRS + STEP],
    scores: [i16; PAIRS],
    /// How many pairs score at least [`SimilarPairs::lowest`] and so many more.
    counts: Vec<u16>,
}

impl SimilarPairs {
    pub(super) fn new(matrix: &Matrix) -> Self {
        let single: [[i32; LETTERS]; LETTERS] =
            std::array::from_fn(|a| std::array::from_fn(|b| matrix.score(code(a), code(b))));
        let all = || single.iter().flatten().copied();
        let lowest = 2 * all().min().unwrap_or(0);
        let highest = 2 * all().max().unwrap_or(0);
        let list = |pair: usize| {
            let score = |other: usize| {
                single[pair / LETTERS][other / LETTERS] + single[pair % LETTERS][other % LETTERS]
            };
            let mut order: Vec<usize> = (0..PAIRS).collect();
            order.sort_by_key(|&other| -score(other));
            let mut list = List { pairs: [0; PAIRS + STEP], scores: [0; PAIRS], counts: Vec::new() };
            for (place, &other) in order.iter().enumerate() {
                list.pairs[place] = other as u16;
                list.scores[place] = score(other) as i16;
            }
            let enough = |least: i32| order.iter().take_while(|&&other| score(other) >= least).count() as u16;
            list.counts = (lowest..=highest + 1).map(enough).collect();
            list
        };
        Self { single, lists: (0..PAIRS).map(list).collect(), lowest }
    }

    /// Score of two standard residues.
    pub(super) fn single(&self, a: usize, b: usize) -> i32 {
        self.single[a][b]
    }

    /// The pairs that score at least `least` with `pair`, best first, with their scores.
    #[inline]
    pub(super) fn of(&self, pair: u16, least: i32) -> (&[u16], &[i16]) {
        let list = &self.lists[usize::from(pair)];
        let count = list.count(least - self.lowest);
        (&list.pairs[..count], &list.scores[..count])
    }

    /// All pairs, the most similar first, and how many of them score at least `least`; what is behind the
    /// last has no meaning.
    #[inline]
    pub(super) fn list(&self, pair: u16, least: i32) -> (&[u16; PAIRS + STEP], usize) {
        let list = &self.lists[usize::from(pair)];
        (&list.pairs, list.count(least - self.lowest))
    }

    /// Highest score of any pair with this one.
    pub(super) fn best(&self, pair: u16) -> i32 {
        i32::from(self.lists[usize::from(pair)].scores[0])
    }
}

impl List {
    #[inline]
    fn count(&self, above: i32) -> usize {
        let place = usize::try_from(above).unwrap_or(0).min(self.counts.len() - 1);
        usize::from(self.counts[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_what_scores_enough() {
        let matrix = Matrix::blosum62();
        let similar = SimilarPairs::new(&matrix);
        for pair in [0_u16, 17, 210, 399] {
            for least in [-100, -8, -3, 0, 4, 9, 22, 23, 100] {
                let score = |other: u16| {
                    let (a, b) = (usize::from(pair), usize::from(other));
                    similar.single(a / LETTERS, b / LETTERS) + similar.single(a % LETTERS, b % LETTERS)
                };
                let (pairs, scores) = similar.of(pair, least);
                assert_eq!(pairs.len(), (0..PAIRS as u16).filter(|&other| score(other) >= least).count());
                for (&other, &found) in pairs.iter().zip(scores) {
                    assert_eq!(i32::from(found), score(other));
                }
                let (all, count) = similar.list(pair, least);
                assert_eq!(&all[..count], pairs);
            }
            assert_eq!(similar.best(pair), i32::from(similar.of(pair, -100).1[0]));
        }
    }
}
