//! The first gapped stage: scores without alignments, to choose the subjects worth aligning.
//!
//! Source: `core/blast_gapalign.c` (`BLAST_GetGappedScore`, `BlastGetStartForGappedAlignment`).

use serde::{Deserialize, Serialize};

use super::containment::{Accepted, Boxed, Extents, purge_common_ends};
use super::cutoffs::Cutoffs;
use super::gapped::{Extender, Workspace, within_reach};
use super::scheme::Scheme;
use super::ungapped_hsp::UngappedHsp;
use crate::engine::kernel::Gaps;
use crate::engine::watch::Lookout;
use crate::scoring::Scores;

/// Largest E-value limit for which the first gapped pass may restrict where gaps open
/// (`core/blast_parameters.c`).
const RESTRICTED_EVALUE: f64 = 10.0;
/// Share of the cutoff below which a restricted score is believed to stay below it.
const RESTRICTED_SHARE: f64 = 0.68;
/// Pairs over which the best stretch of an HSP is looked for.
pub(in crate::engine) const START_WINDOW: usize = 11;

/// A scored gapped alignment without its columns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::engine) struct PreliminaryHsp {
    pub(in crate::engine) extents: Extents,
    /// The (query, subject) pair that the alignment goes through.
    pub(in crate::engine) start: (usize, usize),
    pub(in crate::engine) evalue: f64,
}

impl PreliminaryHsp {
    /// Counts positions in the query from `residues` before where they count from.
    pub(in crate::engine) fn shift_query(&mut self, residues: usize) {
        let query = &mut self.extents.query;
        *query = (query.0 + residues, query.1 + residues);
        self.start.0 += residues;
    }
}

impl Boxed for PreliminaryHsp {
    fn score(&self) -> i32 {
        self.extents.score
    }
    fn query(&self) -> (usize, usize) {
        self.extents.query
    }
    fn subject(&self) -> (usize, usize) {
        self.extents.subject
    }
}

/// Gapped HSPs of one query and subject from their ungapped ones (in the order of the ungapped
/// stage), best first; anything once the lookout is over.
pub(in crate::engine) fn hsps(
    query: &[u8],
    subject: &[u8],
    ungapped: &[UngappedHsp],
    cutoffs: Cutoffs,
    scheme: &Scheme,
    (workspace, lookout): (&mut Workspace, &Lookout<'_>),
) -> Vec<PreliminaryHsp> {
    let extender = Extender {
        scores: scheme.matrix.scores(),
        bytes: scheme.kernel.as_ref(),
        wide: scheme.wide.as_ref(),
        gaps: scheme.gaps,
        x: scheme.gapped_drop_off(scheme.options.drop_off.gapped),
    };
    let doubtful = (RESTRICTED_SHARE * f64::from(cutoffs.gapped)) as i32;
    let restricted = scheme.options.evalue <= RESTRICTED_EVALUE
        && ungapped.first().is_some_and(|best| best.score < doubtful);
    let gapped = |gaps, workspace: &mut Workspace| {
        let limits = (doubtful, cutoffs.gapped);
        extend_all(query, subject, ungapped, &extender, gaps, limits, (workspace, lookout))
    };
    let found = if restricted { gapped(Gaps::Restricted, workspace) } else { None };
    let mut hsps = found.or_else(|| gapped(Gaps::Anywhere, workspace)).unwrap_or_default();
    purge_common_ends(&mut hsps);
    for hsp in &mut hsps {
        hsp.evalue = scheme.evalue(hsp.extents.score, query, subject);
    }
    hsps.retain(|hsp| hsp.evalue <= scheme.options.preliminary_evalue());
    hsps
}

/// Extends each ungapped HSP that no gapped one contains. `None` if a restricted score lies between the `limits`
/// (doubtful, cutoff): then restriction has to be lifted for the whole pair.
fn extend_all(
    query: &[u8],
    subject: &[u8],
    ungapped: &[UngappedHsp],
    extender: &Extender<'_>,
    gaps: Gaps,
    limits: (i32, i32),
    (workspace, lookout): (&mut Workspace, &Lookout<'_>),
) -> Option<Vec<PreliminaryHsp>> {
    let mut accepted = Accepted::default();
    let mut hsps = Vec::new();
    for seed in ungapped {
        if lookout.extended(query.len(), subject.len()) {
            break;
        }
        let diagonal = extents(seed);
        if accepted.contains(&diagonal) {
            continue;
        }
        let start = start_pair(query, subject, &diagonal, extender.scores);
        let reach = within_reach(query, subject, start);
        let (near, near_start) = (&subject[reach.clone()], (start.0, start.1 - reach.start));
        let mut gapped = extender.score(query, near, near_start, gaps, workspace);
        gapped.shift_subject(reach.start);
        if gaps == Gaps::Restricted && (limits.0..limits.1).contains(&gapped.score) {
            return None;
        }
        if gapped.score >= limits.1 {
            let extents = Extents { score: gapped.score, query: gapped.query, subject: gapped.subject };
            accepted.add(&extents);
            hsps.push(PreliminaryHsp { extents, start, evalue: f64::INFINITY });
        }
    }
    Some(hsps)
}

fn extents(seed: &UngappedHsp) -> Extents {
    let (query, subject) = (seed.query_start as usize, seed.subject_start as usize);
    let length = seed.length as usize;
    Extents { score: seed.score, query: (query, query + length), subject: (subject, subject + length) }
}

/// The pair that the gapped alignment goes through: the middle of the best window of the ungapped
/// one.
fn start_pair(query: &[u8], subject: &[u8], diagonal: &Extents, scores: &Scores) -> (usize, usize) {
    let shift = start_shift(
        &query[diagonal.query.0..diagonal.query.1],
        &subject[diagonal.subject.0..diagonal.subject.1],
        scores,
    );
    (diagonal.query.0 + shift, diagonal.subject.0 + shift)
}

/// How far into an ungapped alignment the middle of its best window is.
fn start_shift(query: &[u8], subject: &[u8], scores: &Scores) -> usize {
    if query.len() <= START_WINDOW {
        return query.len() / 2;
    }
    let score = |i: usize| scores.score(query[i], subject[i]);
    let mut sum: i32 = (0..START_WINDOW).map(score).sum();
    let (mut best, mut last) = (sum, START_WINDOW - 1);
    for i in START_WINDOW..query.len() {
        sum += score(i) - score(i - START_WINDOW);
        if sum > best {
            best = sum;
            last = i;
        }
    }
    if best > 0 { last - START_WINDOW / 2 } else { 0 }
}
