//! Alignments that wait until the whole database has been searched, because hits of different subjects
//! compete ([`Contest`](super::Contest)) before they are aligned, or because the query is searched in
//! pieces.
//!
//! Which hits stay depends on all hits of the database in its order, so a part can leave out none:
//! it hands over its subjects with their preliminary HSPs and residues, and what is left of all parts
//! is aligned here. Likewise a subject is aligned with a query through what has been found for all
//! pieces, each of which has a list limit of its own.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use super::align::aligner::{Aligner, AlignerWorkspace};
use super::align::cutoffs::Cutoffs;
use super::align::hsp::Hsp;
use super::align::preliminary::PreliminaryHsp;
use super::align::scheme::Scheme;
use super::blocks::in_blocks;
use super::options::OptionError;
use super::options::{Contest, DatabaseTotals, SearchOptions};
use super::query::{QuerySequence, SearchedQuery};
use super::rank::contest::Contender;
use super::rank::hit::Hit;
use super::rank::hit::rank;
use super::rank::hitlist::{Candidates, competing, keep_best, reported, terminate_early};
use super::stitch::{limit_rank, stitch};
use super::watch::{Watch, to_the_end};

/// Aligns and reports hits that compete, and those of queries that are searched in pieces.
#[derive(Debug)]
pub struct LateAlignment {
    scheme: Scheme,
}

/// A hit to be aligned, with its preliminary HSPs and the subject's residues.
struct Finalist {
    hit: Hit,
    hsps: Vec<PreliminaryHsp>,
    residues: Vec<u8>,
}

impl LateAlignment {
    /// What a search of `queries` with `options` in a database of size `totals` needs of this; `None` if
    /// all hits are aligned where they are found.
    ///
    /// # Errors
    /// If there are no statistics for the matrix and gap costs.
    pub fn new<'a>(
        options: SearchOptions,
        totals: DatabaseTotals,
        queries: impl IntoIterator<Item = QuerySequence<'a>>,
    ) -> Result<Option<Self>, OptionError> {
        let in_pieces = |query: QuerySequence<'_>| !query.pieces.is_empty();
        if options.contest.is_none() && !queries.into_iter().any(in_pieces) {
            return Ok(None);
        }
        Ok(Some(Self { scheme: Scheme::new(options, totals)? }))
    }

    /// The hits to report for the queries of a batch, each with its candidates in the whole database: one
    /// list, or one for each piece.
    pub fn report(
        &self,
        batch: Vec<(QuerySequence<'_>, Vec<Candidates>)>,
        threads: NonZeroUsize,
    ) -> Vec<Vec<Hit>> {
        let options = &self.scheme.options;
        let lengths: Vec<usize> =
            batch.iter().map(|(query, _)| options.searched_range(query.residues.len()).len()).collect();
        let align = |(query, candidates)| self.aligned(query, candidates, threads);
        let mut hits: Vec<Vec<Hit>> = batch.into_iter().map(align).collect();
        if options.terminates_early() {
            terminate_early(&mut hits, options);
        }
        lengths.into_iter().zip(hits).map(|(length, hits)| self.reported(hits, length)).collect()
    }

    /// All hits of a query that are worth an alignment, aligned.
    fn aligned(
        &self,
        query: QuerySequence<'_>,
        candidates: Vec<Candidates>,
        threads: NonZeroUsize,
    ) -> Vec<Hit> {
        let options = &self.scheme.options;
        if query.pieces.is_empty() && options.contest.is_none() {
            return candidates.into_iter().flat_map(Candidates::into_hits).collect();
        }
        let whole = SearchedQuery::new(query, options);
        let mut finalists = Vec::new();
        for (piece, candidates) in SearchedQuery::pieces(query, options).zip(candidates) {
            let seam = piece.range.start - whole.range.start;
            let further = self.finalists(&piece, candidates);
            join(&mut finalists, further, seam, options.preliminary_limit());
        }
        let mut hits = self.align(&whole, &finalists, threads);
        hits.iter_mut().for_each(|hit| hit.shift_query(whole.range.start));
        hits
    }

    /// The first contest, if there is one: by preliminary scores, in the order of the database.
    fn finalists(&self, query: &SearchedQuery<'_>, candidates: Candidates) -> Vec<Finalist> {
        let options = &self.scheme.options;
        let waiting = |mut hit: Hit| {
            let unaligned = hit.unaligned.take()?;
            Some(Finalist { hit, hsps: unaligned.hsps, residues: unaligned.residues })
        };
        let mut hits: Vec<Finalist> = candidates.into_hits().into_iter().filter_map(waiting).collect();
        let Some(contest) = options.contest else { return hits };
        hits.sort_by_key(|finalist| finalist.hit.ordinal());
        let contenders = hits.iter().enumerate().flat_map(|(place, finalist)| {
            let contender = move |(index, hsp): (usize, &PreliminaryHsp)| Contender {
                ordinal: finalist.hit.ordinal(),
                score: hsp.extents.score,
                evalue: hsp.evalue,
                query: hsp.extents.query,
                subject_start: hsp.extents.subject.0,
                place: (place, index),
            };
            finalist.hsps.iter().enumerate().map(contender)
        });
        let left = contest.preliminary(contenders, query.compared.len(), options.preliminary_limit());
        keep_places(&mut hits, &left, |finalist| &mut finalist.hsps);
        hits.iter_mut().for_each(Finalist::take_rank);
        if contest.keeps_preliminary_limit() {
            keep_best(&mut hits, options.preliminary_limit(), |finalist| finalist.hit.preliminary);
        }
        hits
    }

    fn align(&self, query: &SearchedQuery<'_>, finalists: &[Finalist], threads: NonZeroUsize) -> Vec<Hit> {
        let Some(cutoffs) = Cutoffs::new(&query.compared, &self.scheme) else { return Vec::new() };
        let aligner = Aligner::new(&query.compared, query.shown, &self.scheme, cutoffs.without_gaps);
        let watch = Watch::new(&to_the_end);
        let aligned = in_blocks(finalists.len(), 1, threads, |blocks| {
            let lookout = watch.lookout();
            let mut workspace = AlignerWorkspace::default();
            let align = |place: usize| {
                let Finalist { hit, hsps, residues } = &finalists[place];
                let mut hit = hit.clone();
                hit.finish(aligner.align(residues, hsps, (&mut workspace, &lookout)));
                hit
            };
            blocks.flatten().map(align).collect::<Vec<_>>()
        });
        aligned.concat()
    }

    /// What is reported of the hits of a query of which `query_length` residues are searched: all that is
    /// left of a second contest, if there is one, by final scores, best subject first.
    fn reported(&self, hits: Vec<Hit>, query_length: usize) -> Vec<Hit> {
        let options = &self.scheme.options;
        let Some(contest) = options.contest else { return reported(hits, query_length, options) };
        let mut hits = competing(hits, options);
        if matches!(contest, Contest::Culling(_)) {
            hits.iter_mut().for_each(Hit::sort_hsps);
        }
        let skipped = options.query_location.map_or(0, |location| location.skipped() as usize);
        let contenders = hits.iter().enumerate().flat_map(|(place, hit)| {
            let contender = move |(index, hsp): (usize, &Hsp)| Contender {
                ordinal: hit.ordinal(),
                score: hsp.score,
                evalue: hsp.evalue,
                query: (hsp.query.start as usize - skipped, hsp.query.end as usize - skipped),
                subject_start: hsp.subject.start as usize,
                place: (place, index),
            };
            hit.hsps.iter().enumerate().map(contender)
        });
        let left = contest.last(contenders, query_length, options.preliminary_limit());
        keep_places(&mut hits, &left, |hit| &mut hit.hsps);
        reported(hits, query_length, options)
    }
}

impl Finalist {
    /// Takes the standing that its HSPs give it.
    fn take_rank(&mut self) {
        if let Some(rank) = rank(&self.hsps, self.hit.ordinal()) {
            self.hit.preliminary = rank;
        }
    }
}

/// Adds the hits of a further piece of a query, which begins at position `seam` of what is searched of it,
/// to those so far. Each time only the best are kept (`core/blast_hits.c:Blast_HitListMerge`).
fn join(joined: &mut Vec<Finalist>, mut further: Vec<Finalist>, seam: usize, limit: usize) {
    for hsp in further.iter_mut().flat_map(|finalist| &mut finalist.hsps) {
        hsp.shift_query(seam);
    }
    if joined.is_empty() || further.is_empty() {
        joined.append(&mut further);
        return;
    }
    let mut places: HashMap<u64, usize> =
        joined.iter().enumerate().map(|(place, finalist)| (finalist.hit.ordinal(), place)).collect();
    for finalist in further {
        match places.remove(&finalist.hit.ordinal()) {
            Some(place) => stitch(&mut joined[place].hsps, finalist.hsps, seam),
            None => joined.push(finalist),
        }
    }
    if joined.len() > limit {
        keep_best(joined, limit, |finalist| limit_rank(&finalist.hsps, finalist.hit.ordinal()));
    }
    joined.iter_mut().for_each(Finalist::take_rank);
}

/// Keeps the HSPs at the places of `left`, and the items that have any.
fn keep_places<T, H>(items: &mut Vec<T>, left: &[Contender], hsps: impl Fn(&mut T) -> &mut Vec<H>) {
    let mut places: Vec<(usize, usize)> = left.iter().map(|contender| contender.place).collect();
    places.sort_unstable();
    for (place, item) in items.iter_mut().enumerate() {
        let mut index = 0;
        hsps(item).retain(|_| {
            index += 1;
            places.binary_search(&(place, index - 1)).is_ok()
        });
    }
    items.retain_mut(|item| !hsps(item).is_empty());
}
