//! The pipeline: from a request to one exact report, through queues and blobs.
//!
//! ```text
//! submit ──► plans ──► plan ──► shards ──► search ×N ──► merges ──► merge ×chunks ──► finishes ──► finish
//! ```
//!
//! A job is a grid of *chunks* of queries × *volumes* of a database; a cell is a *shard*. Comparing
//! a shard is a pure function ([`compare`]), and so is merging a row ([`Merger`]). The rest is
//! bookkeeping that can be done again from the blobs at any time: every step checks what is there,
//! writes what is missing under a name that follows from the job and the shard, and announces the
//! next step. So any message may arrive twice, late or never, and any process may die anywhere.
//!
//! A job in a folder, with one worker (a database of that name has been added before):
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use skyblast::engine::SearchOptions;
//! use skyblast::jobs::worker::{self, WorkerSettings};
//! use skyblast::jobs::{Pipeline, Request, Settings};
//! use skyblast::sequence::fasta::Reader;
//! use skyblast::store::Location;
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Location::Folder("storage".into()).open()?;
//! let pipeline = Pipeline::new(|name| store.blobs(name), |name| store.queue(name), Settings::default())?;
//! let pipeline = Arc::new(pipeline);
//! let request = Request {
//!     database: "proteins".to_owned(),
//!     options: SearchOptions::default(),
//!     outfmt: "6".parse()?,
//!     taxa: None,
//! };
//! let queries = &b">a\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ\n"[..];
//! let job = pipeline.submit(&request, move || Ok(Reader::new("queries", queries))).await?;
//!
//! let stop = CancellationToken::new();
//! let working = tokio::spawn(worker::run(pipeline.clone(), WorkerSettings::default(), stop.clone()));
//! while !pipeline.status(job.id).await?.state.is_final() {
//!     tokio::time::sleep(std::time::Duration::from_secs(1)).await;
//! }
//! stop.cancel();
//! working.await?;
//! # Ok(())
//! # }
//! ```

mod announce;
mod apart;
mod archive;
mod attempt;
mod backlog;
mod browse;
mod burst;
mod cancel;
mod catalog;
mod chunk;
mod collect;
mod cost;
mod doctor;
mod edition;
mod error;
mod estimate;
mod finish;
mod frame;
mod glance;
mod hedge;
mod hits;
mod id;
mod intake;
mod job;
mod key;
mod label;
mod ledger;
mod listing;
mod memory;
mod merge;
mod merger;
mod messages;
mod names;
mod pipeline;
mod plan;
mod poison;
mod produce;
mod publish;
mod recent_chunks;
mod reindex;
mod remove;
mod results;
mod retention;
mod retry;
mod search;
mod shard;
mod shard_map;
mod share;
mod spill;
mod status;
mod submit;
mod sweep;
mod tally;
mod taxa;
mod taxonomy;
mod trace;
mod turn;
mod underway;
mod upload;
mod volume_folder;
mod volumes;
pub mod worker;

pub use apart::{Apart, Ending};
pub use attempt::MAX_DELIVERIES;
pub use backlog::{Backlog, ShardsLeft};
pub use browse::{
    AlignedHit, AlignedPage, BestHit, Browsed, Found, HitColumn, HitFilter, HitsPage, HitsWanted,
    MAX_ALIGNED, MAX_DEPTH, MAX_HITS, MAX_QUERIES, MAX_SPECIES, Plots, QueriesPage, QueriesWanted,
    QueryCount, RankedHit, Sequences, SequencesWanted, SpeciesFound, SpeciesPage, SubjectPart,
};
pub use burst::{BURST_AFTER, InCloud, Place, Placement, UnknownPlace};
pub use cancel::Cancellation;
pub use catalog::{Catalog, check_database_name};
pub use chunk::{ChunkLimits, Chunker, Query, QueryChunk, Warning};
pub use collect::{GRACE, Garbage};
pub use doctor::{Check, MAX_CLOCK_SKEW};
pub use error::{Error, Result};
pub use estimate::{
    Bounds, CountedQueries, Duration as EstimatedDuration, Estimate, Instances, Price, Prices, PricesError,
    QueryTotals, Rate, Terms, Work, calibrate,
};
pub use glance::Glance;
pub use id::{JobId, ParseJobIdError};
pub use job::{ChunkInfo, DatabaseRef, FailedShard, Job, MAX_LISTED_FAILURES, Outcome, Plan, State};
pub use key::{InvalidKey, SubmissionKey};
pub use label::{Label, MAX_LABEL, ParseLabelError};
pub use listing::{Listed, Listing, MAX_PAGE, Page};
pub use merge::{render, render_end, render_head};
pub use merger::{Candidates, Merger};
pub use messages::{ChunkSearched, Inbox, JobMerged, JobSubmitted, OWN_SHARDS, ShardPlanned, Stage};
pub use names::{DATABASES, JOBS};
pub use pipeline::{KEEP_JOBS, Pipeline, Settings, TURN};
pub use publish::{OnPublished, Published};
pub use results::{AddressFrom, MissingShards, Report, StoredReport, Wanted};
pub use retention::Removal;
pub use retry::Retry;
pub use shard::{compare, search_row};
pub use shard_map::ShardMap;
pub use share::{MAX_SHARE, Share};
pub use spill::{ROOM, Shelf};
pub use status::{Progress, Status};
pub use submit::{Request, SubmitError, Submitter};
pub use sweep::Sweep;
pub use tally::Tally;
pub use taxa::{AskedTaxa, Chosen};
pub use taxonomy::CurrentTaxonomy;
pub use trace::{ParseTraceError, Trace};
pub use underway::Underway;
pub use upload::{PART_BYTES, Upload};
pub use volume_folder::VolumeFolder;
