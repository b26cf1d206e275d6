//! A batch of queries, joined so that one pass over the database serves them all.

use std::ops::Range;

use super::align::cutoffs::Cutoffs;
use super::align::scheme::Scheme;
use super::query::SearchedQuery;
use crate::scoring::FORBIDDEN;
use crate::sequence::alphabet::{O, SENTINEL, X};

/// Queries that a batch holds at most: their places are numbered in 16 bits.
const JOINED_QUERIES: usize = 1 << 15;

/// Largest drop-off of ungapped extensions: what the pair with a sentinel costs.
const LARGEST_DROP_OFF: i32 = -FORBIDDEN;

/// One query of a batch.
#[derive(Clone, Debug)]
pub(super) struct BatchQuery {
    /// Which query of the search it is, from 0.
    pub(super) index: usize,
    /// Where it lies in the joined residues.
    pub(super) range: Range<usize>,
    /// Its score limits.
    pub(super) cutoffs: Cutoffs,
}

/// Queries joined by sentinels.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) queries: Vec<BatchQuery>,
    /// With how many queries a subject of the batch is compared; the pieces of a query are one together.
    pub(super) comparisons: usize,
    /// Sentinel, first query, sentinel, second query, …, sentinel.
    pub(super) residues: Vec<u8>,
    /// The same with sentinels where queries are masked, so that no word starts there.
    pub(super) seeding: Vec<u8>,
    /// For each joined position the place of its query in `queries`.
    place_at: Vec<u16>,
    /// For each joined position the drop-off of its query's ungapped extensions.
    pub(super) drop_off_at: Vec<u16>,
    /// Smallest cutoff of ungapped scores of any query.
    pub(super) lowest_cutoff: i32,
}

impl Batch {
    /// The query that a joined position lies in, with its place.
    pub(super) fn query_at(&self, position: u32) -> (u32, &BatchQuery) {
        let place = u32::from(self.place_at[position as usize]);
        (place, &self.queries[place as usize])
    }

    /// Drop-off of ungapped extensions of the query that a joined position lies in.
    #[inline]
    pub(super) fn drop_off_at(&self, position: u32) -> i32 {
        i32::from(self.drop_off_at[position as usize])
    }

    /// Residues of a query of this batch.
    pub(super) fn query(&self, place: usize) -> &[u8] {
        &self.residues[self.queries[place].range.clone()]
    }
}

/// Cuts a search's queries into batches of at most so many residues, unless a single query is longer;
/// queries that cannot be searched are left out.
pub(super) fn batches(queries: &[SearchedQuery<'_>], scheme: &Scheme, most: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut members: Vec<(usize, Cutoffs)> = Vec::new();
    let mut residues = 0;
    for (index, query) in queries.iter().enumerate() {
        let Some(cutoffs) = Cutoffs::new(&query.compared, scheme) else {
            continue;
        };
        let is_full = residues + query.compared.len() > most || members.len() == JOINED_QUERIES;
        if !members.is_empty() && is_full {
            batches.push(join(&members, queries));
            members.clear();
            residues = 0;
        }
        members.push((index, cutoffs));
        residues += query.compared.len();
    }
    if !members.is_empty() {
        batches.push(join(&members, queries));
    }
    batches
}

fn join(members: &[(usize, Cutoffs)], queries: &[SearchedQuery<'_>]) -> Batch {
    let mut residues = vec![SENTINEL];
    let mut place_at = vec![0];
    let mut drop_off_at = vec![0];
    let mut joined = Vec::with_capacity(members.len());
    for (place, &(index, cutoffs)) in members.iter().enumerate() {
        let start = residues.len();
        residues.extend_from_slice(&queries[index].compared);
        joined.push(BatchQuery { index, range: start..residues.len(), cutoffs });
        residues.push(SENTINEL);
        place_at.resize(residues.len(), place as u16);
        // A sentinel's score ends any extension, so that a larger drop-off makes no difference.
        drop_off_at.resize(residues.len(), cutoffs.x_ungapped.clamp(0, LARGEST_DROP_OFF) as u16);
    }
    // blastp puts X for O in queries (`api/blast_setup_cxx.cpp`). Both score alike, so that only words
    // can tell them apart; alignments still show and count O.
    let mut seeding: Vec<u8> = residues.iter().map(|&code| if code == O { X } else { code }).collect();
    for query in &joined {
        for masked in &queries[query.index].masked {
            // No word spans a sentinel.
            seeding[query.range.start + masked.start..query.range.start + masked.end].fill(SENTINEL);
        }
    }
    let lowest_cutoff = members.iter().map(|(_, cutoffs)| cutoffs.ungapped).min().unwrap_or(0);
    let comparisons = joined.iter().filter(|query| queries[query.index].is_counted()).count();
    Batch { queries: joined, comparisons, residues, seeding, place_at, drop_off_at, lowest_cutoff }
}
