//! Scores and their meaning: the substitution matrix, gap costs, Karlin–Altschul parameters,
//! finite-size E-values, and the pair frequencies behind the matrices.

mod erfc;
mod finite_size;
mod frequencies;
mod gaps;
mod karlin;
mod length_adjustment;
mod matrix;
mod plain;
mod table_row;
mod tables;

pub use finite_size::{FiniteSize, PlainSpace};
pub use frequencies::{PairFrequencies, STANDARD};
pub use gaps::GapCosts;
pub use karlin::{
    KarlinParameters, ScoreDistribution, has_ungapped_parameters, ideal_lambda, ungapped_parameters,
};
pub use length_adjustment::SearchSpace;
pub use matrix::{Matrix, MatrixName, Row, Scores, UnknownMatrix};
pub use plain::{karlin_cutoff, karlin_evalue};
pub use table_row::TableRow;
pub use tables::FORBIDDEN;

/// Bit score of a raw score under gapped parameters: (λS − ln K) / ln 2.
pub fn bit_score(raw: i32, parameters: &KarlinParameters) -> f64 {
    (f64::from(raw) * parameters.lambda - libm::log(parameters.k)) / std::f64::consts::LN_2
}
