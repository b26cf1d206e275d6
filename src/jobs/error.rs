//! What can go wrong in the pipeline, sorted by who can do something about it.

use std::io;

use bytesize::ByteSize;

use crate::database::{DatabaseError, ManifestError, VolumeError};
use crate::engine::OptionError;
use crate::store;

use super::catalog::RESERVED;
use super::id::JobId;

/// Result of a pipeline operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed pipeline operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Storage failed; [`store::Error::is_retryable`] says whether to try again.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// No job has this id.
    #[error("no job has the id {0}")]
    UnknownJob(JobId),
    /// No upload has this id.
    #[error("no upload has the id {0}; it may have become a search, or was begun too long ago")]
    UnknownUpload(JobId),
    /// A place in a list of jobs that no page has named.
    #[error("{0:?} is no place in the list; take it from the member \"next\" of the page before")]
    InvalidPlace(String),
    /// A key of a submission that was used for another request.
    #[error("this key has been used to submit another search; a key is for one search, so make up another")]
    KeyReused,
    /// An upload that cannot be used as it was asked for.
    #[error("upload {id}: {reason}")]
    InvalidUpload {
        /// The upload.
        id: JobId,
        /// What is wrong with it.
        reason: String,
    },
    /// A link to a report that was not made here.
    #[error("the link is not valid: it is incomplete, or its report is on another server")]
    InvalidShare,
    /// A link to a report whose time is over.
    #[error("the link has expired; ask for a new one (skyblast share)")]
    ExpiredShare,
    /// No database has this name.
    #[error("there is no database {name:?}; {}", known_databases(known))]
    UnknownDatabase {
        /// What was asked for.
        name: String,
        /// The databases that there are.
        known: Vec<String>,
    },
    /// Taxa that cannot be searched, or left out.
    #[error("the option {option:?}: {reason}")]
    Taxa {
        /// The option that names them.
        option: &'static str,
        /// Its value, or the beginning of it.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A text that cannot name a database.
    #[error("{:?} cannot name a database: {}", .0, naming_rule(.0))]
    InvalidDatabaseName(String),
    /// A version that cannot be removed as long as the bare name means it.
    #[error(
        "{version} is what the name {name:?} means: let it mean another first (skyblast databases use \
         {name}@VERSION), or remove {name} with all its versions"
    )]
    CurrentVersion {
        /// The database.
        name: String,
        /// The version.
        version: String,
    },
    /// A database of this machine cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A database's manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A database's volume is missing.
    #[error("volume {digest} of database {database} is missing from storage; add the database again")]
    VolumeMissing {
        /// `name@version` of the database.
        database: String,
        /// The volume.
        digest: String,
    },
    /// A database's volume is damaged.
    #[error("database {database}: {source}")]
    VolumeDamaged {
        /// `name@version` of the database.
        database: String,
        /// What is wrong with it.
        source: VolumeError,
    },
    /// A stored object of the pipeline cannot be read back.
    #[error("{object} is damaged: {reason}")]
    Damaged {
        /// Name of the blob.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A queue message that no version of skyblast sends.
    #[error("not a {stage} message: {reason}")]
    Message {
        /// Which queue it came from.
        stage: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A volume that does not fit into memory, with what is found in it.
    #[error(
        "volume {digest} of database {database} needs {} of memory and there are {} here: take larger instances, or add \
         the database again with a smaller --volume-size",
        ByteSize(*.needed), ByteSize(*.there)
    )]
    TooLarge {
        /// `name@version` of the database.
        database: String,
        /// The volume.
        digest: String,
        /// What comparing with it needs, bytes.
        needed: u64,
        /// What the process may use, bytes.
        there: u64,
    },
    /// What a process of its own met with; see [`Apart`](super::Apart).
    #[error("{0}")]
    Apart(String),
    /// The options of a job cannot be had.
    #[error(transparent)]
    Options(#[from] OptionError),
    /// What does not fit into memory cannot be kept in a temporary file.
    #[error(
        "a temporary file cannot be used, which very many hits need: {} (the variable TMPDIR names the \
         directory)",
        .0.kind()
    )]
    Scratch(io::Error),
    /// The program itself failed: a bug, or no randomness or memory to be had.
    #[error("internal error: {0}")]
    Internal(String),
}

fn known_databases(known: &[String]) -> String {
    if known.is_empty() {
        "none has been added yet (skyblast databases add)".to_owned()
    } else {
        format!("known databases: {}", known.join(", "))
    }
}

/// Why a text cannot name a database.
fn naming_rule(name: &str) -> &'static str {
    if name == RESERVED {
        "it is reserved for the volumes of all databases, take another name"
    } else {
        "use letters, digits, '.', '_' and '-', starting with a letter or digit, 64 at most"
    }
}

impl Error {
    /// Whether the same operation may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }

    /// Whether another delivery of the message that met this error may succeed: storage may answer again,
    /// and what was read damaged may have been damaged on its way here.
    pub fn may_pass(&self) -> bool {
        self.is_retryable()
            || matches!(
                self,
                Self::Damaged { .. } | Self::VolumeDamaged { .. } | Self::Apart(_) | Self::Scratch(_)
            )
    }

    /// Whether it is storage that says the object does not exist.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Store(error) if error.kind() == store::ErrorKind::NotFound)
    }
}

/// An error of this kind that went through a reader or writer, or one of a temporary file.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Scratch)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
