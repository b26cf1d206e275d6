//! Figures that are not known for sure.

use serde::{Deserialize, Serialize};

/// A figure and what it hardly is less and more than.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Bounds {
    /// Hardly less.
    pub least: f64,
    /// Most likely.
    pub likely: f64,
    /// Hardly more.
    pub most: f64,
}

impl Bounds {
    /// A figure that is known.
    pub(in crate::jobs) fn exactly(value: f64) -> Self {
        Self { least: value, likely: value, most: value }
    }

    /// A figure that may be off by this factor in either direction.
    pub(in crate::jobs) fn within(likely: f64, factor: f64) -> Self {
        Self { least: likely / factor, likely, most: likely * factor }
    }

    /// The figure that follows from this by a function that only grows.
    pub(in crate::jobs) fn map(self, function: impl Fn(f64) -> f64) -> Self {
        Self { least: function(self.least), likely: function(self.likely), most: function(self.most) }
    }
}
