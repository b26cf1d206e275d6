//! The bytes of a volume.
//!
//! All numbers are little-endian. With *n* sequences, *r* residues and *d* bytes of definition
//! lines:
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 8 | magic, `skyblast` in ASCII |
//! | 8 | 4 | format version: 2 if any definition line has taxids in front, else 1 |
//! | 12 | 4 | alphabet: 1 = NCBIstdaa (the only one so far) |
//! | 16 | 8 | *n* |
//! | 24 | 8 | *r* |
//! | 32 | 8 | *d* |
//! | 40 | 8 | offset of the residues: 80 |
//! | 48 | 8 | offset of the definition lines: 80 + *r* + *n* + 1 |
//! | 56 | 8 | offset of the residue table: the next multiple of 8 |
//! | 64 | 8 | offset of the definition line table: 8 (*n* + 1) further |
//! | 72 | 8 | length of the file: 8 (*n* + 1) further |
//! | 80 | *r* + *n* + 1 | residues: codes 1 to 27, with a sentinel 0 before, between and after sequences |
//! | | *d* | definition lines without `>`, one after the other |
//! | | 0–7 | zeros |
//! | | 8 (*n* + 1) | residue table |
//! | | 8 (*n* + 1) | definition line table |
//!
//! Entry *i* of the residue table says where sequence *i* starts, counted from the start of the
//! residues: entry 0 is 1, entry *n* is *r* + *n* + 1, and sequence *i* ends one byte, the sentinel,
//! before entry *i* + 1. Every sequence has at least one residue. Entry *i* of the other table says where definition
//! line *i* starts, counted from the start of the definition lines: entry 0 is 0, entry *n* is *d*,
//! and line *i* ends where the next starts. A definition line is FASTA's, or holds parsed names with
//! line feeds between (see [`SubjectNames`](crate::sequence::names::SubjectNames)); in version 2 it may have
//! [taxids](crate::sequence::taxids) in front. So a volume without taxids is what it was before there were any, and keeps
//! its name.
//!
//! Sections follow from the three counts; they are written out for readers in other languages, and
//! a reader checks that they agree. The residues can be searched where they are: a sentinel never
//! scores, so no extension leaves its sequence.

use crate::sequence::taxids::is_labelled;

/// Newest version of the format that this code writes and reads.
pub const FORMAT_VERSION: u32 = 2;

/// The version of volumes without taxids.
const WITHOUT_TAXIDS: u32 = 1;

pub(super) const MAGIC: &[u8; 8] = b"skyblast";

/// Number of the NCBIstdaa alphabet.
const NCBISTDAA: u32 = 1;

/// Bytes before the first section.
pub(super) const HEADER: usize = 80;

/// Bytes of a table entry.
pub(super) const ENTRY: u64 = 8;

/// The three counts that decide where everything is, and whether there are taxids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) sequences: u64,
    pub(super) residues: u64,
    pub(super) defline_bytes: u64,
    /// Whether definition lines may have taxids in front.
    pub(super) labelled: bool,
}

/// Where the sections begin, and where the file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sections {
    pub(super) residues: u64,
    pub(super) deflines: u64,
    pub(super) residue_table: u64,
    pub(super) defline_table: u64,
    pub(super) end: u64,
}

/// Why a header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderProblem {
    NoMagic,
    TooShort,
    Newer { found: u32 },
    Wrong(&'static str),
}

impl Layout {
    /// The sections; `None` if the counts exceed any file.
    pub(super) fn sections(&self) -> Option<Sections> {
        let residues = HEADER as u64;
        let deflines = residues.checked_add(self.residue_bytes()?)?;
        let residue_table = deflines.checked_add(self.defline_bytes)?.checked_next_multiple_of(ENTRY)?;
        let table = self.sequences.checked_add(1)?.checked_mul(ENTRY)?;
        let defline_table = residue_table.checked_add(table)?;
        let end = defline_table.checked_add(table)?;
        Some(Sections { residues, deflines, residue_table, defline_table, end })
    }

    /// Length of the residue section, sentinels included.
    pub(super) fn residue_bytes(&self) -> Option<u64> {
        self.residues.checked_add(self.sequences)?.checked_add(1)
    }

    /// The layout with one more sequence.
    pub(super) fn with(&self, residues: &[u8], defline: &[u8]) -> Self {
        Self {
            sequences: self.sequences + 1,
            residues: self.residues + residues.len() as u64,
            defline_bytes: self.defline_bytes + defline.len() as u64,
            labelled: self.labelled || is_labelled(defline),
        }
    }

    fn version(&self) -> u32 {
        if self.labelled { FORMAT_VERSION } else { WITHOUT_TAXIDS }
    }

    /// The header; `None` if the counts exceed any file.
    pub(super) fn header(&self) -> Option<[u8; HEADER]> {
        let sections = self.sections()?;
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&self.version().to_le_bytes());
        header[12..16].copy_from_slice(&NCBISTDAA.to_le_bytes());
        let words = [
            self.sequences,
            self.residues,
            self.defline_bytes,
            sections.residues,
            sections.deflines,
            sections.residue_table,
            sections.defline_table,
            sections.end,
        ];
        for (field, word) in header[16..].chunks_exact_mut(8).zip(words) {
            field.copy_from_slice(&word.to_le_bytes());
        }
        Some(header)
    }

    /// Reads the header of `file` and checks that it agrees with itself; the file may be shorter
    /// than it says.
    pub(super) fn parse(file: &[u8]) -> Result<(Self, Sections), HeaderProblem> {
        let magic = &file[..file.len().min(MAGIC.len())];
        if !MAGIC.starts_with(magic) {
            return Err(HeaderProblem::NoMagic);
        }
        let Some(header) = file.first_chunk::<HEADER>() else { return Err(HeaderProblem::TooShort) };
        let labelled = match u32_at(header, 8) {
            FORMAT_VERSION => true,
            WITHOUT_TAXIDS => false,
            0 => return Err(HeaderProblem::Wrong("its format version is 0")),
            found => return Err(HeaderProblem::Newer { found }),
        };
        if u32_at(header, 12) != NCBISTDAA {
            return Err(HeaderProblem::Wrong("its alphabet is unknown"));
        }
        let layout = Self {
            sequences: u64_at(header, 16),
            residues: u64_at(header, 24),
            defline_bytes: u64_at(header, 32),
            labelled,
        };
        match (layout.sections(), layout.header()) {
            (Some(sections), Some(expected)) if expected == *header => Ok((layout, sections)),
            _ => Err(HeaderProblem::Wrong("the offsets in its header do not agree with its counts")),
        }
    }
}

fn u32_at(header: &[u8; HEADER], offset: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&header[offset..offset + 4]);
    u32::from_le_bytes(bytes)
}

fn u64_at(header: &[u8; HEADER], offset: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&header[offset..offset + 8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_where_the_documentation_says() {
        let layout = Layout { sequences: 2, residues: 5, defline_bytes: 7, labelled: false };
        let expected =
            Sections { residues: 80, deflines: 88, residue_table: 96, defline_table: 120, end: 144 };
        assert_eq!(layout.sections(), Some(expected));
        assert_eq!(Layout::parse(&layout.header().unwrap()), Ok((layout, expected)));
        assert_eq!(layout.header().unwrap()[8], 1);
        let labelled = layout.with(b"", b"\n9606\na");
        assert_eq!(labelled.header().unwrap()[8], 2);
        assert_eq!(Layout::parse(&labelled.header().unwrap()).unwrap().0, labelled);
    }

    #[test]
    fn counts_beyond_any_file_are_refused_not_wrapped() {
        for layout in [
            Layout { sequences: u64::MAX, ..Layout::default() },
            Layout { sequences: u64::MAX / 8, ..Layout::default() },
            Layout { residues: u64::MAX, ..Layout::default() },
            Layout { residues: u64::MAX - 100, defline_bytes: 90, ..Layout::default() },
        ] {
            assert_eq!(layout.sections(), None, "{layout:?}");
        }
    }
}
