//! What all pairs of a search have in common.

use std::f64::consts::LN_2;

use super::composition::Adjuster;
use crate::engine::kernel::{GappedKernel, UngappedKernel, WideScores};
use crate::engine::options::{DatabaseTotals, OptionError, SearchOptions};
use crate::scoring::{FiniteSize, GapCosts, Matrix, SearchSpace, TableRow};

/// Subject length that cutoff scores assume for any database (`BLAST_SEQSRC_MINLENGTH`), residues.
pub(in crate::engine) const SHORTEST_SUBJECT: u64 = 10;

/// What all pairs of a search have in common: options, the size of the database, scoring.
#[derive(Debug)]
pub(in crate::engine) struct Scheme {
    pub(in crate::engine) options: SearchOptions,
    /// Residues of the database that E-values assume.
    pub(in crate::engine) database_residues: i64,
    /// Residues of the database that search spaces assume.
    pub(in crate::engine) space_residues: u64,
    /// Sequences of the database.
    pub(in crate::engine) database_sequences: u64,
    /// Subject length that cutoff scores assume, residues.
    pub(in crate::engine) shortest_subject: u64,
    pub(in crate::engine) matrix: Matrix,
    pub(in crate::engine) gaps: GapCosts,
    pub(in crate::engine) statistics: FiniteSize,
    /// Scores preliminary alignments, where the processor can.
    pub(in crate::engine) kernel: Option<GappedKernel>,
    /// The scores for the kernel of gapped extensions, where the processor has one.
    pub(in crate::engine) wide: Option<WideScores>,
    /// Tells which ungapped extensions come to nothing, where the processor can.
    pub(in crate::engine) ungapped_kernel: Option<UngappedKernel>,
    /// Makes matrices for pairs, unless composition does not count.
    pub(in crate::engine) adjuster: Option<Adjuster>,
}

impl Scheme {
    pub(in crate::engine) fn new(
        options: SearchOptions,
        totals: DatabaseTotals,
    ) -> Result<Self, OptionError> {
        let statistics = FiniteSize::new(options.matrix, options.gaps)
            .ok_or_else(|| OptionError::gap_costs(options.matrix, options.gaps))?
            .in_space(options.space(totals));
        let matrix = Matrix::new(options.matrix);
        let mut scheme = Self {
            options,
            database_residues: options.database_residues.unwrap_or(totals.residues as i64),
            space_residues: options.space_residues(totals.residues),
            database_sequences: totals.sequences,
            shortest_subject: SHORTEST_SUBJECT,
            wide: WideScores::new(matrix.scores()),
            ungapped_kernel: UngappedKernel::new(matrix.scores(), options.words.size),
            adjuster: Adjuster::new(options.composition, &matrix),
            matrix,
            gaps: options.gaps,
            statistics,
            kernel: None,
        };
        let x = scheme.gapped_drop_off(options.drop_off.gapped);
        scheme.kernel = GappedKernel::new(scheme.matrix.scores(), options.gaps, x);
        Ok(scheme)
    }

    /// Drop-off in raw units of gapped extensions with a drop-off in bits.
    pub(in crate::engine) fn gapped_drop_off(&self, bits: f64) -> i32 {
        raw_drop_off(bits, self.statistics.gapped().lambda)
    }

    /// Search space of a query of `length` residues in statistics without the finite-size correction,
    /// residue pairs.
    pub(in crate::engine) fn search_space(&self, length: usize) -> u64 {
        let space = || {
            let row = TableRow::gapped(self.options.matrix, self.gaps)?;
            let (residues, sequences) = (self.space_residues, self.database_sequences);
            Some(SearchSpace::new(length as u64, residues, sequences, &row).effective)
        };
        self.options.stated_space().or_else(space).unwrap_or(0)
    }

    /// E-value of a raw score for a query and a subject of these lengths.
    pub(in crate::engine) fn evalue(&self, score: i32, query: &[u8], subject: &[u8]) -> f64 {
        self.statistics.evalue(score, query.len() as u64, subject.len() as u64, self.database_residues)
    }
}

/// Largest drop-off, raw score units: more than any alignment can lose, and far from overflowing.
const UNBOUNDED: i32 = i32::MAX / 4;

/// Drop-off in the units of scores with this λ.
pub(in crate::engine) fn raw_drop_off(bits: f64, lambda: f64) -> i32 {
    ((bits * LN_2 / lambda) as i32).clamp(-UNBOUNDED, UNBOUNDED)
}
