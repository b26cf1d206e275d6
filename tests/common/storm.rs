//! Storage in a storm: what can go wrong does, by chance, and everything is counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use skyblast::store::{BlobStore, Error, ErrorKind, Queue, Result};
use tokio::time::sleep;

use super::intercepted::{Intercepted, Interceptor};

/// How often each thing happens, in a thousand, and how long what is done takes.
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
    /// So many milliseconds late at most.
    pub(crate) late_ms: u64,
    /// The service asks for a slower pace.
    pub(crate) throttling: u64,
    /// The connection is reset before anything is done.
    pub(crate) resets: u64,
    /// Half of a blob arrives, and seems to be all of it.
    pub(crate) truncated: u64,
    /// A process is killed, in so many seconds on average; 0 never.
    pub(crate) kill_after: u64,
    /// The clock of storage is so many seconds ahead of the machines'.
    pub(crate) skew: i64,
    /// A call takes so many milliseconds at most.
    pub(crate) call_ms: u64,
    /// To compare a shard takes so many milliseconds at most.
    pub(crate) shard_ms: u64,
}

/// What happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Faults, by kind.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Calls on blobs and queues; waiting for messages that do not come is not counted.
    pub(crate) calls: u64,
    /// Shards that somebody has begun to compare.
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
        Arc::new(Intercepted::new(inner, self.clone()))
    }

    pub(crate) fn queue(&self, inner: Arc<dyn Queue>) -> Arc<dyn Queue> {
        Arc::new(Intercepted::new(inner, self.clone()))
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

    async fn take(&self, most_ms: u64) {
        if most_ms > 0 {
            sleep(Duration::from_millis(self.below(most_ms))).await;
        }
    }
}

/// Calls that are neither counted nor fail: looking for work without finding any, keeping a lease, and what
/// watches the storm itself.
const SPARED: [&str; 5] = ["receive from", "renew in", "look into", "count", "look for"];

impl Interceptor for Storm {
    async fn call<T: Send>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        if SPARED.contains(&action) {
            return work.await;
        }
        let failure = |kind| Err(Error::new(kind, action, "storage", "there is a storm"));
        self.state.lock().unwrap().tally.calls += 1;
        self.take(self.weather.call_ms).await;
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

    async fn compared(&self) {
        self.state.lock().unwrap().tally.searches += 1;
        self.take(self.weather.shard_ms).await;
    }

    fn arrives(&self, content: Bytes) -> Bytes {
        let whole = !self.strikes("truncated answer", self.weather.truncated);
        if whole { content } else { content.slice(..content.len() / 2) }
    }

    fn shown(&self, time: Timestamp) -> Timestamp {
        time + SignedDuration::from_secs(self.weather.skew)
    }

    fn copies(&self) -> Vec<Duration> {
        self.state.lock().unwrap().tally.messages += 1;
        let late = || {
            let late = self.strikes("reordering", self.weather.reordering);
            Duration::from_millis(if late { self.below(self.weather.late_ms) } else { 0 })
        };
        let copies = if self.strikes("duplicate", self.weather.duplicates) { 2 } else { 1 };
        (0..copies).map(|_| late()).collect()
    }

    fn ends_lease(&self) -> bool {
        self.state.lock().unwrap().tally.calls += 1;
        self.strikes("short lease", self.weather.short_leases)
    }

    fn forgets_delete(&self) -> bool {
        self.strikes("lost delete", self.weather.lost_deletes)
    }
}
