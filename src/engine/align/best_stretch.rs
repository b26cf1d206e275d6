//! Where alignments start in pairs in which words have found nothing: in the best local alignment.

use super::gapped::{Extender, Workspace};
use super::hsp::Edit;
use super::scheme::Scheme;
use super::smith_waterman::{Local, LocalWorkspace};
use super::ungapped_hsp::UngappedHsp;
use crate::engine::watch::Lookout;

/// Reusable working memory.
#[derive(Debug, Default)]
pub(in crate::engine) struct StretchWorkspace {
    local: LocalWorkspace,
    gapped: Workspace,
}

/// The stretch without gaps that scores most in the best local alignment of a query and a subject, of equal ones the
/// first, as an ungapped HSP of the first query of a batch; its score is that of the whole alignment. `None` if nothing
/// scores above 0, and perhaps once the lookout is over.
pub(in crate::engine) fn best_stretch(
    query: &[u8],
    subject: &[u8],
    scheme: &Scheme,
    (workspace, lookout): (&mut StretchWorkspace, &Lookout<'_>),
) -> Option<UngappedHsp> {
    let StretchWorkspace { local: local_workspace, gapped: gapped_workspace } = workspace;
    let scores = scheme.matrix.scores();
    let local = Local { scores, gaps: scheme.gaps };
    local_workspace.taken.clear(query.len());
    let end = local.last_pair(query, subject, (local_workspace, lookout));
    if end.score == 0 {
        return None;
    }
    let start = local.first_pair(query, subject, end, (local_workspace, lookout));
    if lookout.is_over() {
        // Then these are not the ends of an alignment.
        return None;
    }
    let x = scheme.gapped_drop_off(scheme.options.drop_off.gapped);
    let extender = Extender { scores, bytes: None, wide: scheme.wide.as_ref(), gaps: scheme.gaps, x };
    let (aligned_query, aligned_subject) =
        (&query[start.query..=end.query], &subject[start.subject..=end.subject]);
    let (_, edits) = extender.align_from_start(aligned_query, aligned_subject, end.score, gapped_workspace);
    let mut at = (start.query, start.subject);
    let mut best: Option<(i32, UngappedHsp)> = None;
    for run in edits {
        let length = run.length as usize;
        match run.edit {
            Edit::Pair => {
                let pairs = query[at.0..].iter().zip(&subject[at.1..]).take(length);
                let score = pairs.map(|(&a, &b)| scores.score(a, b)).sum();
                if best.is_none_or(|(best, _)| score > best) {
                    let stretch = UngappedHsp {
                        query_place: 0,
                        score: end.score,
                        query_start: at.0 as u32,
                        subject_start: at.1 as u32,
                        length: run.length,
                    };
                    best = Some((score, stretch));
                }
                at = (at.0 + length, at.1 + length);
            }
            Edit::QueryGap => at.1 += length,
            Edit::SubjectGap => at.0 += length,
        }
    }
    best.map(|(_, stretch)| stretch)
}
