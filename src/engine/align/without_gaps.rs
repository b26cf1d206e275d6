//! Searches without gapped extensions (`-ungapped`): every ungapped HSP that scores enough is reported.
//!
//! Source: `core/blast_gapalign.c:BLAST_GetUngappedHSPList`, `core/blast_parameters.c`,
//! `core/blast_setup.c:BLAST_CalcEffLengths`.

use super::alignment::{Aligned, finished_under};
use super::containment::{Extents, by_score};
use super::gapped::Gapped;
use super::hsp::{Adjustment, Edit, EditRun, Hsp};
use super::preliminary::PreliminaryHsp;
use super::scheme::Scheme;
use super::ungapped_hsp::UngappedHsp;
use crate::engine::options::SearchOptions;
use crate::scoring::{KarlinParameters, SearchSpace, TableRow, karlin_cutoff, karlin_evalue};

/// Statistics of alignments without gaps of one query.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct UngappedStatistics {
    karlin: KarlinParameters,
    space: u64,
}

impl UngappedStatistics {
    /// Statistics of a query of `length` residues with its own parameters.
    pub(in crate::engine) fn new(length: usize, karlin: KarlinParameters, scheme: &Scheme) -> Self {
        let row = TableRow { karlin, ..TableRow::ungapped(scheme.options.matrix) };
        let space = SearchSpace::new(length as u64, scheme.space_residues, scheme.database_sequences, &row);
        Self { karlin, space: scheme.options.stated_space().unwrap_or(space.effective) }
    }

    /// The score from which an HSP is kept.
    pub(in crate::engine) fn cutoff(&self, options: &SearchOptions) -> i32 {
        karlin_cutoff(options.evalue, &self.karlin, self.space)
    }
}

/// The HSPs of one query and subject within the E-value limit, best first.
pub(in crate::engine) fn nominated(
    ungapped: &[UngappedHsp],
    statistics: &UngappedStatistics,
    options: &SearchOptions,
) -> Vec<PreliminaryHsp> {
    let range = |start: u32, length: u32| (start as usize, (start + length) as usize);
    let scored = |hsp: &UngappedHsp| PreliminaryHsp {
        extents: Extents {
            score: hsp.score,
            query: range(hsp.query_start, hsp.length),
            subject: range(hsp.subject_start, hsp.length),
        },
        start: (hsp.query_start as usize, hsp.subject_start as usize),
        evalue: karlin_evalue(hsp.score, &statistics.karlin, statistics.space),
    };
    let mut hsps: Vec<_> = ungapped.iter().map(scored).filter(|hsp| hsp.evalue <= options.evalue).collect();
    hsps.sort_by_key(by_score);
    hsps
}

/// The HSPs as they are reported; the query as it is shown.
pub(in crate::engine) fn aligned(
    shown: &[u8],
    subject: &[u8],
    nominated: &[PreliminaryHsp],
    statistics: &UngappedStatistics,
    scheme: &Scheme,
) -> Vec<Hsp> {
    let finish = |hsp: &PreliminaryHsp| {
        let Extents { score, query, subject: in_subject } = hsp.extents;
        let gapped = Gapped { score, query, subject: in_subject };
        let edits = vec![EditRun { edit: Edit::Pair, length: (query.1 - query.0) as u32 }];
        let aligned = Aligned { gapped, edits };
        finished_under(&statistics.karlin, aligned, shown, subject, hsp.evalue, Adjustment::None, scheme)
    };
    nominated.iter().map(finish).collect()
}
