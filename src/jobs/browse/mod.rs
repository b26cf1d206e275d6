//! Reading a report query by query, as a person does: which queries there are and how many hits each has, the
//! hits of one of them, their alignments.
//!
//! The merged hits of a chunk (`parts/<chunk>`) are the source. How many hits each query has is written beside
//! them (`counts/<chunk>`) when they are merged, and made again where that is missing, as for jobs of earlier
//! versions; so are the species of its hits (`species/<chunk>`). Of what is read no more than a page is held in memory.

mod alignments;
mod counts;
mod filter;
mod hits;
mod order;
mod plots;
mod queries;
mod sequences;
mod source;
mod species;

pub use alignments::{AlignedHit, AlignedPage, MAX_ALIGNED};
pub(in crate::jobs) use counts::ChunkCounts;
pub use counts::{BestHit, QueryCount};
pub use filter::HitFilter;
pub use hits::{HitsPage, HitsWanted, MAX_DEPTH, MAX_HITS, RankedHit};
pub use order::HitColumn;
pub use plots::Plots;
pub use queries::{MAX_QUERIES, QueriesPage, QueriesWanted};
pub use sequences::{Sequences, SequencesWanted, SubjectPart};
pub use source::Browsed;
pub(in crate::jobs) use species::SpeciesTally;
pub use species::{Found, MAX_SPECIES, SpeciesFound, SpeciesPage};
