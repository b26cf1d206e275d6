//! Hits and their alignments.

use std::cmp::Ordering;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::options::SearchOptions;
use super::preliminary::PreliminaryHsp;
use super::subject_best::keep_best_of_subject;

/// How a run of alignment columns pairs query and subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Edit {
    /// Both have a residue.
    Pair,
    /// The subject has a residue, the query a gap.
    QueryGap,
    /// The query has a residue, the subject a gap.
    SubjectGap,
}

/// Consecutive columns of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EditRun {
    /// The kind.
    pub edit: Edit,
    /// How many columns, from 1.
    pub length: u32,
}

/// How the scores of an alignment were adjusted to the composition of its sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Adjustment {
    /// Not at all.
    #[default]
    None,
    /// The matrix was scaled; pairwise reports say "Composition-based stats."
    Scaled,
    /// The matrix was made anew; pairwise reports say "Compositional matrix adjust."
    Optimised,
}

/// One local alignment of a query and a subject.
///
/// Ranges are 0-based and half-open, in residues of the whole sequences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hsp {
    /// Raw score.
    pub score: i32,
    /// Normalised score.
    pub bit_score: f64,
    /// Expected number of such alignments by chance in the whole database.
    pub evalue: f64,
    /// Aligned part of the query.
    pub query: Range<u32>,
    /// Aligned part of the subject.
    pub subject: Range<u32>,
    /// How its scores were adjusted.
    pub adjustment: Adjustment,
    /// Columns from left to right; neighbouring runs differ in kind.
    pub edits: Vec<EditRun>,
    /// Columns with the same letter.
    pub identities: u32,
    /// Columns with the same letter, or with a positive score and without `J`.
    pub positives: u32,
    /// Residue codes of the subject in its aligned part, so that a report needs no database.
    pub subject_residues: Vec<u8>,
}

impl Hsp {
    /// Number of columns, gaps included.
    pub fn alignment_length(&self) -> u32 {
        self.edits.iter().map(|run| run.length).sum()
    }

    /// Number of columns with a gap.
    pub fn gaps(&self) -> u32 {
        self.edits.iter().filter(|run| run.edit != Edit::Pair).map(|run| run.length).sum()
    }

    /// Number of runs of gaps.
    pub fn gap_openings(&self) -> u32 {
        self.edits.iter().filter(|run| run.edit != Edit::Pair).count() as u32
    }

    /// Columns with two different letters.
    pub fn mismatches(&self) -> u32 {
        self.alignment_length() - self.identities - self.gaps()
    }
}

/// E-values below this are all the same (`core/blast_hits.c`).
const SMALLEST_EVALUE: f64 = 1e-180;

/// An E-value as far as the order of hits goes.
pub(super) fn level(evalue: f64) -> f64 {
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

/// What the final alignments of a hit are made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unaligned {
    /// Residue codes of the whole subject.
    pub(super) residues: Vec<u8>,
    /// Preliminary HSPs, best first.
    pub(super) hsps: Vec<PreliminaryHsp>,
}

impl Hit {
    /// Position of the subject in the whole database, from 0.
    pub fn ordinal(&self) -> u64 {
        self.preliminary.ordinal
    }

    /// Counts positions in the query from `residues` before where they count from.
    pub(super) fn shift_query(&mut self, residues: usize) {
        for hsp in &mut self.hsps {
            hsp.query = hsp.query.start + residues as u32..hsp.query.end + residues as u32;
        }
    }

    /// Leaves out what is not to be reported: all HSPs but the first few, and then those that span
    /// too little of the query (`core/blast_hits.c:Blast_HSPGetQueryCoverage`).
    pub(super) fn trim(&mut self, query_length: usize, options: &SearchOptions) {
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
    pub(super) fn sort_hsps(&mut self) {
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
