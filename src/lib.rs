//! Exact protein search from shards: NCBI blastp's answer, to the byte, however the work was cut.
//!
//! # The map
//!
//! A module may use those to its left in its own line, and those of the second line also the first:
//!
//! * [`sequence`] (residues, FASTA) → [`scoring`] (matrices, statistics) → [`engine`] (the comparison, pure) →
//!   [`database`] (volumes and manifests, NCBI's databases) → [`taxonomy`] (names of taxa) → [`report`] (hits as text)
//! * [`store`] (blobs and queues) → [`jobs`] (the pipeline) → [`functions`] (HTTP, and the Functions host) → [`cli`]
//!
//! # What everything rests on
//!
//! Comparing is a pure function of the queries, a part of the database, its first ordinal, the options and the
//! size of the whole database. Parts that were compared anywhere, in any order, join to the answer of one search:
//!
//! ```
//! use skyblast::database::ResidentVolume;
//! use skyblast::engine::{
//!     DatabaseTotals, Hit, OptionChoices, QuerySequence, Search, Subjects, to_the_end,
//! };
//! use skyblast::sequence::fasta::Reader;
//!
//! let fasta = b">a\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQ\n\
//!               >b\nMSTNPKPQRKTKRNTNRRPQDVKFPGGGQIVGGVYLLPRRGPRLGVRATRKTSERS\n\
//!               >c\nMKTAYIAKQRQLSFVKSHFARQLEERLGLIEVQAPILTRVGDGTQDNLSGAEKPVQ\n";
//! let records: Vec<_> = Reader::new("example", &fasta[..]).collect::<Result<_, _>>()?;
//! let volume = |part: &[skyblast::sequence::fasta::Record]| {
//!     let mut volume = ResidentVolume::default();
//!     for record in part {
//!         volume.push(&record.defline, &record.residues);
//!     }
//!     volume
//! };
//! let residues = records.iter().map(|record| record.residues.len() as u64).sum();
//! let totals = DatabaseTotals { sequences: records.len() as u64, residues };
//!
//! let options = OptionChoices::default().resolve()?;
//! let search = Search::new(options, totals)?;
//! let query = [QuerySequence { residues: &records[0].residues, lower_case: &[], pieces: &[] }];
//! let compare = |part: &ResidentVolume, first_ordinal: u64, hits: &mut Vec<Hit>| {
//!     search.run(&query, part, first_ordinal, None, &to_the_end, &mut |_list, hit| {
//!         hits.push(hit);
//!         Ok::<(), std::convert::Infallible>(())
//!     })
//! };
//!
//! let (mut whole, mut joined) = (Vec::new(), Vec::new());
//! compare(&volume(&records), 0, &mut whole)?;
//! let (left, right) = (volume(&records[..1]), volume(&records[1..]));
//! compare(&right, left.len() as u64, &mut joined)?;
//! compare(&left, 0, &mut joined)?;
//!
//! // `jobs::Merger` does this within limited memory, and applies the limits of lists.
//! whole.sort_by(Hit::compare_final);
//! joined.sort_by(Hit::compare_final);
//! assert_eq!(joined, whole);
//! joined.retain(|hit| !hit.hsps.is_empty());
//! let names: Vec<_> = joined.iter().map(Hit::ordinal).collect();
//! assert_eq!(names, [0, 2], "itself, then its relative");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`jobs`] does the same with blobs and queues between the steps; `ARCHITECTURE.md` tells how.

// They panic when nobody reads the output any more; `cli` has macros that do not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod database;
pub mod engine;
pub mod functions;
pub mod jobs;
pub mod report;
pub mod scoring;
pub mod sequence;
pub mod store;
pub mod taxonomy;
