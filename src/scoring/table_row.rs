//! Rows of NCBI's tables of statistical parameters, as reports print them.
//!
//! Source: `core/blast_stat.c`, array `blosum62_values` (λ, K, H, α, β, αv, σ of each pair of gap
//! costs; the first row is for alignments without gaps).

use super::karlin::KarlinParameters;

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
    /// BLOSUM62 without gaps.
    pub const BLOSUM62_UNGAPPED: Self = Self {
        karlin: KarlinParameters { lambda: 0.3176, k: 0.134, h: 0.4012 },
        a: 0.7916,
        beta: -3.2,
        alpha: 4.964_660,
        sigma: 4.964_660,
    };

    /// BLOSUM62 with gaps 11/1.
    pub const BLOSUM62_11_1: Self = Self {
        karlin: KarlinParameters { lambda: 0.267, k: 0.041, h: 0.14 },
        a: 1.9,
        beta: -30.0,
        alpha: 42.6028,
        sigma: 43.6362,
    };
}
