//! The two pure functions that everything else is bookkeeping for: comparing a shard, and merging
//! the shards of a chunk.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::chunk::{Query, QueryChunk};
use crate::engine::{
    Advance, Candidates, DatabaseTotals, Hit, LateAlignment, OnProgress, OptionError, QuerySequence, Rest,
    Search, SearchOptions, Subjects,
};

/// The hits of one shard: the candidates in the volume of each query of the chunk, or of each of its pieces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardHits {
    /// Candidates by query and piece, best preliminary rank first.
    pub candidates: Vec<Vec<Hit>>,
}

/// Compares a chunk with a volume whose first sequence is number `first_ordinal` of the database, or goes on
/// with the rest of that. Returns the hits, and what is left to do if `on_progress` stopped it; the shard's hits are
/// then those of all runs together, in any order and by rank, as many as the list limits leave.
///
/// Same input, same output, whatever the number of threads and the machine.
pub fn compare(
    search: &Search,
    chunk: &QueryChunk,
    volume: &impl Subjects,
    first_ordinal: u64,
    rest: Option<Rest>,
    threads: NonZeroUsize,
    on_progress: OnProgress<'_>,
) -> (ShardHits, Option<Rest>) {
    let queries: Vec<QuerySequence<'_>> = chunk.queries.iter().map(Query::sequence).collect();
    let reached = search.run(&queries, volume, first_ordinal, rest, threads, on_progress);
    (
        ShardHits { candidates: reached.candidates.into_iter().map(Candidates::into_hits).collect() },
        reached.rest,
    )
}

/// Compares a chunk with all volumes, each after the number of its first sequence, and merges what is found:
/// the hits to report, by query, of a search with `options` in a database of size `totals`, for which `search`
/// was made. The whole of a row, for those who need neither storage nor other machines. `on_compared` is told how
/// many more comparisons have been made, from any thread.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use skyblast::database::ResidentVolume;
/// use skyblast::engine::{DatabaseTotals, OptionChoices, Search};
/// use skyblast::jobs::{ChunkLimits, Chunker, search_row};
/// use skyblast::sequence::fasta::Reader;
///
/// let fasta = &b">a\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQ\n"[..];
/// let mut volume = ResidentVolume::default();
/// let mut totals = DatabaseTotals { sequences: 0, residues: 0 };
/// for record in Reader::new("the database", fasta) {
///     let record = record?;
///     volume.push(&record.defline, &record.residues);
///     totals.sequences += 1;
///     totals.residues += record.residues.len() as u64;
/// }
///
/// let mut choices = OptionChoices::default();
/// choices.set("evalue", "1e-5")?;
/// let options = choices.resolve()?;
/// let search = Search::new(options, totals)?;
/// for chunk in Chunker::new(Reader::new("the queries", fasta), ChunkLimits::for_volumes_of(totals.residues), options) {
///     let volumes = [(0, &volume)];
///     let hits = search_row(&search, (options, totals), &chunk?, volumes, NonZeroUsize::MIN, &|_| ())?;
///     assert_eq!(hits[0][0].ordinal(), 0, "the query finds itself");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If there are no statistics for the matrix and gap costs.
pub fn search_row<'a, V: Subjects + 'a>(
    search: &Search,
    (options, totals): (SearchOptions, DatabaseTotals),
    chunk: &QueryChunk,
    volumes: impl IntoIterator<Item = (u64, &'a V)>,
    threads: NonZeroUsize,
    on_compared: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Vec<Hit>>, OptionError> {
    let mut merger = Merger::new(options, totals, chunk)?;
    for (first_ordinal, volume) in volumes {
        let on_progress = |progress| {
            if let Advance::Compared(comparisons) = progress {
                on_compared(comparisons);
            }
            ControlFlow::Continue(())
        };
        merger.add(compare(search, chunk, volume, first_ordinal, None, threads, &on_progress).0);
    }
    Ok(merger.finish(threads))
}

/// Joins the shards of one chunk, in any order, holding no more than the list limits ask for.
#[derive(Debug)]
pub struct Merger {
    options: SearchOptions,
    /// The batch of each query.
    batches: Vec<u64>,
    /// Lengths of what is searched of the queries.
    lengths: Vec<usize>,
    /// What has been found for each query, or for each of its pieces.
    candidates: Vec<Candidates>,
    /// What is left to do, and with which queries, if not all hits are aligned where they are found.
    late: Option<Box<(LateAlignment, Vec<Query>)>>,
}

impl Merger {
    /// A merger for the shards of `chunk` with a database of size `totals`.
    ///
    /// # Errors
    /// If there are no statistics for the matrix and gap costs.
    pub fn new(
        options: SearchOptions,
        totals: DatabaseTotals,
        chunk: &QueryChunk,
    ) -> Result<Self, OptionError> {
        let queries = || chunk.queries.iter().map(Query::sequence);
        let late = LateAlignment::new(options, totals, queries())?;
        Ok(Self {
            options,
            batches: chunk.queries.iter().map(|query| query.batch).collect(),
            lengths: queries().map(|query| options.searched_range(query.residues.len()).len()).collect(),
            candidates: vec![Candidates::default(); queries().map(|query| query.lists()).sum()],
            late: late.map(|late| Box::new((late, chunk.queries.clone()))),
        })
    }

    /// Adds a shard; adding it twice changes nothing.
    pub fn add(&mut self, shard: ShardHits) {
        for (joined, hits) in self.candidates.iter_mut().zip(shard.candidates) {
            let other = Candidates::new(hits, &self.options);
            *joined = std::mem::take(joined).join(other, &self.options);
        }
    }

    /// The hits to report, by query.
    pub fn finish(self, threads: NonZeroUsize) -> Vec<Vec<Hit>> {
        let mut candidates = self.candidates.into_iter();
        let batches = self.batches.chunk_by(|a, b| a == b);
        if let Some(late) = self.late {
            let (late, queries) = *late;
            let mut queries = queries.iter().map(Query::sequence).map(|query| {
                let lists = candidates.by_ref().take(query.lists()).collect();
                (query, lists)
            });
            let report = |batch: &[u64]| late.report(queries.by_ref().take(batch.len()).collect(), threads);
            return batches.flat_map(report).collect();
        }
        let mut queries = self.lengths.into_iter().zip(candidates);
        let report =
            |batch: &[u64]| Candidates::report(queries.by_ref().take(batch.len()).collect(), &self.options);
        batches.flat_map(report).collect()
    }
}
