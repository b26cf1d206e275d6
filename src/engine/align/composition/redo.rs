//! The final stage with adjusted matrices: each preliminary HSP of a pair is aligned anew.
//!
//! With locally optimal alignments, this is the final stage even if no matrix is adjusted.
//!
//! Source: `composition_adjustment/redo_alignment.c` (`Blast_RedoOneMatch`,
//! `s_WithDistinctEnds`), `core/blast_kappa.c` (`s_HitlistReapContained`).

use std::f64::consts::LN_2;

use super::adjust::{Adjuster, QueryComposition};
use super::matrix::SCALE;
use super::near_identical::near_identical;
use super::optimize::Optimizer;
use crate::engine::align::alignment::{Aligned, finished};
use crate::engine::align::containment::{Boxed, Extents, by_score, contains};
use crate::engine::align::gapped::{Extender, Workspace};
use crate::engine::align::hsp::{Adjustment, Hsp};
use crate::engine::align::preliminary::PreliminaryHsp;
use crate::engine::align::scheme::{Scheme, raw_drop_off};
use crate::engine::align::smith_waterman::{Local, LocalWorkspace};
use crate::engine::kernel::WideScores;
use crate::engine::seg::Seg;
use crate::engine::watch::Lookout;
use crate::scoring::{FiniteSize, GapCosts, Scores, karlin_evalue};
use crate::sequence::alphabet::{C, O, U, X};

/// Bits per aligned residue from which a pair may be nearly identical
/// (`NEAR_IDENTICAL_BITS_PER_POSITION`).
const NEAR_IDENTICAL_BITS: f64 = 1.74;
/// Residues that such an alignment must span, unless the query is shorter.
const NEAR_IDENTICAL_SPAN: usize = 50;
/// An alignment makes a preliminary one within it needless if it is at least this much better, bits
/// (`KAPPA_BIT_TOL`).
const CONTAINED_BITS: f64 = 2.0;

/// Reusable working memory of redone alignments.
#[derive(Debug, Default)]
pub(in crate::engine) struct RedoWorkspace {
    gapped: Workspace,
    optimizer: Optimizer,
    /// The subject as it is compared: masked or not.
    text: Vec<u8>,
    local: LocalWorkspace,
}

/// One query, ready to be aligned anew with its subjects.
#[derive(Debug)]
pub(in crate::engine) struct Redoer<'a> {
    scheme: &'a Scheme,
    /// Makes matrices for pairs, unless composition does not count.
    adjuster: Option<&'a Adjuster>,
    /// How much finer than usual the units of scores are.
    scale: i32,
    /// Search space of E-values without the finite-size correction, residue pairs.
    space: u64,
    query: &'a [u8],
    /// The query as reports show it, without masks.
    shown: &'a [u8],
    /// The query as it is compared: C for selenocysteine, X for pyrrolysine.
    text: Vec<u8>,
    composition: Option<QueryComposition>,
    statistics: FiniteSize,
    gaps: GapCosts,
    x: i32,
}

/// An alignment with scores of an adjusted matrix.
#[derive(Debug)]
struct Redone {
    aligned: Aligned,
    adjustment: Adjustment,
}

impl Boxed for Redone {
    fn score(&self) -> i32 {
        self.aligned.score()
    }
    fn query(&self) -> (usize, usize) {
        self.aligned.query()
    }
    fn subject(&self) -> (usize, usize) {
        self.aligned.subject()
    }
}

impl<'a> Redoer<'a> {
    pub(in crate::engine) fn new(query: &'a [u8], shown: &'a [u8], scheme: &'a Scheme) -> Self {
        let compared = |&code: &u8| match code {
            U => C,
            O => X,
            code => code,
        };
        let adjuster = scheme.adjuster.as_ref();
        let scale = if adjuster.is_some() { SCALE } else { 1 };
        let statistics = scheme.statistics.scaled(scale);
        let drop_off = &scheme.options.drop_off;
        let unscaled = scheme.gapped_drop_off(drop_off.last).max(scheme.gapped_drop_off(drop_off.gapped));
        let scaled = raw_drop_off(drop_off.last, statistics.gapped().lambda);
        Self {
            scheme,
            adjuster,
            scale,
            space: scheme.search_space(query.len()),
            query,
            shown,
            text: query.iter().map(compared).collect(),
            composition: adjuster.and_then(|adjuster| adjuster.query(query)),
            statistics,
            gaps: GapCosts { open: scheme.gaps.open * scale, extend: scheme.gaps.extend * scale },
            x: scaled.max(unscaled),
        }
    }

    /// Aligns the query with a subject through the start pairs of their preliminary HSPs (best
    /// first). Returns those within the E-value limit, best first; the list may be empty.
    pub(in crate::engine) fn hsps(
        &self,
        subject: &[u8],
        preliminary: &[PreliminaryHsp],
        (workspace, lookout): (&mut RedoWorkspace, &Lookout<'_>),
    ) -> Vec<Hsp> {
        let redone = self.redone(subject, preliminary, (workspace, lookout));
        self.all_reported(redone, subject)
    }

    /// The same by locally optimal alignments, whatever the start pairs, and the E-value that decides
    /// whether blastp makes any.
    pub(in crate::engine) fn optimal_hsps(
        &self,
        subject: &[u8],
        preliminary: &[PreliminaryHsp],
        (workspace, lookout): (&mut RedoWorkspace, &Lookout<'_>),
    ) -> (Vec<Hsp>, Option<f64>) {
        let (redone, first) = self.optimal(subject, preliminary, (workspace, lookout));
        (self.all_reported(redone, subject), first)
    }

    fn all_reported(&self, mut redone: Vec<Redone>, subject: &[u8]) -> Vec<Hsp> {
        redone.sort_by_key(by_score);
        let mut kept: Vec<Redone> = Vec::with_capacity(redone.len());
        for hsp in redone {
            if !kept.iter().any(|better| contains(better, &hsp)) {
                kept.push(hsp);
            }
        }
        kept.into_iter().filter_map(|hsp| self.reported(hsp, subject)).collect()
    }

    /// The HSP in usual score units, if it is within the E-value limit; blastp reports none that
    /// rounds to 0.
    fn reported(&self, hsp: Redone, subject: &[u8]) -> Option<Hsp> {
        let Redone { mut aligned, adjustment } = hsp;
        let evalue = self.statistics.evalue(
            aligned.gapped.score,
            self.query.len() as u64,
            subject.len() as u64,
            self.scheme.database_residues,
        );
        // Scores are positive: adding half before the division rounds to the nearest.
        aligned.gapped.score = (aligned.gapped.score + self.scale / 2) / self.scale;
        (evalue <= self.scheme.options.evalue && aligned.gapped.score > 0)
            .then(|| finished(aligned, self.shown, subject, evalue, adjustment, self.scheme))
    }

    /// All alignments that no other one makes needless, in no particular order.
    fn redone(
        &self,
        subject: &[u8],
        preliminary: &[PreliminaryHsp],
        (workspace, lookout): (&mut RedoWorkspace, &Lookout<'_>),
    ) -> Vec<Redone> {
        let RedoWorkspace { gapped: gapped_workspace, optimizer, text, .. } = workspace;
        let mut redone: Vec<Redone> = Vec::new();
        let (Some(adjuster), Some(composition), Some(first)) =
            (self.adjuster, self.composition.as_ref(), preliminary.first())
        else {
            return redone;
        };
        let margin = CONTAINED_BITS * LN_2 / self.statistics.gapped().lambda;

        // Whether SEG may find something in the subject.
        let mut biased = true;
        let mut near = false;
        let mut matrix: Option<(Scores, Option<WideScores>, Adjustment)> = None;
        let mut matrices = 0;
        for (place, hsp) in preliminary.iter().enumerate() {
            if lookout.extended(self.query.len(), subject.len()) {
                break;
            }
            let was_near = near;
            if biased {
                near = self.may_be_near_identical(hsp);
            }
            let changed = place == 0 || near != was_near;
            if changed && biased {
                text.clear();
                text.extend_from_slice(subject);
                if !(near && self.is_near_identical(first, subject)) {
                    biased = Seg::SUBJECT.mask(text);
                }
            }
            let needed = f64::from(hsp.extents.score * self.scale) + margin;
            if redone.iter().any(|other| holds_ends(other, hsp) && needed <= f64::from(other.score())) {
                continue;
            }
            if changed {
                let adjusted = adjuster.matrix(composition, text, optimizer);
                matrix = adjusted.map(|(scores, adjustment)| {
                    let wide = WideScores::new(&scores);
                    (scores, wide, adjustment)
                });
                matrices += 1;
            }
            let Some((scores, wide, adjustment)) = &matrix else { continue };
            let extender = Extender { scores, bytes: None, wide: wide.as_ref(), gaps: self.gaps, x: self.x };
            let (gapped, edits) = extender.align(&self.text, text, hsp.start, gapped_workspace);
            let hsp = Redone { aligned: Aligned { gapped, edits }, adjustment: *adjustment };
            if hsp.score() >= 1 {
                add_with_distinct_ends(&mut redone, hsp, matrices > 1);
            }
        }
        redone
    }

    /// Locally optimal alignments, best first, as long as they are significant without the finite-size
    /// correction; only one if the preliminary stage found no more. Also the E-value of the first.
    ///
    /// Source: `Blast_RedoOneMatchSmithWaterman`.
    fn optimal(
        &self,
        subject: &[u8],
        preliminary: &[PreliminaryHsp],
        (workspace, lookout): (&mut RedoWorkspace, &Lookout<'_>),
    ) -> (Vec<Redone>, Option<f64>) {
        let RedoWorkspace { gapped: gapped_workspace, optimizer, text, local: local_workspace } = workspace;
        let Some(first) = preliminary.first() else { return (Vec::new(), None) };
        text.clear();
        text.extend_from_slice(subject);
        let adjusted;
        let (scores, adjustment) = match self.adjuster {
            None => (self.scheme.matrix.scores(), Adjustment::None),
            Some(adjuster) => {
                if !(self.may_be_near_identical(first) && self.is_near_identical(first, subject)) {
                    Seg::SUBJECT.mask(text);
                }
                let composition = self.composition.as_ref();
                let Some(made) = composition.and_then(|query| adjuster.matrix(query, text, optimizer)) else {
                    return (Vec::new(), None);
                };
                adjusted = made;
                (&adjusted.0, adjusted.1)
            }
        };
        let local = Local { scores, gaps: self.gaps };
        let extender = Extender { scores, bytes: None, wide: None, gaps: self.gaps, x: self.x };
        local_workspace.taken.clear(self.text.len());
        let mut found = Vec::new();
        let mut first_evalue = None;
        loop {
            let end = local.last_pair(&self.text, text, (local_workspace, lookout));
            let evalue = karlin_evalue(end.score, self.statistics.gapped(), self.space);
            first_evalue = first_evalue.or(Some(evalue));
            if evalue >= self.scheme.options.evalue || end.score == 0 {
                break;
            }
            let start = local.first_pair(&self.text, text, end, (local_workspace, lookout));
            if lookout.is_over() {
                // Then these are not the ends of an alignment.
                break;
            }
            let (query, aligned_text) =
                (&self.text[start.query..=end.query], &text[start.subject..=end.subject]);
            let (mut gapped, edits) =
                extender.align_from_start(query, aligned_text, end.score, gapped_workspace);
            for (range, start) in [(&mut gapped.query, start.query), (&mut gapped.subject, start.subject)] {
                *range = (range.0 + start, range.1 + start);
            }
            local_workspace.taken.take(gapped.query, gapped.subject);
            found.push(Redone { aligned: Aligned { gapped, edits }, adjustment });
            if preliminary.len() == 1 {
                break;
            }
        }
        (found, first_evalue)
    }

    /// Whether an HSP is long and good enough to look for near identity.
    fn may_be_near_identical(&self, hsp: &PreliminaryHsp) -> bool {
        let Extents { score, query, subject } = hsp.extents;
        let (query_span, subject_span) = (query.1 - query.0, subject.1 - subject.0);
        let per_residue = f64::from(score * self.scale) / query_span.min(subject_span) as f64;
        subject_span + 1 >= self.query.len().min(NEAR_IDENTICAL_SPAN)
            && per_residue >= NEAR_IDENTICAL_BITS * LN_2 / self.statistics.gapped().lambda
    }

    fn is_near_identical(&self, hsp: &PreliminaryHsp, subject: &[u8]) -> bool {
        let Extents { query, subject: in_subject, .. } = hsp.extents;
        near_identical(&self.text, subject, query.0..query.1, in_subject.0..in_subject.1)
    }
}

/// Whether both ends of `inner` lie in the ranges of `outer`, whatever their scores.
fn holds_ends(outer: &Redone, inner: &PreliminaryHsp) -> bool {
    contains(outer, &Extents { score: i32::MIN, ..inner.extents })
}

/// Puts an alignment first unless a better one shares an end with it, and drops worse ones that
/// do. With `similar`, an end inside the other alignment on the diagonal of its end counts as shared.
fn add_with_distinct_ends(redone: &mut Vec<Redone>, hsp: Redone, similar: bool) {
    let start = |hsp: &Redone| (hsp.query().0, hsp.subject().0);
    let end = |hsp: &Redone| (hsp.query().1, hsp.subject().1);
    let equal = |other: &Redone| start(other) == start(&hsp) || end(other) == end(&hsp);
    let inside_on = |other: &Redone, of: fn((usize, usize)) -> usize| {
        let (query, subject) = (of(hsp.query()), of(hsp.subject()));
        let within = |range: (usize, usize), at: usize| range.0 <= at && at <= range.1;
        within(other.query(), query)
            && within(other.subject(), subject)
            && query + of(other.subject()) == of(other.query()) + subject
    };
    let shared = |other: &Redone| {
        if similar {
            inside_on(other, |range| range.0) || inside_on(other, |range| range.1)
        } else {
            equal(other)
        }
    };
    if redone.iter().any(|other| hsp.score() <= other.score() && shared(other)) {
        return;
    }
    redone.retain(|other| !equal(other));
    redone.insert(0, hsp);
}
