//! What somebody calls a job. It changes nothing of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::id::JobId;
use super::pipeline::Pipeline;

/// Letters of the longest label.
pub const MAX_LABEL: usize = 200;

/// What somebody calls a job: one line of text; empty for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, max_length = 200)]
pub struct Label(String);

/// A text that is no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a label is one line of at most {MAX_LABEL} letters")]
pub struct ParseLabelError;

impl Label {
    /// Its text; empty if the job is called nothing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = ParseLabelError;

    fn from_str(text: &str) -> std::result::Result<Self, ParseLabelError> {
        let text = text.trim();
        let fits = text.chars().count() <= MAX_LABEL && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err(ParseLabelError) }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pipeline {
    /// Calls a job something; an empty label takes its name away. [`Error::UnknownJob`] if there is none.
    pub async fn label(&self, id: JobId, label: &Label) -> Result<()> {
        self.ledger.job(id).await?;
        self.ledger.put_label(id, label).await
    }

    /// What a job is called, if anything. A label that cannot be read is none: nothing depends on it.
    pub(super) async fn label_of(&self, id: JobId) -> Result<Option<String>> {
        match self.ledger.label(id).await {
            Ok(label) => Ok(label.map(|label| label.0).filter(|label| !label.is_empty())),
            Err(Error::Damaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Label, MAX_LABEL};

    #[test]
    fn a_label_is_a_short_line() {
        let label = |text: &str| text.parse::<Label>().map(|label| label.to_string()).ok();
        assert_eq!(label("  kinases of März \n").as_deref(), Some("kinases of März"));
        assert_eq!(label("").as_deref(), Some(""));
        assert!(label(&"ä".repeat(MAX_LABEL)).is_some() && label(&"x".repeat(MAX_LABEL + 1)).is_none());
        assert!(label("two\nlines").is_none() && label("a\u{7}").is_none());
    }
}
