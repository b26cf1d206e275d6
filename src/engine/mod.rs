//! The comparison engine: pure functions from queries, subjects and options to hits.
//!
//! It computes what NCBI's blastp 2.12 does. For each pair of a query
//! and a subject, independently of all others:
//!
//! 1. words of three residues hit a table of the query's neighbourhoods (`words`); two hits on a
//!    diagonal start an ungapped X-drop extension (`ungapped`);
//! 2. ungapped HSPs that score enough are extended with gaps, for the score only (`gapped`,
//!    `preliminary`);
//! 3. subjects that stay within the list limit of the whole database (`hitlist`) are aligned
//!    through the same start points, with the same scores (`alignment`) or with scores adjusted to
//!    the compositions of query and subject (`composition`, `seg`).
//!
//! Statistics use the size of the whole database, so that a part's hits are the whole's hits. No
//! function here reads a file, a clock or the environment, and all logarithms and exponentials
//! come from one portable library, so the same input gives the same bytes on every machine.

mod aligner;
mod alignment;
mod asked;
mod batch;
mod best_hit;
mod blocks;
mod choices;
mod composition;
mod containment;
mod contest;
mod culling;
mod diagonals;
mod extension;
mod gapped;
mod hit;
mod hitlist;
mod kernel;
mod late;
mod masking;
mod option_error;
mod options;
mod pieces;
mod preliminary;
mod query;
mod search;
mod seg;
mod smith_waterman;
mod spelling;
#[doc(hidden)]
pub mod stages;
mod stitch;
mod subject_best;
mod subjects;
mod symbols;
mod two_hits;
mod ungapped;
mod without_gaps;
mod words;

pub use choices::{OptionChoices, Task};
pub use contest::Contest;
pub use hit::{Adjustment, Edit, EditRun, Hit, Hsp, Rank, Unaligned};
pub use hitlist::Candidates;
pub use late::LateAlignment;
pub use masking::{Masking, NotPossible, QueryLocation, SegChoice, Switch};
pub use option_error::OptionError;
pub use options::{
    CompositionMode, DatabaseTotals, DropOffs, SearchOptions, UnknownCompositionMode, WordOptions,
};
pub use query::{QuerySequence, SearchedQuery};
pub use search::{OnProgress, Search};
pub use seg::Seg;
pub use spelling::{Spelled, spelled};
pub use subjects::Subjects;
