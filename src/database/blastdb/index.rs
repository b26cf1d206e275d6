//! The index of a volume, `.pin`: what the volume holds, and where each sequence and header is.
//!
//! Numbers are big-endian, four bytes, unless said otherwise; texts are a length and bytes.
//!
//! | version 4 | version 5 |
//! |---|---|
//! | version: 4 | version: 5 |
//! | 1 for proteins, 0 for nucleotides | the same |
//! | | number of the volume |
//! | title | title |
//! | | name of the file that maps accessions |
//! | date, padded with zeros | date, padded with zeros |
//! | sequences *n* | *n* |
//! | residues, eight bytes, **little-endian** | the same |
//! | length of the longest sequence | the same |
//! | *n* + 1 offsets into the headers, `.phr` | the same |
//! | *n* + 1 offsets into the sequences, `.psq` | the same |
//!
//! Source: NCBI C++ Toolkit, `objtools/blast/seqdb_reader/seqdbfile.cpp`.

use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::error::BlastDbError;
use super::file::FileBytes;

/// Bytes of a number.
const WORD: usize = 4;

/// Reads `Nov 25, 2026  1:04 AM`, which zeros may follow.
fn time_of(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.trim_end_matches('\0').trim();
    let words: Vec<_> = text.split_whitespace().collect();
    let local = DateTime::strptime("%b %d, %Y %I:%M %p", words.join(" ")).ok()?;
    Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// An index, its tables checked to ascend.
#[derive(Debug)]
pub(super) struct Index {
    bytes: FileBytes,
    title: String,
    made: Option<Timestamp>,
    sequences: usize,
    residues: u64,
    /// Where the table of header offsets starts.
    headers: usize,
    /// Where the table of sequence offsets starts.
    residue_table: usize,
}

impl Index {
    /// Opens and checks the index at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, BlastDbError> {
        let bytes = FileBytes::open(path)?;
        let mut fields = Fields { file: path, bytes: bytes.as_slice(), at: 0 };
        let version = fields.number()?;
        if !matches!(version, 4 | 5) {
            return Err(BlastDbError::UnknownVersion { file: path.to_owned(), found: version });
        }
        if fields.number()? != 1 {
            return Err(BlastDbError::Nucleotide { file: path.to_owned() });
        }
        if version == 5 {
            fields.number()?;
        }
        let title = String::from_utf8_lossy(fields.text()?).into_owned();
        if version == 5 {
            fields.text()?;
        }
        let made = time_of(fields.text()?);
        let sequences = fields.number()? as usize;
        let residues = u64::from_le_bytes(fields.array()?);
        fields.number()?;
        let headers = fields.at;
        let table = (sequences + 1) * WORD;
        fields.take(table)?;
        let residue_table = fields.at;
        fields.take(table)?;
        let index = Self { title, made, sequences, residues, headers, residue_table, bytes };
        for (table, content) in [(headers, "headers"), (residue_table, "sequences")] {
            if let Some(number) = (0..sequences).find(|number| index.range(table, *number).is_empty()) {
                let reason = format!("the offsets of its {content} do not ascend at sequence {number}");
                return Err(BlastDbError::Damaged { file: path.to_owned(), reason });
            }
        }
        Ok(index)
    }

    /// Name of the database that the volume was made for.
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// When the volume was made, by the clock of whoever made it, as if that had been in UTC.
    pub(super) fn made(&self) -> Option<Timestamp> {
        self.made
    }

    /// Number of sequences.
    pub(super) fn sequences(&self) -> usize {
        self.sequences
    }

    /// Number of residues.
    pub(super) fn residues(&self) -> u64 {
        self.residues
    }

    /// Where the header of sequence `number` is; never empty.
    pub(super) fn header(&self, number: usize) -> Range<usize> {
        self.range(self.headers, number)
    }

    /// Where the residues of sequence `number` are, with the zero that follows them; never empty.
    pub(super) fn residues_and_end(&self, number: usize) -> Range<usize> {
        self.range(self.residue_table, number)
    }

    fn range(&self, table: usize, number: usize) -> Range<usize> {
        self.offset(table, number)..self.offset(table, number + 1)
    }

    fn offset(&self, table: usize, entry: usize) -> usize {
        let mut word = [0; WORD];
        word.copy_from_slice(&self.bytes.as_slice()[table + entry * WORD..][..WORD]);
        u32::from_be_bytes(word) as usize
    }
}

/// Reads fields one after the other.
struct Fields<'a> {
    file: &'a Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], BlastDbError> {
        let taken = self.bytes[self.at..].get(..length).ok_or_else(|| BlastDbError::Truncated {
            file: PathBuf::from(self.file),
            expected: self.at as u64 + length as u64,
            found: self.bytes.len() as u64,
        })?;
        self.at += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BlastDbError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn number(&mut self) -> Result<u32, BlastDbError> {
        self.array().map(u32::from_be_bytes)
    }

    fn text(&mut self) -> Result<&'a [u8], BlastDbError> {
        let length = self.number()? as usize;
        self.take(length)
    }
}
