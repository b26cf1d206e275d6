//! The list limits, the one place where subjects of a query compete with each other.
//!
//! blastp first keeps the best [`SearchOptions::preliminary_limit`] subjects of the *whole
//! database* by preliminary rank, gives these a final alignment, and reports the best
//! `max_target_seqs` of them. A part of the database keeps the best of its own subjects (a subject
//! that is not among the best of a part is not among the best of the whole) together with their
//! preliminary ranks; joining parts applies the limit again, in whatever order parts arrive, and however often.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::hit::{Hit, Rank};
use crate::engine::options::{CompositionMode, SearchOptions};

/// What has a rank and takes memory.
pub(in crate::engine) trait Ranked {
    fn rank(&self) -> Rank;

    /// Memory that it takes, bytes.
    fn bytes(&self) -> usize;
}

/// Keeps the `limit` best by rank. `items` ends up sorted, without repeats of an ordinal.
pub(in crate::engine) fn keep_best(items: &mut Vec<impl Ranked>, limit: usize) {
    items.sort_by(|a, b| a.rank().compare(&b.rank()));
    items.dedup_by_key(|item| item.rank().ordinal);
    items.truncate(limit);
}

/// Final E-value of a good hit (`PSI_INCLUSION_ETHRESH`).
const GOOD_EVALUE: f64 = 0.002;
/// Preliminary E-values up to this many times [`GOOD_EVALUE`] may still lead to a good hit
/// (`EVALUE_STRETCH`).
const EVALUE_STRETCH: f64 = 5.0;

/// Tells which hits blastp would have aligned: it goes through the subjects and, once every query
/// of a batch has as many good hits as are wanted, leaves out those that look worse
/// (`composition_adjustment/redo_alignment.c:BlastCompo_EarlyTermination`). With locally optimal
/// alignments it leaves out those for which a query has no room, by their
/// [`optimal_evalue`](Hit::optimal_evalue).
///
/// With composition-based statistics it takes query after query, and the subjects of each by their
/// preliminary rank; otherwise all in the order of the database, equals from the last query to the first
/// (`core/blast_hspstream.c`: `BlastHSPStreamNew`, `BlastHSPStreamClose`, `BlastHSPStreamRead`). In that
/// order, all hits of a batch have to be shown to [`admits`](Self::admits).
#[derive(Debug)]
pub struct EarlyTermination {
    wanted: usize,
    rooms: Vec<Room>,
    /// Number of queries that have as many good hits as are wanted.
    satisfied: usize,
    across_queries: bool,
    /// Whether a hit may find no room.
    may_run_out: bool,
    /// Whether all are aligned.
    never: bool,
}

impl EarlyTermination {
    /// Before the first hit of a batch of `queries` queries.
    pub fn new(queries: usize, options: &SearchOptions) -> Self {
        let redone = options.composition != CompositionMode::Off;
        Self {
            wanted: options.max_target_seqs,
            rooms: (0..queries).map(|_| Room::default()).collect(),
            satisfied: 0,
            across_queries: !redone && options.locally_optimal,
            may_run_out: options.locally_optimal,
            never: !redone && !options.locally_optimal,
        }
    }

    /// Whether the hits of all queries come together, in the order of the database.
    pub fn is_across_queries(&self) -> bool {
        self.across_queries
    }

    /// Whether the next hit, of query number `query` of the batch, has been aligned.
    pub fn admits(&mut self, query: usize, hit: &Hit) -> bool {
        if self.never {
            return true;
        }
        let all_satisfied = self.satisfied == self.rooms.len();
        let room = &mut self.rooms[query];
        let looks_worse = all_satisfied && hit.preliminary.evalue > EVALUE_STRETCH * GOOD_EVALUE;
        let no_room = hit.optimal_evalue.is_some_and(|evalue| !room.is_left_for(evalue, self.wanted));
        if looks_worse || no_room {
            return false;
        }
        if let Some(rank) = hit.rank() {
            room.fill(rank.evalue, self.wanted, self.may_run_out);
            self.satisfied += usize::from(rank.evalue <= GOOD_EVALUE && room.good == self.wanted);
        }
        true
    }
}

/// What the hits of a query so far leave room for (`composition_adjustment/compo_heap.c`).
#[derive(Debug, Default)]
struct Room {
    /// Number of good hits.
    good: usize,
    /// The best E-values, as many as hits are wanted; kept only if some hit may find no room.
    best: BinaryHeap<Evalue>,
}

/// An E-value, as far as which is larger goes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Evalue(f64);

impl Eq for Evalue {}

impl Ord for Evalue {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Evalue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Room {
    fn is_left_for(&self, evalue: f64, wanted: usize) -> bool {
        self.best.len() < wanted
            || evalue <= GOOD_EVALUE
            || self.best.peek().is_none_or(|worst| evalue < worst.0)
    }

    fn fill(&mut self, evalue: f64, wanted: usize, may_run_out: bool) {
        self.good += usize::from(evalue <= GOOD_EVALUE);
        if may_run_out {
            self.best.push(Evalue(evalue));
            if self.best.len() > wanted {
                self.best.pop();
            }
        }
    }
}

/// A bounded collection of items by rank that drops the worse ones now and then.
#[derive(Debug)]
pub(in crate::engine) struct Shortlist<T> {
    items: Vec<T>,
    /// Memory that they take.
    bytes: usize,
    limit: usize,
    /// What is worse is not wanted.
    floor: Option<Rank>,
}

impl<T: Ranked> Shortlist<T> {
    pub(in crate::engine) fn new(limit: usize, floor: Option<Rank>) -> Self {
        Self { items: Vec::new(), bytes: 0, limit, floor }
    }

    pub(in crate::engine) fn push(&mut self, item: T) {
        if self.floor.is_some_and(|floor| item.rank().compare(&floor) == Ordering::Greater) {
            return;
        }
        self.bytes += item.bytes();
        self.items.push(item);
        if self.items.len() >= self.limit.saturating_mul(2) {
            keep_best(&mut self.items, self.limit);
            self.bytes = self.items.iter().map(Ranked::bytes).sum();
        }
    }

    /// Memory that its items take, bytes.
    pub(in crate::engine) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The best, in no order, and perhaps others.
    pub(in crate::engine) fn into_items(self) -> Vec<T> {
        self.items
    }
}

#[cfg(test)]
mod tests {
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

    /// Which hits of a batch are aligned, by query and ordinal; the hits of each query in any order.
    fn admitted(batch: &[&[Hit]], options: &SearchOptions) -> Vec<(usize, u64)> {
        let mut early = EarlyTermination::new(batch.len(), options);
        let mut hits: Vec<(usize, &Hit)> = batch
            .iter()
            .enumerate()
            .flat_map(|(query, hits)| hits.iter().map(move |hit| (query, hit)))
            .collect();
        if early.is_across_queries() {
            hits.sort_by(|a, b| a.1.compare_ordinal(b.1).then(b.0.cmp(&a.0)));
        } else {
            hits.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.compare_preliminary(b.1)));
        }
        hits.retain(|(query, hit)| early.admits(*query, hit));
        hits.iter().map(|(query, hit)| (*query, hit.ordinal())).collect()
    }

    /// Subjects 0 and 2 are good; 3 looks worse before its alignment, which makes it the best.
    fn aligned(composition: CompositionMode, max_target_seqs: usize) -> Vec<u64> {
        let options = SearchOptions { max_target_seqs, composition, ..SearchOptions::default() };
        let hits = [hit(0, 1, Some(2)), hit(1, 3, None), hit(2, 2, Some(1)), hit(3, 3, Some(0))];
        admitted(&[&hits], &options).iter().map(|(_, ordinal)| *ordinal).collect()
    }

    #[test]
    fn after_enough_good_hits_only_promising_subjects_are_aligned() {
        assert_eq!(aligned(CompositionMode::Conditional, 1), [0, 2]);
        assert_eq!(aligned(CompositionMode::Conditional, 2), [0, 2]);
        assert_eq!(aligned(CompositionMode::Conditional, 3), [0, 2, 3]);
        assert_eq!(aligned(CompositionMode::Off, 1), [0, 2, 3, 1]);
    }

    /// The first query has all its alignments before the second has any.
    #[test]
    fn a_batch_is_aligned_until_all_its_queries_have_enough() {
        let options = SearchOptions { max_target_seqs: 1, ..SearchOptions::default() };
        let two = [hit(0, 1, Some(2)), hit(3, 3, Some(0))];
        let (first, second) = ([hit(4, 1, Some(2))], [hit(2, 1, Some(2))]);
        assert_eq!(admitted(&[&[], &two], &options), [(1, 0), (1, 3)]);
        assert_eq!(admitted(&[&first, &two], &options), [(0, 4), (1, 0)]);
        assert_eq!(admitted(&[&two, &second], &options), [(0, 0), (0, 3), (1, 2)]);
    }

    /// A locally optimal alignment that is no better than those of a full list is not made, unless it is good.
    #[test]
    fn hits_find_room_in_the_order_of_the_database() {
        let options = SearchOptions {
            max_target_seqs: 2,
            composition: CompositionMode::Off,
            locally_optimal: true,
            ..SearchOptions::default()
        };
        let hit = |ordinal, last: u8| Hit {
            optimal_evalue: Some(0.0009 * f64::from(last)),
            ..hit(ordinal, 1, Some(last))
        };
        let (one, other) = ([hit(5, 7), hit(0, 5), hit(1, 6), hit(3, 4), hit(4, 6), hit(6, 1)], [hit(0, 9)]);
        assert_eq!(admitted(&[&one, &other], &options), [(1, 0), (0, 0), (0, 1), (0, 3), (0, 6)]);
    }

    impl Ranked for (u64, u64) {
        fn rank(&self) -> Rank {
            Rank { evalue: self.0 as f64, score: 0, ordinal: self.1 }
        }

        fn bytes(&self) -> usize {
            1
        }
    }

    #[test]
    fn a_shortlist_keeps_the_best_whatever_the_order() {
        let mut lists = [Shortlist::new(10, None), Shortlist::new(10, None)];
        for i in 0..1000u64 {
            lists[(i % 2) as usize].push((i * 7919 % 1000 / 3, i));
        }
        assert!(lists.iter().all(|list| list.bytes() == list.items.len() && list.bytes() < 20));
        let mut best: Vec<_> = lists.into_iter().flat_map(Shortlist::into_items).collect();
        keep_best(&mut best, 10);
        assert_eq!(best.iter().map(|b| b.0).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
        assert!(best.windows(2).all(|pair| pair[0].0 < pair[1].0 || pair[0].1 > pair[1].1));
        let mut list = Shortlist::new(10, Some((2, 7).rank()));
        [(2, 6), (2, 7), (2, 8), (3, 0), (1, 0)].into_iter().for_each(|item| list.push(item));
        assert_eq!(list.into_items(), [(2, 7), (2, 8), (1, 0)]);
    }
}
