//! How many subjects are found and shown per query: three options of blastp that depend on the
//! format.

use thiserror::Error;

use super::outfmt::{OutputFormat, PairwiseLimits, PairwiseStyle};

/// What the user said of the number of subjects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListLimits {
    /// Subjects per query (`-max_target_seqs`).
    pub max_target_seqs: Option<usize>,
    /// One-line descriptions of a pairwise report (`-num_descriptions`).
    pub descriptions: Option<usize>,
    /// Subjects whose alignments a pairwise report shows; subjects per query of any other report
    /// (`-num_alignments`).
    pub alignments: Option<usize>,
}

/// Limits that do not go together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LimitError {
    /// Both ways to say how much is shown.
    #[error("max_target_seqs cannot be combined with num_descriptions or num_alignments")]
    Incompatible,
    /// A pairwise report of nothing.
    #[error("a pairwise report needs descriptions or alignments, not 0 of both")]
    NothingShown,
    /// Any other report of nothing.
    #[error(
        "num_alignments 0 leaves nothing to report: but for format 0, it is the number of subjects per query"
    )]
    NothingFound,
}

/// Subjects per query if nothing is said of them.
const DEFAULT_TARGETS: usize = 500;

impl ListLimits {
    /// Whether a number of descriptions is given, which only a pairwise report has, and `format` is none.
    pub fn ignored_by(&self, format: &OutputFormat) -> bool {
        self.descriptions.is_some() && !matches!(format, OutputFormat::Pairwise(_))
    }

    /// Settles the limits of `format` and returns how many subjects per query have to be found.
    ///
    /// What the text of the format says counts unless an option says otherwise.
    pub fn settle(&self, format: &mut OutputFormat) -> Result<usize, LimitError> {
        if self.max_target_seqs.is_some() && (self.descriptions.is_some() || self.alignments.is_some()) {
            return Err(LimitError::Incompatible);
        }
        let OutputFormat::Pairwise(PairwiseStyle { limits, .. }) = format else {
            return match self.max_target_seqs.or(self.alignments).unwrap_or(DEFAULT_TARGETS) {
                0 => Err(LimitError::NothingFound),
                targets => Ok(targets),
            };
        };
        let default = match self.max_target_seqs {
            Some(targets) => PairwiseLimits { descriptions: targets, alignments: targets },
            None => PairwiseLimits::default(),
        };
        let said = limits.unwrap_or(default);
        let settled = PairwiseLimits {
            descriptions: self.descriptions.unwrap_or(said.descriptions),
            alignments: self.alignments.unwrap_or(said.alignments),
        };
        *limits = Some(settled);
        match settled.descriptions.max(settled.alignments) {
            0 => Err(LimitError::NothingShown),
            shown => Ok(self.max_target_seqs.unwrap_or(shown)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(format: &str, limits: ListLimits) -> Result<(String, usize), LimitError> {
        let mut format = format.parse().expect("a format");
        let targets = limits.settle(&mut format)?;
        Ok((format.to_string(), targets))
    }

    /// As blastp 2.12 does.
    #[test]
    fn a_pairwise_report_shows_what_is_found_unless_told_otherwise() {
        let none = ListLimits::default();
        let targets = ListLimits { max_target_seqs: Some(4), ..none };
        let descriptions = ListLimits { descriptions: Some(3), ..none };
        let both = ListLimits { alignments: Some(2), ..descriptions };
        for (format, limits, text, found) in [
            ("0", none, "0 num_descriptions=500 num_alignments=250", 500),
            ("0", targets, "0 num_descriptions=4 num_alignments=4", 4),
            ("0", descriptions, "0 num_descriptions=3 num_alignments=250", 250),
            ("0", both, "0 num_descriptions=3 num_alignments=2", 3),
            ("0 num_descriptions=7 num_alignments=9", none, "0 num_descriptions=7 num_alignments=9", 9),
            ("0 num_descriptions=7 num_alignments=9", targets, "0 num_descriptions=7 num_alignments=9", 4),
            ("6", none, "6", 500),
            ("6", targets, "6", 4),
            ("6", both, "6", 2),
            ("6", descriptions, "6", 500),
        ] {
            assert_eq!(settle(format, limits), Ok((text.to_owned(), found)), "{format} {limits:?}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let targets = ListLimits { max_target_seqs: Some(4), ..ListLimits::default() };
        let limits = ListLimits { descriptions: Some(3), ..targets };
        assert_eq!(settle("0", limits), Err(LimitError::Incompatible));
        let limits = ListLimits { max_target_seqs: None, descriptions: Some(0), alignments: Some(0) };
        assert_eq!(settle("0", limits), Err(LimitError::NothingShown));
        let limits = ListLimits { alignments: Some(0), ..ListLimits::default() };
        assert_eq!(settle("6", limits), Err(LimitError::NothingFound));
        let limits = ListLimits { alignments: Some(1), ..targets };
        assert_eq!(settle("6", limits), Err(LimitError::Incompatible));
        let limits = ListLimits { descriptions: Some(3), ..ListLimits::default() };
        assert!(
            limits.ignored_by(&OutputFormat::Xml)
                && !limits.ignored_by(&OutputFormat::Pairwise(PairwiseStyle::default()))
        );
    }
}
