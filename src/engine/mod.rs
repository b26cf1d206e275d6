//! The comparison engine: pure functions from queries, subjects and options to hits.
//!
//! It computes what NCBI's blastp 2.12 does with `-comp_based_stats 0`. For each pair of a query
//! and a subject, independently of all others:
//!
//! 1. words of three residues hit a table of the query's neighbourhoods (`words`); two hits on a
//!    diagonal start an ungapped X-drop extension (`ungapped`);
//! 2. ungapped HSPs that score enough are extended with gaps, for the score only (`gapped`,
//!    `preliminary`);
//! 3. subjects that stay within the list limit of the whole database (`hitlist`) are aligned
//!    through the same start points (`alignment`).
//!
//! Statistics use the size of the whole database, so that a part's hits are the whole's hits. No
//! function here reads a file, a clock or the environment, and all logarithms and exponentials
//! come from one portable library, so the same input gives the same bytes on every machine.

mod alignment;
mod batch;
mod containment;
mod gapped;
mod hit;
mod hitlist;
mod options;
mod preliminary;
mod search;
mod subjects;
mod ungapped;
mod words;

pub use hit::{Adjustment, Edit, EditRun, Hit, Hsp, Rank};
pub use hitlist::Candidates;
pub use options::{CompositionMode, DatabaseTotals, SearchOptions, TWO_HIT_WINDOW, WORD_THRESHOLD};
pub use search::{OnProgress, Search};
pub use subjects::Subjects;
