//! Chunks: runs of consecutive queries, cut from a stream of FASTA records.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::engine::{Mode, QuerySequence, SearchOptions, SearchedQuery};
use crate::report::{MissingVolumes, QueryText};
use crate::scoring::{Matrix, has_ungapped_parameters};
use crate::sequence::fasta::{FastaError, Note, Record};
use crate::sequence::nucleotide::looks_like_nucleotides;

/// One query of a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Number of its record in the input, from 1.
    pub number: u64,
    /// Number of its batch, from 0: blastp reads queries in batches and stops to align doubtful
    /// subjects when all of a batch have enough good ones.
    pub batch: u64,
    /// The whole definition line, without `>`.
    pub defline: Vec<u8>,
    /// Residue codes; empty for a record without residues.
    pub residues: Vec<u8>,
    /// Where it was written in lower case, if that matters; 0-based, half-open, ascending.
    pub lower_case: Vec<Range<u32>>,
    /// The pieces in which it is searched ([`SearchOptions::pieces`]); none if it is searched as a whole.
    pub pieces: Vec<Range<u32>>,
}

impl Query {
    /// The query as the engine takes it.
    pub fn sequence(&self) -> QuerySequence<'_> {
        QuerySequence { residues: &self.residues, lower_case: &self.lower_case, pieces: &self.pieces }
    }

    /// The query as reports take it, as number `place` of its report.
    pub fn text(&self, place: u64) -> QueryText<'_> {
        let missing = MissingVolumes::default();
        QueryText { number: self.number, place, defline: &self.defline, sequence: self.sequence(), missing }
    }
}

/// A run of consecutive queries of one job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryChunk {
    /// Place in the report, from 1, of the first query.
    pub first_place: u64,
    /// The queries.
    pub queries: Vec<Query>,
}

impl QueryChunk {
    /// Number of residues of all queries.
    pub fn residues(&self) -> u64 {
        self.queries.iter().map(|query| query.residues.len() as u64).sum()
    }
}

/// How large a chunk may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkLimits {
    /// Most residues, unless a single query or a batch has more.
    pub residues: u64,
    /// Most queries.
    pub queries: usize,
}

/// Comparisons of one query residue with one database residue that a core makes per second.
///
/// Cautious: 7e10 without and 1.2e11 with AVX-512 were measured with queries of mixed origin against
/// proteins of Swiss-Prot, and instances may be slower. Only the size of the work units depends on it.
const RESIDUE_PAIRS_PER_SECOND: f64 = 4e10;
/// Residues at which blastp closes a batch of queries (`blastinput/blast_input_aux.cpp`).
const BATCH_RESIDUES: u64 = 10_000;
/// Most bytes of definition lines in a chunk and in a batch, unless a single one is longer: both are held in
/// memory.
const CHUNK_DEFLINES: usize = 8 << 20;
/// Most queries of a batch, which residues bound unless there are none.
const BATCH_QUERIES: usize = 10_000;
/// Residues of a chunk in the modes that sort both sides.
const SORTED_RESIDUES: u64 = 600_000;
/// How many times as long as the exact mode the thorough one takes.
const THOROUGH_TIMES: f64 = 3.0;
/// Core-seconds that a shard is meant to take.
const SHARD_CORE_SECONDS: f64 = 100.0;

/// Comparisons of one query residue with one database residue that a core makes per second at least, as far as the
/// size of work units and patience with them depend on it: what the modes that sort save is left out.
pub(super) fn pairs_per_second(mode: Mode) -> f64 {
    match mode {
        Mode::Thorough => RESIDUE_PAIRS_PER_SECOND / THOROUGH_TIMES,
        Mode::Exact | Mode::Seeded | Mode::Fast => RESIDUE_PAIRS_PER_SECOND,
    }
}

impl ChunkLimits {
    /// Limits for volumes of up to `volume_residues` residues: about 100 core-seconds of work
    /// per shard, and few enough queries that their hits fit in memory many times over. Modes that sort a
    /// volume anew for each chunk do so for as many queries as they join.
    pub fn for_volumes_of(volume_residues: u64, mode: Mode) -> Self {
        if matches!(mode, Mode::Seeded | Mode::Fast) {
            return Self { residues: SORTED_RESIDUES, queries: 2_000 };
        }
        let residues = SHARD_CORE_SECONDS * pairs_per_second(mode) / volume_residues.max(1) as f64;
        Self { residues: (residues as u64).clamp(BATCH_RESIDUES, 200_000), queries: 500 }
    }

    /// Where `queries`, which are whole batches but for the first, have to be cut if they are more than a
    /// chunk holds: between batches, so that the hits of a batch can be judged together, unless the limits
    /// are smaller than a batch.
    fn cut(self, queries: &[Query]) -> Option<usize> {
        let (mut residues, mut deflines) = (0, 0);
        let within = |query: &Query| {
            residues += query.residues.len() as u64;
            deflines += query.defline.len();
            residues <= self.residues && deflines <= CHUNK_DEFLINES
        };
        let fitting =
            queries.iter().map(within).take(self.queries).take_while(|&within| within).count().max(1);
        if fitting >= queries.len() {
            return None;
        }
        let ends_batch =
            |&place: &usize| queries.get(place).is_none_or(|query| query.batch != queries[place - 1].batch);
        let between = (1..=fitting).rev().find(ends_batch);
        let behind = (fitting..=queries.len()).find(ends_batch);
        let may_exceed = self.residues >= BATCH_RESIDUES;
        between.or(behind.filter(|&end| may_exceed && end <= self.queries)).or(Some(fitting))
    }
}

/// Something odd about a query that the user should hear of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Warning {
    /// Number of the record, from 1.
    pub record: u64,
    /// Its id; empty if it has none.
    pub id: String,
    /// What is odd.
    pub message: String,
}

/// Warnings about a record as a query.
fn warnings(record: &Record, options: &SearchOptions, matrix: &Matrix) -> impl Iterator<Item = Warning> {
    let sequence = QuerySequence { residues: &record.residues, lower_case: &record.lower_case, pieces: &[] };
    let compared = SearchedQuery::new(sequence, options).compared;
    let unscorable = !compared.is_empty() && !has_ungapped_parameters(&compared, matrix);
    let unscorable = unscorable.then(|| {
        "its scores have no statistics (too few residues other than X, * and masked ones), so it is not \
         searched"
            .to_owned()
    });
    let nucleotides = looks_like_nucleotides(&record.residues)
        .then(|| "looks like nucleotides, but is searched as protein".to_owned());
    let notes = record.notes.iter().map(|note| match note {
        Note::NoResidues => "no residues, so it is not searched".to_owned(),
        note => note.to_string(),
    });
    notes.chain(nucleotides).chain(unscorable).map(|message| Warning {
        record: record.number,
        id: String::from_utf8_lossy(record.id()).into_owned(),
        message,
    })
}

/// Cuts a stream of records into chunks and collects warnings on the way.
#[derive(Debug)]
pub struct Chunker<I> {
    records: I,
    limits: ChunkLimits,
    options: SearchOptions,
    /// The queries that have not been given out.
    pending: Vec<Query>,
    /// The number of the next batch.
    batch: u64,
    next_place: u64,
    matrix: Matrix,
    warnings: Vec<Warning>,
    further_warnings: u64,
}

/// Warnings kept one by one; the rest are counted.
const MAX_WARNINGS: usize = 100;

impl<I: Iterator<Item = Result<Record, FastaError>>> Chunker<I> {
    /// Cuts `records` into chunks within `limits`, with what a search with `options` needs of them.
    pub fn new(records: I, limits: ChunkLimits, options: SearchOptions) -> Self {
        Self {
            records,
            limits,
            options,
            pending: Vec::new(),
            batch: 0,
            next_place: 1,
            matrix: Matrix::new(options.matrix),
            warnings: Vec::new(),
            further_warnings: 0,
        }
    }

    /// The warnings so far, and how many more there were than are listed.
    pub fn warnings(&self) -> (&[Warning], u64) {
        (&self.warnings, self.further_warnings)
    }

    fn next_query(&mut self) -> Option<Result<Query, FastaError>> {
        let record = loop {
            match self.records.next()? {
                Ok(record) if self.is_out_of_range(&record) => {}
                Ok(record) => break record,
                Err(error) => return Some(Err(error)),
            }
        };
        for warning in warnings(&record, &self.options, &self.matrix) {
            if self.warnings.len() < MAX_WARNINGS {
                self.warnings.push(warning);
            } else {
                self.further_warnings += 1;
            }
        }
        let lower_case = if self.options.masking.lower_case { record.lower_case } else { Vec::new() };
        Some(Ok(Query {
            number: record.number,
            batch: self.batch,
            defline: record.defline,
            residues: record.residues,
            lower_case,
            pieces: Vec::new(),
        }))
    }

    /// Reads a batch as blastp does; whether there was one.
    fn read_batch(&mut self) -> Result<bool, FastaError> {
        let first = self.pending.len();
        let mut lengths = Vec::new();
        let (mut residues, mut deflines) = (0, 0);
        while residues < BATCH_RESIDUES
            && lengths.len() < BATCH_QUERIES
            && deflines < CHUNK_DEFLINES
            && let Some(query) = self.next_query().transpose()?
        {
            residues += self.options.searched_range(query.residues.len()).len() as u64;
            deflines += query.defline.len();
            lengths.push(query.residues.len());
            self.pending.push(query);
        }
        for (query, pieces) in self.pending[first..].iter_mut().zip(self.options.pieces(&lengths)) {
            query.pieces = pieces;
        }
        self.batch += 1;
        Ok(!lengths.is_empty())
    }

    /// Whether a query ends before the part that is searched; blastp leaves it out of the report.
    fn is_out_of_range(&self, record: &Record) -> bool {
        self.options.query_location.is_some_and(|location| location.leaves_out(record.residues.len()))
    }
}

impl<I: Iterator<Item = Result<Record, FastaError>>> Iterator for Chunker<I> {
    type Item = Result<QueryChunk, FastaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = loop {
            if let Some(place) = self.limits.cut(&self.pending) {
                break place;
            }
            match self.read_batch() {
                Ok(true) => {}
                Ok(false) => break self.pending.len(),
                Err(error) => return Some(Err(error)),
            }
        };
        let rest = self.pending.split_off(end);
        let queries = std::mem::replace(&mut self.pending, rest);
        if queries.is_empty() {
            return None;
        }
        let first_place = self.next_place;
        self.next_place += queries.len() as u64;
        Some(Ok(QueryChunk { first_place, queries }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(number: u64, length: usize) -> Result<Record, FastaError> {
        let defline = format!("q{number}").into_bytes();
        Ok(Record { defline, residues: vec![1; length], number, line: number, ..Record::default() })
    }

    proptest! {
        #[test]
        fn chunks_hold_every_query_once_and_in_order(
            lengths in prop::collection::vec(0usize..50, 0..60),
            residues in 1u64..200,
            queries in 1usize..10,
        ) {
            let records = lengths.iter().enumerate().map(|(i, &length)| record(i as u64 + 1, length));
            let limits = ChunkLimits { residues, queries };
            let chunks: Vec<QueryChunk> =
                Chunker::new(records, limits, SearchOptions::default()).map(|chunk| chunk.expect("good records")).collect();
            let mut number = 1;
            for chunk in &chunks {
                prop_assert_eq!(chunk.first_place, number);
                prop_assert!(!chunk.queries.is_empty() && chunk.queries.len() <= queries);
                prop_assert!(chunk.residues() <= residues || chunk.queries.len() == 1);
                number += chunk.queries.len() as u64;
            }
            let joined: Vec<usize> =
                chunks.iter().flat_map(|c| &c.queries).map(|q| q.residues.len()).collect();
            prop_assert_eq!(joined, lengths);
        }
    }

    #[test]
    fn chunks_are_cut_between_the_batches_of_blastp() {
        let lengths = [4_000, 5_000, 3_000, 9_000, 2_000, 400, 11_000, 12_000, 100];
        let chunks = |residues| {
            let records = lengths.iter().enumerate().map(|(i, &length)| record(i as u64 + 1, length));
            let limits = ChunkLimits { residues, queries: 500 };
            let chunks = Chunker::new(records, limits, SearchOptions::default());
            let batches = |chunk: Result<QueryChunk, FastaError>| {
                chunk.expect("good records").queries.iter().map(|query| query.batch).collect::<Vec<_>>()
            };
            chunks.map(batches).collect::<Vec<_>>()
        };
        let batches: [&[u64]; 5] = [&[0, 0, 0], &[1, 1], &[2, 2], &[3], &[4]];
        assert_eq!(chunks(10_000), batches);
        assert_eq!(chunks(23_450), [&[0, 0, 0, 1, 1][..], &[2, 2, 3], &[4]]);
        assert_eq!(chunks(1_000_000), [batches.concat()]);
        assert_eq!(chunks(5_000).concat(), batches.concat(), "cut anywhere, the batches are the same");
    }

    #[test]
    fn long_definition_lines_make_short_chunks() {
        let records = (1..=10)
            .map(|number| record(number, 5).map(|record| Record { defline: vec![b'x'; 3 << 20], ..record }));
        let limits = ChunkLimits { residues: 10_000, queries: 500 };
        let chunks = Chunker::new(records, limits, SearchOptions::default());
        let lengths: Vec<usize> = chunks.map(|chunk| chunk.expect("good records").queries.len()).collect();
        assert_eq!(lengths, [3, 3, 3, 1]);
    }

    #[test]
    fn shards_of_large_volumes_get_short_chunks() {
        assert_eq!(ChunkLimits::for_volumes_of(128 << 20, Mode::Exact).residues, 29_802);
        assert_eq!(ChunkLimits::for_volumes_of(1 << 20, Mode::Exact).residues, 200_000);
        assert_eq!(ChunkLimits::for_volumes_of(1 << 40, Mode::Exact).residues, 10_000);
        assert_eq!(ChunkLimits::for_volumes_of(128 << 20, Mode::Fast).residues, 600_000);
    }

    #[test]
    fn warnings_beyond_the_limit_are_counted() {
        let records = (1..=130)
            .map(|number| record(number, 0).map(|record| Record { notes: vec![Note::NoResidues], ..record }));
        let mut chunker =
            Chunker::new(records, ChunkLimits { residues: 100, queries: 1000 }, SearchOptions::default());
        assert_eq!(chunker.by_ref().count(), 1);
        let (listed, further) = chunker.warnings();
        assert_eq!((listed.len(), further), (100, 30));
        assert_eq!(listed[4].message, "no residues, so it is not searched");
    }
}
