//! Final alignments of one query, in the way that the options ask for.

use super::composition::{RedoWorkspace, Redoer};
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

    /// Finishes the query and a subject from their preliminary HSPs (best first); of no use once the lookout is
    /// over.
    pub(in crate::engine) fn align(
        &self,
        subject: &[u8],
        preliminary: &[PreliminaryHsp],
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
            Finish::Adjusted(redoer) => redoer.hsps(subject, preliminary, (&mut workspace.redo, lookout)),
            Finish::Optimal(redoer) => {
                let (hsps, optimal_evalue) =
                    redoer.optimal_hsps(subject, preliminary, (&mut workspace.redo, lookout));
                return Finished { hsps, optimal_evalue };
            }
        };
        Finished { hsps, optimal_evalue: None }
    }
}
