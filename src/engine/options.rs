//! What a search is asked to do, and the constants of blastp that go with it.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use crate::scoring::{FiniteSize, GapCosts, Matrix};

/// Length of the words that seed alignments (`-word_size`).
pub(super) const WORD_SIZE: usize = 3;
/// Score from which a word is a neighbour of another (`-threshold`).
pub const WORD_THRESHOLD: i32 = 11;
/// Two word hits on a diagonal closer than this start an extension (`-window_size`), residues.
pub const TWO_HIT_WINDOW: u32 = 40;
/// Drop-off of ungapped extensions, bits (`-xdrop_ungap`).
pub(super) const X_UNGAPPED_BITS: f64 = 7.0;
/// Drop-off of preliminary gapped extensions, bits (`-xdrop_gap`).
pub(super) const X_GAPPED_BITS: f64 = 15.0;
/// Drop-off of final gapped extensions, bits (`-xdrop_gap_final`).
pub(super) const X_FINAL_BITS: f64 = 25.0;
/// Ungapped score that triggers a gapped extension, bits (`BLAST_GAP_TRIGGER_PROT`).
pub(super) const GAP_TRIGGER_BITS: f64 = 22.0;
/// Subject length that cutoff scores assume for any database (`BLAST_SEQSRC_MINLENGTH`), residues.
pub(super) const SHORTEST_SUBJECT: u64 = 10;
/// Largest E-value limit for which the first gapped pass may restrict where gaps open
/// (`core/blast_parameters.c`).
pub(super) const RESTRICTED_EVALUE: f64 = 10.0;

/// How the composition of query and subject changes scores (`-comp_based_stats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CompositionMode {
    /// 0: not at all.
    #[default]
    Off,
    /// 1: scale the matrix for every pair.
    Scale,
    /// 2: make the matrix anew or scale it, as the pair demands; blastp's default.
    Conditional,
    /// 3: always make the matrix anew.
    Always,
}

impl CompositionMode {
    /// Factor on the E-value limit of the preliminary stage, since adjustment may improve a hit.
    fn evalue_stretch(self) -> f64 {
        match self {
            Self::Off | Self::Scale => 1.0,
            Self::Conditional | Self::Always => 5.0,
        }
    }
}

/// Options of one search that change its hits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchOptions {
    /// Hits with a larger E-value are not reported; above 0.
    pub evalue: f64,
    /// Subjects reported per query at most; from 1.
    pub max_target_seqs: usize,
    /// Composition-based statistics.
    pub composition: CompositionMode,
}

impl Default for SearchOptions {
    /// E-value 10, 500 subjects, no composition adjustment.
    fn default() -> Self {
        Self { evalue: 10.0, max_target_seqs: 500, composition: CompositionMode::Off }
    }
}

impl SearchOptions {
    /// How many subjects per query, by preliminary E-value over the whole database, get a final
    /// alignment (`core/blast_hits.c:GetPrelimHitlistSize`).
    pub fn preliminary_limit(&self) -> usize {
        let k = self.max_target_seqs;
        match self.composition {
            CompositionMode::Off => (2 * k).max(10).min(k + 50),
            _ if k <= 500 => 1_050,
            _ => 2 * k + 50,
        }
    }

    /// Largest E-value of the preliminary stage.
    pub(super) fn preliminary_evalue(&self) -> f64 {
        self.evalue * self.composition.evalue_stretch()
    }
}

/// Size of the whole database, which all statistics refer to, whatever part is being searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseTotals {
    /// Number of sequences.
    pub sequences: u64,
    /// Number of residues.
    pub residues: u64,
}

/// What all pairs of a search have in common: options, the size of the database, scoring.
#[derive(Debug)]
pub(super) struct Scheme {
    pub(super) options: SearchOptions,
    pub(super) totals: DatabaseTotals,
    pub(super) matrix: Matrix,
    pub(super) gaps: GapCosts,
    pub(super) statistics: FiniteSize,
}

impl Scheme {
    /// blastp's default scoring: BLOSUM62, gaps 11/1.
    pub(super) fn new(options: SearchOptions, totals: DatabaseTotals) -> Self {
        Self {
            options,
            totals,
            matrix: Matrix::blosum62(),
            gaps: GapCosts { open: 11, extend: 1 },
            statistics: FiniteSize::blosum62_11_1(),
        }
    }

    /// Drop-off in raw units of gapped extensions with a drop-off in bits.
    pub(super) fn gapped_drop_off(&self, bits: f64) -> i32 {
        (bits * LN_2 / self.statistics.gapped().lambda) as i32
    }

    /// E-value of a raw score for a query and a subject of these lengths.
    pub(super) fn evalue(&self, score: i32, query: &[u8], subject: &[u8]) -> f64 {
        self.statistics.evalue(score, query.len() as u64, subject.len() as u64, self.totals.residues)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preliminary_limits_are_those_of_blastp_without_composition_adjustment() {
        let limit = |k| SearchOptions { max_target_seqs: k, ..Default::default() }.preliminary_limit();
        assert_eq!([1, 5, 10, 50, 500].map(limit), [10, 10, 20, 100, 550]);
    }
}
