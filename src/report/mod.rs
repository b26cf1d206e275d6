//! Reports: hits as text, in the formats of BLAST+.
//!
//! [`OutputFormat`] is what the user asks for, [`ReportContext`] what a report says beside its
//! hits, and [`ReportWriter`] writes it. One file per format: `pairwise` (0), `xml` (5), `tabular`
//! (6, 7, 10), `blast_output2` (13 to 16), `sam` (17) and `typed` (Arrow, Parquet). All but the last two, which blastp
//! does not have, equal blastp's bytes but for the name and version of the program and the date of the database. `recall` compares
//! reports.

mod blast_output2;
mod choices;
mod column;
mod columns;
mod context;
mod coverage;
mod descriptions;
mod escape;
mod limits;
mod number;
mod order;
mod outfmt;
mod pairwise;
mod query_hits;
mod recall;
mod sam;
mod so_far;
mod species;
mod summary;
mod tabular;
mod taxa;
mod tree;
mod typed;
mod wrap;
mod writer;
mod xml;
mod zip;

pub use choices::PairwiseChoices;
pub use column::Column;
pub use context::{DatabasePart, DatabaseText, MissingVolumes, QueryText, ReportContext};
pub use limits::{LimitError, ListLimits};
pub use order::{HitOrder, HspOrder};
pub use outfmt::{OutputFormat, PairwiseLimits, PairwiseStyle, ParseFormatError, Table, TableStyle};
pub use query_hits::QueryHits;
pub use recall::{Band, Recall, RecallError, ReportedPairs};
pub use sam::ListedSubjects;
pub use so_far::SoFar;
pub use species::species_of;
pub use summary::{HitSummary, WrittenAlignment, query_name, renamed_species};
pub use typed::ParquetFile;
pub use writer::ReportWriter;
pub use zip::{MOST_ZIPPED, Zip};
