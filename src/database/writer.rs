//! Writing a volume as a stream.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::digest::Digest;
use super::layout::{HEADER, Layout};
use crate::sequence::alphabet::{ALPHABET_SIZE, SENTINEL};
use crate::sequence::taxids::is_well_labelled;

/// How the names of unfinished volumes start.
pub(super) const UNFINISHED: &str = ".unfinished-";

/// A volume that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file system failed, or is full.
    #[error("could not write a volume in {}: {source}", directory.display())]
    Io {
        /// Where the volume was being written.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A sequence without residues has no place in a volume.
    #[error("sequence {index} of the volume has no residues")]
    NoResidues {
        /// Position of the sequence in the volume, from 0.
        index: u64,
    },
    /// What stands in front of a definition line are no taxids.
    #[error("what stands in front of the definition line of sequence {index} of the volume are no taxids")]
    InvalidTaxids {
        /// Position of the sequence in the volume, from 0.
        index: u64,
    },
    /// A residue is no code of the alphabet.
    #[error("sequence {index} of the volume holds {code}, which is no residue code")]
    InvalidResidue {
        /// Position of the sequence in the volume, from 0.
        index: u64,
        /// What was found.
        code: u8,
    },
}

/// A finished volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) digest: Digest,
    pub(super) sequences: u64,
    pub(super) residues: u64,
    pub(super) bytes: u64,
}

/// Writes one volume: residues go straight to the file, definition lines to a second, temporary
/// one; memory holds two table entries (16 bytes) per sequence.
///
/// An abandoned writer leaves nothing behind; a killed one leaves a file `.unfinished-…`.
#[derive(Debug)]
pub struct VolumeWriter {
    directory: PathBuf,
    file: BufWriter<NamedTempFile>,
    deflines: BufWriter<File>,
    layout: Layout,
    residue_table: Vec<u64>,
    defline_table: Vec<u64>,
}

impl VolumeWriter {
    /// Starts a volume that will lie in `directory`, which must exist.
    pub fn create(directory: &Path) -> Result<Self, WriteError> {
        Self::start(directory).map_err(|source| WriteError::Io { directory: directory.to_owned(), source })
    }

    fn start(directory: &Path) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, unfinished_file(directory)?);
        file.write_all(&[0; HEADER])?;
        file.write_all(&[SENTINEL])?;
        Ok(Self {
            directory: directory.to_owned(),
            file,
            deflines: BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(directory)?),
            layout: Layout::default(),
            residue_table: vec![1],
            defline_table: vec![0],
        })
    }

    /// Adds a sequence: its whole definition line (without `>`), which may have [taxids](crate::sequence::taxids) in
    /// front, and its residue codes.
    pub fn push(&mut self, defline: &[u8], residues: &[u8]) -> Result<(), WriteError> {
        let index = self.layout.sequences;
        if residues.is_empty() {
            return Err(WriteError::NoResidues { index });
        }
        if !is_well_labelled(defline) {
            return Err(WriteError::InvalidTaxids { index });
        }
        let invalid = |code: &&u8| **code == SENTINEL || usize::from(**code) >= ALPHABET_SIZE;
        if let Some(code) = residues.iter().find(invalid) {
            return Err(WriteError::InvalidResidue { index, code: *code });
        }
        self.append(defline, residues).map_err(|source| self.io(source))
    }

    fn append(&mut self, defline: &[u8], residues: &[u8]) -> io::Result<()> {
        self.file.write_all(residues)?;
        self.file.write_all(&[SENTINEL])?;
        self.deflines.write_all(defline)?;
        self.layout = self.layout.with(residues, defline);
        self.residue_table.push(self.layout.residues + self.layout.sequences + 1);
        self.defline_table.push(self.layout.defline_bytes);
        Ok(())
    }

    /// Number of sequences so far.
    pub fn sequences(&self) -> u64 {
        self.layout.sequences
    }

    /// Length in bytes that the volume would have with one more sequence, `u64::MAX` if no file
    /// could hold it.
    pub(super) fn bytes_with(&self, residues: &[u8], defline: &[u8]) -> u64 {
        self.layout.with(residues, defline).sections().map_or(u64::MAX, |sections| sections.end)
    }

    /// Completes the volume under the name of its digest, on stable storage.
    pub fn finish(self) -> Result<Digest, WriteError> {
        Ok(self.complete()?.digest)
    }

    pub(super) fn complete(self) -> Result<Written, WriteError> {
        let directory = self.directory.clone();
        self.finalize().map_err(|source| WriteError::Io { directory, source })
    }

    fn finalize(mut self) -> io::Result<Written> {
        let (header, sections) = self
            .layout
            .header()
            .zip(self.layout.sections())
            .ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let mut deflines = self.deflines.into_inner()?;
        deflines.rewind()?;
        io::copy(&mut deflines, &mut self.file)?;
        let defline_end = sections.deflines + self.layout.defline_bytes;
        for _ in defline_end..sections.residue_table {
            self.file.write_all(&[0])?;
        }
        for entry in self.residue_table.iter().chain(&self.defline_table) {
            self.file.write_all(&entry.to_le_bytes())?;
        }
        let mut file = self.file.into_inner()?;
        file.rewind()?;
        file.write_all(&header)?;
        file.as_file().sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        let digest = Digest::of_reader(BufReader::new(file.as_file()))?;
        file.persist(self.directory.join(digest.to_string()))?;
        Ok(Written {
            digest,
            sequences: self.layout.sequences,
            residues: self.layout.residues,
            bytes: sections.end,
        })
    }

    fn io(&self, source: io::Error) -> WriteError {
        WriteError::Io { directory: self.directory.clone(), source }
    }
}

/// A file that is removed unless it is completed, with the permissions of ordinary files.
pub(super) fn unfinished_file(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt;
        // As far as the umask allows; the default would hide the database from other users.
        builder.permissions(Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}
