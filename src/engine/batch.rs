//! A batch of queries, joined so that one pass over the database serves them all.

use std::f64::consts::LN_2;
use std::ops::Range;

use super::kernel::KernelQueries;
use super::options::{GAP_TRIGGER_BITS, Scheme};
use super::query::SearchedQuery;
use super::without_gaps::UngappedStatistics;
use super::words::{Neighbourhoods, WordTable};
use crate::scoring::{FORBIDDEN, ungapped_parameters};
use crate::sequence::alphabet::{O, SENTINEL, X};

/// Residues that a batch holds at most, unless a single query is longer.
///
/// The diagonal state and the hot part of the word table then stay in the second-level cache, and the
/// list of a word is long enough to be worth going to.
const JOINED_RESIDUES: usize = 20_000;

/// Largest drop-off of ungapped extensions: what the pair with a sentinel costs.
const LARGEST_DROP_OFF: i32 = -FORBIDDEN;

/// Score limits of one query, in raw score units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cutoffs {
    /// Drop-off of ungapped extensions.
    pub(super) x_ungapped: i32,
    /// Score from which an ungapped HSP is kept.
    pub(super) ungapped: i32,
    /// Score from which a preliminary gapped HSP is kept.
    pub(super) gapped: i32,
    /// Statistics of a search without gaps.
    pub(super) without_gaps: Option<UngappedStatistics>,
}

impl Cutoffs {
    /// `None` for a query without ungapped parameters, which is not searched.
    /// Source: `core/blast_parameters.c`.
    pub(super) fn new(query: &[u8], scheme: &Scheme) -> Option<Self> {
        let ungapped = ungapped_parameters(query, &scheme.matrix)?;
        let trigger = ((GAP_TRIGGER_BITS * LN_2 + libm::log(ungapped.k)) / ungapped.lambda) as i32;
        let without_gaps =
            scheme.options.ungapped.then(|| UngappedStatistics::new(query.len(), ungapped, scheme));
        let gapped = match &without_gaps {
            Some(statistics) => statistics.cutoff(&scheme.options),
            None => scheme.statistics.cutoff(
                scheme.options.cutoff_evalue(),
                query.len() as u64,
                scheme.shortest_subject,
                scheme.database_residues,
            ),
        };
        let x_ungapped = libm::ceil(scheme.options.drop_off.ungapped * LN_2 / ungapped.lambda);
        Some(Self {
            // What is no `int` becomes its least value in blastp, and no extension gets anywhere.
            x_ungapped: if x_ungapped > f64::from(i32::MAX) { 0 } else { x_ungapped as i32 },
            ungapped: trigger.min(gapped),
            gapped,
            without_gaps,
        })
    }
}

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

/// Queries joined by sentinels, with their word table.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) queries: Vec<BatchQuery>,
    /// With how many queries a subject of the batch is compared; the pieces of a query are one together.
    pub(super) comparisons: usize,
    /// Sentinel, first query, sentinel, second query, …, sentinel.
    pub(super) residues: Vec<u8>,
    /// For each joined position the place of its query in `queries`.
    place_at: Vec<u16>,
    /// For each joined position the drop-off of its query's ungapped extensions.
    drop_off_at: Vec<u16>,
    /// Smallest cutoff of ungapped scores of any query.
    pub(super) lowest_cutoff: i32,
    pub(super) words: WordTable,
    /// The residues as the kernel for ungapped extensions reads them, if it can.
    pub(super) kernel_queries: Option<KernelQueries>,
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

/// Cuts a search's queries into batches; queries that cannot be searched are left out.
pub(super) fn batches(
    queries: &[SearchedQuery<'_>],
    scheme: &Scheme,
    neighbourhoods: &Neighbourhoods,
) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut members: Vec<(usize, Cutoffs)> = Vec::new();
    let mut residues = 0;
    for (index, query) in queries.iter().enumerate() {
        let Some(cutoffs) = Cutoffs::new(&query.compared, scheme) else { continue };
        if !members.is_empty() && residues + query.compared.len() > JOINED_RESIDUES {
            batches.push(join(&members, queries, scheme, neighbourhoods));
            members.clear();
            residues = 0;
        }
        members.push((index, cutoffs));
        residues += query.compared.len();
    }
    if !members.is_empty() {
        batches.push(join(&members, queries, scheme, neighbourhoods));
    }
    batches
}

fn join(
    members: &[(usize, Cutoffs)],
    queries: &[SearchedQuery<'_>],
    scheme: &Scheme,
    neighbourhoods: &Neighbourhoods,
) -> Batch {
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
    let mut searched: Vec<u8> = residues.iter().map(|&code| if code == O { X } else { code }).collect();
    for query in &joined {
        for masked in &queries[query.index].masked {
            // No word spans a sentinel.
            searched[query.range.start + masked.start..query.range.start + masked.end].fill(SENTINEL);
        }
    }
    let words = WordTable::new(&searched, neighbourhoods);
    let lowest_cutoff = members.iter().map(|(_, cutoffs)| cutoffs.ungapped).min().unwrap_or(0);
    let kernel = scheme.ungapped_kernel.as_ref();
    let kernel_queries = kernel.and_then(|kernel| kernel.queries(&residues, &drop_off_at, lowest_cutoff));
    let is_counted = |query: &&BatchQuery| queries[query.index].piece.is_none_or(|piece| piece == 0);
    let comparisons = joined.iter().filter(is_counted).count();
    Batch {
        queries: joined,
        comparisons,
        residues,
        place_at,
        drop_off_at,
        lowest_cutoff,
        words,
        kernel_queries,
    }
}
