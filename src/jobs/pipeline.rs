//! The pipeline: what all its steps share, and the way from a message to a step.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::apart::Apart;
use super::attempt::Attempt;
use super::burst::Place;
use super::catalog::Catalog;
use super::chunk::QueryChunk;
use super::edition::Edition;
use super::error::{Error, Result};
use super::estimate::{Instances, Prices};
use super::id::JobId;
use super::job::{Job, Outcome, Plan};
use super::ledger::Ledger;
use super::messages::{self, Inbox, Message, OWN_SHARDS, ShardPlanned, Stage};
use super::names;
use super::poison::edition_of;
use super::recent_chunks::RecentChunks;
use super::spill::ROOM;
use super::tally::Tally;
use super::trace::Trace;
use super::volume_folder::VolumeFolder;
use crate::sequence::fasta;
use crate::store::{self, BlobStore, Queue, Written};

/// How long jobs are kept after their end unless asked otherwise.
pub const KEEP_JOBS: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// How a pipeline runs; none of it changes a report.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Threads that a shard is compared with.
    pub threads: NonZeroUsize,
    /// Memory for volumes that are kept open, bytes.
    pub volume_cache_bytes: u64,
    /// Memory that there is for all, bytes, if that is known.
    pub memory: Option<u64>,
    /// Memory that hits may take in one place before they go to a temporary file, bytes; a few places are in
    /// use at a time.
    pub room: usize,
    /// Residues per chunk, instead of what the size of the volumes suggests.
    pub chunk_residues: Option<u64>,
    /// The most that the queries of a search may be, decompressed.
    pub queries: fasta::Limits,
    /// How long a step retries by itself while storage does not answer, before it fails.
    pub patience: Duration,
    /// How long a job is kept after its end; `None` for ever.
    pub keep_jobs: Option<Duration>,
    /// How long a job may stand still before sweep announces its missing steps again.
    pub stall: Duration,
    /// How long a shard is compared at a time; then it lets others have a turn.
    pub turn: Duration,
    /// Instances in the cloud.
    pub instances: Instances,
    /// Where jobs are compared that do not say.
    pub place: Place,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            volume_cache_bytes: 1 << 30,
            memory: None,
            room: ROOM,
            chunk_residues: None,
            queries: query_limits(),
            patience: Duration::from_secs(300),
            keep_jobs: Some(KEEP_JOBS),
            stall: Duration::from_secs(900),
            turn: TURN,
            instances: Instances::default(),
            place: Place::default(),
        }
    }
}

/// How long a shard is compared at a time unless asked otherwise.
pub const TURN: Duration = Duration::from_secs(300);

/// Jobs that a process remembers to have begun.
const MAX_REMEMBERED: usize = 1_000;
/// How long a job that was found open is taken to be so. When one is cancelled, no shard begins after that.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Records and inputs far above what is known of proteins: the longest have some 50,000 residues, all of
/// Swiss-Prot some 200 million in 600,000 records. A chunk of them fits into memory several times.
fn query_limits() -> fasta::Limits {
    fasta::Limits {
        defline: 1 << 20,
        sequence: 4 << 20,
        bytes: 4_000_000_000,
        records: 5_000_000,
        residues: 2_000_000_000,
    }
}

/// One pipeline over one storage account or folder.
pub struct Pipeline {
    pub(super) ledger: Ledger,
    pub(super) catalog: Catalog,
    pub(super) queues: HashMap<&'static str, Arc<dyn Queue>>,
    pub(super) settings: Settings,
    recent: Mutex<Option<(Arc<Job>, Arc<Plan>)>>,
    /// Jobs of which this process has noted that they have begun.
    begun: Mutex<HashSet<JobId>>,
    recent_chunks: Mutex<RecentChunks>,
    /// The edition that was found open last, and when.
    open: Mutex<Option<(Edition, Instant)>>,
    /// For what may have ended a process.
    pub(super) apart: Option<Box<dyn Apart>>,
    /// Cancelled when the process is about to end.
    pub(super) leaving: CancellationToken,
    pub(super) tally: Tally,
    /// What Azure asks for the work.
    pub(super) prices: Prices,
    /// Held while a rate is measured.
    pub(super) calibrating: Mutex<()>,
}

impl Pipeline {
    /// A pipeline on the services that `blobs` and `queue` give by name.
    pub fn new(
        blobs: impl Fn(&str) -> store::Result<Arc<dyn BlobStore>>,
        queue: impl Fn(&str) -> store::Result<Arc<dyn Queue>>,
        settings: Settings,
    ) -> Result<Self> {
        let mut queues = HashMap::new();
        for name in Stage::queues().chain([OWN_SHARDS, super::doctor::QUEUE]) {
            queues.insert(name, queue(name)?);
        }
        Ok(Self {
            ledger: Ledger::new(blobs(names::JOBS)?),
            catalog: Catalog::new(blobs(names::DATABASES)?, settings.volume_cache_bytes),
            queues,
            settings,
            recent: Mutex::default(),
            begun: Mutex::default(),
            recent_chunks: Mutex::default(),
            open: Mutex::default(),
            apart: None,
            leaving: CancellationToken::new(),
            tally: Tally::default(),
            prices: Prices::default(),
            calibrating: Mutex::default(),
        })
    }

    /// The same pipeline, which keeps volumes of a store that is not on this machine in a folder.
    pub fn keeping_volumes_in(mut self, folder: VolumeFolder) -> Self {
        self.catalog.cache = Arc::new(self.catalog.cache.with_folder(folder));
        self
    }

    /// Lets shards that are being compared stop, put aside what they have found and announce themselves to others:
    /// the process is about to end.
    pub fn leave(&self) {
        self.leaving.cancel();
    }

    /// What the queries of a search are held to.
    pub fn query_limits(&self) -> fasta::Limits {
        self.settings.queries
    }

    /// The databases that can be searched.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The queue of a stage.
    pub fn queue(&self, stage: Stage) -> &Arc<dyn Queue> {
        &self.queues[stage.queue()]
    }

    /// The queue of shards that own workers alone are told of.
    pub fn own_shards(&self) -> &Arc<dyn Queue> {
        &self.queues[OWN_SHARDS]
    }

    /// The queue in which the shards of a job wait, those first that are in both places.
    pub(super) fn shards_of(&self, job: &Job) -> &Arc<dyn Queue> {
        match job.placement.place {
            Place::Own | Place::Burst => self.own_shards(),
            Place::Cloud => self.queue(Stage::Search),
        }
    }

    /// The queue for messages of a stage that were given up.
    pub fn poison_queue(&self, stage: Stage) -> &Arc<dyn Queue> {
        &self.queues[stage.poison_queue()]
    }

    /// The queue of an inbox.
    pub fn inbox(&self, inbox: Inbox) -> &Arc<dyn Queue> {
        match inbox {
            Inbox::Work(stage) => self.queue(stage),
            Inbox::Poison(stage) => self.poison_queue(stage),
        }
    }

    /// Handles a delivery, from 1, of a message from `inbox`.
    pub async fn deliver(&self, inbox: Inbox, body: &str, delivery: u32) -> Result<()> {
        self.deliver_until(inbox, body, delivery, &self.leaving).await
    }

    /// The same for somebody who may leave before the process does: a shard then stops as with [`Self::leave`].
    pub(super) async fn deliver_until(
        &self,
        inbox: Inbox,
        body: &str,
        delivery: u32,
        leaving: &CancellationToken,
    ) -> Result<()> {
        match inbox {
            Inbox::Work(stage) => self.handle_delivery(stage, body, delivery, leaving).await,
            Inbox::Poison(stage) => self.handle_poison(stage, body).await,
        }
    }

    /// Handles the first delivery of a message of `stage`.
    pub async fn handle(&self, stage: Stage, body: &str) -> Result<()> {
        self.handle_delivery(stage, body, 1, &self.leaving).await
    }

    /// Handles a delivery of a message of `stage`. May be called any number of times with the same
    /// message, also at the same time; `Ok` means that the message is dealt with.
    ///
    /// While storage does not answer it retries for [`Settings::patience`]. An error that
    /// [may pass](Error::may_pass) asks for another delivery, and is noted for those who give the message
    /// up. What can never succeed is written to the job and dealt with; an error is left for messages
    /// that belong to no job.
    async fn handle_delivery(
        &self,
        stage: Stage,
        body: &str,
        delivery: u32,
        leaving: &CancellationToken,
    ) -> Result<()> {
        if self.patiently(|| self.is_for_apart(stage, body, delivery)).await? {
            return self.work_apart(stage, body, delivery).await;
        }
        in_trace_of(stage.function(), stage, body, async {
            let tried = AtomicBool::new(delivery > 1 || messages::is_again(body));
            let handled = self.patiently(|| async {
                let repeated = tried.swap(true, Ordering::Relaxed);
                let (burst, slice) = (messages::is_burst(body), messages::slice_of(body));
                let attempt = Attempt { delivery, repeated, burst, slice };
                match stage {
                    Stage::Plan => self.plan(messages::parse(stage, body)?, attempt).await,
                    Stage::Search => self.search(messages::parse(stage, body)?, attempt, leaving).await,
                    Stage::Merge => self.merge(messages::parse(stage, body)?, attempt).await,
                    Stage::Finish => self.finish(messages::parse(stage, body)?).await,
                }
            });
            match handled.await {
                Err(error) => self.settle_failure(stage, body, delivery, error).await,
                Ok(()) => Ok(()),
            }
        })
        .await
    }

    /// Runs `step` until it succeeds, fails for good, or patience runs out.
    pub(super) async fn patiently<T, F>(&self, step: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let start = Instant::now();
        let mut pause = Duration::from_millis(500);
        loop {
            match step().await {
                Err(error) if error.is_retryable() && start.elapsed() + pause < self.settings.patience => {
                    tracing::warn!(%error, pause_ms = pause.as_millis() as u64, "storage failed, will retry");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(30));
                }
                result => return result,
            }
        }
    }

    /// Runs work that keeps a core busy where it does not hold up the pipeline's input and output.
    pub(super) async fn compute<T: Send + 'static>(
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|e| Error::Internal(e.to_string()))?
    }

    pub(super) async fn announce(&self, stage: Stage, message: &impl Message) -> Result<()> {
        self.send(stage, message, false).await
    }

    /// Announces what was, or may have been, announced before.
    pub(super) async fn announce_again(&self, stage: Stage, message: &impl Message) -> Result<()> {
        self.send(stage, message, true).await
    }

    async fn send(&self, stage: Stage, message: &impl Message, again: bool) -> Result<()> {
        let body = messages::text(message, trace_for(message), again)?;
        Ok(self.queue(stage).send(&body, Duration::ZERO).await?)
    }

    /// Announces a shard where those of its job wait; `again` if that was, or may have been, done before.
    pub(super) async fn announce_shard(&self, job: &Job, shard: ShardPlanned, again: bool) -> Result<()> {
        self.send_shard(job, shard, again, None).await
    }

    /// The same with a shard that calls for the slice behind the one that begins with `slice`, if that is given.
    pub(super) async fn send_shard(
        &self,
        job: &Job,
        shard: ShardPlanned,
        again: bool,
        slice: Option<u64>,
    ) -> Result<()> {
        // The cloud may have compared it when an own worker takes it up.
        let again = again || job.placement.place == Place::Burst;
        let body = messages::shard_text(&shard, trace_for(&shard), again, slice)?;
        Ok(self.shards_of(job).send(&body, Duration::ZERO).await?)
    }

    /// Announces a shard of a job in both places to the cloud.
    pub(super) async fn announce_to_cloud(&self, shard: ShardPlanned) -> Result<()> {
        let body = messages::burst_text(&shard, trace_for(&shard))?;
        Ok(self.queue(Stage::Search).send(&body, Duration::ZERO).await?)
    }

    /// Whether an edition that shards wait for has ended. Asked before every shard, so that an answer is
    /// good for some seconds; a shard too many does no harm.
    pub(super) async fn has_ended(&self, edition: Edition) -> Result<bool> {
        if let Some((open, looked)) = *self.open.lock().await
            && open == edition
            && looked.elapsed() < LOOK_AGAIN
        {
            return Ok(false);
        }
        let ended = self.ledger.has_outcome(edition).await?;
        *self.open.lock().await = (!ended).then(|| (edition, Instant::now()));
        Ok(ended)
    }

    /// Takes no job to be open any more without looking.
    pub(super) async fn look_again(&self) {
        *self.open.lock().await = None;
    }

    /// Lets go of what is kept from one message to the next.
    pub(super) async fn forget(&self) {
        *self.recent.lock().await = None;
        *self.recent_chunks.lock().await = RecentChunks::default();
        self.catalog.forget_volumes().await;
    }

    /// The queries of a chunk; kept for other shards.
    pub(super) async fn queries(&self, id: JobId, chunk: u32) -> Result<Arc<QueryChunk>> {
        if let Some(queries) = self.recent_chunks.lock().await.get(id, chunk) {
            return Ok(queries);
        }
        let queries = Arc::new(self.ledger.chunk(id, chunk).await?);
        self.recent_chunks.lock().await.keep(id, chunk, queries.clone());
        Ok(queries)
    }

    /// Job and plan of an edition that has been laid out; kept from one shard to the next.
    pub(super) async fn job_and_plan(&self, edition: Edition) -> Result<(Arc<Job>, Arc<Plan>)> {
        let id = edition.job;
        let is_it = |(job, plan): &&(Arc<Job>, Arc<Plan>)| plan.edition(job.id) == edition;
        if let Some((job, plan)) = self.recent.lock().await.as_ref().filter(is_it) {
            return Ok((job.clone(), plan.clone()));
        }
        let job = self.ledger.job(id).await?;
        let plan = self.ledger.plan(edition).await?.ok_or_else(|| Error::Damaged {
            object: format!("{id}/plan.json"),
            reason: "it is missing though shards have been announced".to_owned(),
        })?;
        let found = (Arc::new(job), Arc::new(plan));
        *self.recent.lock().await = Some(found.clone());
        Ok(found)
    }

    /// Notes that a shard of the job has been taken up: once per process, not per shard.
    pub(super) async fn note_begun(&self, id: JobId) -> Result<()> {
        let mut begun = self.begun.lock().await;
        if begun.contains(&id) {
            return Ok(());
        }
        self.ledger.put_begun(id).await?;
        if begun.len() >= MAX_REMEMBERED {
            begun.clear();
        }
        begun.insert(id);
        Ok(())
    }

    /// Writes how an edition ended, unless that is written already, and takes it off the list of active
    /// jobs. Returns what stands.
    pub(super) async fn close(&self, edition: Edition, outcome: Outcome) -> Result<Outcome> {
        let (standing, written) = self.ledger.put_outcome(edition, &outcome).await?;
        *self.open.lock().await = None;
        self.ledger.delete_active(edition).await?;
        if written == Written::Created {
            self.report_cost(edition, &standing).await;
        }
        Ok(standing)
    }
}

/// The trace that a message is sent in.
fn trace_for(message: &impl Message) -> Trace {
    Trace::current().unwrap_or_else(|| Trace::of(message.in_edition().job))
}

/// Runs the work on a message as part of its job's trace; what is logged says so.
pub(super) async fn in_trace_of<T>(
    function: &'static str,
    stage: Stage,
    body: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let job = edition_of(stage, body).ok().map(|edition| edition.job);
    let Some(parent) = messages::trace_of(body).or(job.map(Trace::of)) else { return work.await };
    let trace = parent.child();
    let job = job.map(tracing::field::display);
    let (trace_id, span_id, parent_id) = (trace.trace_id(), trace.span_id(), parent.span_id());
    let span = tracing::info_span!("function", function, job, trace_id, span_id, parent_id);
    let started = std::time::Instant::now();
    let timed = async {
        let done = work.await;
        let (seconds, ok) = (started.elapsed().as_secs_f64(), done.is_ok());
        match stage {
            // A shard has a line of its own.
            Stage::Search => tracing::debug!(seconds, ok, "handled a message"),
            _ => tracing::info!(seconds, ok, "handled a message"),
        }
        done
    };
    trace.scope(timed.instrument(span)).await
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("ledger", &self.ledger)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
