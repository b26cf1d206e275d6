//! Hits and their alignments.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::subject_best::keep_best_of_subject;
use crate::engine::align::aligner::Finished;
use crate::engine::align::hsp::Hsp;
use crate::engine::align::preliminary::PreliminaryHsp;
use crate::engine::options::SearchOptions;

/// E-values below this are all the same (`core/blast_hits.c`).
const SMALLEST_EVALUE: f64 = 1e-180;

/// An E-value as far as the order of hits goes.
pub(in crate::engine) fn level(evalue: f64) -> f64 {
    if evalue < SMALLEST_EVALUE { 0.0 } else { evalue }
}

/// What subjects are ordered by: best E-value ascending, best score descending, and for equals the
/// later sequence of the database first (`core/blast_hits.c:s_EvalueCompareHSPLists`).
///
/// Ranks of different subjects never compare equal, so an order by rank does not depend on how
/// the subjects were come by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rank {
    /// Smallest E-value of the subject's HSPs.
    pub evalue: f64,
    /// Largest raw score of the subject's HSPs.
    pub score: i32,
    /// Position of the subject in the whole database, from 0.
    pub ordinal: u64,
}

impl Rank {
    /// Better ranks are [`Ordering::Less`].
    pub fn compare(&self, other: &Self) -> Ordering {
        level(self.evalue)
            .total_cmp(&level(other.evalue))
            .then(other.score.cmp(&self.score))
            .then(other.ordinal.cmp(&self.ordinal))
    }
}

/// Standing of a subject with these HSPs, best first; `None` without any.
pub(in crate::engine) fn rank(hsps: &[PreliminaryHsp], ordinal: u64) -> Option<Rank> {
    let best = hsps.first()?;
    let evalue = hsps.iter().map(|hsp| hsp.evalue).fold(f64::INFINITY, f64::min);
    Some(Rank { evalue, score: best.extents.score, ordinal })
}

/// About the memory that a slice takes which lies by itself: allocators round up, and keep a length beside it.
pub(in crate::engine) fn allocated<T>(items: &[T]) -> usize {
    (size_of_val(items) + size_of::<usize>()).next_multiple_of(32)
}

/// One subject with its HSPs, best first, and what it was nominated with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Standing before the final alignment; decides which subjects get one.
    pub preliminary: Rank,
    /// Length of the subject in residues.
    pub subject_length: u32,
    /// The subject's definition line, without `>`; read it with
    /// [`SubjectNames`](crate::sequence::names::SubjectNames).
    pub defline: Vec<u8>,
    /// Final alignments, best first; empty if none reached the E-value limit.
    pub hsps: Vec<Hsp>,
    /// What there is instead of final alignments as long as the hit competes with others.
    pub unaligned: Option<Unaligned>,
    /// E-value of the locally optimal alignment without the finite-size correction, if alignments are
    /// of that kind; the subject gets none if others have left no room for it.
    pub optimal_evalue: Option<f64>,
}

impl AsRef<Self> for Hit {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// What the final alignments of a hit are made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unaligned {
    /// Residue codes of the whole subject.
    pub(in crate::engine) residues: Vec<u8>,
    /// Preliminary HSPs, best first.
    pub(in crate::engine) hsps: Vec<PreliminaryHsp>,
}

impl Hit {
    /// Position of the subject in the whole database, from 0.
    pub fn ordinal(&self) -> u64 {
        self.preliminary.ordinal
    }

    /// Takes its final alignments.
    pub(in crate::engine) fn finish(&mut self, finished: Finished) {
        self.hsps = finished.hsps;
        self.optimal_evalue = finished.optimal_evalue;
    }

    /// About the memory that it takes, with what lies between the pieces; bytes.
    pub fn bytes(&self) -> usize {
        let unaligned = self
            .unaligned
            .as_ref()
            .map_or(0, |unaligned| allocated(&unaligned.residues) + allocated(&unaligned.hsps));
        let hsps = self.hsps.iter().map(|hsp| allocated(&hsp.edits) + allocated(&hsp.subject_residues));
        size_of::<Self>() + allocated(&self.defline) + unaligned + allocated(&self.hsps) + hsps.sum::<usize>()
    }

    /// The order in which subjects are aligned: by preliminary standing.
    pub fn compare_preliminary(&self, other: &Self) -> Ordering {
        self.preliminary.compare(&other.preliminary)
    }

    /// The order of the database.
    pub fn compare_ordinal(&self, other: &Self) -> Ordering {
        self.ordinal().cmp(&other.ordinal())
    }

    /// The order in which subjects are reported; those without HSPs come last.
    pub fn compare_final(&self, other: &Self) -> Ordering {
        match (self.rank(), other.rank()) {
            (Some(one), Some(two)) => one.compare(&two),
            (one, two) => one.is_none().cmp(&two.is_none()).then_with(|| self.compare_ordinal(other)),
        }
    }

    /// Leaves of it what is reported of a hit with a query of which `query_length` residues are searched, in
    /// the order of reports; `false` if that is nothing.
    pub fn settle(&mut self, query_length: usize, options: &SearchOptions) -> bool {
        self.trim(query_length, options);
        self.sort_hsps();
        !self.hsps.is_empty()
    }

    /// Counts positions in the query from `residues` before where they count from.
    pub(in crate::engine) fn shift_query(&mut self, residues: usize) {
        for hsp in &mut self.hsps {
            hsp.query = hsp.query.start + residues as u32..hsp.query.end + residues as u32;
        }
    }

    /// Leaves out what is not to be reported: all HSPs but the first few, and then those that span
    /// too little of the query (`core/blast_hits.c:Blast_HSPGetQueryCoverage`).
    fn trim(&mut self, query_length: usize, options: &SearchOptions) {
        self.hsps.truncate(options.max_hsps.unwrap_or(usize::MAX));
        let cover = |hsp: &Hsp| {
            let percent = 100.0 * f64::from(hsp.query.end - hsp.query.start) / query_length as f64;
            if percent < 99.0 { percent + 0.5 } else { percent }
        };
        if options.min_query_cover > 0.0 {
            self.hsps.retain(|hsp| cover(hsp) >= options.min_query_cover);
        }
        if options.subject_best_hit {
            keep_best_of_subject(&mut self.hsps, |hsp| (hsp.query.start as usize, hsp.query.end as usize));
        }
    }

    /// Orders the HSPs as reports show them: by E-value, and equals as by score, which has been rounded since
    /// they were found (`api/blast_seqalign.cpp`, `core/blast_hits.c:s_EvalueCompareHSPs`).
    pub(in crate::engine) fn sort_hsps(&mut self) {
        self.hsps.sort_by(|a, b| {
            level(a.evalue)
                .total_cmp(&level(b.evalue))
                .then(b.score.cmp(&a.score))
                .then(a.subject.start.cmp(&b.subject.start))
                .then(b.subject.end.cmp(&a.subject.end))
                .then(a.query.start.cmp(&b.query.start))
                .then(b.query.end.cmp(&a.query.end))
        });
    }

    /// Final standing; `None` without HSPs.
    pub fn rank(&self) -> Option<Rank> {
        let best = self.hsps.first()?;
        let evalue = self.hsps.iter().map(|hsp| hsp.evalue).fold(f64::INFINITY, f64::min);
        Some(Rank { evalue, score: best.score, ordinal: self.ordinal() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_order_by_evalue_then_score_then_later_sequence() {
        let rank = |evalue, score, ordinal| Rank { evalue, score, ordinal };
        let mut ranks = [
            rank(1e-5, 50, 1),
            rank(1e-200, 400, 2),
            rank(1e-190, 500, 3),
            rank(1e-5, 50, 9),
            rank(2e-6, 40, 0),
        ];
        ranks.sort_by(Rank::compare);
        assert_eq!(ranks.map(|r| r.ordinal), [3, 2, 0, 9, 1]);
    }
}
