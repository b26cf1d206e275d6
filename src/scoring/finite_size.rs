//! E-values of gapped alignments with the finite-size correction.
//!
//! An alignment needs room: near the ends of a sequence it cannot grow. Spouge's correction (Park,
//! Sheetlin, Ma, Madden & Spouge, BMC Research Notes 5:286, 2012) replaces the product of the
//! sequence lengths by an area that shrinks with the score. NCBI:
//! `core/blast_stat.c:BLAST_SpougeStoE`, `BLAST_SpougeEtoS`, `Blast_GumbelBlkLoadFromTables`.

use super::erfc::erfc;
use super::gaps::GapCosts;
use super::karlin::KarlinParameters;
use super::length_adjustment::SearchSpace;
use super::matrix::MatrixName;
use super::plain::{karlin_cutoff, karlin_evalue};
use super::table_row::TableRow;

/// 1/√(2π) as the toolkit writes it.
const INVERSE_SQRT_2_PI: f64 = 0.398_942_280_401_432_7;

/// What E-values assume instead of sequences that end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlainSpace {
    /// A search space of this size, residue pairs; the lengths of sequences do not count.
    Stated(u64),
    /// The search space of a query in a database of this size.
    OfLengths {
        /// Number of sequences.
        sequences: u64,
        /// Number of residues.
        residues: u64,
        /// Parameters of gapped scores, in whole units.
        row: TableRow,
    },
}

impl PlainSpace {
    fn of(&self, query_length: u64) -> u64 {
        match self {
            Self::Stated(space) => *space,
            Self::OfLengths { sequences, residues, row } => {
                SearchSpace::new(query_length, *residues, *sequences, row).effective
            }
        }
    }
}

/// Statistics of gapped scores for one matrix and gap cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FiniteSize {
    gapped: KarlinParameters,
    a: f64,
    b: f64,
    alpha: f64,
    beta: f64,
    sigma: f64,
    tau: f64,
    /// What was asked for instead of the correction.
    space: Option<PlainSpace>,
}

impl FiniteSize {
    /// Parameters of a matrix and gap costs; `None` if there are none for these costs
    /// ([`MatrixName::gap_costs`]).
    pub fn new(matrix: MatrixName, gaps: GapCosts) -> Option<Self> {
        let (ungapped, row) = (TableRow::ungapped(matrix), TableRow::gapped(matrix, gaps)?);
        let gap = f64::from(gaps.of(1));
        Some(Self {
            gapped: row.karlin,
            a: row.a,
            b: 2.0 * gap * (ungapped.a - row.a),
            alpha: row.alpha,
            beta: 2.0 * gap * (ungapped.alpha - row.alpha),
            sigma: row.sigma,
            tau: 2.0 * gap * (ungapped.alpha - row.sigma),
            space: None,
        })
    }

    /// The same statistics in a plain space, if there is one, without the correction.
    pub fn in_space(self, space: Option<PlainSpace>) -> Self {
        Self { space, ..self }
    }

    /// The same statistics for scores in units that are `factor` times finer.
    pub fn scaled(&self, factor: i32) -> Self {
        let unit = 1.0 / f64::from(factor);
        let gapped = KarlinParameters { lambda: self.gapped.lambda * unit, ..self.gapped };
        let (a, alpha, sigma) = (self.a * unit, self.alpha * unit, self.sigma * unit);
        Self { gapped, a, alpha, sigma, ..*self }
    }

    /// Gapped λ, K and H.
    pub fn gapped(&self) -> &KarlinParameters {
        &self.gapped
    }

    /// Expected number of alignments of at least `score` (raw) between a query of `query_length`
    /// residues and a database of `database_residues`, for a hit in a subject of
    /// `subject_length` residues.
    pub fn evalue(&self, score: i32, query_length: u64, subject_length: u64, database_residues: i64) -> f64 {
        if let Some(space) = &self.space {
            return karlin_evalue(score, &self.gapped, space.of(query_length));
        }
        let lambda = self.gapped.lambda;
        let y = f64::from(score);
        let room = |length: f64| {
            let mean = length - (self.a * y + self.b);
            let variance = f64::max(2.0 * self.alpha / lambda, self.alpha * y + self.beta);
            let deviation = variance.sqrt();
            let standard = mean / deviation;
            let tail = erfc(-standard / std::f64::consts::SQRT_2) / 2.0;
            let density = INVERSE_SQRT_2_PI * libm::exp(-0.5 * standard * standard);
            (mean * tail + deviation * density, tail)
        };
        let subject_length = subject_length as f64;
        let (query_room, query_tail) = room(query_length as f64);
        let (subject_room, subject_tail) = room(subject_length);
        let covariance = f64::max(2.0 * self.sigma / lambda, self.sigma * y + self.tau);
        let area = query_room * subject_room + covariance * query_tail * subject_tail;
        area * self.gapped.k * libm::exp(-lambda * y) * (database_residues as f64 / subject_length)
    }

    /// The score just below the one whose E-value is `evalue` or less, at least 0.
    pub fn cutoff(&self, evalue: f64, query_length: u64, subject_length: u64, database_residues: i64) -> i32 {
        if let Some(space) = &self.space {
            return karlin_cutoff(evalue, &self.gapped, space.of(query_length));
        }
        let expected = |score| self.evalue(score, query_length, subject_length, database_residues);
        let guess = libm::log(database_residues as f64 / evalue) / self.gapped.lambda;
        let mut low = 0;
        let mut high = (guess as i32).max(2);
        while expected(high) > evalue {
            low = high;
            high = high.saturating_mul(2);
        }
        while high - low > 1 {
            let middle = (low + high) / 2;
            if expected(middle) > evalue {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blosum62() -> FiniteSize {
        let name = MatrixName::Blosum62;
        FiniteSize::new(name, name.default_gaps()).expect("the default gap costs have statistics")
    }

    /// Cutoff scores that blastp 2.12 used for a 361-residue query at 5 × E-value 10.
    #[test]
    fn cutoffs_equal_those_of_blastp() {
        let statistics = blosum62();
        let cutoffs: Vec<i32> =
            (5..=11).map(|power| statistics.cutoff(50.0, 361, 10, 10i64.pow(power))).collect();
        assert_eq!(cutoffs, [31, 39, 46, 53, 61, 68, 76]);
    }

    #[test]
    fn finer_units_change_no_evalue() {
        let (coarse, fine) = (blosum62(), blosum62().scaled(32));
        for score in [20, 55, 300] {
            let expected = coarse.evalue(score, 300, 200, 10_000_000);
            let evalue = fine.evalue(32 * score, 300, 200, 10_000_000);
            assert!((evalue / expected - 1.0).abs() < 1e-12, "{evalue} {expected}");
        }
    }

    #[test]
    fn evalues_fall_with_the_score_and_grow_with_the_database() {
        let statistics = blosum62();
        let mut previous = f64::INFINITY;
        for score in 20..400 {
            let evalue = statistics.evalue(score, 300, 200, 10_000_000);
            assert!(evalue < previous && evalue > 0.0);
            assert!(statistics.evalue(score, 300, 200, 20_000_000) > evalue);
            previous = evalue;
        }
    }
}
