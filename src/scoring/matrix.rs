//! Substitution matrices.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::gaps::GapCosts;
use super::tables::{self, Table};
use crate::sequence::alphabet::{ALPHABET_SIZE, encode};

/// The matrices of blastp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say all there is to say")]
pub enum MatrixName {
    Blosum45,
    Blosum50,
    #[default]
    Blosum62,
    Blosum80,
    Blosum90,
    Pam30,
    Pam70,
    Pam250,
    Identity,
}

impl MatrixName {
    /// All matrices.
    pub const ALL: [Self; 9] = [
        Self::Blosum45,
        Self::Blosum50,
        Self::Blosum62,
        Self::Blosum80,
        Self::Blosum90,
        Self::Pam30,
        Self::Pam70,
        Self::Pam250,
        Self::Identity,
    ];

    /// The name as blastp has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blosum45 => "BLOSUM45",
            Self::Blosum50 => "BLOSUM50",
            Self::Blosum62 => "BLOSUM62",
            Self::Blosum80 => "BLOSUM80",
            Self::Blosum90 => "BLOSUM90",
            Self::Pam30 => "PAM30",
            Self::Pam70 => "PAM70",
            Self::Pam250 => "PAM250",
            Self::Identity => "IDENTITY",
        }
    }

    pub(super) fn table(self) -> &'static Table {
        match self {
            Self::Blosum45 => &tables::BLOSUM45,
            Self::Blosum50 => &tables::BLOSUM50,
            Self::Blosum62 => &tables::BLOSUM62,
            Self::Blosum80 => &tables::BLOSUM80,
            Self::Blosum90 => &tables::BLOSUM90,
            Self::Pam30 => &tables::PAM30,
            Self::Pam70 => &tables::PAM70,
            Self::Pam250 => &tables::PAM250,
            Self::Identity => &tables::IDENTITY,
        }
    }

    /// Gap costs that are used if none are asked for.
    pub fn default_gaps(self) -> GapCosts {
        self.table().default_gaps
    }

    /// The gap costs that have statistics, and so can be used.
    pub fn gap_costs(self) -> impl Iterator<Item = GapCosts> {
        self.table().gapped.iter().map(|row| row.gaps)
    }

    /// Scale λ of ungapped alignments, as tabulated.
    pub fn ungapped_lambda(self) -> f64 {
        self.table().ungapped.lambda
    }
}

impl fmt::Display for MatrixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no matrix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no matrix {name:?}; the matrices are {}", MatrixName::ALL.map(MatrixName::as_str).join(", "))]
pub struct UnknownMatrix {
    name: String,
}

impl FromStr for MatrixName {
    type Err = UnknownMatrix;

    /// Reads a name in either case, as blastp does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|name| name.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| UnknownMatrix { name: text.chars().take(40).collect() })
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
    name: MatrixName,
    scores: Scores,
    background: [f64; ALPHABET_SIZE],
}

impl Matrix {
    /// The matrix of that name.
    pub fn new(name: MatrixName) -> Self {
        let mut background = [0.0; ALPHABET_SIZE];
        let total: f64 = sorted_by_code().iter().map(|(_, frequency)| frequency).sum();
        for (code, frequency) in sorted_by_code() {
            background[code] = frequency / total;
        }
        Self { name, scores: Scores::new(name.table().scores), background }
    }

    /// BLOSUM62, blastp's default.
    pub fn blosum62() -> Self {
        Self::new(MatrixName::Blosum62)
    }

    /// The matrix's name.
    pub fn name(&self) -> MatrixName {
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
        for name in MatrixName::ALL {
            let matrix = Matrix::new(name);
            let code = |letter| encode(letter).expect("a letter");
            assert_eq!(matrix.row(code(b'U')), matrix.row(code(b'C')), "{name}");
            assert_eq!(matrix.row(code(b'O')), matrix.row(code(b'X')), "{name}");
            assert_eq!(matrix.score(0, code(b'A')), tables::FORBIDDEN, "{name}");
        }
        assert_eq!(Matrix::blosum62().range(), (-4, 11));
    }

    #[test]
    fn matrices_are_symmetric_and_the_background_a_distribution() {
        for name in MatrixName::ALL {
            let matrix = Matrix::new(name);
            for a in 0..ALPHABET_SIZE as u8 {
                for b in 0..ALPHABET_SIZE as u8 {
                    assert_eq!(matrix.score(a, b), matrix.score(b, a), "{name}");
                }
            }
            let total: f64 = matrix.background().iter().sum();
            assert!((total - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn every_matrix_has_its_default_gap_costs_and_reads_back_by_name() {
        for name in MatrixName::ALL {
            assert!(name.gap_costs().any(|gaps| gaps == name.default_gaps()), "{name}");
            assert_eq!(name.as_str().to_lowercase().parse(), Ok(name));
        }
        assert!("BLOSUM61".parse::<MatrixName>().is_err());
    }
}
