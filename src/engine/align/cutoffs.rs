//! Score limits of a query.

use std::f64::consts::LN_2;

use super::scheme::Scheme;
use super::without_gaps::UngappedStatistics;
use crate::scoring::ungapped_parameters;

/// Ungapped score that triggers a gapped extension, bits (`BLAST_GAP_TRIGGER_PROT`).
const GAP_TRIGGER_BITS: f64 = 22.0;

/// Score limits of one query, in raw score units.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Cutoffs {
    /// Drop-off of ungapped extensions.
    pub(in crate::engine) x_ungapped: i32,
    /// Score from which an ungapped HSP is kept.
    pub(in crate::engine) ungapped: i32,
    /// Score from which a preliminary gapped HSP is kept.
    pub(in crate::engine) gapped: i32,
    /// Statistics of a search without gaps.
    pub(in crate::engine) without_gaps: Option<UngappedStatistics>,
}

impl Cutoffs {
    /// `None` for a query without ungapped parameters, which is not searched.
    /// Source: `core/blast_parameters.c`.
    pub(in crate::engine) fn new(query: &[u8], scheme: &Scheme) -> Option<Self> {
        let ungapped = ungapped_parameters(query, &scheme.matrix)?;
        let trigger = ((GAP_TRIGGER_BITS * LN_2 + libm::log(ungapped.k)) / ungapped.lambda) as i32;
        let without_gaps =
            scheme.options.ungapped.then(|| UngappedStatistics::new(query.len(), ungapped, scheme));
        let gapped = match &without_gaps {
            Some(statistics) => statistics.cutoff(&scheme.options),
            None => scheme.statistics.cutoff(
                scheme.options.cutoff_evalue(),
                query.len() as u64,
                scheme.shortest_subject,
                scheme.database_residues,
            ),
        };
        let x_ungapped = libm::ceil(scheme.options.drop_off.ungapped * LN_2 / ungapped.lambda);
        Some(Self {
            // What is no `int` becomes its least value in blastp, and no extension gets anywhere.
            x_ungapped: if x_ungapped > f64::from(i32::MAX) { 0 } else { x_ungapped as i32 },
            ungapped: trigger.min(gapped),
            gapped,
            without_gaps,
        })
    }
}
