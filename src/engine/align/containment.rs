//! Which HSPs add nothing to those already found for the same query and subject.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

/// What containment and purging look at: a score and half-open ranges.
pub(in crate::engine) trait Boxed {
    fn score(&self) -> i32;
    fn query(&self) -> (usize, usize);
    fn subject(&self) -> (usize, usize);
}

/// Score and ranges of an accepted HSP.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::engine) struct Extents {
    pub(in crate::engine) score: i32,
    pub(in crate::engine) query: (usize, usize),
    pub(in crate::engine) subject: (usize, usize),
}

impl Boxed for Extents {
    fn score(&self) -> i32 {
        self.score
    }
    fn query(&self) -> (usize, usize) {
        self.query
    }
    fn subject(&self) -> (usize, usize) {
        self.subject
    }
}

fn extents(hsp: &impl Boxed) -> Extents {
    Extents { score: hsp.score(), query: hsp.query(), subject: hsp.subject() }
}

/// Whether `outer` scores at least as much as `inner` and holds both its ends; half-open ends are
/// compared inclusively, as NCBI does.
pub(in crate::engine) fn contains(outer: &impl Boxed, inner: &impl Boxed) -> bool {
    let within = |outer: (usize, usize), inner: (usize, usize)| {
        outer.0 <= inner.0 && inner.0 <= outer.1 && outer.0 <= inner.1 && inner.1 <= outer.1
    };
    inner.score() <= outer.score()
        && within(outer.query(), inner.query())
        && within(outer.subject(), inner.subject())
}

/// Key of the order of a hit's HSPs: score ↓, subject start ↑, subject end ↓, query start ↑, query
/// end ↓ (`core/blast_hits.c:ScoreCompareHSPs`).
pub(in crate::engine) fn by_score<T: Boxed>(hsp: &T) -> impl Ord + use<T> {
    let (query, subject) = (hsp.query(), hsp.subject());
    (Reverse(hsp.score()), subject.0, Reverse(subject.1), query.0, Reverse(query.1))
}

/// The accepted HSPs of one query and subject (`core/blast_itree.c`, for proteins).
#[derive(Debug, Default)]
pub(in crate::engine) struct Accepted(Vec<Extents>);

impl Accepted {
    pub(in crate::engine) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether some accepted HSP contains `hsp`.
    pub(in crate::engine) fn contains(&self, hsp: &impl Boxed) -> bool {
        self.0.iter().any(|other| contains(other, hsp))
    }

    /// Accepts `hsp` unless a better one shares its start or its end; replaces a worse one that does.
    pub(in crate::engine) fn add(&mut self, hsp: &impl Boxed) {
        let hsp = extents(hsp);
        let worth =
            |e: &Extents| (e.score, Reverse(e.query.1 - e.query.0), Reverse(e.subject.1 - e.subject.0));
        type Corner = fn(&Extents) -> (usize, usize);
        let corners: [Corner; 2] = [|e| (e.query.0, e.subject.0), |e| (e.query.1, e.subject.1)];
        for corner in corners {
            if self.0.iter().any(|other| corner(other) == corner(&hsp) && worth(&hsp) <= worth(other)) {
                return;
            }
            self.0.retain(|other| corner(other) != corner(&hsp));
        }
        self.0.push(hsp);
    }
}

/// Keeps the best of the HSPs that start at the same pair, then of those that end at the same pair
/// (`core/blast_hits.c:Blast_HSPListPurgeHSPsWithCommonEndpoints`), and sorts the rest by score.
pub(in crate::engine) fn purge_common_ends<T: Boxed>(hsps: &mut Vec<T>) {
    hsps.sort_by_key(|h| {
        (h.query().0, h.subject().0, Reverse(h.score()), Reverse(h.query().1), Reverse(h.subject().1))
    });
    hsps.dedup_by_key(|h| (h.query().0, h.subject().0));
    hsps.sort_by_key(|h| {
        (h.query().1, h.subject().1, Reverse(h.score()), Reverse(h.query().0), Reverse(h.subject().0))
    });
    hsps.dedup_by_key(|h| (h.query().1, h.subject().1));
    hsps.sort_by_key(by_score);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hsp(score: i32, query: (usize, usize), subject: (usize, usize)) -> Extents {
        Extents { score, query, subject }
    }

    #[test]
    fn only_a_worse_hsp_inside_both_ranges_is_contained() {
        let mut accepted = Accepted::default();
        accepted.add(&hsp(50, (10, 40), (110, 140)));
        assert!(accepted.contains(&hsp(50, (12, 40), (115, 140))));
        assert!(!accepted.contains(&hsp(51, (12, 40), (115, 140))));
        assert!(!accepted.contains(&hsp(20, (12, 41), (115, 140))));
        assert!(!accepted.contains(&hsp(20, (12, 40), (109, 140))));
    }

    #[test]
    fn of_equal_corners_the_better_hsp_stays() {
        let mut accepted = Accepted::default();
        accepted.add(&hsp(50, (10, 40), (110, 140)));
        accepted.add(&hsp(60, (10, 30), (110, 130)));
        assert!(!accepted.contains(&hsp(1, (35, 38), (135, 138))));
        accepted.add(&hsp(55, (5, 30), (105, 130)));
        assert!(!accepted.contains(&hsp(1, (5, 9), (105, 109))));
    }

    #[test]
    fn purging_leaves_one_hsp_per_start_and_per_end() {
        let mut hsps = vec![
            hsp(40, (10, 40), (110, 140)),
            hsp(50, (10, 30), (110, 130)),
            hsp(45, (20, 30), (120, 130)),
            hsp(45, (60, 70), (10, 20)),
        ];
        purge_common_ends(&mut hsps);
        let kept: Vec<_> = hsps.iter().map(|h| (h.score, h.query)).collect();
        assert_eq!(kept, [(50, (10, 30)), (45, (60, 70))]);
    }
}
