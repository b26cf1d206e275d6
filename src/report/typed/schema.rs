//! The types of columns, and what a report says of itself.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::engine::OptionChoices;
use crate::report::column::Column;
use crate::report::context::{PROGRAM, ReportContext};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Texts that come again and again.
    Dictionary,
    /// Texts that hardly do.
    Text,
    /// Counts, positions, numbers of taxa.
    Integer,
    /// Measures that tables round.
    Float,
}

impl Kind {
    pub(super) fn of(column: Column) -> Self {
        match column {
            Column::Qseqid
            | Column::Qgi
            | Column::Qacc
            | Column::Qaccver
            | Column::Sseqid
            | Column::Sallseqid
            | Column::Sgi
            | Column::Sallgi
            | Column::Sacc
            | Column::Saccver
            | Column::Sallacc
            | Column::Frames
            | Column::Ssciname
            | Column::Scomname
            | Column::Sblastname
            | Column::Sskingdom
            | Column::Staxids
            | Column::Sscinames
            | Column::Scomnames
            | Column::Sblastnames
            | Column::Sskingdoms
            | Column::Stitle
            | Column::Salltitles
            | Column::Sstrand => Self::Dictionary,
            Column::Qseq | Column::Sseq | Column::Btop => Self::Text,
            Column::Evalue | Column::Bitscore | Column::Pident | Column::Ppos => Self::Float,
            Column::Qlen
            | Column::Slen
            | Column::Qstart
            | Column::Qend
            | Column::Sstart
            | Column::Send
            | Column::Score
            | Column::Length
            | Column::Nident
            | Column::Mismatch
            | Column::Positive
            | Column::Gapopen
            | Column::Gaps
            | Column::Qframe
            | Column::Sframe
            | Column::Staxid
            | Column::Qcovs
            | Column::Qcovhsp
            | Column::Qcovus => Self::Integer,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Dictionary => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
        }
    }
}

/// The schema of rows with these columns.
pub(super) fn schema(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| {
        let said = HashMap::from([("description".to_owned(), column.description().to_owned())]);
        Field::new(column.name(), Kind::of(*column).data_type(), true).with_metadata(said)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// What a report says of itself: by what program it was made, from which database, with which options.
pub(super) fn metadata(context: &ReportContext) -> HashMap<String, String> {
    let database = &context.database;
    let metadata = [
        ("program", Some(PROGRAM.to_owned())),
        ("database", Some(database.name.clone())),
        ("database_title", Some(database.title.clone())),
        ("database_version", database.version.clone()),
        ("database_created", database.posted.map(|posted| posted.to_string())),
        ("database_sequences", Some(database.searched.sequences.to_string())),
        ("database_residues", Some(database.searched.residues.to_string())),
        ("options", Some(options(context))),
        ("partial", context.is_partial()),
    ];
    metadata.into_iter().filter_map(|(name, value)| Some((format!("skyblast.{name}"), value?))).collect()
}

/// The options in which the search differs from the usual one, as blastp spells them.
fn options(context: &ReportContext) -> String {
    let asked = OptionChoices::asked(&context.options);
    asked.iter().map(|(name, value)| format!("-{name} {value}")).collect::<Vec<_>>().join(" ")
}
