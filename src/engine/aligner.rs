//! Final alignments of one query, by whichever way the options ask for.

use super::composition::{RedoWorkspace, Redoer};
use super::gapped::Workspace;
use super::hit::Hit;
use super::options::Scheme;
use super::preliminary::PreliminaryHsp;
use super::without_gaps::UngappedStatistics;
use super::{alignment, without_gaps};

/// Reusable working memory of final alignments.
#[derive(Debug, Default)]
pub(super) struct AlignerWorkspace {
    gapped: Workspace,
    redo: RedoWorkspace,
}

/// One query, ready to be aligned with the subjects that it has been found similar to.
#[derive(Debug)]
pub(super) struct Aligner<'a> {
    scheme: &'a Scheme,
    /// The query as it is compared.
    query: &'a [u8],
    /// The query as reports show it.
    shown: &'a [u8],
    redoer: Option<Redoer<'a>>,
    without_gaps: Option<UngappedStatistics>,
}

impl<'a> Aligner<'a> {
    pub(super) fn new(
        query: &'a [u8],
        shown: &'a [u8],
        scheme: &'a Scheme,
        without_gaps: Option<UngappedStatistics>,
    ) -> Self {
        let redone = scheme.adjuster.is_some() || scheme.options.locally_optimal;
        let redoer = redone.then(|| Redoer::new(query, shown, scheme));
        Self { scheme, query, shown, redoer, without_gaps }
    }

    /// Puts the HSPs of the query and a subject that are within the E-value limit into their hit, from
    /// the preliminary ones (best first). There may be none.
    pub(super) fn align(
        &self,
        subject: &[u8],
        preliminary: &[PreliminaryHsp],
        workspace: &mut AlignerWorkspace,
        hit: &mut Hit,
    ) {
        hit.hsps = match (&self.redoer, &self.without_gaps) {
            (_, Some(statistics)) => {
                without_gaps::aligned(self.shown, subject, preliminary, statistics, self.scheme)
            }
            (Some(redoer), None) if self.scheme.options.locally_optimal => {
                let (hsps, evalue) = redoer.optimal_hsps(subject, preliminary, &mut workspace.redo);
                hit.optimal_evalue = evalue;
                hsps
            }
            (Some(redoer), None) => redoer.hsps(subject, preliminary, &mut workspace.redo),
            (None, None) => alignment::hsps(
                (self.query, self.shown),
                subject,
                preliminary,
                self.scheme,
                &mut workspace.gapped,
            ),
        };
    }
}
