//! What can be wrong with a BLAST database.

use std::io;
use std::path::{Path, PathBuf};

/// A BLAST database that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlastDbError {
    /// There is no such database.
    #[error("no BLAST database {name}: looked for {}", looked_for.join(", "))]
    NotFound {
        /// The name as given.
        name: String,
        /// Files that were looked for.
        looked_for: Vec<String>,
    },
    /// The database holds nucleotides.
    #[error("{} belongs to a nucleotide database; skyblast searches proteins only", file.display())]
    Nucleotide {
        /// A file that says so.
        file: PathBuf,
    },
    /// An alias file names something that is not there.
    #[error("{} names {name}, which is missing: looked for {}", alias.display(), looked_for.join(", "))]
    MissingVolume {
        /// The alias file.
        alias: PathBuf,
        /// What it names.
        name: String,
        /// Files that were looked for.
        looked_for: Vec<String>,
    },
    /// An alias file leaves sequences out, which is not supported.
    #[error(
        "{} selects sequences with {key}, which skyblast does not read; search the database that it selects \
         from, or write the selection out with `blastdbcmd -db … -entry all` and make a database of it",
        alias.display()
    )]
    Selection {
        /// The alias file.
        alias: PathBuf,
        /// The key in question.
        key: String,
    },
    /// An alias file makes no sense.
    #[error("{}: {reason}", alias.display())]
    BadAlias {
        /// The alias file.
        alias: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be opened or read.
    #[error("could not read {}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The index has a version that this program does not know.
    #[error(
        "{} is no index of a BLAST database of version 4 or 5 (it starts with {found}); \
         make the database again with makeblastdb",
        file.display()
    )]
    UnknownVersion {
        /// The index.
        file: PathBuf,
        /// Version found.
        found: u32,
    },
    /// The end of a file is missing.
    #[error(
        "{} is truncated: expected {expected} bytes, found {found}; copy or download the database again",
        file.display()
    )]
    Truncated {
        /// The file.
        file: PathBuf,
        /// Length that it should have at least.
        expected: u64,
        /// Length that it has.
        found: u64,
    },
    /// The content of a file contradicts itself or another file.
    #[error("{} is damaged: {reason}; copy or download the database again", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl BlastDbError {
    /// Turns what the system said about `file` into an error.
    pub(super) fn read(file: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Read { file: file.to_owned(), source }
    }
}
