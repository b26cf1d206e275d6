//! The final stage: alignments with their columns for the subjects that were chosen.
//!
//! Source: `core/blast_traceback.c:Blast_TracebackFromHSPList`, without composition adjustment.

use super::containment::{Accepted, Boxed, Extents, purge_common_ends};
use super::gapped::{Extender, Gapped, Workspace, within_reach};
use super::hsp::{Adjustment, Edit, EditRun, Hsp};
use super::preliminary::{PreliminaryHsp, START_WINDOW};
use super::scheme::Scheme;
use crate::engine::watch::Lookout;
use crate::scoring::{KarlinParameters, Scores, bit_score};
use crate::sequence::alphabet::J;

/// A scored alignment with its columns.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Aligned {
    pub(in crate::engine) gapped: Gapped,
    pub(in crate::engine) edits: Vec<EditRun>,
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
/// Returns those within the E-value limit, best first; the list may be empty, and is of no use once the lookout
/// is over.
pub(in crate::engine) fn hsps(
    (query, shown): (&[u8], &[u8]),
    subject: &[u8],
    preliminary: &[PreliminaryHsp],
    scheme: &Scheme,
    (workspace, lookout): (&mut Workspace, &Lookout<'_>),
) -> Vec<Hsp> {
    let drop_off = &scheme.options.drop_off;
    let x = scheme.gapped_drop_off(drop_off.last).max(scheme.gapped_drop_off(drop_off.gapped));
    let extender = Extender {
        scores: scheme.matrix.scores(),
        bytes: None,
        wide: scheme.wide.as_ref(),
        gaps: scheme.gaps,
        x,
    };

    let mut accepted = Accepted::default();
    let mut aligned = Vec::new();
    for hsp in preliminary {
        if lookout.extended(query.len(), subject.len()) {
            break;
        }
        if accepted.contains(hsp) {
            continue;
        }
        let Some(start) = start_pair(query, subject, hsp, scheme.matrix.scores()) else { continue };
        let reach = within_reach(query, subject, start);
        let near_start = (start.0, start.1 - reach.start);
        let (mut gapped, edits) = extender.align(query, &subject[reach.clone()], near_start, workspace);
        gapped.shift_subject(reach.start);
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

/// The pair that the alignment goes through: that of the preliminary stage, unless it is the very first
/// pair, which means "none" to blastp. Then it is looked for along the diagonal on which the HSP starts, as
/// the end of the best window, or near the end of the HSP; `None` if there is none either
/// (`core/blast_gapalign.c:BlastGetOffsetsForGappedAlignment`).
fn start_pair(query: &[u8], subject: &[u8], hsp: &PreliminaryHsp, scores: &Scores) -> Option<(usize, usize)> {
    let Extents { query: in_query, subject: in_subject, .. } = hsp.extents;
    let length = in_query.1 - in_query.0;
    if hsp.start != (0, 0) {
        return Some(hsp.start);
    }
    if length <= START_WINDOW {
        return Some((in_query.0 + length / 2, in_subject.0 + length / 2));
    }
    let best_window = |from: (usize, usize), pairs: usize| {
        let pairs = query[from.0..].iter().zip(&subject[from.1..]).take(pairs.max(START_WINDOW));
        let scores: Vec<i32> = pairs.map(|(&q, &s)| scores.score(q, s)).collect();
        let sums = scores.windows(START_WINDOW).map(|window| window.iter().sum::<i32>());
        // The first of the best ones.
        sums.enumerate().rev().max_by_key(|&(_, sum)| sum).filter(|&(_, sum)| sum > 0)
    };
    let pairs = length.min(in_subject.1 - in_subject.0);
    if let Some((place, _)) = best_window((in_query.0, in_subject.0), pairs) {
        let last = place + START_WINDOW - 1;
        return Some((in_query.0 + last, in_subject.0 + last));
    }
    let back = |end: usize, residues: usize| end.checked_sub(residues);
    let from = back(in_query.1, START_WINDOW).zip(back(in_subject.1, START_WINDOW))?;
    best_window(from, START_WINDOW).map(|_| (in_query.1 - START_WINDOW / 2, in_subject.1 - START_WINDOW / 2))
}

/// The HSP of an alignment whose score is in usual units, with what reports count.
pub(in crate::engine) fn finished(
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
pub(in crate::engine) fn finished_under(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::Matrix;
    use crate::sequence::alphabet::encode;

    fn start(query: &str, subject: &str, start: (usize, usize)) -> Option<(usize, usize)> {
        let codes = |text: &str| text.bytes().filter_map(encode).collect::<Vec<u8>>();
        let extents = Extents { score: 20, query: (0, query.len()), subject: (0, subject.len()) };
        let hsp = PreliminaryHsp { extents, start, evalue: 1.0 };
        start_pair(&codes(query), &codes(subject), &hsp, Matrix::blosum62().scores())
    }

    #[test]
    fn a_start_at_the_very_first_pair_is_looked_for_again() {
        assert_eq!(start("WPPPPPPPPPPPPPPW", "WPPPPPPPPPPPPPPW", (3, 3)), Some((3, 3)));
        assert_eq!(start("WPPPPPPP", "WPPPPPPP", (0, 0)), Some((4, 4)));
        // The first of the best windows: the one that takes in the first W.
        assert_eq!(start("WPPPPPPPPPPPPPPW", "WPPPPPPPPPPPPPPW", (0, 0)), Some((10, 10)));
        // None on the diagonal of the start, but one on that of the end, or none there either.
        let (query, subject) = ("WDDDDDDDDDDDWWWWWWWWWWW", "WIIIIIIIIIIIIIIIIIIIIIIWWWWWWWWWWW");
        assert_eq!(start(query, subject, (0, 0)), Some((18, 29)));
        assert_eq!(start("WDDDDDDDDDDDDD", "WIIIIIIIIIIIII", (0, 0)), None);
    }
}
