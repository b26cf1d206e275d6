//! Rows of NCBI's tables of statistical parameters, as reports print them.
//!
//! Source: `core/blast_stat.c`, arrays `*_values` (λ, K, H, α, β, αv, σ of each pair of gap
//! costs; the first row is for alignments without gaps).

use super::gaps::GapCosts;
use super::karlin::KarlinParameters;
use super::matrix::MatrixName;
use super::tables::GappedRow;

/// What is tabulated for one matrix and one pair of gap costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableRow {
    /// λ, K and H.
    pub karlin: KarlinParameters,
    /// Slope of the expected length of an alignment over its score; reports call it `a`.
    pub a: f64,
    /// Offset of that length.
    pub beta: f64,
    /// Slope of the variance of that length; reports call it `alpha`.
    pub alpha: f64,
    /// Slope of the covariance of the lengths in query and subject.
    pub sigma: f64,
}

impl TableRow {
    /// The row of a matrix for alignments without gaps.
    pub fn ungapped(matrix: MatrixName) -> Self {
        Self::from(&matrix.table().ungapped)
    }

    /// The row of a matrix and gap costs; `None` if there is none for these costs
    /// ([`MatrixName::gap_costs`]).
    pub fn gapped(matrix: MatrixName, gaps: GapCosts) -> Option<Self> {
        matrix.table().gapped.iter().find(|row| row.gaps == gaps).map(Self::from)
    }
}

impl From<&GappedRow> for TableRow {
    fn from(row: &GappedRow) -> Self {
        Self {
            karlin: KarlinParameters { lambda: row.lambda, k: row.k, h: row.h },
            a: row.alpha,
            beta: row.beta,
            alpha: row.alpha_v,
            sigma: row.sigma,
        }
    }
}
