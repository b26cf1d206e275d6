//! Local alignments as they are reported.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// How a run of alignment columns pairs query and subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Edit {
    /// Both have a residue.
    Pair,
    /// The subject has a residue, the query a gap.
    QueryGap,
    /// The query has a residue, the subject a gap.
    SubjectGap,
}

/// Consecutive columns of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EditRun {
    /// The kind.
    pub edit: Edit,
    /// How many columns, from 1.
    pub length: u32,
}

/// How the scores of an alignment were adjusted to the composition of its sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Adjustment {
    /// Not at all.
    #[default]
    None,
    /// The matrix was scaled; pairwise reports say "Composition-based stats."
    Scaled,
    /// The matrix was made anew; pairwise reports say "Compositional matrix adjust."
    Optimised,
}

/// One local alignment of a query and a subject.
///
/// Ranges are 0-based and half-open, in residues of the whole sequences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hsp {
    /// Raw score.
    pub score: i32,
    /// Normalised score.
    pub bit_score: f64,
    /// Expected number of such alignments by chance in the whole database.
    pub evalue: f64,
    /// Aligned part of the query.
    pub query: Range<u32>,
    /// Aligned part of the subject.
    pub subject: Range<u32>,
    /// How its scores were adjusted.
    pub adjustment: Adjustment,
    /// Columns from left to right; neighbouring runs differ in kind.
    pub edits: Vec<EditRun>,
    /// Columns with the same letter.
    pub identities: u32,
    /// Columns with the same letter, or with a positive score and without `J`.
    pub positives: u32,
    /// Residue codes of the subject in its aligned part, so that a report needs no database.
    pub subject_residues: Vec<u8>,
}

impl Hsp {
    /// Number of columns, gaps included.
    pub fn alignment_length(&self) -> u32 {
        self.edits.iter().map(|run| run.length).sum()
    }

    /// Number of columns with a gap.
    pub fn gaps(&self) -> u32 {
        self.edits.iter().filter(|run| run.edit != Edit::Pair).map(|run| run.length).sum()
    }

    /// Number of runs of gaps.
    pub fn gap_openings(&self) -> u32 {
        self.edits.iter().filter(|run| run.edit != Edit::Pair).count() as u32
    }

    /// Columns with two different letters.
    pub fn mismatches(&self) -> u32 {
        self.alignment_length() - self.identities - self.gaps()
    }
}
