//! Reports: hits as text, in the formats of BLAST+.
//!
//! [`OutputFormat`] is what the user asks for, [`ReportContext`] what a report says beside its
//! hits, and [`ReportWriter`] writes it. One file per format: `pairwise` (0), `xml` (5), `tabular`
//! (6, 7, 10) and `blast_output2` (13 to 16). All of them equal blastp's bytes but for the name
//! and version of the program and the date of the database.

mod blast_output2;
mod column;
mod columns;
mod context;
mod escape;
mod limits;
mod number;
mod outfmt;
mod pairwise;
mod tabular;
mod title;
mod tree;
mod wrap;
mod writer;
mod xml;

pub use column::Column;
pub use context::{DatabaseText, QueryText, ReportContext};
pub use limits::{LimitError, ListLimits};
pub use outfmt::{OutputFormat, PairwiseLimits, ParseFormatError, Table, TableStyle};
pub use writer::ReportWriter;
