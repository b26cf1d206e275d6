//! The list limits, the one place where subjects of a query compete with each other.
//!
//! blastp first keeps the best [`SearchOptions::preliminary_limit`] subjects of the *whole
//! database* by preliminary rank, gives these a final alignment, and reports the best
//! `max_target_seqs` of them. A part of the database keeps the best of its own subjects (a subject
//! that is not among the best of a part is not among the best of the whole) together with their
//! preliminary ranks; joining parts applies the limit again. Joining is associative, commutative
//! and idempotent, so parts may arrive in any order and more than once.

use std::cmp::Reverse;

use super::hit::{Hit, Rank};
use crate::engine::options::{CompositionMode, SearchOptions};

/// Keeps the `limit` best by rank. `items` ends up sorted, without repeats of an ordinal.
pub(in crate::engine) fn keep_best<T>(items: &mut Vec<T>, limit: usize, rank: impl Fn(&T) -> Rank) {
    items.sort_by(|a, b| rank(a).compare(&rank(b)));
    items.dedup_by_key(|item| rank(item).ordinal);
    items.truncate(limit);
}

/// Final E-value of a good hit (`PSI_INCLUSION_ETHRESH`).
const GOOD_EVALUE: f64 = 0.002;
/// Preliminary E-values up to this many times [`GOOD_EVALUE`] may still lead to a good hit
/// (`EVALUE_STRETCH`).
const EVALUE_STRETCH: f64 = 5.0;

/// Drops the hits that blastp would not have aligned: it goes through the subjects and, once every query
/// of a batch has as many good hits as are wanted, leaves out those that look worse
/// (`composition_adjustment/redo_alignment.c:BlastCompo_EarlyTermination`). With locally optimal
/// alignments it leaves out those for which a query has no room, by their
/// [`optimal_evalue`](Hit::optimal_evalue).
///
/// With composition-based statistics it takes query after query, and the subjects of each by their
/// preliminary rank; otherwise all in the order of the database
/// (`core/blast_hspstream.c`: `BlastHSPStreamNew`, `BlastHSPStreamClose`, `BlastHSPStreamRead`).
pub(in crate::engine) fn terminate_early(batch: &mut [Vec<Hit>], options: &SearchOptions) {
    let wanted = options.max_target_seqs;
    let in_ranks = options.composition != CompositionMode::Off;
    for hits in batch.iter_mut().filter(|_| in_ranks) {
        hits.sort_by(|a, b| a.preliminary.compare(&b.preliminary));
    }
    let places =
        batch.iter().enumerate().flat_map(|(query, hits)| (0..hits.len()).map(move |place| (query, place)));
    let mut order: Vec<(usize, usize)> = places.collect();
    if !in_ranks {
        order.sort_by_key(|&(query, place)| (batch[query][place].ordinal(), Reverse(query)));
    }
    let mut rooms: Vec<Room> = batch.iter().map(|_| Room::default()).collect();
    let mut satisfied = 0;
    let mut skipped: Vec<Vec<bool>> = batch.iter().map(|hits| vec![false; hits.len()]).collect();
    for (query, place) in order {
        let (hit, room) = (&batch[query][place], &mut rooms[query]);
        let looks_worse = satisfied == skipped.len() && hit.preliminary.evalue > EVALUE_STRETCH * GOOD_EVALUE;
        let no_room = hit.optimal_evalue.is_some_and(|evalue| !room.is_left_for(evalue, wanted));
        if looks_worse || no_room {
            skipped[query][place] = true;
        } else if let Some(rank) = hit.rank() {
            room.fill(rank.evalue, wanted);
            satisfied += usize::from(rank.evalue <= GOOD_EVALUE && room.good == wanted);
        }
    }
    for (hits, skipped) in batch.iter_mut().zip(skipped) {
        let mut skipped = skipped.into_iter();
        hits.retain(|_| skipped.next() != Some(true));
    }
}

/// What the hits of a query so far leave room for (`composition_adjustment/compo_heap.c`).
#[derive(Debug, Default)]
struct Room {
    /// Number of good hits.
    good: usize,
    /// The best E-values, as many as hits are wanted; ascending.
    best: Vec<f64>,
}

impl Room {
    fn is_left_for(&self, evalue: f64, wanted: usize) -> bool {
        self.best.len() < wanted
            || evalue <= GOOD_EVALUE
            || self.best.last().is_none_or(|&worst| evalue < worst)
    }

    fn fill(&mut self, evalue: f64, wanted: usize) {
        self.good += usize::from(evalue <= GOOD_EVALUE);
        let place = self.best.partition_point(|&better| better <= evalue);
        if place < wanted {
            self.best.insert(place, evalue);
            self.best.truncate(wanted);
        }
    }
}

/// The hits of one query with some part of the database, by preliminary rank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates(Vec<Hit>);

impl Candidates {
    /// Candidates from the hits of one part, in any order.
    pub fn new(mut hits: Vec<Hit>, options: &SearchOptions) -> Self {
        keep_best(&mut hits, options.limit_of_a_part(), |hit| hit.preliminary);
        Self(hits)
    }

    /// Joins the candidates of another part of the same database.
    pub fn join(self, other: Self, options: &SearchOptions) -> Self {
        let mut hits = self.0;
        hits.extend(other.0);
        Self::new(hits, options)
    }

    /// The hits to report for the queries of a batch, each with its length in residues: those with
    /// alignments, in final order, at most `max_target_seqs`, and of these what
    /// [`SearchOptions::max_hsps`] and [`SearchOptions::min_query_cover`] leave.
    pub fn report(batch: Vec<(usize, Self)>, options: &SearchOptions) -> Vec<Vec<Hit>> {
        let (lengths, mut hits): (Vec<usize>, Vec<Vec<Hit>>) =
            batch.into_iter().map(|(length, candidates)| (length, candidates.0)).unzip();
        if options.terminates_early() {
            terminate_early(&mut hits, options);
        }
        lengths.into_iter().zip(hits).map(|(length, hits)| reported(hits, length, options)).collect()
    }

    /// The candidates, best preliminary rank first.
    pub fn hits(&self) -> &[Hit] {
        &self.0
    }

    /// The candidates, best preliminary rank first.
    pub fn into_hits(self) -> Vec<Hit> {
        self.0
    }
}

/// What is left of the hits of a query of `query_length` residues, in final order.
pub(in crate::engine) fn reported(hits: Vec<Hit>, query_length: usize, options: &SearchOptions) -> Vec<Hit> {
    let mut hits = competing(hits, options);
    hits.iter_mut().for_each(|hit| {
        hit.trim(query_length, options);
        hit.sort_hsps();
    });
    hits.retain(|hit| !hit.hsps.is_empty());
    hits
}

/// The best of the hits that have alignments, in final order.
pub(in crate::engine) fn competing(hits: Vec<Hit>, options: &SearchOptions) -> Vec<Hit> {
    let mut ranked: Vec<(Rank, Hit)> = hits.into_iter().filter_map(|hit| Some((hit.rank()?, hit))).collect();
    keep_best(&mut ranked, options.max_target_seqs, |(rank, _)| *rank);
    ranked.into_iter().map(|(_, hit)| hit).collect()
}

/// A bounded collection of items by rank that drops the worse ones now and then.
#[derive(Debug)]
pub(in crate::engine) struct Shortlist<T> {
    items: Vec<T>,
    limit: usize,
}

impl<T> Shortlist<T> {
    pub(in crate::engine) fn new(limit: usize) -> Self {
        Self::of(Vec::new(), limit)
    }

    /// Of items that have been chosen before, at most `limit`.
    pub(in crate::engine) fn of(items: Vec<T>, limit: usize) -> Self {
        Self { items, limit }
    }

    pub(in crate::engine) fn push(&mut self, item: T, rank: impl Fn(&T) -> Rank) {
        self.items.push(item);
        if self.items.len() >= self.limit.saturating_mul(2) {
            keep_best(&mut self.items, self.limit, rank);
        }
    }

    /// The best of all shortlists together.
    pub(in crate::engine) fn merge(
        lists: impl IntoIterator<Item = Self>,
        limit: usize,
        rank: impl Fn(&T) -> Rank,
    ) -> Vec<T> {
        let mut items: Vec<T> = lists.into_iter().flat_map(|list| list.items).collect();
        keep_best(&mut items, limit, rank);
        items
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::align::hsp::{Adjustment, Hsp};

    /// A hit whose final E-value differs from its preliminary one, or which has no alignment.
    fn hit(ordinal: u64, preliminary: u8, last: Option<u8>) -> Hit {
        let hsp = |evalue: u8| Hsp {
            score: 300 - i32::from(evalue),
            bit_score: 0.0,
            evalue: 0.0009 * f64::from(evalue),
            query: 0..1,
            subject: 0..1,
            adjustment: Adjustment::None,
            edits: Vec::new(),
            identities: 1,
            positives: 1,
            subject_residues: vec![1],
        };
        Hit {
            preliminary: Rank {
                evalue: 0.004 * f64::from(preliminary),
                score: 300 - i32::from(preliminary),
                ordinal,
            },
            subject_length: 1,
            defline: Vec::new(),
            hsps: last.map(hsp).into_iter().collect(),
            unaligned: None,
            optimal_evalue: None,
        }
    }

    proptest! {
        /// Any split into parts, in any order, with parts repeated, reports what the whole does.
        #[test]
        fn parts_report_what_the_whole_does(
            composition in prop::sample::select(vec![CompositionMode::Off, CompositionMode::Conditional]),
            values in prop::collection::vec((0u8..6, prop::option::of(0u8..6), 0usize..5), 0..1200),
            max_target_seqs in 1usize..8,
            order in Just(vec![0usize, 1, 2, 3, 4, 2, 0]).prop_shuffle(),
        ) {
            let options = SearchOptions { max_target_seqs, composition, ..SearchOptions::default() };
            let hits: Vec<Hit> =
                values.iter().enumerate().map(|(i, &(p, l, _))| hit(i as u64, p, l)).collect();
            let whole = report(Candidates::new(hits.clone(), &options), &options);
            let parts: Vec<Candidates> = (0..5)
                .map(|part| {
                    let own = hits.iter().zip(&values).filter(|(_, v)| v.2 == part);
                    Candidates::new(own.map(|(h, _)| h.clone()).collect(), &options)
                })
                .collect();
            let joined = order
                .iter()
                .fold(Candidates::default(), |sum, &part| sum.join(parts[part].clone(), &options));
            prop_assert_eq!(report(joined, &options), whole);
        }
    }

    fn report(candidates: Candidates, options: &SearchOptions) -> Vec<Hit> {
        Candidates::report(vec![(100, candidates)], options).concat()
    }

    /// Subjects 0 and 2 are good; 3 looks worse before its alignment, which makes it the best.
    fn ends_well(composition: CompositionMode, max_target_seqs: usize) -> Vec<u64> {
        let options = SearchOptions { max_target_seqs, composition, ..SearchOptions::default() };
        let hits = vec![hit(0, 1, Some(2)), hit(1, 3, None), hit(2, 2, Some(1)), hit(3, 3, Some(0))];
        report(Candidates::new(hits, &options), &options).iter().map(Hit::ordinal).collect()
    }

    #[test]
    fn after_enough_good_hits_only_promising_subjects_are_aligned() {
        assert_eq!(ends_well(CompositionMode::Conditional, 1), [2]);
        assert_eq!(ends_well(CompositionMode::Conditional, 2), [2, 0]);
        assert_eq!(ends_well(CompositionMode::Conditional, 3), [3, 2, 0]);
        assert_eq!(ends_well(CompositionMode::Off, 1), [3]);
    }

    /// The first query has all its alignments before the second has any.
    #[test]
    fn a_batch_is_aligned_until_all_its_queries_have_enough() {
        let options = SearchOptions { max_target_seqs: 1, ..SearchOptions::default() };
        let two = || Candidates::new(vec![hit(0, 1, Some(2)), hit(3, 3, Some(0))], &options);
        let one = |hits: Vec<Hit>| Candidates::new(hits, &options);
        let reported = |batch: [Candidates; 2], query: usize| {
            let batch = batch.map(|candidates| (100, candidates)).to_vec();
            Candidates::report(batch, &options)[query][0].ordinal()
        };
        assert_eq!(reported([one(Vec::new()), two()], 1), 3);
        assert_eq!(reported([one(vec![hit(4, 1, Some(2))]), two()], 1), 0);
        assert_eq!(reported([two(), one(vec![hit(2, 1, Some(2))])], 0), 3);
    }

    #[test]
    fn a_shortlist_keeps_the_best_whatever_the_order() {
        let rank = |&(evalue, ordinal): &(u64, u64)| Rank { evalue: evalue as f64, score: 0, ordinal };
        let mut lists = [Shortlist::new(10), Shortlist::new(10)];
        for i in 0..1000u64 {
            lists[(i % 2) as usize].push((i * 7919 % 1000 / 3, i), rank);
        }
        let best = Shortlist::merge(lists, 10, rank);
        assert_eq!(best.iter().map(|b| b.0).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
        assert!(best.windows(2).all(|pair| pair[0].0 < pair[1].0 || pair[0].1 > pair[1].1));
    }
}
