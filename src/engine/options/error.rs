//! Options that cannot be had.

use std::fmt;

use crate::scoring::{GapCosts, MatrixName};

/// An option that cannot be used as it is: which one, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option} {value} is not possible: must be {range}")]
pub struct OptionError {
    /// The option, as blastp spells it without the hyphen.
    pub option: &'static str,
    /// What was asked for.
    pub value: String,
    /// What may be asked for.
    pub range: String,
}

impl OptionError {
    pub(in crate::engine) fn new(
        option: &'static str,
        value: impl fmt::Display,
        range: impl Into<String>,
    ) -> Self {
        Self { option, value: value.to_string(), range: range.into() }
    }

    /// Gap costs without statistics.
    pub fn gap_costs(matrix: MatrixName, gaps: GapCosts) -> Self {
        let known: Vec<_> = matrix.gap_costs().map(|gaps| gaps.to_string()).collect();
        let range = format!("one of {} for {matrix} (gapopen/gapextend)", known.join(" "));
        Self::new("gapopen/gapextend", gaps, range)
    }
}
