//! The threads that wait for files and for SQLite: storage's own, so that whoever else blocks threads of
//! the process does not hold it up.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

use super::{Error, ErrorKind, Result};

/// Some threads with a purpose; each is started when it is needed.
#[derive(Debug)]
pub(super) struct Threads {
    name: &'static str,
    /// How many there are at most. What is done on them waits for nothing but the system.
    most: usize,
    runtime: OnceLock<Runtime>,
}

/// For files.
pub(super) static FILES: Threads = Threads::new("storage-files", 32);
/// For queues, whose database does one thing at a time.
pub(super) static QUEUES: Threads = Threads::new("storage-queues", 4);

impl Threads {
    const fn new(name: &'static str, most: usize) -> Self {
        Self { name, most, runtime: OnceLock::new() }
    }

    /// Does `work`, which may block.
    pub(super) async fn run<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let failed = |reason: String| Error::new(ErrorKind::Transient, "use", "local storage", reason);
        match self.handle().map_err(|e| failed(e.to_string()))?.spawn_blocking(work).await {
            Ok(result) => result,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(failed("the process is shutting down".to_owned())),
            },
        }
    }

    /// A runtime that runs nothing but blocking work.
    fn handle(&self) -> std::io::Result<&Handle> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime.handle());
        }
        let built =
            Builder::new_current_thread().max_blocking_threads(self.most).thread_name(self.name).build()?;
        // Of several that are built at once, one stays; the others must not be waited for where nothing may block.
        if let Err(superfluous) = self.runtime.set(built) {
            superfluous.shutdown_background();
        }
        Ok(self.runtime.get().expect("it has just been set").handle())
    }
}
