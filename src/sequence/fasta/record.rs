//! One FASTA record and what was noticed while reading it.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use crate::sequence::alphabet::X;
use crate::sequence::{counted, defline};

/// Most notes on dropped characters that one record keeps; the rest are counted.
const MAX_DROPPED_LINES: usize = 20;

/// Most column ranges that one note keeps.
const MAX_RANGES: usize = 8;

/// One sequence of a FASTA input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The definition line as given, without `>` and line end; in no particular encoding. Empty if
    /// there was none. [`defline`] reads it.
    pub defline: Vec<u8>,
    /// Residue codes (see [`alphabet`](crate::sequence::alphabet)); may be empty.
    pub residues: Vec<u8>,
    /// Which residues were written in lower case; 0-based, half-open, ascending, apart.
    pub lower_case: Vec<Range<u32>>,
    /// Position in the input, from 1; records without residues count.
    pub number: u64,
    /// Line of the definition line, or of the first residues if there is none; from 1.
    pub line: u64,
    /// What the user should hear about.
    pub notes: Vec<Note>,
}

impl Record {
    /// First word of the definition line; may be empty.
    pub fn id(&self) -> &[u8] {
        defline::id(&self.defline)
    }

    /// How a message names the record: `record 3 (sp|P12345|AATM_RABIT)`.
    pub fn label(&self) -> String {
        match self.id() {
            [] => format!("record {}", self.number),
            id => format!("record {} ({})", self.number, String::from_utf8_lossy(id)),
        }
    }

    /// Whether residues came before any definition line.
    pub fn lacks_defline(&self) -> bool {
        self.notes.contains(&Note::NoDefline)
    }

    /// Adds a residue.
    pub(super) fn push(&mut self, code: u8, is_lower_case: bool) {
        let place = self.residues.len() as u32;
        self.residues.push(code);
        if is_lower_case {
            match self.lower_case.last_mut() {
                Some(last) if last.end == place => last.end += 1,
                _ => self.lower_case.push(place..place + 1),
            }
        }
    }

    /// Makes the residues up to `total` unknown. In BLAST+ a gap does not end lower case.
    pub(super) fn push_gap(&mut self, total: usize) {
        let place = self.residues.len() as u32;
        self.residues.resize(total, X);
        if let Some(last) = self.lower_case.last_mut().filter(|last| last.end == place) {
            last.end = total as u32;
        }
    }

    /// Notes that columns `dropped` (from 1) of `line` held no residues.
    pub(super) fn note_dropped(&mut self, line: u64, dropped: Dropped) {
        if dropped.characters == 0 {
            return;
        }
        let noted = self.notes.iter().filter(|note| matches!(note, Note::Dropped { .. })).count();
        if noted < MAX_DROPPED_LINES {
            self.notes.push(Note::Dropped { line, columns: dropped.columns, characters: dropped.characters });
        } else if let Some(Note::MoreDropped { lines, characters }) = self.notes.last_mut() {
            *lines += 1;
            *characters += dropped.characters;
        } else {
            self.notes.push(Note::MoreDropped { lines: 1, characters: dropped.characters });
        }
    }
}

/// Something odd in a record that was read nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The input starts with residues; the record has an empty definition line.
    NoDefline,
    /// The record has no residues.
    NoResidues,
    /// Characters that are neither letters nor `*` were left out; coordinates count what remains.
    Dropped {
        /// The line, from 1.
        line: u64,
        /// Where they were, in bytes from 1; the first few ranges only.
        columns: Vec<RangeInclusive<u64>>,
        /// How many bytes were left out in this line.
        characters: u64,
    },
    /// Characters were left out of further lines that are not listed.
    MoreDropped {
        /// In how many lines.
        lines: u64,
        /// How many bytes.
        characters: u64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDefline => f.write_str("no '>' line before the first residues"),
            Self::NoResidues => f.write_str("no residues"),
            Self::Dropped { line, columns, characters } => {
                let what = counted(*characters, "non-residue character");
                write!(f, "line {line}: ignored {what} in column")?;
                f.write_str(if *characters == 1 { " " } else { "s " })?;
                for (index, range) in columns.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    match (range.start(), range.end()) {
                        (start, end) if start == end => write!(f, "{separator}{start}")?,
                        (start, end) => write!(f, "{separator}{start}-{end}")?,
                    }
                }
                let shown: u64 = columns.iter().map(|range| range.end() - range.start() + 1).sum();
                if shown < *characters { f.write_str(", …") } else { Ok(()) }
            }
            Self::MoreDropped { lines, characters } => {
                let what = counted(*characters, "more non-residue character");
                write!(f, "ignored {what} in {}", counted(*lines, "more line"))
            }
        }
    }
}

/// Columns of one line that hold no residues.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    columns: Vec<RangeInclusive<u64>>,
    characters: u64,
}

impl Dropped {
    /// Adds a column (from 1); columns come in ascending order.
    pub(super) fn add(&mut self, column: u64) {
        self.characters += 1;
        if let Some(range) = self.columns.last_mut()
            && range.end() + 1 == column
        {
            *range = *range.start()..=column;
        } else if self.columns.len() < MAX_RANGES {
            self.columns.push(column..=column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_on_dropped_characters_are_bounded_and_complete_in_number() {
        let mut record = Record::default();
        for line in 1..=30 {
            let mut dropped = Dropped::default();
            (1..=40).step_by(2).for_each(|column| dropped.add(column));
            record.note_dropped(line, dropped);
        }
        assert_eq!(record.notes.len(), MAX_DROPPED_LINES + 1);
        assert_eq!(
            record.notes[0].to_string(),
            "line 1: ignored 20 non-residue characters in columns 1, 3, 5, 7, 9, 11, 13, 15, …"
        );
        assert_eq!(
            record.notes[MAX_DROPPED_LINES].to_string(),
            "ignored 200 more non-residue characters in 10 more lines"
        );
    }

    #[test]
    fn a_label_names_the_id_if_there_is_one() {
        let record = Record { defline: b"q1 title".to_vec(), number: 7, ..Record::default() };
        assert_eq!(record.label(), "record 7 (q1)");
        assert_eq!(Record { number: 7, ..Record::default() }.label(), "record 7");
    }
}
