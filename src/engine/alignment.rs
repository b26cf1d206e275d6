//! The final stage: alignments with their columns for the subjects that were chosen.
//!
//! Source: `core/blast_traceback.c:Blast_TracebackFromHSPList`, without composition adjustment.

use super::containment::{Accepted, Boxed, purge_common_ends};
use super::gapped::{Extender, Gapped, Workspace};
use super::hit::{Adjustment, Edit, EditRun, Hsp};
use super::options::Scheme;
use super::preliminary::PreliminaryHsp;
use crate::scoring::{KarlinParameters, bit_score};
use crate::sequence::alphabet::J;

/// A scored alignment with its columns.
#[derive(Clone, Debug)]
pub(super) struct Aligned {
    pub(super) gapped: Gapped,
    pub(super) edits: Vec<EditRun>,
}

impl Boxed for Aligned {
    fn score(&self) -> i32 {
        self.gapped.score
    }
    fn query(&self) -> (usize, usize) {
        self.gapped.query
    }
    fn subject(&self) -> (usize, usize) {
        self.gapped.subject
    }
}

/// Aligns a query (as it is compared, and as it is shown) and a subject through the start pairs of
/// their preliminary HSPs (best first).
/// Returns those within the E-value limit, best first; the list may be empty.
pub(super) fn hsps(
    (query, shown): (&[u8], &[u8]),
    subject: &[u8],
    preliminary: &[PreliminaryHsp],
    scheme: &Scheme,
    workspace: &mut Workspace,
) -> Vec<Hsp> {
    let drop_off = &scheme.options.drop_off;
    let x = scheme.gapped_drop_off(drop_off.last).max(scheme.gapped_drop_off(drop_off.gapped));
    let extender =
        Extender { scores: scheme.matrix.scores(), wide: scheme.wide.as_ref(), gaps: scheme.gaps, x };

    let mut accepted = Accepted::default();
    let mut aligned = Vec::new();
    for hsp in preliminary {
        if accepted.contains(hsp) {
            continue;
        }
        let (gapped, edits) = extender.align(query, subject, hsp.start, workspace);
        let hsp = Aligned { gapped, edits };
        accepted.add(&hsp);
        aligned.push(hsp);
    }
    purge_common_ends(&mut aligned);
    accepted.clear();
    let mut hsps = Vec::with_capacity(aligned.len());
    for hsp in aligned {
        if accepted.contains(&hsp) {
            continue;
        }
        accepted.add(&hsp);
        let evalue = scheme.evalue(hsp.gapped.score, query, subject);
        if evalue <= scheme.options.evalue {
            hsps.push(finished(hsp, shown, subject, evalue, Adjustment::None, scheme));
        }
    }
    hsps
}

/// The HSP of an alignment whose score is in usual units, with what reports count.
pub(super) fn finished(
    aligned: Aligned,
    query: &[u8],
    subject: &[u8],
    evalue: f64,
    adjustment: Adjustment,
    scheme: &Scheme,
) -> Hsp {
    finished_under(scheme.statistics.gapped(), aligned, query, subject, evalue, adjustment, scheme)
}

/// The same with the parameters that bit scores are to have.
pub(super) fn finished_under(
    parameters: &KarlinParameters,
    aligned: Aligned,
    query: &[u8],
    subject: &[u8],
    evalue: f64,
    adjustment: Adjustment,
    scheme: &Scheme,
) -> Hsp {
    let Aligned { gapped, edits } = aligned;
    let (mut query_at, mut subject_at) = (gapped.query.0, gapped.subject.0);
    let (mut identities, mut positives) = (0, 0);
    for run in &edits {
        let length = run.length as usize;
        if run.edit == Edit::Pair {
            let pairs = query[query_at..query_at + length].iter().zip(&subject[subject_at..]);
            for (&q, &s) in pairs {
                identities += u32::from(q == s);
                positives += u32::from(is_positive(q, s, scheme));
            }
        }
        query_at += if run.edit == Edit::QueryGap { 0 } else { length };
        subject_at += if run.edit == Edit::SubjectGap { 0 } else { length };
    }
    let range = |(start, end): (usize, usize)| start as u32..end as u32;
    Hsp {
        score: gapped.score,
        bit_score: bit_score(gapped.score, parameters),
        evalue,
        query: range(gapped.query),
        subject: range(gapped.subject),
        adjustment,
        edits,
        identities,
        positives,
        subject_residues: subject[gapped.subject.0..gapped.subject.1].to_vec(),
    }
}

/// Whether a column counts as positive in reports. Their matrix has no `J`
/// (`align_format_util.cpp:GetAsciiProteinMatrix`), though `J` scores in the search.
fn is_positive(query: u8, subject: u8, scheme: &Scheme) -> bool {
    let scored = scheme.matrix.score(query, subject) > 0 && query != J && subject != J;
    query == subject || scored
}
