//! A volume: `.pin`, `.phr` and `.psq` of one base name, mapped into memory.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::BlastDbError;
use super::file::FileBytes;
use super::header;
use super::index::Index;
use crate::engine::Subjects;
use crate::sequence::alphabet::{ALPHABET_SIZE, SENTINEL};

/// An open volume of a BLAST database: checked in full when it was opened, headers included, so
/// that reading it cannot fail.
#[derive(Debug)]
pub struct BlastVolume {
    index: Index,
    headers: FileBytes,
    residues: FileBytes,
}

impl BlastVolume {
    /// Opens the volume with the base name `base`: a path without `.pin`.
    pub fn open(base: &Path) -> Result<Self, BlastDbError> {
        let file = |extension| with_extension(base, extension);
        let index = Index::open(&file("pin"))?;
        let volume =
            Self { index, headers: FileBytes::open(&file("phr"))?, residues: FileBytes::open(&file("psq"))? };
        volume.check_residues(&file("psq"))?;
        volume.check_headers(&file("phr"))?;
        Ok(volume)
    }

    /// Name of the database that the volume was made for.
    pub fn title(&self) -> &str {
        self.index.title()
    }

    /// When it was made, by the clock of whoever made it, as if that had been in UTC.
    pub fn made(&self) -> Option<Timestamp> {
        self.index.made()
    }

    /// Sum of the lengths of all sequences.
    pub fn total_residues(&self) -> u64 {
        self.index.residues()
    }

    fn check_residues(&self, file: &Path) -> Result<(), BlastDbError> {
        let bytes = self.residues.as_slice();
        check_length(file, bytes, self.last(Index::residues_and_end))?;
        let damaged = |reason| BlastDbError::Damaged { file: file.to_owned(), reason };
        let mut residues = 0;
        for number in 0..self.len() {
            let range = self.index.residues_and_end(number);
            let bounded = range.start > 0 && bytes[range.start - 1] == SENTINEL;
            let (sequence, end) = bytes[range].split_at(self.residues_of(number).len());
            let fits = |code: &u8| *code != SENTINEL && usize::from(*code) < ALPHABET_SIZE;
            if !bounded || end != [SENTINEL] || !sequence.iter().all(fits) {
                return Err(damaged(format!(
                    "sequence {number} does not lie between zeros, or is no protein"
                )));
            }
            residues += sequence.len() as u64;
        }
        if residues != self.index.residues() {
            let expected = self.index.residues();
            return Err(damaged(format!("it holds {residues} residues, but the index says {expected}")));
        }
        Ok(())
    }

    fn check_headers(&self, file: &Path) -> Result<(), BlastDbError> {
        check_length(file, self.headers.as_slice(), self.last(Index::header))?;
        for number in 0..self.len() {
            header::defline(self.header(number)).map_err(|problem| BlastDbError::Damaged {
                file: file.to_owned(),
                reason: format!("the header of sequence {number} cannot be read: {problem}"),
            })?;
        }
        Ok(())
    }

    /// Where the last entry of a table ends; 0 in an empty volume.
    fn last(&self, entry: impl Fn(&Index, usize) -> std::ops::Range<usize>) -> usize {
        self.len().checked_sub(1).map_or(0, |last| entry(&self.index, last).end)
    }

    fn header(&self, number: usize) -> &[u8] {
        &self.headers.as_slice()[self.index.header(number)]
    }

    fn residues_of(&self, number: usize) -> &[u8] {
        let range = self.index.residues_and_end(number);
        &self.residues.as_slice()[range.start..range.end - 1]
    }
}

impl Subjects for BlastVolume {
    fn len(&self) -> usize {
        self.index.sequences()
    }

    fn residues(&self, index: usize) -> &[u8] {
        self.residues_of(index)
    }

    fn defline(&self, index: usize) -> Cow<'_, [u8]> {
        header::defline(self.header(index)).expect("headers were read when the volume was opened").into()
    }
}

fn check_length(file: &Path, bytes: &[u8], expected: usize) -> Result<(), BlastDbError> {
    if bytes.len() < expected {
        let (expected, found) = (expected as u64, bytes.len() as u64);
        return Err(BlastDbError::Truncated { file: file.to_owned(), expected, found });
    }
    Ok(())
}

/// `base.extension`; base names have dots of their own, as in `nr.00`.
pub(super) fn with_extension(base: &Path, extension: &str) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}
