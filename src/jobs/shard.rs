//! Comparing a shard: the pure function that everything else is bookkeeping for.

use super::chunk::{Query, QueryChunk};
use super::error::Result;
use crate::engine::{Hit, OnProgress, QuerySequence, Rest, Search, Subjects};

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
