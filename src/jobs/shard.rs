//! Comparing a shard: the pure function that everything else is bookkeeping for.

use std::ops::ControlFlow;

use super::chunk::{Query, QueryChunk};
use super::error::Result;
use super::merger::Merger;
use crate::engine::{Advance, Hit, OnProgress, QuerySequence, Rest, Search, Subjects};

/// Compares a chunk with a volume whose first sequence is number `first_ordinal` of the database, or goes on
/// with the rest of that, and hands the candidates over to `found`, each with the number of its list: one list
/// for each query, or for each of its pieces. Returns what is left to do if `on_progress` stopped it; the
/// shard's candidates are then those of all runs together.
///
/// Same input, same candidates, whatever the number of threads and the machine; they come in no particular
/// order, and some that the list limits leave no room for may come as well.
///
/// # Errors
/// The first error of `found`.
pub fn compare(
    search: &Search,
    chunk: &QueryChunk,
    volume: &impl Subjects,
    first_ordinal: u64,
    rest: Option<Rest>,
    on_progress: OnProgress<'_>,
    found: &mut dyn FnMut(usize, Hit) -> Result<()>,
) -> Result<Option<Rest>> {
    let queries: Vec<QuerySequence<'_>> = chunk.queries.iter().map(Query::sequence).collect();
    search.run(&queries, volume, first_ordinal, rest, on_progress, found)
}

/// Compares a chunk with all volumes, each after the number of its first sequence, and adds what is found to
/// `merger`, which was made for the chunk: the whole of a row, for those who need neither storage nor other
/// machines. `on_compared` is told how many more comparisons have been made, from any thread.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use skyblast::database::ResidentVolume;
/// use skyblast::engine::{DatabaseTotals, OptionChoices, Search};
/// use skyblast::jobs::{ChunkLimits, Chunker, Merger, ROOM, Shelf, search_row};
/// use skyblast::report::QueryHits;
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
/// let mut found = Vec::new();
/// let limits = ChunkLimits::for_volumes_of(totals.residues, options.mode);
/// for chunk in Chunker::new(Reader::new("the queries", fasta), limits, options) {
///     let chunk = chunk?;
///     let mut merger = Merger::new(options, totals, &chunk, ROOM)?;
///     search_row(&search, &mut merger, &chunk, [(0, &volume)], &|_| ())?;
///     merger.finish(NonZeroUsize::MIN, |query, hits: &Shelf| {
///         hits.visit_all(&mut |hit| {
///             found.push((query, hit.ordinal()));
///             Ok(())
///         })
///     })?;
/// }
/// assert_eq!(found, [(0, 0)], "the query finds itself");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If hits that do not fit into memory cannot be put into a temporary file.
pub fn search_row<'a, V: Subjects + 'a>(
    search: &Search,
    merger: &mut Merger,
    chunk: &QueryChunk,
    volumes: impl IntoIterator<Item = (u64, &'a V)>,
    on_compared: &(dyn Fn(u64) + Sync),
) -> Result<()> {
    for (first_ordinal, volume) in volumes {
        let on_progress = |progress| {
            if let Advance::Compared(comparisons) = progress {
                on_compared(comparisons);
            }
            ControlFlow::Continue(())
        };
        let mut add = |list, hit| merger.add(list, hit);
        compare(search, chunk, volume, first_ordinal, None, &on_progress, &mut add)?;
    }
    Ok(())
}
