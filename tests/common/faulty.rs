//! Storage that fails when it is told to.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use jiff::Timestamp;
use skyblast::store::{
    Access, BlobInfo, BlobName, BlobStore, Delivery, ETag, Error, ErrorKind, Grant, OnTransfer, Queue,
    Result, Standing, Written,
};

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
        Arc::new(Faulty { inner, faults: self.clone() })
    }

    /// `inner`, subject to these faults.
    pub(crate) fn queue(&self, inner: Arc<dyn Queue>) -> Arc<dyn Queue> {
        Arc::new(Faulty { inner, faults: self.clone() })
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

    async fn call<T>(&self, action: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
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
}

fn failure(kind: ErrorKind, action: &'static str) -> Error {
    Error::new(kind, action, "storage", "told to fail")
}

#[derive(Debug)]
struct Faulty<S: ?Sized> {
    faults: Faults,
    inner: Arc<S>,
}

#[async_trait]
impl BlobStore for Faulty<dyn BlobStore> {
    async fn put(&self, name: &BlobName, content: Bytes) -> Result<ETag> {
        let written = self.faults.call("write", self.inner.put(name, content)).await?;
        self.faults.0.lock().unwrap().finished_puts += 1;
        Ok(written)
    }

    async fn put_if_absent(&self, name: &BlobName, content: Bytes) -> Result<Written> {
        self.faults.call("write", self.inner.put_if_absent(name, content)).await
    }

    async fn put_pieces(
        &self,
        name: &BlobName,
        pieces: BoxStream<'static, Result<Bytes>>,
        standing: Standing,
    ) -> Result<Written> {
        let written = self.faults.call("write", self.inner.put_pieces(name, pieces, standing)).await?;
        self.faults.0.lock().unwrap().finished_puts += 1;
        Ok(written)
    }

    async fn put_if_match(&self, name: &BlobName, content: Bytes, etag: &ETag) -> Result<ETag> {
        self.faults.call("write", self.inner.put_if_match(name, content, etag)).await
    }

    async fn put_file_if_absent(
        &self,
        name: &BlobName,
        file: &Path,
        on_transfer: OnTransfer<'_>,
    ) -> Result<Written> {
        self.faults.call("write", self.inner.put_file_if_absent(name, file, on_transfer)).await
    }

    async fn touch(&self, name: &BlobName) -> Result<bool> {
        self.faults.call("touch", self.inner.touch(name)).await
    }

    async fn get_tagged(&self, name: &BlobName) -> Result<(Bytes, ETag)> {
        self.faults.call("read", self.inner.get_tagged(name)).await
    }

    async fn read(&self, name: &BlobName) -> Result<BoxStream<'static, Result<Bytes>>> {
        self.faults.call("read", self.inner.read(name)).await
    }

    async fn info(&self, name: &BlobName) -> Result<Option<BlobInfo>> {
        self.faults.call("look up", self.inner.info(name)).await
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<BlobInfo>> {
        let (faults, listing) = (self.faults.clone(), self.inner.list(prefix));
        stream::once(async move {
            match faults.call("list", async { Ok(()) }).await {
                Ok(()) => listing,
                Err(error) => stream::once(async { Err(error) }).boxed(),
            }
        })
        .flatten()
        .boxed()
    }

    /// None, so that every read can fail.
    fn as_file(&self, _name: &BlobName) -> Option<PathBuf> {
        None
    }

    async fn container_exists(&self) -> Result<bool> {
        self.faults.call("look for", self.inner.container_exists()).await
    }

    async fn create_container(&self) -> Result<()> {
        self.faults.call("create", self.inner.create_container()).await
    }

    async fn grant(&self, name: &BlobName, access: Access, lifetime: Duration) -> Result<Option<Grant>> {
        self.faults.call("grant", self.inner.grant(name, access, lifetime)).await
    }

    async fn delete(&self, name: &BlobName) -> Result<bool> {
        self.faults.call("delete", self.inner.delete(name)).await
    }

    async fn delete_if_match(&self, name: &BlobName, etag: &ETag) -> Result<bool> {
        self.faults.call("delete", self.inner.delete_if_match(name, etag)).await
    }

    async fn compose_if_absent(
        &self,
        name: &BlobName,
        before: Bytes,
        parts: &[BlobName],
        after: Bytes,
    ) -> Result<Written> {
        self.faults.call("compose", self.inner.compose_if_absent(name, before, parts, after)).await
    }
}

#[async_trait]
impl Queue for Faulty<dyn Queue> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn exists(&self) -> Result<bool> {
        self.faults.call("look for", self.inner.exists()).await
    }

    async fn create(&self) -> Result<()> {
        self.faults.call("create", self.inner.create()).await
    }

    async fn send(&self, body: &str, delay: Duration) -> Result<()> {
        self.faults.call("send to", self.inner.send(body, delay)).await
    }

    async fn receive(&self, max: u32, visibility: Duration) -> Result<Vec<Delivery>> {
        self.faults.call("receive from", self.inner.receive(max, visibility)).await
    }

    async fn renew(&self, delivery: &mut Delivery, visibility: Duration) -> Result<()> {
        self.faults.call("renew in", self.inner.renew(delivery, visibility)).await
    }

    async fn delete(&self, delivery: &Delivery) -> Result<()> {
        self.faults.call("delete from", self.inner.delete(delivery)).await
    }

    async fn waiting_since(&self) -> Result<Option<Timestamp>> {
        self.faults.call("look into", self.inner.waiting_since()).await
    }

    async fn approximate_count(&self) -> Result<u64> {
        self.faults.call("count", self.inner.approximate_count()).await
    }
}
