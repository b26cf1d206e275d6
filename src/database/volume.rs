//! A volume, opened for searching. Its bytes are described in [`layout`](super::layout).

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use memmap2::Mmap;

use super::check::check;
use super::digest::Digest;
use super::layout::{ENTRY, Layout, Sections};
use super::map::map;
use crate::engine::Subjects;

/// A volume that cannot be opened, or is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VolumeError {
    /// The file cannot be opened or read.
    #[error("could not read volume {volume}: {source}")]
    Read {
        /// Path or name of the volume.
        volume: String,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes do not start like a volume.
    #[error("{volume} is not a skyblast volume")]
    NotAVolume {
        /// Path or name of the volume.
        volume: String,
    },
    /// The volume was written by a newer skyblast.
    #[error(
        "volume {volume} has format version {found}, but this program reads only up to version {supported}; \
         update skyblast or rebuild the database"
    )]
    Newer {
        /// Path or name of the volume.
        volume: String,
        /// Version found.
        found: u32,
        /// Newest version that can be read.
        supported: u32,
    },
    /// The end of the file is missing.
    #[error("volume {volume} is truncated: expected {expected} bytes, found {found}")]
    Truncated {
        /// Path or name of the volume.
        volume: String,
        /// Length it should have.
        expected: u64,
        /// Length it has.
        found: u64,
    },
    /// The content is not what its name says.
    #[error("volume {volume} is damaged: expected digest {expected}, found {found}; rebuild the database")]
    DigestMismatch {
        /// Path or name of the volume.
        volume: String,
        /// Digest it should have.
        expected: Digest,
        /// Digest of what was read.
        found: Digest,
    },
    /// The content contradicts itself.
    #[error("volume {volume} is damaged: {reason}; rebuild the database")]
    Damaged {
        /// Path or name of the volume.
        volume: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl VolumeError {
    /// The same error of a volume that is called `name`, for readers that its path is not for.
    pub fn called(mut self, name: &str) -> Self {
        match &mut self {
            Self::Read { volume, .. }
            | Self::NotAVolume { volume }
            | Self::Newer { volume, .. }
            | Self::Truncated { volume, .. }
            | Self::DigestMismatch { volume, .. }
            | Self::Damaged { volume, .. } => name.clone_into(volume),
        }
        self
    }
}

/// An open volume: checked in full when it was opened, so that reading it cannot fail.
pub struct Volume {
    content: Content,
    layout: Layout,
    sections: Sections,
}

enum Content {
    Mapped(Mmap),
    Bytes(Bytes),
}

impl Volume {
    /// Maps the volume at `path` into memory and checks it, against `digest` too if given.
    #[expect(unsafe_code, reason = "maps a file")]
    pub fn open(path: &Path, digest: Option<&Digest>) -> Result<Self, VolumeError> {
        let volume = path.display().to_string();
        let read_failed = |source| VolumeError::Read { volume: volume.clone(), source };
        let file = File::open(path).map_err(read_failed)?;
        let content = match file.metadata().map_err(read_failed)?.len() {
            // Nothing to map.
            0 => Content::Bytes(Bytes::new()),
            // SAFETY: volumes are written under another name, renamed when complete, named by their content and
            // never opened for writing again.
            _ => Content::Mapped(unsafe { map(&file) }.map_err(read_failed)?),
        };
        Self::checked(&volume, content, digest)
    }

    /// Like [`open`](Self::open), but reads the file instead of mapping it: for file systems that
    /// cannot map, or where files may change under the program.
    pub fn read(path: &Path, digest: Option<&Digest>) -> Result<Self, VolumeError> {
        let volume = path.display().to_string();
        match fs::read(path) {
            Ok(bytes) => Self::checked(&volume, Content::Bytes(bytes.into()), digest),
            Err(source) => Err(VolumeError::Read { volume, source }),
        }
    }

    /// Checks a volume in memory, against `digest` too if given; `volume` names it in errors.
    pub fn from_bytes(
        volume: &str,
        bytes: impl Into<Bytes>,
        digest: Option<&Digest>,
    ) -> Result<Self, VolumeError> {
        Self::checked(volume, Content::Bytes(bytes.into()), digest)
    }

    fn checked(volume: &str, content: Content, digest: Option<&Digest>) -> Result<Self, VolumeError> {
        let (layout, sections) = check(volume, content.bytes(), digest)?;
        Ok(Self { content, layout, sections })
    }

    /// Sum of the lengths of all sequences.
    pub fn total_residues(&self) -> u64 {
        self.layout.residues
    }

    /// Length in bytes.
    pub fn byte_length(&self) -> u64 {
        self.sections.end
    }

    /// All residues at once: codes with a sentinel before, between and after the sequences.
    pub fn all_residues(&self) -> &[u8] {
        self.section(self.sections.residues, self.sections.deflines)
    }

    /// Where in [`all_residues`](Self::all_residues) sequence `index` is, without sentinels.
    ///
    /// # Panics
    /// If `index` is not below the number of sequences.
    pub fn residue_range(&self, index: usize) -> Range<usize> {
        let [start, next] = self.entries(self.sections.residue_table, index);
        in_memory(start)..in_memory(next) - 1
    }

    /// Entries `index` and `index + 1` of a table.
    fn entries(&self, table: u64, index: usize) -> [u64; 2] {
        assert!(index < self.len(), "sequence {index} of a volume of {}", self.len());
        let first = table + index as u64 * ENTRY;
        let (entries, _) = self.section(first, first + 2 * ENTRY).as_chunks();
        [u64::from_le_bytes(entries[0]), u64::from_le_bytes(entries[1])]
    }

    fn section(&self, start: u64, end: u64) -> &[u8] {
        &self.content.bytes()[in_memory(start)..in_memory(end)]
    }
}

impl Subjects for Volume {
    fn len(&self) -> usize {
        in_memory(self.layout.sequences)
    }

    fn residues(&self, index: usize) -> &[u8] {
        &self.all_residues()[self.residue_range(index)]
    }

    fn defline(&self, index: usize) -> Cow<'_, [u8]> {
        let [start, end] = self.entries(self.sections.defline_table, index);
        self.section(self.sections.deflines + start, self.sections.deflines + end).into()
    }
}

impl Content {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Volume")
            .field("mapped", &matches!(self.content, Content::Mapped(_)))
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

/// A count or offset of a volume in memory, which therefore fits `usize`.
pub(super) fn in_memory(number: u64) -> usize {
    usize::try_from(number).expect("numbers of a checked volume lie below its length")
}
