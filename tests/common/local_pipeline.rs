//! A pipeline on a local folder, driven by hand or by workers.

use std::io::{BufReader, Cursor};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use jiff::Timestamp;
use skyblast::database::{Database, VolumeLimit};
use skyblast::engine::SearchOptions;
use skyblast::jobs::worker::{self, WorkerSettings};
use skyblast::jobs::{
    Inbox, JOBS, JobId, MAX_DELIVERIES, Pipeline, Report, Request, Settings, Stage, State, Status,
    VolumeFolder, Wanted,
};
use skyblast::report::OutputFormat;
use skyblast::sequence::fasta::Reader;
use skyblast::store::local::LocalStore;
use skyblast::store::{BlobName, BlobStore, Queue};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::in_process::{OpenDatabase, build_database, chunks_of};
use super::memory_store::MemoryStore;
use super::storm::{Storm, Weather};

/// A storage folder, or storage in memory, with one published database, which is called "database".
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    memory: Option<MemoryStore>,
    pub(crate) database: Database,
    settings: Settings,
    /// Driven by hand; workers have pipelines of their own, as processes would.
    pub(crate) pipeline: Arc<Pipeline>,
}

impl Fixture {
    /// Publishes the records of `inputs` in volumes of `limit`.
    pub(crate) async fn new(inputs: &[PathBuf], limit: VolumeLimit, chunk_residues: u64) -> Self {
        Self::with_store(inputs, limit, chunk_residues, None).await
    }

    /// The same in memory, under the clock of the runtime.
    pub(crate) async fn in_memory(inputs: &[PathBuf], limit: VolumeLimit, chunk_residues: u64) -> Self {
        Self::with_store(inputs, limit, chunk_residues, Some(MemoryStore::new())).await
    }

    async fn with_store(
        inputs: &[PathBuf],
        limit: VolumeLimit,
        chunk_residues: u64,
        memory: Option<MemoryStore>,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let database = build_database(&folder.path().join("source"), inputs, limit);
        let settings = Settings {
            threads: NonZeroUsize::MIN,
            chunk_residues: Some(chunk_residues),
            patience: Duration::from_secs(5),
            ..Settings::default()
        };
        let pipeline = open(&folder, memory.as_ref(), settings, None);
        pipeline.catalog().publish("database", &database, &|_| ()).await.unwrap();
        Self { folder, memory, database, settings, pipeline }
    }

    /// A process that works on the same storage in a storm.
    pub(crate) fn in_storm(&self, storm: &Storm) -> Arc<Pipeline> {
        open(&self.folder, self.memory.as_ref(), self.settings, Some(storm))
    }

    /// The same storage seen by a process that has just started: with nothing cached.
    pub(crate) fn restart(&mut self) {
        self.pipeline = open(&self.folder, self.memory.as_ref(), self.settings, None);
    }

    /// The same storage seen by a process that has just started and keeps volumes in a folder.
    #[allow(dead_code, reason = "only tests of that")]
    pub(crate) fn keep_volumes_in(&mut self, folder: VolumeFolder) {
        let pipeline = open(&self.folder, self.memory.as_ref(), self.settings, None);
        self.pipeline = Arc::new(Arc::into_inner(pipeline).unwrap().keeping_volumes_in(folder));
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// A process with other settings on the same storage.
    pub(crate) fn set(&mut self, settings: Settings) {
        self.settings = settings;
        self.restart();
    }

    pub(crate) fn blobs(&self, container: &str) -> Arc<dyn BlobStore> {
        services(&self.folder, self.memory.as_ref()).0(container).unwrap()
    }

    /// Names of a job's blobs that start with `prefix`.
    pub(crate) async fn job_blobs(&self, id: JobId, prefix: &str) -> Vec<BlobName> {
        let listing = self.blobs(JOBS).list(&format!("{id}/{prefix}"));
        listing.map_ok(|blob| blob.name).try_collect().await.unwrap()
    }

    pub(crate) async fn submit(&self, fasta: &[u8], options: SearchOptions, outfmt: &str) -> JobId {
        let request =
            Request { database: "database".to_owned(), options, outfmt: outfmt.parse().unwrap(), taxa: None };
        let input = BufReader::new(Cursor::new(fasta.to_vec()));
        self.pipeline.submit(&request, move || Ok(Reader::new("queries", input))).await.unwrap().id
    }

    /// What the library reports for the same search, without queues and blobs.
    pub(crate) fn expected(&self, fasta: &[u8], options: SearchOptions, outfmt: &str) -> Vec<u8> {
        self.expected_without(fasta, options, outfmt, &[])
    }

    /// Like [`expected`](Self::expected), but without some volumes.
    pub(crate) fn expected_without(
        &self,
        fasta: &[u8],
        options: SearchOptions,
        outfmt: &str,
        missing: &[usize],
    ) -> Vec<u8> {
        let records = Reader::new("queries", BufReader::new(Cursor::new(fasta)));
        let chunks = skyblast::jobs::Chunker::new(records, chunks_of(u64::MAX), options);
        let chunks: Vec<_> = chunks.collect::<Result<_, _>>().unwrap();
        OpenDatabase::new(&self.database).report(
            &chunks,
            options,
            &outfmt.parse().unwrap(),
            1,
            &mut |mut order| {
                order.retain(|volume| !missing.contains(volume));
                order
            },
        )
    }

    /// Handles everything in the queue of `stage` once, as the host would: a message that fails for
    /// good is given up. Returns how many there were.
    pub(crate) async fn drain(&self, stage: Stage) -> usize {
        let messages = take_all(self.pipeline.queue(stage)).await;
        for body in &messages {
            for delivery in 1.. {
                let Err(error) = self.pipeline.deliver(Inbox::Work(stage), body, delivery).await else {
                    break;
                };
                assert!(!error.is_retryable(), "storage failed: {error}");
                if delivery == MAX_DELIVERIES || !error.may_pass() {
                    self.pipeline.handle_poison(stage, body).await.unwrap();
                    break;
                }
            }
        }
        messages.len()
    }

    /// Handles messages until there are none.
    pub(crate) async fn drain_all(&self) {
        loop {
            let mut handled = 0;
            for stage in Stage::ALL {
                handled += self.drain(stage).await;
            }
            if handled == 0 {
                return;
            }
        }
    }

    /// Loses everything in the queue of `stage`; returns the messages.
    pub(crate) async fn lose(&self, stage: Stage) -> Vec<String> {
        take_all(self.pipeline.queue(stage)).await
    }

    /// Works with `workers` workers until the job has ended, on queues at their worst: messages come late, out
    /// of order and often twice, and others receive them while somebody works on them.
    pub(crate) async fn work(&self, workers: u64, seed: u64, id: JobId) -> Status {
        let stop = CancellationToken::new();
        let settings = WorkerSettings {
            slots: 2,
            lease: Duration::from_secs(10),
            retry_pause: Duration::from_millis(20),
            idle_pause: Duration::from_millis(100),
            grace: Duration::from_secs(10),
            sweep: None,
            leave_after: None,
        };
        let running: Vec<_> = (0..workers)
            .map(|number| {
                let weather = Weather {
                    duplicates: 500,
                    short_leases: 250,
                    reordering: 1_000,
                    late_ms: 60,
                    ..Weather::default()
                };
                let pipeline = self.in_storm(&Storm::new(weather, seed * 100 + number));
                tokio::spawn(worker::run(pipeline, settings, stop.clone()))
            })
            .collect();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
        while !self.state(id).await.is_final() {
            assert!(tokio::time::Instant::now() < deadline, "{:?}", self.pipeline.status(id).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What is left in the queues must not change a finished job.
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.cancel();
        for worker in running {
            worker.await.unwrap();
        }
        self.pipeline.status(id).await.unwrap()
    }

    pub(crate) async fn state(&self, id: JobId) -> State {
        self.pipeline.status(id).await.unwrap().state
    }

    /// Sweeps as if `hours` had gone by.
    pub(crate) async fn sweep_after(&self, hours: i64) -> skyblast::jobs::Sweep {
        self.sweep_after_seconds(hours * 3_600).await
    }

    /// Sweeps as if so many seconds had gone by.
    pub(crate) async fn sweep_after_seconds(&self, seconds: i64) -> skyblast::jobs::Sweep {
        self.pipeline.sweep(Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).await.unwrap()
    }

    /// The report in the format of the job or in another.
    pub(crate) async fn report(&self, id: JobId, format: Option<&str>) -> Vec<u8> {
        let format = format.map(|format| format.parse::<OutputFormat>().unwrap());
        let wanted = Wanted { format, partial: true, ..Wanted::default() };
        match self.pipeline.results(id, wanted).await.unwrap() {
            Report::Ready { content, .. } => content.try_collect::<Vec<_>>().await.unwrap().concat(),
            other => panic!("there is no report: {other:?}"),
        }
    }
}

/// Opens a container or a queue by name.
type Opener<S> = Box<dyn Fn(&str) -> skyblast::store::Result<Arc<S>>>;

fn services(folder: &TempDir, memory: Option<&MemoryStore>) -> (Opener<dyn BlobStore>, Opener<dyn Queue>) {
    if let Some(memory) = memory.cloned() {
        let queues = memory.clone();
        return (Box::new(move |name| Ok(memory.blobs(name))), Box::new(move |name| Ok(queues.queue(name))));
    }
    let store = LocalStore::open(&folder.path().join("store")).unwrap();
    let queues = store.clone();
    (
        Box::new(move |name| Ok(Arc::new(store.blobs(name)?) as Arc<dyn BlobStore>)),
        Box::new(move |name| Ok(Arc::new(queues.queue(name)?) as Arc<dyn Queue>)),
    )
}

fn open(
    folder: &TempDir,
    memory: Option<&MemoryStore>,
    settings: Settings,
    storm: Option<&Storm>,
) -> Arc<Pipeline> {
    let (blobs, queues) = services(folder, memory);
    let Some(storm) = storm else { return Arc::new(Pipeline::new(blobs, queues, settings).unwrap()) };
    let blobs = |name: &str| blobs(name).map(|blobs| storm.blobs(blobs));
    Arc::new(Pipeline::new(blobs, |name| queues(name).map(|queue| storm.queue(queue)), settings).unwrap())
}

/// Takes all messages out of a queue.
async fn take_all(queue: &Arc<dyn Queue>) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let deliveries = queue.receive(32, Duration::from_secs(60)).await.unwrap();
        if deliveries.is_empty() {
            return bodies;
        }
        for delivery in deliveries {
            queue.delete(&delivery).await.unwrap();
            bodies.push(delivery.body);
        }
    }
}
