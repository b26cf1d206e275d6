//! The two pure functions that everything else is bookkeeping for: comparing a shard, and merging
//! the shards of a chunk.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::chunk::{Query, QueryChunk};
use crate::engine::{Candidates, Hit, OnProgress, Search, SearchOptions, Subjects};

/// The hits of one shard: for each query of the chunk its candidates in the volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardHits {
    /// Candidates by query, best preliminary rank first.
    pub candidates: Vec<Vec<Hit>>,
}

/// Compares a chunk with a volume whose first sequence is number `first_ordinal` of the database.
///
/// Same input, same output, whatever the number of threads and the machine.
pub fn compare(
    search: &Search,
    chunk: &QueryChunk,
    volume: &impl Subjects,
    first_ordinal: u64,
    threads: NonZeroUsize,
    on_progress: OnProgress<'_>,
) -> ShardHits {
    let queries: Vec<&[u8]> = chunk.queries.iter().map(|query| query.residues.as_slice()).collect();
    let candidates = search.run(&queries, volume, first_ordinal, threads, on_progress);
    ShardHits { candidates: candidates.into_iter().map(Candidates::into_hits).collect() }
}

/// Joins the shards of one chunk, in any order, holding no more than the list limits ask for.
#[derive(Debug)]
pub struct Merger {
    options: SearchOptions,
    /// Lengths of the queries, with what has been found for them.
    candidates: Vec<(usize, Candidates)>,
}

impl Merger {
    /// A merger for the shards of `chunk`.
    pub fn new(options: SearchOptions, chunk: &QueryChunk) -> Self {
        let nothing = |query: &Query| (query.residues.len(), Candidates::default());
        Self { options, candidates: chunk.queries.iter().map(nothing).collect() }
    }

    /// Adds a shard; adding it twice changes nothing.
    pub fn add(&mut self, shard: ShardHits) {
        for ((_, joined), hits) in self.candidates.iter_mut().zip(shard.candidates) {
            let other = Candidates::new(hits, &self.options);
            *joined = std::mem::take(joined).join(other, &self.options);
        }
    }

    /// The hits to report, by query.
    pub fn finish(self) -> Vec<Vec<Hit>> {
        let report = |(length, candidates): (usize, Candidates)| candidates.report(length, &self.options);
        self.candidates.into_iter().map(report).collect()
    }
}
