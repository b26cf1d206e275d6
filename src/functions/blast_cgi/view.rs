//! How a report is shown: FORMAT_TYPE and what belongs to it.

use super::parameters::{Parameters, refused, shorten};
use crate::functions::problem::Problem;
use crate::report::{OutputFormat, PairwiseLimits, PairwiseStyle, Table, TableStyle};

/// Parameters of a view. Those that are sent with the search are the defaults of those that are sent for its
/// report.
pub(super) const OF_VIEWS: &[&str] =
    &["FORMAT_TYPE", "ALIGNMENT_VIEW", "DESCRIPTIONS", "ALIGNMENTS", "PARTIAL"];

/// Descriptions, and subjects with alignments, that a report for people shows unless asked otherwise.
const SHOWN: usize = 100;

/// What a report comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// A page for browsers.
    Page,
    /// Plain text that begins and ends as HTML, for programs.
    Preformatted,
    /// Nothing; its format has a type of its own.
    Bare,
    /// A ZIP archive with a file per query.
    Archive,
}

/// How a report is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// What is in it; of an archive, what its files hold.
    pub(super) format: OutputFormat,
    pub(super) wrapping: Wrapping,
    /// Whether it may lack shards that failed.
    pub(super) partial: bool,
}

impl View {
    /// The view that parameters ask for.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, Problem> {
        let tabular = is_tabular(parameters)?;
        let kind = parameters.get("FORMAT_TYPE").unwrap_or("HTML").to_ascii_uppercase();
        let report = || if tabular { Ok(commented()) } else { pairwise(parameters) };
        let (wrapping, format) = match kind.as_str() {
            "HTML" => (Wrapping::Page, report()?),
            "TEXT" => (Wrapping::Preformatted, report()?),
            "TABULAR" => (Wrapping::Preformatted, commented()),
            "CSV" => (Wrapping::Bare, commas()),
            "XML" => (Wrapping::Bare, OutputFormat::Xml),
            "XML2" => (Wrapping::Archive, OutputFormat::Xml2Files),
            "JSON2" => (Wrapping::Archive, OutputFormat::JsonFiles),
            "XML2_S" => (Wrapping::Bare, OutputFormat::Xml2),
            "JSON2_S" => (Wrapping::Bare, OutputFormat::Json),
            _ => {
                let reason = format!(
                    "is {:?}, but must be HTML, Text, Tabular, CSV, XML, XML2, XML2_S, JSON2 or JSON2_S",
                    shorten(&kind)
                );
                return Err(refused("FORMAT_TYPE", &kind, &reason));
            }
        };
        Ok(Self { format, wrapping, partial: parameters.switch("PARTIAL")?.unwrap_or_default() })
    }

    /// The format that its report is kept in.
    pub(super) fn kept(&self) -> OutputFormat {
        self.format.in_one_file().unwrap_or_else(|| self.format.clone())
    }
}

fn is_tabular(parameters: &Parameters) -> Result<bool, Problem> {
    let Some(view) = parameters.word("ALIGNMENT_VIEW") else { return Ok(false) };
    match view.as_str() {
        "pairwise" => Ok(false),
        "tabular" => Ok(true),
        _ => {
            let reason = format!("is {:?}, but must be Pairwise or Tabular", shorten(&view));
            Err(refused("ALIGNMENT_VIEW", &view, &reason))
        }
    }
}

fn pairwise(parameters: &Parameters) -> Result<OutputFormat, Problem> {
    let descriptions = parameters.count("DESCRIPTIONS", 0)?.unwrap_or(SHOWN);
    let alignments = parameters.count("ALIGNMENTS", 0)?.unwrap_or(SHOWN);
    if descriptions.max(alignments) == 0 {
        return Err(refused("ALIGNMENTS", "0", "is 0, and so is DESCRIPTIONS: nothing would be shown"));
    }
    let limits = Some(PairwiseLimits { descriptions, alignments });
    Ok(OutputFormat::Pairwise(PairwiseStyle { limits, ..PairwiseStyle::default() }))
}

fn commented() -> OutputFormat {
    table(TableStyle::Commented)
}

fn commas() -> OutputFormat {
    table(TableStyle::Commas)
}

/// A table of the usual columns.
fn table(style: TableStyle) -> OutputFormat {
    match OutputFormat::default() {
        OutputFormat::Table(usual) => OutputFormat::Table(Table { style, ..usual }),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(query: &str) -> Result<View, Problem> {
        View::of(&Parameters::of_query(query.as_bytes()).expect("parameters"))
    }

    #[test]
    fn types_are_formats_in_wrappings() {
        for (query, wrapping, format) in [
            ("", Wrapping::Page, "0 num_descriptions=100 num_alignments=100"),
            ("FORMAT_TYPE=html&ALIGNMENT_VIEW=Tabular", Wrapping::Page, "7"),
            (
                "FORMAT_TYPE=Text&ALIGNMENTS=50&DESCRIPTIONS=7",
                Wrapping::Preformatted,
                "0 num_descriptions=7 num_alignments=50",
            ),
            ("FORMAT_TYPE=Text&ALIGNMENT_VIEW=TABULAR", Wrapping::Preformatted, "7"),
            ("FORMAT_TYPE=Tabular&ALIGNMENT_VIEW=Pairwise", Wrapping::Preformatted, "7"),
            ("FORMAT_TYPE=CSV&ALIGNMENT_VIEW=Tabular", Wrapping::Bare, "10"),
            ("FORMAT_TYPE=xml", Wrapping::Bare, "5"),
            ("FORMAT_TYPE=XML2", Wrapping::Archive, "14"),
            ("FORMAT_TYPE=JSON2", Wrapping::Archive, "13"),
            ("FORMAT_TYPE=XML2_S", Wrapping::Bare, "16"),
            ("FORMAT_TYPE=JSON2_S", Wrapping::Bare, "15"),
        ] {
            let found = view(query).expect("a view");
            assert_eq!((found.wrapping, found.format.to_string().as_str()), (wrapping, format), "{query}");
            assert!(found.kept().in_one_file().is_none(), "{query}");
        }
    }

    #[test]
    fn what_is_no_view_is_refused() {
        for query in [
            "FORMAT_TYPE=ASN.1",
            "FORMAT_TYPE=SAM",
            "FORMAT_TYPE=Text&ALIGNMENT_VIEW=QueryAnchored",
            "FORMAT_TYPE=Text&ALIGNMENTS=few",
            "FORMAT_TYPE=Text&ALIGNMENTS=0&DESCRIPTIONS=0",
            "PARTIAL=perhaps",
        ] {
            assert!(view(query).is_err(), "{query}");
        }
    }
}
