//! Alignments that wait until the whole database has been searched, because hits of different subjects
//! compete ([`Contest`](super::Contest)) before they are aligned.
//!
//! Which hits stay depends on all hits of the database in its order, so a part can leave out none:
//! it hands over its subjects with their preliminary HSPs and residues, and what is left of all parts
//! is aligned here.

use std::num::NonZeroUsize;

use super::aligner::{Aligner, AlignerWorkspace};
use super::batch::Cutoffs;
use super::blocks::in_blocks;
use super::contest::{Contender, Contest};
use super::hit::{Hit, Hsp};
use super::hitlist::{Candidates, competing, keep_best, terminate_early};
use super::option_error::OptionError;
use super::options::{DatabaseTotals, Scheme, SearchOptions};
use super::preliminary::{PreliminaryHsp, rank};
use super::query::{QuerySequence, SearchedQuery};

/// Aligns and reports hits that compete.
#[derive(Debug)]
pub struct LateAlignment {
    scheme: Scheme,
    contest: Contest,
}

/// A hit that is left of the first contest, with its preliminary HSPs and the subject's residues.
struct Finalist {
    hit: Hit,
    hsps: Vec<PreliminaryHsp>,
    residues: Vec<u8>,
}

impl LateAlignment {
    /// What a search with `options` in a database of size `totals` needs of this; `None` if hits do not
    /// compete.
    ///
    /// # Errors
    /// If there are no statistics for the matrix and gap costs.
    pub fn new(options: SearchOptions, totals: DatabaseTotals) -> Result<Option<Self>, OptionError> {
        let Some(contest) = options.contest else { return Ok(None) };
        Ok(Some(Self { scheme: Scheme::new(options, totals)?, contest }))
    }

    /// The hits to report for the queries of a batch, each with its candidates in the whole database.
    pub fn report(
        &self,
        batch: Vec<(QuerySequence<'_>, Candidates)>,
        threads: NonZeroUsize,
    ) -> Vec<Vec<Hit>> {
        let options = &self.scheme.options;
        let (queries, candidates): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let queries: Vec<SearchedQuery<'_>> =
            queries.into_iter().map(|query| SearchedQuery::new(query, options)).collect();
        let mut hits: Vec<Vec<Hit>> = queries
            .iter()
            .zip(candidates)
            .map(|(query, candidates)| self.align(query, &self.finalists(query, candidates), threads))
            .collect();
        if options.terminates_early() {
            terminate_early(&mut hits, options);
        }
        queries.iter().zip(hits).map(|(query, hits)| self.reported(query, hits)).collect()
    }

    /// The first contest: by preliminary scores, in the order of the database.
    fn finalists(&self, query: &SearchedQuery<'_>, candidates: Candidates) -> Vec<Finalist> {
        let options = &self.scheme.options;
        let waiting = |mut hit: Hit| {
            let unaligned = hit.unaligned.take()?;
            Some(Finalist { hit, hsps: unaligned.hsps, residues: unaligned.residues })
        };
        let mut hits: Vec<Finalist> = candidates.into_hits().into_iter().filter_map(waiting).collect();
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
        let left = self.contest.preliminary(contenders, query.compared.len(), options.preliminary_limit());
        keep_places(&mut hits, &left, |finalist| &mut finalist.hsps);
        for finalist in &mut hits {
            if let Some(rank) = rank(&finalist.hsps, finalist.hit.ordinal()) {
                finalist.hit.preliminary = rank;
            }
        }
        if self.contest.keeps_preliminary_limit() {
            keep_best(&mut hits, options.preliminary_limit(), |finalist| finalist.hit.preliminary);
        }
        hits
    }

    fn align(&self, query: &SearchedQuery<'_>, finalists: &[Finalist], threads: NonZeroUsize) -> Vec<Hit> {
        let Some(cutoffs) = Cutoffs::new(&query.compared, &self.scheme) else { return Vec::new() };
        let aligner = Aligner::new(&query.compared, query.shown, &self.scheme, cutoffs.without_gaps);
        let aligned = in_blocks(finalists.len(), 1, threads, |blocks| {
            let mut workspace = AlignerWorkspace::default();
            let align = |place: usize| {
                let Finalist { hit, hsps, residues } = &finalists[place];
                let mut hit = hit.clone();
                aligner.align(residues, hsps, &mut workspace, &mut hit);
                hit
            };
            blocks.flatten().map(align).collect::<Vec<_>>()
        });
        aligned.concat()
    }

    /// The second contest, by final scores, best subject first, and what is left of its winners.
    fn reported(&self, query: &SearchedQuery<'_>, hits: Vec<Hit>) -> Vec<Hit> {
        let options = &self.scheme.options;
        let mut hits = competing(hits, options);
        if matches!(self.contest, Contest::Culling(_)) {
            hits.iter_mut().for_each(Hit::sort_hsps);
        }
        let contenders = hits.iter().enumerate().flat_map(|(place, hit)| {
            let contender = move |(index, hsp): (usize, &Hsp)| Contender {
                ordinal: hit.ordinal(),
                score: hsp.score,
                evalue: hsp.evalue,
                query: (hsp.query.start as usize, hsp.query.end as usize),
                subject_start: hsp.subject.start as usize,
                place: (place, index),
            };
            hit.hsps.iter().enumerate().map(contender)
        });
        let left = self.contest.last(contenders, query.compared.len(), options.preliminary_limit());
        keep_places(&mut hits, &left, |hit| &mut hit.hsps);
        let mut hits = competing(hits, options);
        hits.iter_mut().for_each(|hit| hit.trim(query.range.len(), options));
        hits.retain(|hit| !hit.hsps.is_empty());
        hits.iter_mut().for_each(|hit| hit.shift_query(query.range.start));
        hits
    }
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
