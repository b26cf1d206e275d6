//! Where the shards of a job are compared.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who is told of the shards of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Own workers alone.
    Own,
    /// The app in the cloud, which own workers help.
    #[default]
    Cloud,
    /// Own workers, and the cloud with what they will not have done in time.
    Burst,
}

/// A text that names no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a place is own, cloud or burst")]
pub struct UnknownPlace;

impl Place {
    const ALL: [Self; 3] = [Self::Own, Self::Cloud, Self::Burst];
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "own",
            Self::Cloud => "cloud",
            Self::Burst => "burst",
        })
    }
}

impl FromStr for Place {
    type Err = UnknownPlace;

    fn from_str(text: &str) -> Result<Self, UnknownPlace> {
        Self::ALL.into_iter().find(|place| place.to_string() == text).ok_or(UnknownPlace)
    }
}

/// Seconds that a job in both places leaves to own workers unless it says otherwise.
pub const BURST_AFTER: u64 = 600;

/// Where a job is compared, and how much of it in the cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Where.
    pub place: Place,
    /// In how many seconds after it was accepted it is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<u64>,
    /// What own workers will not have done in so many seconds from any moment on goes to the cloud;
    /// [`BURST_AFTER`] if there is neither this nor a deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst_after: Option<u64>,
    /// The most that the cloud may cost, in the currency of the table of prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64>,
}

impl Placement {
    /// Seconds that are left to own workers when the job was accepted so many seconds ago.
    pub(super) fn seconds_left(&self, since_accepted: f64) -> f64 {
        let until_deadline = self.deadline.map(|deadline| (deadline as f64 - since_accepted).max(0.0));
        let burst_after = self.burst_after.map(|seconds| seconds as f64);
        match (until_deadline, burst_after) {
            (Some(deadline), Some(after)) => deadline.min(after),
            (None, None) => BURST_AFTER as f64,
            (Some(left), None) | (None, Some(left)) => left,
        }
    }
}
