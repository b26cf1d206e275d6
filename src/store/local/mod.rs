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
//! must lie on a disk of this machine: SQLite's write-ahead log does not work over a network.

use std::path::Path;
use std::sync::Arc;

use super::name::check_service_name;
use super::{Error, ErrorKind, Result};

mod blobs;
mod database;
mod errors;
mod files;
mod queue;
mod walk;

pub use blobs::LocalBlobs;
pub use queue::LocalQueue;

use database::Database;
use files::Folder;

/// Containers and queues in one folder.
#[derive(Clone, Debug)]
pub struct LocalStore {
    folder: Arc<Path>,
    database: Arc<Database>,
}

impl LocalStore {
    /// Opens the store in `folder`, creating what is missing.
    ///
    /// Does a little disk work on the calling thread.
    pub fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder.join("blobs"))
            .map_err(|e| errors::from_io(&e, "open", format!("the storage folder {}", folder.display())))?;
        let folder = std::path::absolute(folder)
            .map_err(|e| errors::from_io(&e, "open", format!("the storage folder {}", folder.display())))?;
        let database = Database::open(&folder.join("queues.sqlite"))?;
        Ok(Self { folder: folder.into(), database: Arc::new(database) })
    }

    /// The container `name`, 3 to 63 lower-case letters, digits and hyphens.
    pub fn blobs(&self, name: &str) -> Result<LocalBlobs> {
        check_service_name("container", name)?;
        Ok(LocalBlobs::new(Folder::new(self.folder.join("blobs").join(name), name)))
    }

    /// The queue `name`, 3 to 63 lower-case letters, digits and hyphens.
    pub fn queue(&self, name: &str) -> Result<LocalQueue> {
        check_service_name("queue", name)?;
        Ok(LocalQueue::new(Arc::clone(&self.database), name))
    }
}

/// Runs `work`, which may block, away from the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                Err(Error::new(ErrorKind::Transient, "use", "local storage", "the process is shutting down"))
            }
        },
    }
}
