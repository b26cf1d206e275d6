//! Substitution matrices for one pair of compositions, with scores 32 times finer than usual.

use super::counts::{CODES, CODES_ASCENDING, Composition, Frequencies, LETTERS, by_code};
use super::logarithm::ln;
use super::optimize::{PAIRS, Pairs};
use crate::scoring::{FORBIDDEN, PairFrequencies, ScoreDistribution, Scores};
use crate::sequence::alphabet::{ALPHABET_SIZE, C, O, STOP, U, X, encode};

/// How many times finer the scores are (`SCALING_FACTOR` of `core/blast_kappa.c`).
pub(super) const SCALE: i32 = 32;
/// λ may grow by this factor at most when a matrix is scaled (`LambdaRatioLowerBound`).
const LOWEST_LAMBDA_RATIO: f64 = 0.5;
/// Score with X at most (`composition_adjustment.c:s_CalcXScore`).
const HIGHEST_X: f64 = -1.0;

/// A value per pair of residue codes.
type Table = [[f64; ALPHABET_SIZE]; ALPHABET_SIZE];

/// Ambiguity codes with the two amino acids that each stands for: B, Z, J.
fn ambiguities() -> [(usize, [usize; 2]); 3] {
    let code = |letter| encode(letter).map_or(0, usize::from);
    [(b'B', b"DN"), (b'Z', b"EQ"), (b'J', b"IL")].map(|(letter, pair)| (code(letter), pair.map(code)))
}

/// What all adjusted matrices of a search have in common.
#[derive(Debug)]
pub(super) struct MatrixMaker {
    /// λ of the finer scores for standard compositions.
    lambda: f64,
    /// Logarithms of the frequency ratios; [`FORBIDDEN`] for the gap.
    ln_ratios: Table,
    /// The unadjusted scores.
    start: [[i32; ALPHABET_SIZE]; ALPHABET_SIZE],
}

impl MatrixMaker {
    /// For a matrix with these pair frequencies and this λ (per usual score unit).
    pub(super) fn new(frequencies: &PairFrequencies, lambda: f64) -> Self {
        let lambda = lambda / f64::from(SCALE);
        let mut ln_ratios = [[f64::from(FORBIDDEN); ALPHABET_SIZE]; ALPHABET_SIZE];
        let mut start = [[FORBIDDEN; ALPHABET_SIZE]; ALPHABET_SIZE];
        for a in 1..ALPHABET_SIZE {
            for b in 1..ALPHABET_SIZE {
                ln_ratios[a][b] = libm::log(frequencies.ratio(a, b));
                start[a][b] = nearest(ln_ratios[a][b] / lambda);
            }
        }
        Self { lambda, ln_ratios, start }
    }

    /// The matrix with target frequencies `x` of pairs, whose margins are `rows` and `columns`
    /// (`composition_adjustment.c:s_ScoresStdAlphabet`).
    pub(super) fn optimised(&self, x: &Pairs, rows: &Frequencies, columns: &Frequencies) -> Scores {
        let mut total = 0.0;
        for value in x {
            total += value;
        }
        let mut table = [[0.0; ALPHABET_SIZE]; ALPHABET_SIZE];
        for (row, &a) in x.chunks_exact(LETTERS).zip(CODES.iter()) {
            for (value, &b) in row.iter().zip(CODES.iter()) {
                table[a][b] = value / total;
            }
        }
        let (mut rows, mut columns) = (by_code(rows), by_code(columns));
        for (code, [first, second]) in ambiguities() {
            rows[code] = rows[first] + rows[second];
            columns[code] = columns[first] + columns[second];
            for &a in CODES.iter() {
                table[a][code] = table[a][first] + table[a][second];
            }
        }
        for (code, [first, second]) in ambiguities() {
            table[code] = std::array::from_fn(|b| table[first][b] + table[second][b]);
        }
        let mut scores = [[f64::from(FORBIDDEN); ALPHABET_SIZE]; ALPHABET_SIZE];
        for (a, frequencies) in table.iter().enumerate().filter(|&(a, _)| rows[a] > 0.0) {
            let ratios = std::array::from_fn(|b| {
                if columns[b] > 0.0 { frequencies[b] / (rows[a] * columns[b]) } else { 1.0 }
            });
            let ln_ratios: [f64; ALPHABET_SIZE] = ln(&ratios);
            for b in (0..ALPHABET_SIZE).filter(|&b| columns[b] > 0.0) {
                scores[a][b] = ln_ratios[b] / self.lambda;
            }
        }
        self.finished(scores, &rows, &columns)
    }

    /// The unadjusted matrix, scaled so that λ for this pair is what it is for standard
    /// compositions (`composition_adjustment.c:Blast_CompositionBasedStats`).
    pub(super) fn scaled(&self, query: &Composition, subject: &Composition) -> Scores {
        let (query, subject) = (by_code(&query.frequencies), by_code(&subject.frequencies));
        let ratio = self
            .lambda_for(&query, &subject)
            .map_or(LOWEST_LAMBDA_RATIO, |lambda| (lambda / self.lambda).clamp(LOWEST_LAMBDA_RATIO, 1.0));
        let lambda = self.lambda / ratio;
        let mut scores = self.ln_ratios;
        for value in scores[1..].iter_mut().flat_map(|row| &mut row[1..]) {
            *value /= lambda;
        }
        self.finished(scores, &query, &subject)
    }

    /// λ of the unadjusted matrix for a pair of compositions.
    fn lambda_for(&self, query: &[f64; ALPHABET_SIZE], subject: &[f64; ALPHABET_SIZE]) -> Option<f64> {
        let allowed = || {
            let scores = self.start.iter().flat_map(|row| CODES.iter().map(|&code| row[code]));
            scores.filter(|&score| score > FORBIDDEN)
        };
        let (low, high) = (allowed().min()?.min(0), allowed().max()?.max(0));
        let mut p = vec![0.0; (high - low + 1) as usize];
        for (row, query) in self.start.iter().zip(query).filter(|&(_, &frequency)| frequency > 0.0) {
            for &code in CODES_ASCENDING.iter() {
                p[(row[code] - low) as usize] += query * subject[code];
            }
        }
        ScoreDistribution::from_probabilities(low, p).lambda(self.lambda)
    }

    /// Adds the scores of X, U, O and `*`, and rounds.
    fn finished(
        &self,
        mut scores: Table,
        rows: &[f64; ALPHABET_SIZE],
        columns: &[f64; ALPHABET_SIZE],
    ) -> Scores {
        let [any, cysteine, stop] = [X, C, STOP].map(usize::from);
        let mean_of_row = |scores: &Table, a: usize| {
            CODES_ASCENDING.iter().fold(0.0, |sum, &b| sum + scores[a][b] * columns[b])
        };
        let mean_of_column = |scores: &Table, b: usize| {
            CODES_ASCENDING.iter().fold(0.0, |sum, &a| sum + scores[a][b] * rows[a])
        };
        let mut any_with_any = 0.0;
        for &code in CODES_ASCENDING.iter() {
            let mean = mean_of_row(&scores, code);
            any_with_any += mean * rows[code];
            let of_column = mean_of_column(&scores, code);
            scores[code][any] = f64::min(mean, HIGHEST_X);
            scores[any][code] = f64::min(of_column, HIGHEST_X);
        }
        scores[any][any] = f64::min(any_with_any, HIGHEST_X);
        for (code, _) in ambiguities() {
            let (of_row, of_column) = (mean_of_row(&scores, code), mean_of_column(&scores, code));
            scores[code][any] = f64::min(of_row, HIGHEST_X);
            scores[any][code] = f64::min(of_column, HIGHEST_X);
        }
        for (alias, code) in [(usize::from(U), cysteine), (usize::from(O), any)] {
            scores[alias] = scores[code];
            for row in &mut scores {
                row[alias] = row[code];
            }
        }
        let mut rounded = scores.map(|row| row.map(nearest));
        for (row, start) in rounded.iter_mut().zip(&self.start) {
            row[stop] = start[stop];
        }
        rounded[stop] = self.start[stop];
        Scores::new(&rounded)
    }
}

/// The joint probabilities of a matrix, row by row, with their margin (the table is symmetric).
pub(super) fn joint_probabilities(frequencies: &PairFrequencies) -> (Pairs, Frequencies) {
    let joint: [f64; PAIRS] = std::array::from_fn(|k| frequencies.joint(k / LETTERS, k % LETTERS));
    let margin = std::array::from_fn(|row| {
        joint[row * LETTERS..(row + 1) * LETTERS].iter().fold(0.0, |sum, value| sum + value)
    });
    (joint, margin)
}

/// The nearest integer, halves away from zero (`BLAST_Nint`).
fn nearest(value: f64) -> i32 {
    (value + if value >= 0.0 { 0.5 } else { -0.5 }) as i32
}
