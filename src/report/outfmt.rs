//! The `--outfmt` option: a format number and, for tables, a list of columns.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

macro_rules! columns {
    ($($variant:ident $name:literal $title:literal $text:literal;)*) => {
        /// A column of a tabular report.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Column { $(#[doc = $text] $variant,)* }

        impl Column {
            /// Every column, in the order of BLAST+'s help.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The specifier, as in `--outfmt "6 qseqid"`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The name in the `# Fields:` line of format 7.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What the column holds, in a few words.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

columns! {
    Qseqid "qseqid" "query id" "query id: first word of its definition line";
    Qacc "qacc" "query acc." "same as qseqid";
    Qaccver "qaccver" "query acc.ver" "same as qseqid";
    Qlen "qlen" "query length" "query length, residues";
    Sseqid "sseqid" "subject id" "subject id: first word of its definition line, or parsed id in full";
    Sacc "sacc" "subject acc." "accession of a parsed id, else same as sseqid";
    Saccver "saccver" "subject acc.ver" "accession and version of a parsed id, else same as sseqid";
    Slen "slen" "subject length" "subject length, residues";
    Qstart "qstart" "q. start" "first aligned query residue, from 1";
    Qend "qend" "q. end" "last aligned query residue";
    Sstart "sstart" "s. start" "first aligned subject residue, from 1";
    Send "send" "s. end" "last aligned subject residue";
    Qseq "qseq" "query seq" "aligned part of the query, with gaps";
    Sseq "sseq" "subject seq" "aligned part of the subject, with gaps";
    Evalue "evalue" "evalue" "E-value";
    Bitscore "bitscore" "bit score" "bit score";
    Score "score" "score" "raw score";
    Length "length" "alignment length" "columns of the alignment";
    Pident "pident" "% identity" "percentage of identical columns";
    Nident "nident" "identical" "identical columns";
    Mismatch "mismatch" "mismatches" "columns with different residues";
    Positive "positive" "positives" "columns with a positive score";
    Gapopen "gapopen" "gap opens" "runs of gaps";
    Gaps "gaps" "gaps" "columns with a gap";
    Ppos "ppos" "% positives" "percentage of positive columns";
    Frames "frames" "query/sbjct frames" "frames of query and subject";
    Qframe "qframe" "query frame" "frame of the query";
    Sframe "sframe" "sbjct frame" "frame of the subject";
    Btop "btop" "BTOP" "the alignment as matches and differences";
    Stitle "stitle" "subject title" "title of the subject: its whole definition line unless its id was parsed";
    Salltitles "salltitles" "subject titles" "all titles of the subject, separated by <>";
    Qcovs "qcovs" "% query coverage per subject" "percentage of the query covered by the subject's HSPs";
    Qcovhsp "qcovhsp" "% query coverage per hsp" "percentage of the query covered by the HSP";
}

/// The twelve columns that `std` and an empty column list mean.
pub(super) const STANDARD: [Column; 12] = [
    Column::Qaccver,
    Column::Saccver,
    Column::Pident,
    Column::Length,
    Column::Mismatch,
    Column::Gapopen,
    Column::Qstart,
    Column::Qend,
    Column::Sstart,
    Column::Send,
    Column::Evalue,
    Column::Bitscore,
];

/// Format of a report.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// 6: rows only, cells separated by tabs.
    Tabular(Vec<Column>),
    /// 7: rows with comment lines.
    TabularWithComments(Vec<Column>),
}

impl OutputFormat {
    /// The number of the format.
    pub fn number(&self) -> u8 {
        match self {
            Self::Tabular(_) => 6,
            Self::TabularWithComments(_) => 7,
        }
    }

    /// The columns of the rows.
    pub fn columns(&self) -> &[Column] {
        match self {
            Self::Tabular(columns) | Self::TabularWithComments(columns) => columns,
        }
    }
}

impl Default for OutputFormat {
    /// Format 6 with the standard columns.
    fn default() -> Self {
        Self::Tabular(STANDARD.to_vec())
    }
}

/// Writes the option so that it parses to the same format.
impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())?;
        if self.columns() != STANDARD {
            for column in self.columns() {
                write!(f, " {}", column.name())?;
            }
        }
        Ok(())
    }
}

/// Why a text is no output format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseFormatError {
    /// BLAST+ has it, skyblast does not yet.
    #[error(
        "output format {0} is not available; skyblast writes 6 (tabular) and 7 (tabular with comment lines)"
    )]
    Unavailable(String),
    /// No such format.
    #[error(
        "{0:?} is no output format; give 6 or 7, optionally with columns, as in \"6 qseqid sseqid evalue\""
    )]
    Unknown(String),
    /// No such column, or one that needs what a protein search does not have.
    #[error("output format column {name:?} is not available; columns are std, {}", known_columns())]
    Column {
        /// The column asked for.
        name: String,
    },
}

fn known_columns() -> String {
    Column::ALL.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for OutputFormat {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let number = words.next().unwrap_or_default();
        let format: fn(Vec<Column>) -> Self = match number {
            "6" => Self::Tabular,
            "7" => Self::TabularWithComments,
            _ => {
                let known = number.parse::<u8>().is_ok_and(|number| number <= 18);
                let error = if known { ParseFormatError::Unavailable } else { ParseFormatError::Unknown };
                return Err(error(number.to_owned()));
            }
        };
        let mut columns = Vec::new();
        for word in words {
            if word == "std" {
                columns.extend(STANDARD);
            } else {
                let column = Column::ALL.iter().find(|column| column.name() == word);
                columns.push(*column.ok_or_else(|| ParseFormatError::Column { name: word.to_owned() })?);
            }
        }
        Ok(format(if columns.is_empty() { STANDARD.to_vec() } else { columns }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn std_stands_for_twelve_columns() {
        let format: OutputFormat = "6 std qlen".parse().expect("a format");
        assert_eq!(format.columns().len(), 13);
        assert_eq!("6".parse(), Ok(OutputFormat::default()));
    }

    #[test]
    fn formats_print_as_they_parse() {
        for text in ["6", "7", "6 qseqid btop", "7 sseqid evalue qcovs"] {
            assert_eq!(text.parse::<OutputFormat>().expect("a format").to_string(), text);
        }
    }

    #[test]
    fn refusals_name_what_was_asked_for() {
        for (text, part) in [
            ("0", "format 0 is not available"),
            ("6 staxid", "\"staxid\""),
            ("", "\"\" is no"),
            ("six", "\"six\""),
        ] {
            let message = text.parse::<OutputFormat>().expect_err("a refusal").to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
