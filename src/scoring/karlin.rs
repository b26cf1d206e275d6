//! Karlin–Altschul parameters of ungapped alignments, computed for one query.
//!
//! λ, K and H follow Karlin & Altschul, PNAS 87:2264 (1990), by the very iterations of NCBI's
//! toolkit (`core/blast_stat.c`: `Blast_KarlinLambdaNR`, `BlastKarlinLtoH`, `BlastKarlinLHtoK`):
//! the cutoffs derived from them are integers, so the path to a value matters as much as the value.

use super::matrix::Matrix;
use crate::sequence::alphabet::{ALPHABET_SIZE, O, X};

/// λ, K and H of a scoring system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KarlinParameters {
    /// Scale of the scores, per raw score unit.
    pub lambda: f64,
    /// Search-space constant.
    pub k: f64,
    /// Relative entropy, nats per aligned pair.
    pub h: f64,
}

/// Ungapped parameters of a query against the matrix's background.
///
/// `None` if they do not exist, as for a query of X only: such a query cannot be searched.
/// X and O are left out of the composition of the query; B, Z, J, U and `*` count.
pub fn ungapped_parameters(query: &[u8], matrix: &Matrix) -> Option<KarlinParameters> {
    let distribution = ScoreDistribution::of_query(query, matrix)?;
    let lambda = distribution.lambda(INITIAL_LAMBDA)?;
    let h = distribution.entropy(lambda);
    let k = distribution.k(lambda, h);
    Some(KarlinParameters { lambda, k, h })
}

/// Whether a query has [`ungapped_parameters`], which takes a hundredth of the time of computing them.
pub fn has_ungapped_parameters(query: &[u8], matrix: &Matrix) -> bool {
    ScoreDistribution::of_query(query, matrix).is_some_and(|distribution| distribution.has_lambda())
}

/// λ of the matrix for sequences of background composition, per raw score unit.
///
/// `None` for a matrix that is no scoring system, whose mean score is not negative.
pub fn ideal_lambda(matrix: &Matrix) -> Option<f64> {
    ScoreDistribution::new(matrix.background(), matrix)?.lambda(INITIAL_LAMBDA)
}

/// Where the search for λ starts (`BLAST_KARLIN_LAMBDA0_DEFAULT`).
const INITIAL_LAMBDA: f64 = 0.5;
/// Relative accuracy of λ (`BLAST_KARLIN_LAMBDA_ACCURACY_DEFAULT`).
const LAMBDA_ACCURACY: f64 = 1e-5;
/// Rounds that may use Newton steps or bisection (`BLAST_KARLIN_LAMBDA_ITER_DEFAULT`).
const LAMBDA_ROUNDS: usize = 20;
/// Convolutions summed for K at most (`BLAST_KARLIN_K_ITER_MAX`).
const K_ROUNDS: usize = 100;
/// Term of the series for K that is small enough to stop (`BLAST_KARLIN_K_SUMLIMIT_DEFAULT`).
const K_SUM_LIMIT: f64 = 1e-4;

/// Probability of each score of one aligned pair, from `low` to `low + p.len() - 1`.
#[derive(Debug)]
pub struct ScoreDistribution {
    low: i32,
    p: Vec<f64>,
}

impl ScoreDistribution {
    /// The distribution with probability `p[i]` for the score `low + i`.
    pub fn from_probabilities(low: i32, p: Vec<f64>) -> Self {
        Self { low, p }
    }

    /// The distribution of a query's residues against the matrix's background; `None` without residues
    /// that count.
    fn of_query(query: &[u8], matrix: &Matrix) -> Option<Self> {
        let mut counts = [0u64; ALPHABET_SIZE];
        for &residue in query {
            counts[residue as usize] += 1;
        }
        // blastp searches with X where the query has O.
        counts[X as usize] = 0;
        counts[O as usize] = 0;
        let total: u64 = counts.iter().sum();
        if total == 0 {
            return None;
        }
        Self::new(&counts.map(|count| count as f64 / total as f64), matrix)
    }

    fn new(query: &[f64; ALPHABET_SIZE], matrix: &Matrix) -> Option<Self> {
        let (floor, ceiling) = matrix.range();
        let mut p = vec![0.0; (ceiling - floor + 1) as usize];
        // A residue that does not occur adds nothing.
        for (code, frequency) in query.iter().enumerate().filter(|(_, frequency)| **frequency > 0.0) {
            for (subject, background) in matrix.background().iter().enumerate() {
                let score = matrix.score(code as u8, subject as u8);
                if score >= floor {
                    p[(score - floor) as usize] += frequency * background;
                }
            }
        }
        let first = p.iter().position(|&q| q > 0.0)?;
        let last = p.iter().rposition(|&q| q > 0.0)?;
        let observed = &p[first..=last];
        let total: f64 = observed.iter().filter(|&&q| q > 0.0).sum();
        Some(Self { low: floor + first as i32, p: observed.iter().map(|q| q / total).collect() })
    }

    fn high(&self) -> i32 {
        self.low + self.p.len() as i32 - 1
    }

    fn at(&self, score: i32) -> f64 {
        usize::try_from(score - self.low).ok().and_then(|i| self.p.get(i)).copied().unwrap_or(0.0)
    }

    fn mean(&self) -> f64 {
        self.p.iter().zip(self.low..).map(|(q, score)| f64::from(score) * q).sum()
    }

    /// Greatest common divisor of the scores that occur, the lowest included.
    fn step(&self) -> i32 {
        let mut divisor = -self.low;
        let mut above = 1;
        while above <= self.high() - self.low && divisor > 1 {
            if self.at(self.low + above) != 0.0 {
                divisor = gcd(divisor, above);
            }
            above += 1;
        }
        divisor
    }

    /// Whether there is a λ: the mean is negative and both signs occur.
    fn has_lambda(&self) -> bool {
        self.mean() < 0.0 && self.low < 0 && self.high() > 0
    }

    /// λ, the root of Σ p(s)·e^(λs) = 1 in x = e^(−λ), by Newton steps inside a shrinking bracket
    /// that begin with λ = `start`. `None` unless the mean is negative and both signs occur.
    pub fn lambda(&self, start: f64) -> Option<f64> {
        if !self.has_lambda() {
            return None;
        }
        let (low, high) = (self.low, self.high());
        let step = self.step();
        let mut x = libm::exp(-start);
        if !(0.0 < x && x < 1.0) {
            x = 0.5;
        }
        let (mut left, mut right) = (0.0, 1.0);
        let mut value = 4.0f64;
        let mut newton = false;
        for _ in 0..LAMBDA_ROUNDS {
            let previous = value;
            let was_newton = newton;
            newton = false;
            // Horner's scheme for the polynomial and its derivative.
            let mut slope = 0.0;
            value = self.at(low);
            let mut score = low + step;
            while score < 0 {
                slope = x * slope + value;
                value = value * x + self.at(score);
                score += step;
            }
            slope = x * slope + value;
            value = value * x + self.at(0) - 1.0;
            score = step;
            while score <= high {
                slope = x * slope + value;
                value = value * x + self.at(score);
                score += step;
            }
            if value > 0.0 {
                left = x;
            } else if value < 0.0 {
                right = x;
            } else {
                break;
            }
            if right - left < 2.0 * left * (1.0 - right) * LAMBDA_ACCURACY {
                x = (left + right) / 2.0;
                break;
            }
            // A Newton step only while they pay: the last one cut the value, the slope is usable.
            if (was_newton && value.abs() > 0.9 * previous.abs()) || slope >= 0.0 {
                x = (left + right) / 2.0;
                continue;
            }
            let change = -value / slope;
            let next = x + change;
            if next <= left || next >= right {
                x = (left + right) / 2.0;
            } else {
                newton = true;
                x = next;
                if change.abs() < LAMBDA_ACCURACY * x * (1.0 - x) {
                    break;
                }
            }
        }
        Some(-libm::log(x) / f64::from(step))
    }

    /// H = λ Σ s·p(s)·e^(λs).
    fn entropy(&self, lambda: f64) -> f64 {
        let decay = libm::exp(-lambda);
        let mut sum = f64::from(self.low) * self.at(self.low);
        for score in self.low + 1..=self.high() {
            sum = f64::from(score) * self.at(score) + decay * sum;
        }
        let scale = libm::pow(decay, f64::from(self.high()));
        if scale > 0.0 {
            lambda * sum / scale
        } else {
            lambda * libm::exp(lambda * f64::from(self.high()) + libm::log(sum))
        }
    }

    /// K by the Karlin–Altschul series, or in closed form where one step bounds the walk.
    fn k(&self, lambda: f64, h: f64) -> f64 {
        let step = self.step();
        let (low, high) = (self.low / step, self.high() / step);
        let lambda = lambda * f64::from(step);
        let p: Vec<f64> = (low..=high).map(|score| self.at(score * step)).collect();
        let ratio = h / lambda;
        let decay = libm::exp(-lambda);
        if low == -1 && high == 1 {
            let (down, up) = (p[0], p[p.len() - 1]);
            return (down - up) * (down - up) / down;
        }
        if low == -1 || high == 1 {
            let mean = self.mean() / f64::from(step);
            let first = if high == 1 { ratio } else { mean * mean / ratio };
            return first * (1.0 - decay);
        }
        let mut sums = vec![1.0];
        let mut lowest = 0;
        let mut total = 0.0;
        for round in 1..=K_ROUNDS {
            sums = convolve(&sums, &p);
            lowest += low;
            let term: f64 = sums
                .iter()
                .zip(lowest..)
                .map(|(q, score)| if score < 0 { q * libm::exp(lambda * f64::from(score)) } else { *q })
                .sum::<f64>()
                / round as f64;
            total += term;
            if term <= K_SUM_LIMIT {
                break;
            }
        }
        -libm::exp(-2.0 * total) / (ratio * libm::expm1(-lambda))
    }
}

fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate().filter(|(_, x)| **x != 0.0) {
        for (sum, y) in sums[i..].iter_mut().zip(b) {
            *sum += x * y;
        }
    }
    sums
}

fn gcd(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scoring::MatrixName;
    use crate::sequence::alphabet::encode;

    #[test]
    fn background_against_itself_gives_the_ideal_values_of_blosum62() {
        let matrix = Matrix::blosum62();
        let distribution = ScoreDistribution::new(matrix.background(), &matrix).expect("scores");
        let lambda = distribution.lambda(INITIAL_LAMBDA).expect("a negative mean");
        let h = distribution.entropy(lambda);
        // Printed by NCBI's toolkit for Robinson × Robinson.
        assert!((lambda - 0.317_605_957_6).abs() < 1e-9, "{lambda}");
        assert!((h - 0.401_214_524_5).abs() < 1e-9, "{h}");
        assert!((distribution.k(lambda, h) - 0.133_956_144_5).abs() < 1e-9);
    }

    #[test]
    fn a_query_without_information_has_no_parameters() {
        let matrix = Matrix::blosum62();
        let code = |letter| encode(letter).expect("a letter");
        assert_eq!(ungapped_parameters(&[code(b'X'); 80], &matrix), None);
        assert_eq!(ungapped_parameters(&[code(b'*'); 3], &matrix), None);
        assert_eq!(ungapped_parameters(&[], &matrix), None);
    }

    proptest! {
        /// Few kinds of residues, so that queries without parameters are among them.
        #[test]
        fn whether_there_are_parameters_is_told_without_computing_them(
            query in (1..ALPHABET_SIZE as u8).prop_flat_map(|kinds| prop::collection::vec(0..kinds, 0..6)),
        ) {
            for name in [MatrixName::Blosum62, MatrixName::Pam30, MatrixName::Identity] {
                let matrix = Matrix::new(name);
                prop_assert_eq!(has_ungapped_parameters(&query, &matrix), ungapped_parameters(&query, &matrix).is_some());
            }
        }
    }
}
