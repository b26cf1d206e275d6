//! Final alignments of one query, in the way that the options ask for.

use super::composition::{Begun, RedoWorkspace, Redoer, make_matrices};
use super::gapped::Workspace;
use super::hsp::Hsp;
use super::preliminary::PreliminaryHsp;
use super::scheme::Scheme;
use super::without_gaps::UngappedStatistics;
use super::{alignment, without_gaps};
use crate::engine::watch::Lookout;

/// Reusable working memory of final alignments.
#[derive(Debug, Default)]
pub(in crate::engine) struct AlignerWorkspace {
    gapped: Workspace,
    redo: RedoWorkspace,
}

/// One query, ready to be aligned with the subjects that it has been found similar to.
#[derive(Debug)]
pub(in crate::engine) struct Aligner<'a> {
    scheme: &'a Scheme,
    /// The query as it is compared.
    query: &'a [u8],
    /// The query as reports show it.
    shown: &'a [u8],
    finish: Finish<'a>,
}

/// How a pair is finished.
#[derive(Debug)]
enum Finish<'a> {
    /// What has been found without gaps stays as it is.
    WithoutGaps(UngappedStatistics),
    /// Through the same start points, with the same scores.
    SameScores,
    /// With scores adjusted to the compositions of both.
    Adjusted(Redoer<'a>),
    /// By Smith and Waterman's method, with adjusted scores unless composition does not count.
    Optimal(Redoer<'a>),
}

/// A pair that is to be finished.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Unfinished<'a> {
    pub(in crate::engine) aligner: &'a Aligner<'a>,
    pub(in crate::engine) subject: &'a [u8],
    /// Best first.
    pub(in crate::engine) preliminary: &'a [PreliminaryHsp],
}

/// A pair that has been finished.
#[derive(Debug, Default)]
pub(in crate::engine) struct Finished {
    /// HSPs within the E-value limit, best first; there may be none.
    pub(in crate::engine) hsps: Vec<Hsp>,
    /// See [`Hit::optimal_evalue`](crate::engine::Hit::optimal_evalue).
    pub(in crate::engine) optimal_evalue: Option<f64>,
}

impl<'a> Aligner<'a> {
    pub(in crate::engine) fn new(
        query: &'a [u8],
        shown: &'a [u8],
        scheme: &'a Scheme,
        without_gaps: Option<UngappedStatistics>,
    ) -> Self {
        let finish = match without_gaps {
            Some(statistics) => Finish::WithoutGaps(statistics),
            None if scheme.options.locally_optimal => Finish::Optimal(Redoer::new(query, shown, scheme)),
            None if scheme.adjuster.is_some() => Finish::Adjusted(Redoer::new(query, shown, scheme)),
            None => Finish::SameScores,
        };
        Self { scheme, query, shown, finish }
    }

    /// Finishes the query and a subject from their preliminary HSPs (best first); if composition counts, with what
    /// has begun.
    fn align(
        &self,
        subject: &[u8],
        preliminary: &[PreliminaryHsp],
        begun: Option<Begun>,
        (workspace, lookout): (&mut AlignerWorkspace, &Lookout<'_>),
    ) -> Finished {
        let hsps = match &self.finish {
            Finish::WithoutGaps(statistics) => {
                without_gaps::aligned(self.shown, subject, preliminary, statistics, self.scheme)
            }
            Finish::SameScores => {
                let query = (self.query, self.shown);
                alignment::hsps(query, subject, preliminary, self.scheme, (&mut workspace.gapped, lookout))
            }
            Finish::Adjusted(redoer) => begun.map_or_else(Vec::new, |begun| {
                redoer.hsps(subject, preliminary, begun, (&mut workspace.redo, lookout))
            }),
            Finish::Optimal(redoer) => {
                let (hsps, optimal_evalue) =
                    redoer.optimal_hsps(subject, preliminary, (&mut workspace.redo, lookout));
                return Finished { hsps, optimal_evalue };
            }
        };
        Finished { hsps, optimal_evalue: None }
    }
}

/// Finishes pairs, of which some have their matrices made side by side; what comes out for a pair does not depend on
/// the others. Returns the first of them, as many as were done before the lookout was over.
pub(in crate::engine) fn align_all(
    pairs: &[Unfinished<'_>],
    (workspace, lookout): (&mut AlignerWorkspace, &Lookout<'_>),
) -> Vec<Finished> {
    let mut begun = Vec::with_capacity(pairs.len());
    for pair in pairs {
        if let Finish::Adjusted(redoer) = &pair.aligner.finish {
            begun.push((redoer, redoer.begin(pair.subject, pair.preliminary)));
        }
    }
    make_matrices(&mut begun);
    let mut begun = begun.into_iter().map(|(_, begun)| begun);
    let mut finished = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let is_adjusted = matches!(pair.aligner.finish, Finish::Adjusted(_));
        let begun = if is_adjusted { begun.next() } else { None };
        let pair = pair.aligner.align(pair.subject, pair.preliminary, begun, (workspace, lookout));
        if lookout.is_over() {
            // It may be half done.
            break;
        }
        finished.push(pair);
    }
    finished
}
