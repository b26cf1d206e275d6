//! What an estimate needs to know of the queries.

use std::io::BufRead;

use crate::engine::SearchOptions;
use crate::jobs::chunk::{ChunkLimits, Chunker, QueryChunk};
use crate::jobs::submit::SubmitError;
use crate::sequence::defline;
use crate::sequence::fasta::Reader;

/// Residues of queries that a rate is measured with, unless the first query has more: some batches.
const MEASURED_WITH: usize = 20_000;

/// How many queries a search has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryTotals {
    /// Their number.
    pub queries: u64,
    /// Their residues.
    pub residues: u64,
}

/// Queries that have been counted.
#[derive(Clone, Debug)]
pub struct CountedQueries {
    pub(super) totals: QueryTotals,
    pub(super) chunks: u64,
    /// The first of them.
    pub(super) beginning: QueryChunk,
}

impl CountedQueries {
    /// Reads queries to their end and cuts them as a search would, but keeps the first only. With `whole`, they are
    /// the beginning of so many.
    ///
    /// # Errors
    /// What a search would be refused for.
    pub fn read<R: BufRead>(
        records: Reader<R>,
        limits: ChunkLimits,
        options: SearchOptions,
        whole: Option<QueryTotals>,
    ) -> Result<Self, Box<SubmitError>> {
        let mut beginning: Option<QueryChunk> = None;
        let (mut totals, mut chunks) = (QueryTotals { queries: 0, residues: 0 }, 0_u64);
        for chunk in Chunker::new(records, limits, options) {
            let chunk = chunk.map_err(SubmitError::Fasta)?;
            totals.queries += chunk.queries.len() as u64;
            totals.residues += chunk.residues();
            chunks += 1;
            beginning.get_or_insert(chunk);
        }
        let Some(mut beginning) = beginning else {
            return Err(options
                .query_location
                .map_or(SubmitError::NoQueries, SubmitError::OutOfRange)
                .into());
        };
        if totals.residues == 0 {
            let first =
                beginning.queries.first().map(|query| defline::id(&query.defline)).unwrap_or_default();
            let first = String::from_utf8_lossy(first).into_owned();
            return Err(SubmitError::OnlyEmptyQueries { records: totals.queries, first }.into());
        }
        let mut residues = 0;
        beginning.queries.retain(|query| {
            let stays = residues < MEASURED_WITH;
            residues += query.residues.len();
            stays
        });
        let counted = Self { totals, chunks, beginning };
        Ok(whole.map_or(counted.clone(), |whole| counted.being_the_beginning_of(whole, limits)))
    }

    /// The first of them, with which a rate can be measured.
    pub fn beginning(&self) -> &QueryChunk {
        &self.beginning
    }

    fn being_the_beginning_of(self, whole: QueryTotals, limits: ChunkLimits) -> Self {
        let totals = QueryTotals {
            queries: whole.queries.max(self.totals.queries),
            residues: whole.residues.max(self.totals.residues),
        };
        let by_residues = totals.residues.div_ceil(limits.residues.max(1));
        let by_queries = totals.queries.div_ceil(limits.queries.max(1) as u64);
        Self { totals, chunks: self.chunks.max(by_residues).max(by_queries).min(totals.queries), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fasta: &str, whole: Option<QueryTotals>) -> Result<CountedQueries, Box<SubmitError>> {
        let limits = ChunkLimits { residues: 10_000, queries: 2 };
        CountedQueries::read(Reader::new("q", fasta.as_bytes()), limits, SearchOptions::default(), whole)
    }

    #[test]
    fn queries_are_counted_as_a_search_would_cut_them() {
        let record = format!(">a\n{}\n", "MKTAYIAKQR".repeat(900));
        let counted = read(&record.repeat(5), None).expect("queries");
        assert_eq!(counted.totals, QueryTotals { queries: 5, residues: 45_000 });
        assert_eq!((counted.chunks, counted.beginning.queries.len()), (3, 2));
    }

    #[test]
    fn the_beginning_of_queries_stands_for_all_of_them() {
        let whole = QueryTotals { queries: 30, residues: 100_000 };
        let counted = read(">a\nMKTAYIAKQR\n", Some(whole)).expect("queries");
        assert_eq!((counted.totals, counted.chunks), (whole, 15));
        let fewer = QueryTotals { queries: 0, residues: 3 };
        let counted = read(">a\nMKTAYIAKQR\n", Some(fewer)).expect("queries");
        assert_eq!((counted.totals, counted.chunks), (QueryTotals { queries: 1, residues: 10 }, 1));
    }

    #[test]
    fn what_a_search_would_be_refused_for_is_refused() {
        let refusal = |fasta| *read(fasta, None).expect_err(fasta);
        assert!(matches!(refusal(""), SubmitError::NoQueries));
        assert!(matches!(refusal(">a\n>b\n"), SubmitError::OnlyEmptyQueries { records: 2, .. }));
        assert!(matches!(refusal(">a\n123\n"), SubmitError::Fasta(_)));
    }
}
