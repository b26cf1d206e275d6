//! Alignments that wait until the whole database has been searched, because hits of different subjects
//! compete ([`Contest`](super::Contest)) before they are aligned, or because the query is searched in
//! pieces.
//!
//! Which hits stay depends on all hits of the database in its order, so a part can leave out none:
//! it hands over its subjects with their preliminary HSPs and residues, and what is left of all parts
//! is aligned here. Likewise a subject is aligned with a query through what has been found for all
//! pieces, each of which has a list limit of its own.

use std::cmp::Ordering;
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
use super::rank::hit::{Hit, Unaligned, rank};
use super::stitch::{limit_rank, stitch};
use super::watch::{Watch, to_the_end};

/// Aligns hits that compete, and those of queries that are searched in pieces.
///
/// The hits need not be in memory at once: each method takes one or goes through them in an order.
#[derive(Debug)]
pub struct LateAlignment {
    scheme: Scheme,
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

    /// Whether the hits of a query are aligned late.
    pub fn concerns(&self, query: QuerySequence<'_>) -> bool {
        !query.pieces.is_empty() || self.scheme.options.contest.is_some()
    }

    /// The first contest among the hits of a list of a query (of piece `piece` of it), if there is one: by
    /// preliminary scores. It takes the hits in the order of the database.
    pub fn first_contest(
        &self,
        query: QuerySequence<'_>,
        piece: usize,
        hits: impl Iterator<Item = Hit>,
    ) -> Option<Survivors> {
        let options = &self.scheme.options;
        let contest = options.contest?;
        let length = SearchedQuery::pieces(query, options).nth(piece)?.compared.len();
        let contenders = hits.enumerate().flat_map(|(place, hit)| {
            let ordinal = hit.ordinal();
            let contender = move |(index, hsp): (usize, PreliminaryHsp)| Contender {
                ordinal,
                score: hsp.extents.score,
                evalue: hsp.evalue,
                query: hsp.extents.query,
                subject_start: hsp.extents.subject.0,
                place: (place, index),
            };
            let hsps = hit.unaligned.map(|unaligned| unaligned.hsps).unwrap_or_default();
            hsps.into_iter().enumerate().map(contender)
        });
        Some(Survivors::new(contest.preliminary(contenders, length, options.preliminary_limit())))
    }

    /// How many hits of a list, by preliminary rank, are left after the first contest.
    pub fn limit_after_contest(&self) -> usize {
        let options = &self.scheme.options;
        match options.contest {
            Some(contest) if !contest.keeps_preliminary_limit() => usize::MAX,
            _ => options.preliminary_limit(),
        }
    }

    /// Makes a hit of a piece of a query one of the query.
    pub fn place(&self, query: QuerySequence<'_>, piece: usize, hit: &mut Hit) {
        let seam = self.seam(query, piece);
        for hsp in hit.unaligned.iter_mut().flat_map(|unaligned| &mut unaligned.hsps) {
            hsp.shift_query(seam);
        }
    }

    /// Adds the hit of a further piece of a query to that of the pieces before, both with the same subject.
    pub fn stitch(&self, query: QuerySequence<'_>, piece: usize, joined: &mut Hit, further: Hit) {
        if let (Some(joined), Some(further)) = (&mut joined.unaligned, further.unaligned) {
            stitch(&mut joined.hsps, further.hsps, self.seam(query, piece));
        }
    }

    /// How many hits are left each time that those of a further piece have been added, in the order of
    /// [`Hit::compare_stitched`] (`core/blast_hits.c:Blast_HitListMerge`).
    pub fn limit_after_stitching(&self) -> usize {
        self.scheme.options.preliminary_limit()
    }

    /// Where a piece begins in what is searched of its query.
    fn seam(&self, query: QuerySequence<'_>, piece: usize) -> usize {
        let skipped = self.scheme.options.searched_range(query.residues.len()).start;
        query.pieces.get(piece).map_or(0, |piece| piece.start as usize - skipped)
    }

    /// Aligns hits of a query.
    pub fn align(&self, query: QuerySequence<'_>, hits: &[Hit], threads: NonZeroUsize) -> Vec<Hit> {
        let query = SearchedQuery::new(query, &self.scheme.options);
        let Some(cutoffs) = Cutoffs::new(&query.compared, &self.scheme) else { return Vec::new() };
        let aligner = Aligner::new(&query.compared, query.shown, &self.scheme, cutoffs.without_gaps);
        let watch = Watch::new(&to_the_end);
        let (aligned, _) = in_blocks(0..hits.len(), 1, threads, |blocks| {
            let lookout = watch.lookout();
            let mut workspace = AlignerWorkspace::default();
            let align = |place: usize| {
                let Hit { preliminary, subject_length, defline, unaligned, .. } = &hits[place];
                let mut hit = Hit {
                    preliminary: *preliminary,
                    subject_length: *subject_length,
                    defline: defline.clone(),
                    hsps: Vec::new(),
                    unaligned: None,
                    optimal_evalue: None,
                };
                if let Some(unaligned) = unaligned {
                    let Unaligned { residues, hsps } = unaligned;
                    hit.finish(aligner.align(residues, hsps, (&mut workspace, &lookout)));
                }
                hit.shift_query(query.range.start);
                hit
            };
            blocks.flatten().map(align).collect::<Vec<_>>()
        });
        aligned.into_iter().flatten().collect()
    }

    /// The second contest among the hits of a query, if there is one: by final scores. It takes the hits in
    /// the order of reports.
    pub fn last_contest(
        &self,
        query: QuerySequence<'_>,
        hits: impl Iterator<Item = Hit>,
    ) -> Option<Survivors> {
        let options = &self.scheme.options;
        let contest = options.contest?;
        let length = options.searched_range(query.residues.len()).len();
        let skipped = options.query_location.map_or(0, |location| location.skipped() as usize);
        let contenders = hits.enumerate().flat_map(|(place, hit)| {
            let ordinal = hit.ordinal();
            let contender = move |(index, hsp): (usize, Hsp)| Contender {
                ordinal,
                score: hsp.score,
                evalue: hsp.evalue,
                query: (hsp.query.start as usize - skipped, hsp.query.end as usize - skipped),
                subject_start: hsp.subject.start as usize,
                place: (place, index),
            };
            hit.hsps.into_iter().enumerate().map(contender)
        });
        Some(Survivors::new(contest.last(contenders, length, options.preliminary_limit())))
    }

    /// Brings the HSPs of an aligned hit into the order in which they compete.
    pub fn line_up(&self, hit: &mut Hit) {
        if matches!(self.scheme.options.contest, Some(Contest::Culling(_))) {
            hit.sort_hsps();
        }
    }
}

/// What a contest has left of hits, which are shown to it once more in the same order.
#[derive(Debug)]
pub struct Survivors {
    /// Numbers of the hit and of the HSP; ascending.
    places: std::iter::Peekable<std::vec::IntoIter<(usize, usize)>>,
    /// The number of the next hit.
    next: usize,
}

impl Survivors {
    fn new(left: Vec<Contender>) -> Self {
        let mut places: Vec<(usize, usize)> = left.into_iter().map(|contender| contender.place).collect();
        places.sort_unstable();
        Self { places: places.into_iter().peekable(), next: 0 }
    }

    /// Leaves of the next hit, which is not aligned yet, what has survived; whether that is anything. Its
    /// standing becomes what its HSPs give it.
    pub fn keep_unaligned(&mut self, hit: &mut Hit) -> bool {
        let Some(unaligned) = &mut hit.unaligned else { return false };
        self.keep(&mut unaligned.hsps);
        let rank = rank(&unaligned.hsps, hit.preliminary.ordinal);
        hit.preliminary = rank.unwrap_or(hit.preliminary);
        rank.is_some()
    }

    /// The same of an aligned hit.
    pub fn keep_aligned(&mut self, hit: &mut Hit) -> bool {
        self.keep(&mut hit.hsps);
        !hit.hsps.is_empty()
    }

    fn keep<H>(&mut self, hsps: &mut Vec<H>) {
        let mut index = 0;
        hsps.retain(|_| {
            let place = (self.next, index);
            index += 1;
            self.places.next_if_eq(&place).is_some()
        });
        self.next += 1;
    }
}

impl Hit {
    /// The order in which hits that are not aligned yet are kept when those of pieces of a query are joined.
    pub fn compare_stitched(&self, other: &Self) -> Ordering {
        let rank = |hit: &Self| {
            let hsps = hit.unaligned.as_ref().map_or(&[][..], |unaligned| &unaligned.hsps);
            limit_rank(hsps, hit.ordinal())
        };
        rank(self).compare(&rank(other))
    }

    /// Gives a hit that is not aligned yet the standing that its HSPs have.
    pub fn stand_anew(&mut self) {
        let hsps = self.unaligned.as_ref().map(|unaligned| &unaligned.hsps[..]).unwrap_or_default();
        if let Some(rank) = rank(hsps, self.ordinal()) {
            self.preliminary = rank;
        }
    }
}
