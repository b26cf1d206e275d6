//! The `--outfmt` option: a format number and what belongs to it.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use thiserror::Error;

use super::column::{Column, STANDARD};
use super::order::{HitOrder, HspOrder};

/// Format of a report.
///
/// ```
/// use skyblast::report::OutputFormat;
///
/// let table: OutputFormat = "6 qseqid sseqid evalue".parse()?;
/// assert_eq!(table.extension(), "tsv");
/// assert!("6 qseqid nonsense".parse::<OutputFormat>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutputFormat {
    /// 0: alignments for people to read.
    Pairwise(PairwiseStyle),
    /// 5: XML, document type `NCBI_BlastOutput`.
    Xml,
    /// 6, 7 and 10: one row per HSP.
    Table(Table),
    /// 13: JSON, a file per query and one that names them.
    JsonFiles,
    /// 14: XML, schema `NCBI_BlastOutput2`, a file per query and one that names them.
    Xml2Files,
    /// 15: JSON in one file.
    Json,
    /// 16: XML, schema `NCBI_BlastOutput2`, in one file.
    Xml2,
    /// 17: SAM, which blastp does not have.
    Sam {
        /// Whether the aligned part of the query is written out.
        sequences: bool,
    },
    /// `arrow`: the columns of a table with types, as a stream of Apache Arrow.
    Arrow(Vec<Column>),
    /// `parquet`: the same as a file of Apache Parquet.
    Parquet(Vec<Column>),
}

/// How a pairwise report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PairwiseStyle {
    /// How much is shown, if not what blastp shows.
    pub limits: Option<PairwiseLimits>,
    /// Columns of an alignment per line (`-line_length`).
    pub line_length: NonZeroUsize,
    /// The order of subjects (`-sorthits`); if it is given, even that of E-values, the list of subjects
    /// says what they can be sorted by.
    pub hit_order: Option<HitOrder>,
    /// The order of a subject's HSPs (`-sorthsps`).
    pub hsp_order: Option<HspOrder>,
}

impl Default for PairwiseStyle {
    /// That of blastp: 60 columns, everything by E-value.
    fn default() -> Self {
        const BLOCK: NonZeroUsize = NonZeroUsize::new(60).expect("a number above 0");
        Self { limits: None, line_length: BLOCK, hit_order: None, hsp_order: None }
    }
}

/// How many subjects a pairwise report shows per query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PairwiseLimits {
    /// One-line descriptions (`-num_descriptions`).
    pub descriptions: usize,
    /// Subjects whose alignments are shown (`-num_alignments`).
    pub alignments: usize,
}

impl Default for PairwiseLimits {
    /// Those of blastp: 500 and 250.
    fn default() -> Self {
        Self { descriptions: 500, alignments: 250 }
    }
}

/// How a table is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// Format 6, 7 or 10.
    pub style: TableStyle,
    /// The cells of a row; never empty.
    pub columns: Vec<Column>,
    /// What stands between cells, if not the style's own.
    pub delimiter: Option<String>,
}

/// The three kinds of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableStyle {
    /// 6: rows only, cells separated by tabs.
    Rows,
    /// 7: rows with comment lines.
    Commented,
    /// 10: rows only, cells separated by commas.
    Commas,
}

impl Table {
    /// What stands between cells.
    pub fn delimiter(&self) -> &str {
        let own = if self.style == TableStyle::Commas { "," } else { "\t" };
        self.delimiter.as_deref().unwrap_or(own)
    }
}

impl OutputFormat {
    /// The name of the format: its number, if BLAST+ has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pairwise(_) => "0",
            Self::Xml => "5",
            Self::Table(Table { style: TableStyle::Rows, .. }) => "6",
            Self::Table(Table { style: TableStyle::Commented, .. }) => "7",
            Self::Table(Table { style: TableStyle::Commas, .. }) => "10",
            Self::JsonFiles => "13",
            Self::Xml2Files => "14",
            Self::Json => "15",
            Self::Xml2 => "16",
            Self::Sam { .. } => "17",
            Self::Arrow(_) => ARROW,
            Self::Parquet(_) => PARQUET,
        }
    }

    /// How the name of a file with such a report ends, without the dot.
    pub fn extension(&self) -> &'static str {
        match self {
            Self::Pairwise(_) | Self::Table(Table { style: TableStyle::Commented, .. }) => "txt",
            Self::Table(Table { style: TableStyle::Rows, .. }) => "tsv",
            Self::Table(Table { style: TableStyle::Commas, .. }) => "csv",
            Self::Xml | Self::Xml2Files | Self::Xml2 => "xml",
            Self::JsonFiles | Self::Json => "json",
            Self::Sam { .. } => "sam",
            Self::Arrow(_) => "arrows",
            Self::Parquet(_) => "parquet",
        }
    }

    /// The media type of such a report.
    pub fn media_type(&self) -> &'static str {
        match self.extension() {
            "tsv" => "text/tab-separated-values; charset=utf-8",
            "csv" => "text/csv; charset=utf-8",
            "xml" => "application/xml",
            "json" => "application/json",
            "arrows" => "application/vnd.apache.arrow.stream",
            "parquet" => "application/vnd.apache.parquet",
            _ => "text/plain; charset=utf-8",
        }
    }

    /// Whether such a report starts with a list of all subjects in it, so that nothing of it can be
    /// written before all hits are known.
    pub fn lists_subjects(&self) -> bool {
        matches!(self, Self::Sam { .. })
    }

    /// Whether such a report is no text.
    pub fn is_binary(&self) -> bool {
        matches!(self, Self::Arrow(_) | Self::Parquet(_))
    }

    /// The format of the pieces that such a report is made of: itself, but for one that cannot be joined from
    /// pieces and is [made](super::ParquetFile) from the whole of them.
    pub fn of_pieces(&self) -> Self {
        match self {
            Self::Parquet(columns) => Self::Arrow(columns.clone()),
            other => other.clone(),
        }
    }

    /// Whether such a report shows names of taxa, if they are known.
    pub fn names_taxa(&self) -> bool {
        match self {
            Self::JsonFiles | Self::Json | Self::Xml2Files | Self::Xml2 => true,
            other => other.columns().is_some_and(|columns| columns.iter().any(|column| column.names_taxa())),
        }
    }

    /// The columns of a report that has some.
    pub fn columns(&self) -> Option<&[Column]> {
        match self {
            Self::Table(Table { columns, .. }) | Self::Arrow(columns) | Self::Parquet(columns) => {
                Some(columns)
            }
            _ => None,
        }
    }

    /// For a report of several files, the format that has the same content in one.
    pub fn in_one_file(&self) -> Option<Self> {
        match self {
            Self::JsonFiles => Some(Self::Json),
            Self::Xml2Files => Some(Self::Xml2),
            _ => None,
        }
    }
}

impl Default for OutputFormat {
    /// Format 6 with the standard columns.
    fn default() -> Self {
        Self::Table(Table { style: TableStyle::Rows, columns: STANDARD.to_vec(), delimiter: None })
    }
}

/// Names of the formats that BLAST+ has not.
const ARROW: &str = "arrow";
const PARQUET: &str = "parquet";
/// Names of the limits in the text of a format.
const DESCRIPTIONS: &str = "num_descriptions=";
const ALIGNMENTS: &str = "num_alignments=";
/// Names of what else a pairwise report takes.
const LINE_LENGTH: &str = "line_length=";
const HIT_ORDER: &str = "sorthits=";
const HSP_ORDER: &str = "sorthsps=";
/// Name of the delimiter.
const DELIMITER: &str = "delim=";
/// What SAM takes: sequences, and subjects as references, which they always are.
const SEQUENCES: &str = "SQ";
const SUBJECTS_AS_REFERENCES: &str = "SR";

/// Writes the option so that it parses to the same format.
impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Pairwise(style) => {
                if let Some(limits) = style.limits {
                    write!(f, " {DESCRIPTIONS}{} {ALIGNMENTS}{}", limits.descriptions, limits.alignments)?;
                }
                if style.line_length != PairwiseStyle::default().line_length {
                    write!(f, " {LINE_LENGTH}{}", style.line_length)?;
                }
                if let Some(order) = style.hit_order {
                    write!(f, " {HIT_ORDER}{}", order.number())?;
                }
                if let Some(order) = style.hsp_order {
                    write!(f, " {HSP_ORDER}{}", order.number())?;
                }
                Ok(())
            }
            Self::Table(table) => {
                if let Some(delimiter) = &table.delimiter {
                    write!(f, " {DELIMITER}{delimiter}")?;
                }
                write_columns(f, &table.columns)
            }
            Self::Arrow(columns) | Self::Parquet(columns) => write_columns(f, columns),
            Self::Sam { sequences: true } => write!(f, " {SEQUENCES}"),
            _ => Ok(()),
        }
    }
}

/// Writes columns, but not those that are meant if none are named.
fn write_columns(f: &mut fmt::Formatter<'_>, columns: &[Column]) -> fmt::Result {
    if columns == STANDARD {
        return Ok(());
    }
    columns.iter().try_for_each(|column| write!(f, " {}", column.name()))
}

/// Why a text is no output format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseFormatError {
    /// BLAST+ has it, skyblast does not.
    #[error("output format {0} is not available; skyblast writes {AVAILABLE}")]
    Unavailable(u8),
    /// No such format.
    #[error(
        "{0:?} is no output format; give {AVAILABLE}; 6, 7, 10, {ARROW} and {PARQUET} take columns, \
         as in \"6 qseqid sseqid evalue\""
    )]
    Unknown(String),
    /// No such column.
    #[error("output format column {name:?} is not available; columns are std, {}", known_columns())]
    Column {
        /// The column asked for.
        name: String,
    },
    /// A word that the format has no use for.
    #[error("output format {format} takes {}, not {word:?}", takes(.format))]
    Word {
        /// The format.
        format: &'static str,
        /// The word.
        word: String,
    },
    /// A pairwise report of nothing.
    #[error("a pairwise report needs descriptions or alignments, not 0 of both")]
    NothingShown,
}

const AVAILABLE: &str = "0 (pairwise), 5 (XML), 6 (tabular), 7 (tabular with comment lines), \
    10 (comma-separated), 13 and 15 (JSON), 14 and 16 (XML2), 17 (SAM), arrow (stream), parquet";

fn known_columns() -> String {
    Column::ALL.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
}

fn takes(format: &str) -> &'static str {
    match format {
        "0" => "num_descriptions=N, num_alignments=N, line_length=N, sorthits=0 to 4 and sorthsps=0 to 4",
        "6" | "7" | "10" => "one delim=X, directly after the number, and columns",
        ARROW | PARQUET => "columns",
        "17" => "SQ (with sequences) and SR (subjects as references, as always)",
        _ => "nothing after the number",
    }
}

impl FromStr for OutputFormat {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default();
        match first {
            ARROW => return parse_columns(ARROW, words).map(Self::Arrow),
            PARQUET => return parse_columns(PARQUET, words).map(Self::Parquet),
            _ => {}
        }
        let number: u8 = first.parse().map_err(|_| ParseFormatError::Unknown(first.to_owned()))?;
        let table = |style| parse_table(style, words.clone()).map(Self::Table);
        let format = match number {
            0 => return parse_pairwise(words).map(Self::Pairwise),
            5 => Self::Xml,
            6 => return table(TableStyle::Rows),
            7 => return table(TableStyle::Commented),
            10 => return table(TableStyle::Commas),
            13 => Self::JsonFiles,
            14 => Self::Xml2Files,
            15 => Self::Json,
            16 => Self::Xml2,
            17 => return parse_sam(words),
            1..=4 | 8 | 9 | 11 | 12 | 18 => return Err(ParseFormatError::Unavailable(number)),
            _ => return Err(ParseFormatError::Unknown(first.to_owned())),
        };
        match words.next() {
            None => Ok(format),
            Some(word) => Err(unusable(&format, word)),
        }
    }
}

/// That a format has no use for a word.
fn unusable(format: &OutputFormat, word: &str) -> ParseFormatError {
    ParseFormatError::Word { format: format.name(), word: word.to_owned() }
}

fn parse_pairwise<'a>(words: impl Iterator<Item = &'a str>) -> Result<PairwiseStyle, ParseFormatError> {
    fn value<T: FromStr>(text: &str) -> Option<T> {
        text.parse().ok()
    }
    let mut style = PairwiseStyle::default();
    let mut limits = PairwiseLimits::default();
    for word in words {
        let after = |name| word.strip_prefix(name);
        let read = if let Some(text) = after(DESCRIPTIONS) {
            value(text).map(|limit| limits.descriptions = limit).map(|()| style.limits = Some(limits))
        } else if let Some(text) = after(ALIGNMENTS) {
            value(text).map(|limit| limits.alignments = limit).map(|()| style.limits = Some(limits))
        } else if let Some(text) = after(LINE_LENGTH) {
            value(text).map(|length| style.line_length = length)
        } else if let Some(text) = after(HIT_ORDER) {
            value(text).map(|order| style.hit_order = Some(order))
        } else if let Some(text) = after(HSP_ORDER) {
            value(text).map(|order| style.hsp_order = Some(order))
        } else {
            None
        };
        read.ok_or_else(|| unusable(&OutputFormat::Pairwise(style), word))?;
    }
    match limits {
        PairwiseLimits { descriptions: 0, alignments: 0 } => Err(ParseFormatError::NothingShown),
        _ => Ok(style),
    }
}

fn parse_sam<'a>(words: impl Iterator<Item = &'a str>) -> Result<OutputFormat, ParseFormatError> {
    let mut sequences = false;
    for word in words {
        match word {
            SEQUENCES => sequences = true,
            SUBJECTS_AS_REFERENCES => {}
            _ => return Err(unusable(&OutputFormat::Sam { sequences }, word)),
        }
    }
    Ok(OutputFormat::Sam { sequences })
}

fn parse_table<'a>(
    style: TableStyle,
    words: impl Iterator<Item = &'a str>,
) -> Result<Table, ParseFormatError> {
    let mut words = words.peekable();
    let refused =
        |word| unusable(&OutputFormat::Table(Table { style, columns: Vec::new(), delimiter: None }), word);
    let mut delimiter = None;
    if let Some(word) = words.next_if(|word| word.starts_with(DELIMITER)) {
        let text = &word[DELIMITER.len()..];
        if text.is_empty() {
            return Err(refused(word));
        }
        delimiter = Some(text.to_owned());
    }
    let words: Vec<&str> = words.collect();
    if let Some(word) = words.iter().find(|word| word.starts_with(DELIMITER)) {
        return Err(refused(word));
    }
    Ok(Table { style, columns: columns_of(words.into_iter())?, delimiter })
}

fn parse_columns<'a>(
    format: &'static str,
    words: impl Iterator<Item = &'a str> + Clone,
) -> Result<Vec<Column>, ParseFormatError> {
    match words.clone().find(|word| word.starts_with(DELIMITER)) {
        Some(word) => Err(ParseFormatError::Word { format, word: word.to_owned() }),
        None => columns_of(words),
    }
}

/// The columns that words name, or without any the standard ones. Like blastp, shows a column that is named
/// again only once.
fn columns_of<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<Column>, ParseFormatError> {
    let mut columns = Vec::new();
    let mut add = |named: &[Column]| {
        for column in named {
            if !columns.contains(column) {
                columns.push(*column);
            }
        }
    };
    for word in words {
        if word == "std" {
            add(&STANDARD);
        } else {
            let column = Column::ALL.iter().find(|column| column.name() == word);
            add(&[*column.ok_or_else(|| ParseFormatError::Column { name: word.to_owned() })?]);
        }
    }
    if columns.is_empty() {
        columns.extend(STANDARD);
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn std_stands_for_twelve_columns() {
        let Ok(OutputFormat::Table(table)) = "6 std qlen".parse() else { panic!("no table") };
        assert_eq!(table.columns.len(), 13);
        assert_eq!("6".parse(), Ok(OutputFormat::default()));
        let Ok(OutputFormat::Table(table)) = "6 sseqid std evalue sseqid".parse() else { panic!("no table") };
        assert_eq!(table.columns.len(), 13, "no column is shown twice");
        assert_eq!(Column::ALL.len(), 50);
    }

    #[test]
    fn formats_print_as_they_parse() {
        for text in [
            "0",
            "0 num_descriptions=3 num_alignments=0",
            "0 line_length=80 sorthits=0 sorthsps=4",
            "5",
            "6",
            "7",
            "6 qseqid btop",
            "7 sseqid evalue qcovs",
            "10 delim=; staxids",
            "6 delim=@@",
            "13",
            "14",
            "15",
            "16",
            "17",
            "17 SQ",
            "arrow",
            "arrow qseqid sseqid evalue",
            "parquet",
            "parquet qseqid qcovs btop",
        ] {
            assert_eq!(text.parse::<OutputFormat>().expect("a format").to_string(), text);
        }
    }

    #[test]
    fn a_table_takes_its_delimiter_from_the_second_word() {
        let delimiter = |text: &str| match text.parse() {
            Ok(OutputFormat::Table(table)) => table.delimiter().to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            ["6", "7 std", "10", "6 delim=,", "10 delim=| std"].map(delimiter),
            ["\t", "\t", ",", ",", "|"]
        );
    }

    #[test]
    fn refusals_name_what_was_asked_for() {
        for (text, part) in [
            ("1", "format 1 is not available"),
            ("11", "format 11 is not available"),
            ("17 std", "takes SQ (with sequences) and SR"),
            ("19", "\"19\" is no output format"),
            ("6 length2", "\"length2\""),
            ("6 qseqid delim=,", "not \"delim=,\""),
            ("6 delim=", "not \"delim=\""),
            ("parquet delim=,", "format parquet takes columns, not \"delim=,\""),
            ("arrow length2", "\"length2\""),
            ("5 qseqid", "takes nothing after the number, not \"qseqid\""),
            ("0 qseqid", "takes num_descriptions=N"),
            ("0 line_length=0", "not \"line_length=0\""),
            ("0 sorthits=5", "not \"sorthits=5\""),
            ("0 num_alignments=x", "not \"num_alignments=x\""),
            ("0 num_alignments=0 num_descriptions=0", "0 of both"),
            ("", "\"\" is no"),
            ("six", "\"six\""),
        ] {
            let message = text.parse::<OutputFormat>().expect_err("a refusal").to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
