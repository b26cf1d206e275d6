//! Substitution matrices and gap costs.

use super::tables;
use crate::sequence::alphabet::{ALPHABET_SIZE, encode};

/// Cost of a gap of k residues: `open + k * extend`, in raw score units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapCosts {
    /// Cost of there being a gap.
    pub open: i32,
    /// Cost of each residue in it.
    pub extend: i32,
}

impl GapCosts {
    /// Cost of a gap of `length` residues.
    pub fn of(self, length: i32) -> i32 {
        self.open + length * self.extend
    }
}

/// Width of a row of scores: the alphabet, rounded up so that a masked code is always inside.
const STRIDE: usize = 32;

/// Scores of query residue codes against subject residue codes; need not be symmetric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scores([[i32; STRIDE]; STRIDE]);

impl Scores {
    /// A table of these scores, a row per query code.
    pub fn new(scores: &[[i32; ALPHABET_SIZE]; ALPHABET_SIZE]) -> Self {
        let mut table = [[tables::FORBIDDEN; STRIDE]; STRIDE];
        for (row, source) in table.iter_mut().zip(scores) {
            row[..ALPHABET_SIZE].copy_from_slice(source);
        }
        Self(table)
    }

    /// Scores of one query residue code against every subject code.
    #[inline]
    pub fn row(&self, query: u8) -> Row<'_> {
        Row(&self.0[query as usize % STRIDE])
    }

    /// Score of a query residue code against a subject residue code.
    #[inline]
    pub fn score(&self, query: u8, subject: u8) -> i32 {
        self.row(query).score(subject)
    }
}

/// A substitution matrix over residue codes, with the background it was made for.
#[derive(Clone, Debug)]
pub struct Matrix {
    name: &'static str,
    scores: Scores,
    background: [f64; ALPHABET_SIZE],
}

impl Matrix {
    /// BLOSUM62, blastp's default.
    pub fn blosum62() -> Self {
        let mut background = [0.0; ALPHABET_SIZE];
        let total: f64 = sorted_by_code().iter().map(|(_, frequency)| frequency).sum();
        for (code, frequency) in sorted_by_code() {
            background[code] = frequency / total;
        }
        Self { name: "BLOSUM62", scores: Scores::new(&tables::BLOSUM62), background }
    }

    /// The matrix's usual name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The scores alone.
    pub fn scores(&self) -> &Scores {
        &self.scores
    }

    /// Scores of one query residue code against every subject code.
    #[inline]
    pub fn row(&self, query: u8) -> Row<'_> {
        self.scores.row(query)
    }

    /// Score of a query residue code against a subject residue code.
    #[inline]
    pub fn score(&self, query: u8, subject: u8) -> i32 {
        self.scores.score(query, subject)
    }

    /// Expected frequency of each residue code in proteins; sums to 1.
    pub fn background(&self) -> &[f64; ALPHABET_SIZE] {
        &self.background
    }

    /// Lowest and highest score of a pair that may be aligned.
    pub fn range(&self) -> (i32, i32) {
        let allowed = || self.scores.0.iter().flatten().copied().filter(|&s| s > tables::FORBIDDEN);
        (allowed().min().unwrap_or(0), allowed().max().unwrap_or(0))
    }
}

/// Scores of one query residue code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a>(&'a [i32; STRIDE]);

impl Row<'_> {
    /// Score against a subject residue code.
    #[inline]
    pub fn score(self, subject: u8) -> i32 {
        self.0[subject as usize % STRIDE]
    }
}

/// The background in code order, in which NCBI sums it (the order decides the last bit).
fn sorted_by_code() -> Vec<(usize, f64)> {
    let mut frequencies: Vec<(usize, f64)> = tables::ROBINSON
        .iter()
        .filter_map(|&(letter, frequency)| Some((usize::from(encode(letter)?), frequency)))
        .collect();
    frequencies.sort_by_key(|&(code, _)| code);
    frequencies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selenocysteine_scores_as_cysteine_and_pyrrolysine_as_any() {
        let matrix = Matrix::blosum62();
        let code = |letter| encode(letter).expect("a letter");
        assert_eq!(matrix.score(code(b'U'), code(b'C')), 9);
        assert_eq!(matrix.row(code(b'O')), matrix.row(code(b'X')));
        assert_eq!(matrix.score(code(b'*'), code(b'*')), 1);
        assert_eq!(matrix.score(0, code(b'A')), tables::FORBIDDEN);
        assert_eq!(matrix.range(), (-4, 11));
    }

    #[test]
    fn the_matrix_is_symmetric_and_the_background_a_distribution() {
        let matrix = Matrix::blosum62();
        for a in 0..ALPHABET_SIZE as u8 {
            for b in 0..ALPHABET_SIZE as u8 {
                assert_eq!(matrix.score(a, b), matrix.score(b, a));
            }
        }
        let total: f64 = matrix.background().iter().sum();
        assert!((total - 1.0).abs() < 1e-12);
    }
}
