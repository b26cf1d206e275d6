//! Gap costs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Cost of a gap of k residues: `open + k * extend`, in raw score units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GapCosts {
    /// Cost of there being a gap.
    pub open: i32,
    /// Cost of each residue in it.
    pub extend: i32,
}

impl GapCosts {
    /// Cost of a gap of `length` residues.
    pub fn of(self, length: i32) -> i32 {
        self.open + length * self.extend
    }
}

impl fmt::Display for GapCosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.open, self.extend)
    }
}
