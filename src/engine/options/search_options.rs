//! What a search is asked to do.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::contest::Contest;
use super::masking::{Masking, QueryLocation};
use super::mode::Mode;
use crate::scoring::{GapCosts, MatrixName, PlainSpace, TableRow};

/// How the composition of query and subject changes scores (`-comp_based_stats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CompositionMode {
    /// 0: not at all.
    Off,
    /// 1: scale the matrix for every pair.
    Scale,
    /// 2: make the matrix anew or scale it, as the pair demands; blastp's default.
    #[default]
    Conditional,
    /// 3: always make the matrix anew.
    Always,
}

/// A text that names no mode of composition-based statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "composition-based statistics are 0 (none), 1 (scaled), 2 (conditional, the default) or 3 (always), and have no \
     unified P-values (u)"
)]
pub struct UnknownCompositionMode;

impl FromStr for CompositionMode {
    type Err = UnknownCompositionMode;

    /// Reads a mode as blastp does, by its first letter: 0 to 3, or T (2), D (the default, 2) in either case,
    /// and any other for none.
    ///
    /// # Errors
    /// If a second letter asks for unified P-values (`2u`), which are not available.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut letters = text.chars().map(|letter| letter.to_ascii_lowercase());
        let mode = match letters.next() {
            Some('1') => Self::Scale,
            Some('2' | 't' | 'd') => Self::Conditional,
            Some('3') => Self::Always,
            _ => return Ok(Self::Off),
        };
        if letters.next() == Some('u') { Err(UnknownCompositionMode) } else { Ok(mode) }
    }
}

impl fmt::Display for CompositionMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "0",
            Self::Scale => "1",
            Self::Conditional => "2",
            Self::Always => "3",
        })
    }
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

/// Shortest words that are made of groups of residues rather than of residues.
pub(in crate::engine) const GROUPED_SIZE: usize = 6;

/// How words seed alignments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WordOptions {
    /// Residues of a word (`-word_size`), 2 to 7.
    pub size: usize,
    /// Score from which a word is a neighbour of another (`-threshold`).
    pub threshold: f64,
    /// Two word hits on a diagonal closer than this, in residues, start an extension
    /// (`-window_size`); with 0 every hit does.
    pub window: u32,
}

/// Longest distance on a diagonal that is told from longer ones; no sequence is longer.
const LONGEST_WINDOW: u32 = 1 << 26;

impl WordOptions {
    /// The window as it is compared to distances.
    pub(in crate::engine) fn reach(&self) -> u32 {
        self.window.min(LONGEST_WINDOW)
    }
}

/// How far below its best score an extension may fall before it is given up, in bits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DropOffs {
    /// Ungapped extensions (`-xdrop_ungap`).
    pub ungapped: f64,
    /// Preliminary gapped extensions (`-xdrop_gap`).
    pub gapped: f64,
    /// Final gapped extensions (`-xdrop_gap_final`).
    pub last: f64,
}

/// Options of one search that change its hits.
///
/// [`OptionChoices`](super::OptionChoices) makes them from what a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchOptions {
    /// Hits with a larger E-value are not reported; above 0.
    pub evalue: f64,
    /// Subjects reported per query at most; from 1.
    pub max_target_seqs: usize,
    /// Composition-based statistics.
    pub composition: CompositionMode,
    /// Scores of residue pairs.
    pub matrix: MatrixName,
    /// Gap costs; must have statistics under the matrix.
    pub gaps: GapCosts,
    /// How words seed alignments.
    pub words: WordOptions,
    /// When extensions end.
    pub drop_off: DropOffs,
    /// HSPs reported per subject at most.
    pub max_hsps: Option<usize>,
    /// Smallest percentage of the query that an HSP must span, 0 to 100.
    pub min_query_cover: f64,
    /// Size of the database that E-values assume, instead of its own; residues. As in blastp, may be below
    /// 0: then E-values are, too, and search spaces follow from the database's own size.
    pub database_residues: Option<i64>,
    /// Search space that E-values assume, instead of one that follows from the lengths of query,
    /// subject and database; residue pairs. With 0 it follows from them; as with any other, E-values
    /// are not corrected for the ends of sequences.
    #[serde(default)]
    pub search_space: Option<u64>,
    /// Reports alignments without gaps only; without composition-based statistics.
    #[serde(default)]
    pub ungapped: bool,
    /// How queries are masked.
    #[serde(default)]
    pub masking: Masking,
    /// The part of every query that is searched, unless it is the whole.
    #[serde(default)]
    pub query_location: Option<QueryLocation>,
    /// What hits of different subjects compete by, if they do.
    #[serde(default)]
    pub contest: Option<Contest>,
    /// Leaves out HSPs whose range in the query a better one of the same subject spans.
    #[serde(default)]
    pub subject_best_hit: bool,
    /// Makes final alignments by Smith and Waterman's method; not with `ungapped`.
    #[serde(default)]
    pub locally_optimal: bool,
    /// Which pairs are compared.
    #[serde(default)]
    pub mode: Mode,
}

impl SearchOptions {
    /// How many subjects per query, by preliminary E-value over the whole database, get a final
    /// alignment (`core/blast_hits.c:GetPrelimHitlistSize`).
    pub fn preliminary_limit(&self) -> usize {
        let k = self.max_target_seqs;
        match self.composition {
            _ if self.ungapped => k,
            CompositionMode::Off => (2 * k).max(10).min(k + 50),
            _ if k <= 500 => 1_050,
            _ => 2 * k + 50,
        }
    }

    /// How many subjects per query a part of the database has to hand over. If hits compete, even the
    /// last decides which others stay.
    pub(in crate::engine) fn limit_of_a_part(&self) -> usize {
        if self.contest.is_some() { usize::MAX } else { self.preliminary_limit() }
    }

    /// The part of a query of `length` residues that is searched; may be empty.
    pub fn searched_range(&self, length: usize) -> Range<usize> {
        self.query_location.map_or(0..length, |location| location.within(length))
    }

    /// The search space that was asked for by its size, residue pairs.
    pub fn stated_space(&self) -> Option<u64> {
        self.search_space.filter(|space| *space > 0)
    }

    /// Residues that search spaces assume of a database of `residues`.
    pub fn space_residues(&self, residues: u64) -> u64 {
        self.database_residues.and_then(|residues| u64::try_from(residues).ok()).unwrap_or(residues)
    }

    /// What takes the place of the correction for the ends of sequences, if anything was asked for.
    pub(in crate::engine) fn space(&self, totals: DatabaseTotals) -> Option<PlainSpace> {
        let DatabaseTotals { sequences, residues } = totals;
        match self.search_space? {
            0 => {
                let row = TableRow::gapped(self.matrix, self.gaps)?;
                Some(PlainSpace::OfLengths { sequences, residues: self.space_residues(residues), row })
            }
            space => Some(PlainSpace::Stated(space)),
        }
    }

    /// The E-value that preliminary scores are cut off at. With a search space that was asked for,
    /// blastp leaves no room for adjustment (`core/blast_parameters.c:BlastHitSavingParametersUpdate`).
    pub(in crate::engine) fn cutoff_evalue(&self) -> f64 {
        if self.search_space.is_some() { self.evalue } else { self.preliminary_evalue() }
    }

    /// Largest E-value of the preliminary stage.
    pub(in crate::engine) fn preliminary_evalue(&self) -> f64 {
        self.evalue * self.composition.evalue_stretch()
    }
}

/// Size of the whole database, which all statistics refer to, whatever part is being searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DatabaseTotals {
    /// Number of sequences.
    pub sequences: u64,
    /// Number of residues.
    pub residues: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(composition: CompositionMode) -> [usize; 6] {
        let limit = |k| {
            SearchOptions { max_target_seqs: k, composition, ..SearchOptions::default() }.preliminary_limit()
        };
        [1, 5, 10, 50, 500, 501].map(limit)
    }

    #[test]
    fn preliminary_limits_are_those_of_blastp() {
        assert_eq!(limits(CompositionMode::Off), [10, 10, 20, 100, 550, 551]);
        for composition in [CompositionMode::Scale, CompositionMode::Conditional, CompositionMode::Always] {
            assert_eq!(limits(composition), [1_050, 1_050, 1_050, 1_050, 1_050, 1_052]);
        }
    }

    #[test]
    fn composition_modes_are_read_as_blastp_reads_them() {
        for (texts, mode) in [
            ("0 F f no false 4 -1 Fu", "0"),
            ("1 1x", "1"),
            ("2 T t D d true TRUE default 2005", "2"),
            ("3", "3"),
        ] {
            for text in texts.split(' ') {
                assert_eq!(text.parse::<CompositionMode>().map(|mode| mode.to_string()), Ok(mode.to_owned()));
            }
        }
        assert_eq!("".parse(), Ok(CompositionMode::Off));
        for text in ["2u", "1U", "tu"] {
            assert_eq!(text.parse::<CompositionMode>(), Err(UnknownCompositionMode), "{text}");
        }
    }
}
