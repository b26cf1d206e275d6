//! The stages of a comparison one by one, for benchmarks only.

use super::align::gapped::{Extender, Workspace};
use super::align::scheme::Scheme;
use super::batch::{Batch, batches};
use super::kernel::Gaps;
use super::options::OptionError;
use super::options::{DatabaseTotals, SearchOptions};
use super::query::{QuerySequence, SearchedQuery};
use super::select::ungapped::{self, BatchWords, Finder};
use super::select::words::Neighbourhoods;

/// What does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Code that any processor runs.
    Twin,
    /// The kernel for this processor, where there is one.
    Kernel,
}

/// One query, ready to be compared stage by stage.
#[derive(Debug)]
pub struct Stages {
    scheme: Scheme,
    neighbourhoods: Neighbourhoods,
    batch: Batch,
    words: BatchWords,
    scan_workspace: ungapped::Workspace,
    workspace: Workspace,
}

impl Stages {
    /// Prepares `query` (residue codes) for a search in a database of size `totals`. `None` if the
    /// query cannot be searched.
    ///
    /// # Errors
    /// If there are no statistics for the matrix and gap costs.
    pub fn new(
        query: &[u8],
        options: SearchOptions,
        totals: DatabaseTotals,
    ) -> Result<Option<Self>, OptionError> {
        let scheme = Scheme::new(options, totals)?;
        let neighbourhoods = Neighbourhoods::new(&scheme.matrix, &options.words);
        let query = QuerySequence { residues: query, lower_case: &[], pieces: &[] };
        let query = SearchedQuery::new(query, &options);
        let batch = batches(&[query], &scheme, usize::MAX).pop();
        Ok(batch.map(|batch| Self {
            scan_workspace: ungapped::Workspace::new(batch.residues.len(), options.words.reach()),
            words: BatchWords::new(&batch, &scheme, &neighbourhoods),
            scheme,
            neighbourhoods,
            batch,
            workspace: Workspace::default(),
        }))
    }

    /// Word scan and ungapped extensions. Returns the number of ungapped HSPs.
    pub fn scan(&mut self, subject: &[u8], by: By) -> usize {
        let Self { batch, words, neighbourhoods, .. } = self;
        let kernel = self.scheme.ungapped_kernel.as_ref().filter(|_| by == By::Kernel);
        let finder = Finder { batch, words, neighbourhoods, matrix: &self.scheme.matrix, kernel };
        let mut found = Vec::new();
        finder.find(subject, &mut self.scan_workspace, &mut found);
        found.len()
    }

    /// Score of the gapped alignment through the pair `start`.
    pub fn gapped_score(&mut self, subject: &[u8], start: (usize, usize), by: By) -> i32 {
        let bytes = self.scheme.kernel.as_ref().filter(|_| by == By::Kernel);
        let extender = Extender { bytes, ..extender(&self.scheme, self.scheme.options.drop_off.gapped, by) };
        extender.score(self.batch.query(0), subject, start, Gaps::Anywhere, &mut self.workspace).score
    }

    /// Score of the final alignment through the pair `start`, and how many runs of columns it has.
    pub fn aligned(&mut self, subject: &[u8], start: (usize, usize), by: By) -> (i32, usize) {
        let extender = extender(&self.scheme, self.scheme.options.drop_off.last, by);
        let (gapped, runs) = extender.align(self.batch.query(0), subject, start, &mut self.workspace);
        (gapped.score, runs.len())
    }
}

fn extender(scheme: &Scheme, drop_off: f64, by: By) -> Extender<'_> {
    Extender {
        scores: scheme.matrix.scores(),
        bytes: None,
        wide: scheme.wide.as_ref().filter(|_| by == By::Kernel),
        gaps: scheme.gaps,
        x: scheme.gapped_drop_off(drop_off),
    }
}
