//! Job ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// 128 random bits that name a job; written as 32 lower-case hexadecimal digits.
///
/// An id cannot be guessed, and a text from outside becomes an id (and so part of a blob's name)
/// only through [`FromStr`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(as = SearchId, value_type = String, pattern = "^[0-9a-f]{32}$")]
pub struct JobId(u128);

impl JobId {
    /// A new random id; fails only if the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

impl JobId {
    /// Its 128 bits.
    pub(super) fn bits(self) -> u128 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A text that is not a job id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a job id (32 lower-case hexadecimal digits)")]
pub struct ParseJobIdError(String);

impl FromStr for JobId {
    type Err = ParseJobIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let value = if well_formed { u128::from_str_radix(text, 16).ok() } else { None };
        value.map(Self).ok_or_else(|| ParseJobIdError(text.chars().take(64).collect()))
    }
}

impl TryFrom<String> for JobId {
    type Error = ParseJobIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_as_they_are_written() {
        let id = JobId::random().expect("randomness");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 32);
    }

    #[test]
    fn texts_that_could_leave_the_job_are_refused() {
        for text in ["", "../../etc", "0123", &"g".repeat(32), &"A".repeat(32), &"0".repeat(33)] {
            assert!(text.parse::<JobId>().is_err(), "{text}");
        }
    }
}
