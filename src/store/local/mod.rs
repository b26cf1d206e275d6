//! Storage in a local folder: files for blobs, one SQLite database for queues.
//!
//! ```text
//! <folder>/blobs/<container>/<name…>     one file per blob, under the blob's own name
//! <folder>/blobs/<container>/~partial/   files being written; never listed
//! <folder>/blobs/<container>/~lock       held while a blob is replaced or deleted
//! <folder>/queues.sqlite                 all queues
//! ```
//!
//! Any number of processes may share the folder: what must be atomic is a rename, a lock that
//! the kernel releases when its holder dies, or a database transaction. A process may be killed at
//! any point; power loss may lose the queue's last transactions but not a finished blob. The folder
//! must lie on a disk of this machine: SQLite's write-ahead log does not work over a network. Its files
//! are for their owner alone, and links inside it are not followed.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::name::check_service_name;
use super::{Error, ErrorKind, Result};

mod blobs;
mod clock;
mod database;
mod errors;
mod files;
mod private;
mod queue;
mod threads;
mod walk;

pub use blobs::LocalBlobs;
pub use queue::LocalQueue;

use database::Database;
use files::{BLOBS, Folder};

/// Containers and queues in one folder.
#[derive(Clone, Debug)]
pub struct LocalStore {
    folder: Arc<Path>,
    database: Arc<Database>,
}

impl LocalStore {
    /// Opens the store in `folder`, creating what is missing.
    ///
    /// Does a little disk work on the calling thread; a lot, once, if the folder was made by a version
    /// that left it open to other users.
    pub fn open(folder: &Path) -> Result<Self> {
        let failed = |e: io::Error| errors::from_io(&e, "open", object(folder));
        let folder = std::path::absolute(folder).map_err(failed)?;
        prepare(&folder).map_err(failed)?;
        let database = Database::open(&folder.join(QUEUES))?;
        Ok(Self { folder: folder.into(), database: Arc::new(database) })
    }

    /// Opens the store in `folder`; [`ErrorKind::NotFound`] if there is none.
    pub fn open_existing(folder: &Path) -> Result<Self> {
        if Self::is_at(folder) {
            return Self::open(folder);
        }
        let reason = if folder.is_dir() {
            "it is not a storage of skyblast's"
        } else if folder.exists() {
            NOT_A_FOLDER
        } else {
            "there is no such folder"
        };
        Err(Error::new(ErrorKind::NotFound, "open", object(folder), reason))
    }

    /// Whether there is a store in `folder`.
    pub fn is_at(folder: &Path) -> bool {
        folder.join(QUEUES).exists()
    }

    /// The container `name`, 3 to 63 lower-case letters, digits and hyphens.
    pub fn blobs(&self, name: &str) -> Result<LocalBlobs> {
        check_service_name("container", name)?;
        Ok(LocalBlobs::new(Folder::new(&self.folder, name)))
    }

    /// The queue `name`, 3 to 63 lower-case letters, digits and hyphens.
    pub fn queue(&self, name: &str) -> Result<LocalQueue> {
        check_service_name("queue", name)?;
        Ok(LocalQueue::new(Arc::clone(&self.database), name))
    }
}

/// The file of the queues, and what SQLite keeps beside it.
const QUEUES: &str = "queues.sqlite";
const QUEUE_FILES: [&str; 3] = [QUEUES, "queues.sqlite-wal", "queues.sqlite-shm"];

const NOT_A_FOLDER: &str = "it is a file, not a folder";

/// What messages call a store's folder.
fn object(folder: &Path) -> String {
    format!("the storage folder {}", folder.display())
}

/// Makes the folder what a store needs, for its owner alone.
fn prepare(folder: &Path) -> io::Result<()> {
    if folder.is_file() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, NOT_A_FOLDER));
    }
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    create_if_missing(folder)?;
    let blobs = folder.join(BLOBS);
    private::refuse_links(folder, &blobs)?;
    create_if_missing(&blobs)?;
    for file in QUEUE_FILES {
        private::refuse_links(folder, &folder.join(file))?;
    }
    // SQLite makes the others like this one.
    private::open_or_create(&folder.join(QUEUES))?;
    if let Err(error) = close_to_others(folder) {
        let folder = folder.display();
        tracing::warn!(%folder, %error, "others may read this storage, and that could not be changed");
    }
    Ok(())
}

fn create_if_missing(folder: &Path) -> io::Result<()> {
    match private::create_folder(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists || !folder.is_dir() => Err(e),
        _ => Ok(()),
    }
}

/// Makes a store of an earlier version private. A folder that holds other things too is left as it is;
/// what is the store's in it is not.
fn close_to_others(folder: &Path) -> io::Result<()> {
    for file in QUEUE_FILES {
        private::close_file_to_others(&folder.join(file))?;
    }
    private::close_to_others(&folder.join(BLOBS))?;
    let is_ours = |name: &std::ffi::OsStr| name == BLOBS || QUEUE_FILES.iter().any(|file| name == *file);
    for entry in fs::read_dir(folder)? {
        if !is_ours(&entry?.file_name()) {
            return Ok(());
        }
    }
    private::close_to_others(folder)
}
