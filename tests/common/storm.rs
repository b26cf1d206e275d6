//! Storage in a storm: what can go wrong does, by chance, and everything is counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use skyblast::store::{
    BlobInfo, BlobName, BlobStore, Delivery, ETag, Error, ErrorKind, OnTransfer, Queue, Result, Standing,
    Written,
};

/// How often each thing happens, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// A message is sent twice.
    pub(crate) duplicates: u64,
    /// A call is done, but says that it failed.
    pub(crate) lost_answers: u64,
    /// A message is not deleted, but that is what the service says.
    pub(crate) lost_deletes: u64,
    /// A lease ends at once.
    pub(crate) short_leases: u64,
    /// A message is delivered late, behind others.
    pub(crate) reordering: u64,
    /// The service asks for a slower pace.
    pub(crate) throttling: u64,
    /// The connection is reset before anything is done.
    pub(crate) resets: u64,
    /// Half of a blob arrives, and seems to be all of it.
    pub(crate) truncated: u64,
    /// A process is killed, in so many milliseconds on average; 0 never.
    pub(crate) kill_after_ms: u64,
    /// The clock of storage is so many seconds ahead of the machines'.
    pub(crate) skew: i64,
}

/// What happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Faults, by kind.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Calls on blobs and queues; waiting for messages that do not come is not counted.
    pub(crate) calls: u64,
    /// Hits that were written, or tried to be.
    pub(crate) searches: u64,
    /// Messages that the pipeline sent.
    pub(crate) messages: u64,
}

/// A storm over any number of stores and queues.
#[derive(Clone, Debug)]
pub(crate) struct Storm {
    weather: Weather,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    seed: u64,
    tally: Tally,
}

impl Storm {
    pub(crate) fn new(weather: Weather, seed: u64) -> Self {
        let state = State { seed: seed.wrapping_mul(0x9E37_79B9), tally: Tally::default() };
        Self { weather, state: Arc::new(Mutex::new(state)) }
    }

    /// What has happened so far.
    pub(crate) fn tally(&self) -> Tally {
        self.state.lock().unwrap().tally.clone()
    }

    pub(crate) fn blobs(&self, inner: Arc<dyn BlobStore>) -> Arc<dyn BlobStore> {
        Arc::new(Stormy { storm: self.clone(), inner })
    }

    pub(crate) fn queue(&self, inner: Arc<dyn Queue>) -> Arc<dyn Queue> {
        Arc::new(Stormy { storm: self.clone(), inner })
    }

    /// A number below `limit` (SplitMix64).
    pub(crate) fn below(&self, limit: u64) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.seed = state.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit.max(1)
    }

    /// Whether a fault with this chance in a thousand happens now.
    fn strikes(&self, fault: &'static str, chance: u64) -> bool {
        let struck = chance > 0 && self.below(1_000) < chance;
        if struck {
            self.count(fault);
        }
        struck
    }

    /// Counts a fault.
    pub(crate) fn count(&self, fault: &'static str) {
        *self.state.lock().unwrap().tally.faults.entry(fault).or_default() += 1;
    }

    async fn call<T>(&self, action: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let failure = |kind| Err(Error::new(kind, action, "storage", "there is a storm"));
        self.state.lock().unwrap().tally.calls += 1;
        if self.strikes("throttling", self.weather.throttling) {
            return failure(ErrorKind::Throttled);
        }
        if self.strikes("reset", self.weather.resets) {
            return failure(ErrorKind::Transient);
        }
        let done = work.await?;
        if self.strikes("lost answer", self.weather.lost_answers) {
            return failure(ErrorKind::Transient);
        }
        Ok(done)
    }

    fn skewed(&self, time: Timestamp) -> Timestamp {
        time + SignedDuration::from_secs(self.weather.skew)
    }
}

#[derive(Debug)]
struct Stormy<S: ?Sized> {
    storm: Storm,
    inner: Arc<S>,
}

impl Stormy<dyn BlobStore> {
    fn count_hits(&self, name: &BlobName) {
        if name.as_str().contains("/hits/") && !name.as_str().ends_with(".failed") {
            self.storm.state.lock().unwrap().tally.searches += 1;
        }
    }
}

#[async_trait]
impl BlobStore for Stormy<dyn BlobStore> {
    async fn put(&self, name: &BlobName, content: Bytes) -> Result<ETag> {
        let written = self.storm.call("write", self.inner.put(name, content)).await?;
        self.count_hits(name);
        Ok(written)
    }

    async fn put_if_absent(&self, name: &BlobName, content: Bytes) -> Result<Written> {
        self.storm.call("write", self.inner.put_if_absent(name, content)).await
    }

    async fn put_pieces(
        &self,
        name: &BlobName,
        pieces: BoxStream<'static, Result<Bytes>>,
        standing: Standing,
    ) -> Result<Written> {
        let written = self.storm.call("write", self.inner.put_pieces(name, pieces, standing)).await?;
        if written == Written::Created {
            self.count_hits(name);
        }
        Ok(written)
    }

    async fn put_if_match(&self, name: &BlobName, content: Bytes, etag: &ETag) -> Result<ETag> {
        self.storm.call("write", self.inner.put_if_match(name, content, etag)).await
    }

    async fn put_file_if_absent(
        &self,
        name: &BlobName,
        file: &Path,
        on_transfer: OnTransfer<'_>,
    ) -> Result<Written> {
        self.storm.call("write", self.inner.put_file_if_absent(name, file, on_transfer)).await
    }

    async fn touch(&self, name: &BlobName) -> Result<bool> {
        self.storm.call("touch", self.inner.touch(name)).await
    }

    async fn get_tagged(&self, name: &BlobName) -> Result<(Bytes, ETag)> {
        let (content, tag) = self.storm.call("read", self.inner.get_tagged(name)).await?;
        let whole = !self.storm.strikes("truncated answer", self.storm.weather.truncated);
        Ok((if whole { content } else { content.slice(..content.len() / 2) }, tag))
    }

    async fn read(&self, name: &BlobName) -> Result<BoxStream<'static, Result<Bytes>>> {
        let pieces = self.storm.call("read", self.inner.read(name)).await?;
        // Whose end is known, like that of Azure's answers, and of what is checked.
        let checked = ["/hits/", "/parts/"].iter().any(|part| name.as_str().contains(part));
        let whole = !checked || !self.storm.strikes("truncated answer", self.storm.weather.truncated);
        let half = |piece: Result<Bytes>| piece.map(|piece| piece.slice(..piece.len() / 2));
        Ok(if whole { pieces } else { pieces.take(1).map(half).boxed() })
    }

    async fn info(&self, name: &BlobName) -> Result<Option<BlobInfo>> {
        let found = self.storm.call("look up", self.inner.info(name)).await?;
        Ok(found.map(|info| BlobInfo { modified: self.storm.skewed(info.modified), ..info }))
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<BlobInfo>> {
        let (storm, listing) = (self.storm.clone(), self.inner.list(prefix));
        stream::once(async move {
            match storm.call("list", async { Ok(()) }).await {
                Ok(()) => listing
                    .map_ok(move |info| BlobInfo { modified: storm.skewed(info.modified), ..info })
                    .boxed(),
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
        self.inner.container_exists().await
    }

    async fn create_container(&self) -> Result<()> {
        self.inner.create_container().await
    }

    async fn delete(&self, name: &BlobName) -> Result<bool> {
        self.storm.call("delete", self.inner.delete(name)).await
    }

    async fn delete_if_match(&self, name: &BlobName, etag: &ETag) -> Result<bool> {
        self.storm.call("delete", self.inner.delete_if_match(name, etag)).await
    }

    async fn compose_if_absent(
        &self,
        name: &BlobName,
        before: Bytes,
        parts: &[BlobName],
        after: Bytes,
    ) -> Result<Written> {
        self.storm.call("compose", self.inner.compose_if_absent(name, before, parts, after)).await
    }
}

#[async_trait]
impl Queue for Stormy<dyn Queue> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn exists(&self) -> Result<bool> {
        self.inner.exists().await
    }

    async fn create(&self) -> Result<()> {
        self.inner.create().await
    }

    async fn send(&self, body: &str, delay: Duration) -> Result<()> {
        let (storm, weather) = (&self.storm, self.storm.weather);
        storm.state.lock().unwrap().tally.messages += 1;
        let late = storm.strikes("reordering", weather.reordering);
        let delay = if late { delay + Duration::from_millis(storm.below(300)) } else { delay };
        if storm.strikes("duplicate", weather.duplicates) {
            self.inner.send(body, delay).await?;
        }
        storm.call("send to", self.inner.send(body, delay)).await
    }

    async fn receive(&self, max: u32, visibility: Duration) -> Result<Vec<Delivery>> {
        let deliveries = self.inner.receive(max, visibility).await?;
        self.storm.state.lock().unwrap().tally.calls += deliveries.len() as u64;
        for delivery in &deliveries {
            if self.storm.strikes("short lease", self.storm.weather.short_leases) {
                self.inner.renew(&mut delivery.clone(), Duration::ZERO).await?;
            }
        }
        Ok(deliveries)
    }

    async fn renew(&self, delivery: &mut Delivery, visibility: Duration) -> Result<()> {
        self.inner.renew(delivery, visibility).await
    }

    async fn delete(&self, delivery: &Delivery) -> Result<()> {
        if self.storm.strikes("lost delete", self.storm.weather.lost_deletes) {
            return Ok(());
        }
        self.storm.call("delete from", self.inner.delete(delivery)).await
    }

    async fn waiting_since(&self) -> Result<Option<Timestamp>> {
        Ok(self.inner.waiting_since().await?.map(|since| self.storm.skewed(since)))
    }

    async fn approximate_count(&self) -> Result<u64> {
        self.inner.approximate_count().await
    }
}
