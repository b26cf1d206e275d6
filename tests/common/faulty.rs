//! Storage that fails when it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use skyblast::store::{BlobStore, Error, ErrorKind, Queue, Result};

use super::intercepted::{Intercepted, Interceptor};

/// What happens to the calls.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Mode {
    /// Nothing.
    #[default]
    Off,
    /// All fail, and nothing is done.
    FailAll(ErrorKind),
    /// All that write blobs fail, and nothing is done.
    FailWrites(ErrorKind),
    /// Every so manyth call fails, and nothing is done.
    FailEvery(u64, ErrorKind),
    /// Every so manyth call is done, but says that it failed.
    LoseReplyEvery(u64),
    /// All work, after a pause.
    Delay(Duration),
    /// All panic.
    Panic,
}

/// The switch of any number of stores and queues; clones switch together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    calls: u64,
    running: u64,
    most_running: u64,
    finished_puts: u64,
}

/// What happens to one call.
enum Fate {
    Work,
    WorkLater(Duration),
    Fail(ErrorKind),
    WorkThenFail,
}

impl Faults {
    /// Changes what happens from now on.
    pub(crate) fn set(&self, mode: Mode) {
        self.0.lock().unwrap().mode = mode;
    }

    /// Most calls that ran at the same time so far.
    pub(crate) fn most_running(&self) -> u64 {
        self.0.lock().unwrap().most_running
    }

    /// Blobs written so far with `put`.
    pub(crate) fn finished_puts(&self) -> u64 {
        self.0.lock().unwrap().finished_puts
    }

    /// `inner`, subject to these faults.
    pub(crate) fn blobs(&self, inner: Arc<dyn BlobStore>) -> Arc<dyn BlobStore> {
        Arc::new(Intercepted::new(inner, self.clone()))
    }

    /// `inner`, subject to these faults.
    pub(crate) fn queue(&self, inner: Arc<dyn Queue>) -> Arc<dyn Queue> {
        Arc::new(Intercepted::new(inner, self.clone()))
    }

    fn begin(&self, action: &str) -> Fate {
        let mut state = self.0.lock().unwrap();
        state.calls += 1;
        let fate = match state.mode {
            Mode::FailAll(kind) => return Fate::Fail(kind),
            Mode::FailWrites(kind) if action == "write" => return Fate::Fail(kind),
            Mode::FailEvery(n, kind) if state.calls.is_multiple_of(n) => return Fate::Fail(kind),
            Mode::LoseReplyEvery(n) if state.calls.is_multiple_of(n) => Fate::WorkThenFail,
            Mode::Delay(pause) => Fate::WorkLater(pause),
            Mode::Panic => {
                drop(state);
                panic!("told to panic");
            }
            _ => Fate::Work,
        };
        state.running += 1;
        state.most_running = state.most_running.max(state.running);
        fate
    }
}

impl Interceptor for Faults {
    async fn call<T: Send>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let fate = self.begin(action);
        if let Fate::Fail(kind) = fate {
            return Err(failure(kind, action));
        }
        if let Fate::WorkLater(pause) = fate {
            tokio::time::sleep(pause).await;
        }
        let done = work.await;
        self.0.lock().unwrap().running -= 1;
        match fate {
            Fate::WorkThenFail if done.is_ok() => Err(failure(ErrorKind::Transient, action)),
            _ => done,
        }
    }

    fn has_put(&self) {
        self.0.lock().unwrap().finished_puts += 1;
    }
}

fn failure(kind: ErrorKind, action: &'static str) -> Error {
    Error::new(kind, action, "storage", "told to fail")
}
