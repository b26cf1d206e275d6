//! The comparison engine: pure functions from queries, subjects and options to hits.
//!
//! It computes what NCBI's blastp 2.12 does. For each pair of a query
//! and a subject, independently of all others:
//!
//! 1. words of three residues hit a table of the query's neighbourhoods (`select::words`); two hits on a
//!    diagonal start an ungapped X-drop extension (`select::ungapped`);
//! 2. ungapped HSPs that score enough are extended with gaps, for the score only
//!    (`align::gapped`, `align::preliminary`);
//! 3. subjects that stay within the list limit of the whole database (`rank::hitlist`) are aligned
//!    through the same start points, with the same scores (`align::alignment`) or with scores
//!    adjusted to the compositions of query and subject (`align::composition`, `seg`).
//!
//! Statistics use the size of the whole database, so that a part's hits are the whole's hits. No
//! function here reads a file, a clock or the environment, and all logarithms and exponentials
//! come from one portable library, so the same input gives the same bytes on every machine.

mod align;
mod batch;
mod blocks;
mod kernel;
mod late;
mod options;
mod pieces;
mod query;
mod rank;
mod rest;
mod search;
mod seg;
mod select;
#[doc(hidden)]
pub mod stages;
mod stitch;
mod subjects;
mod watch;

pub use align::hsp::{Adjustment, Edit, EditRun, Hsp};
pub use kernel::{OtherProcessor, Processor, UnknownProcessor};
pub use late::{LateAlignment, Survivors};
pub use options::{
    CompositionMode, Contest, DatabaseTotals, DropOffs, Masking, Mode, NotPossible, OptionChoices,
    OptionError, QueryLocation, SearchOptions, SegChoice, Spelled, Switch, Task, UnknownCompositionMode,
    UnknownMode, WordOptions, spelled,
};
pub use query::{QuerySequence, SearchedQuery};
pub use rank::hit::{Hit, Rank, Unaligned};
pub use rank::hitlist::EarlyTermination;
pub use rest::Rest;
pub use search::Search;
pub use seg::Seg;
pub use subjects::Subjects;
pub use watch::{Advance, OnProgress, to_the_end};
