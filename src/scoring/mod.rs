//! Scores and their meaning: the substitution matrix, gap costs, Karlin–Altschul parameters and
//! finite-size E-values.

mod erfc;
mod finite_size;
mod karlin;
mod length_adjustment;
mod matrix;
mod table_row;
mod tables;

pub use finite_size::FiniteSize;
pub use karlin::{KarlinParameters, ungapped_parameters};
pub use length_adjustment::SearchSpace;
pub use matrix::{GapCosts, Matrix, Row};
pub use table_row::TableRow;
pub use tables::FORBIDDEN;

/// Bit score of a raw score under gapped parameters: (λS − ln K) / ln 2.
pub fn bit_score(raw: i32, parameters: &KarlinParameters) -> f64 {
    (f64::from(raw) * parameters.lambda - libm::log(parameters.k)) / std::f64::consts::LN_2
}
