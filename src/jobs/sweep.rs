//! Sweep: finds jobs that stand still and announces again what they wait for.
//!
//! Every step announces the next one after it has written its result, so a process that dies in
//! between loses nothing that redelivery does not bring back. What remains are messages lost for
//! good (a queue cleared, a message expired, an acceptance that could not be announced), and messages
//! that come back late, as those of a host that was killed; sweep brings those back from the set of
//! blobs alone.
//!
//! A job that only waits for its turn is left alone: as long as a message waits that was sent before the
//! job's last, so may the job's own. If none does, and the job has shards that nobody has announced, whoever should
//! have called for them is gone, or they were held back: sweep announces the next slice.
//!
//! All times are those of storage: a machine's own clock may be wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::burst::Place;
use super::edition::Edition;
use super::error::Result;
use super::hedge::Late;
use super::job::{Job, Plan};
use super::ledger::{Active, Announced, Settled, SweptTag};
use super::messages::{ChunkSearched, JobMerged, JobSubmitted, ShardPlanned, Stage};
use super::pipeline::Pipeline;
use super::trace::Trace;

/// How often a job's missing shards are announced again before they are given up: for about an hour, as each
/// time it is given longer.
const MAX_ROUNDS: u32 = 8;

/// How long an accepted job may wait for its plan, once its queries have been read: laying it out is
/// cheap and may be done twice.
const PLAN_STALL: Duration = Duration::from_secs(60);

/// A job is not taken to stand still before this, however short its shards are.
const LEAST_STALL: Duration = Duration::from_secs(30);

/// Messages that one sweep sends for one job; the next sweep goes on from there.
const MOST_ANNOUNCED: usize = 5_000;

/// Messages that one sweep sends for all jobs: what it can send before the next begins.
const MOST_IN_A_RUN: usize = 4 * MOST_ANNOUNCED;

/// Merges that one sweep announces for one job.
const MOST_MERGES: usize = 1_000;

/// A sweep begins with no further job after this.
const LIMIT: Duration = Duration::from_secs(60);

/// Jobs that are looked at at the same time.
const JOBS_AT_ONCE: usize = 8;

/// A sweep's messages are sent within so long after it looked at the clock, and those of storage's services
/// differ by less.
const MARGIN: Duration = Duration::from_secs(60);

/// What sweep remembers of a job; `swept.json`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Swept {
    /// When it announced something.
    at: Timestamp,
    /// How often in a row nothing had moved.
    rounds: u32,
    /// Number of settled shards then.
    settled: usize,
    /// Number of blobs then that others had put aside.
    #[serde(default)]
    turns: usize,
    /// The shard that the next sweep goes on from, if this one has not come to the end.
    #[serde(default)]
    next_shard: Option<u64>,
    /// When the job may have come to stand still, and is worth another look.
    #[serde(default)]
    look_again: Option<Timestamp>,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Jobs that are not closed.
    pub active: u64,
    /// When the one of them that was marked first was marked, which is when it was submitted.
    pub oldest: Option<Timestamp>,
    /// Messages that were sent again.
    pub announced: u64,
    /// Shards that were given up.
    pub given_up: u64,
    /// Requests that were never accepted and have been removed.
    pub discarded: u64,
    /// Jobs whose time was over, or that somebody removed, and that are gone now.
    pub removed: u64,
    /// Volumes that nothing referred to and that have been deleted.
    pub deleted_volumes: u64,
}

/// What a sweep knows when it begins.
#[derive(Debug)]
struct Look {
    now: Timestamp,
    /// For each queue, since when the message that has waited longest has been waiting.
    waiting: Vec<(String, Option<Timestamp>)>,
    /// How many messages may still be sent.
    messages_left: AtomicUsize,
}

impl Look {
    /// Whether a message in `queue` that was sent by `sent` may still be waiting for its turn.
    fn may_wait(&self, queue: &str, sent: Timestamp) -> bool {
        let since = self.waiting.iter().find(|(waiting, _)| waiting == queue).and_then(|(_, since)| *since);
        since.is_some_and(|since| since <= after(sent, MARGIN))
    }

    /// Whether any message waits in `queue`.
    fn is_waiting(&self, queue: &str) -> bool {
        self.waiting.iter().any(|(waiting, since)| waiting == queue && since.is_some())
    }

    /// Lets somebody send so many messages or fewer; returns how many.
    fn allow(&self, wanted: usize) -> usize {
        let take = |left: usize| Some(left.saturating_sub(wanted));
        let left = self.messages_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        left.unwrap_or_default().min(wanted)
    }

    /// Takes back what was allowed and is not sent.
    fn give_back(&self, messages: usize) {
        self.messages_left.fetch_add(messages, Ordering::Relaxed);
    }

    fn has_passed(&self, since: Timestamp, limit: Duration) -> bool {
        self.now >= after(since, limit)
    }
}

fn after(time: Timestamp, span: Duration) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// The trace of a job, with a span of its own.
fn trace_of(job: &Job) -> Trace {
    let trace = job.trace.as_deref().and_then(|trace| trace.parse().ok());
    trace.unwrap_or_else(|| Trace::of(job.id)).child()
}

impl Pipeline {
    /// Looks at every job that is not closed, as of `now` by this machine's clock, and once a day at the
    /// volumes.
    pub async fn sweep(&self, now: Timestamp) -> Result<Sweep> {
        let started = Instant::now();
        let now = self.by_storage_clock(now).await?;
        let mut waiting = Vec::new();
        for queue in Stage::ALL.map(|stage| self.queue(stage)).into_iter().chain([self.own_shards()]) {
            waiting.push((queue.name().to_owned(), queue.waiting_since().await?));
        }
        let look = Look { now, waiting, messages_left: AtomicUsize::new(MOST_IN_A_RUN) };
        let mut active: Vec<Active> = self.ledger.active().try_collect().await?;
        let mut sweep = Sweep {
            active: active.len() as u64,
            oldest: active.iter().map(|active| active.since).min(),
            ..Sweep::default()
        };
        // Those that a sweep had no time for are first sooner or later.
        let places = active.len().max(1) as u64;
        active.rotate_left((getrandom::u64().unwrap_or_default() % places) as usize);
        let look = &look;
        let looks: Vec<BoxFuture<'_, Sweep>> =
            active.into_iter().map(|active| self.look_at(active, look, started).boxed()).collect();
        let mut swept = stream::iter(looks).buffer_unordered(JOBS_AT_ONCE);
        while let Some(job) = swept.next().await {
            sweep.announced += job.announced;
            sweep.given_up += job.given_up;
            sweep.discarded += job.discarded;
        }
        if let Err(error) = self.discard_uploads(now).await {
            tracing::error!(%error, "could not look for uploads that became no search");
        }
        if let Err(error) = self.reindex().await {
            tracing::error!(%error, "could not look for jobs of earlier versions");
        }
        match self.retain(now).await {
            Ok(removed) => sweep.removed = removed,
            Err(error) => tracing::error!(%error, "could not remove jobs whose time is over"),
        }
        match self.collect_daily(now).await {
            Ok(garbage) => sweep.deleted_volumes = garbage.deleted,
            Err(error) => tracing::error!(%error, "could not look for volumes that nothing refers to"),
        }
        Ok(sweep)
    }

    /// Looks at a job unless time is up. One in trouble must not keep the others from being looked at.
    async fn look_at(&self, active: Active, look: &Look, started: Instant) -> Sweep {
        if started.elapsed() >= LIMIT {
            return Sweep::default();
        }
        self.sweep_job(active, look).await.unwrap_or_else(|error| {
            tracing::error!(job = %active.edition.job, %error, "could not sweep a job");
            Sweep::default()
        })
    }

    /// What storage's clock shows when this machine's shows `now`.
    async fn by_storage_clock(&self, now: Timestamp) -> Result<Timestamp> {
        let ours = Timestamp::now();
        let theirs = self.ledger.clock().await?;
        // Not before what storage has just shown: what was written until then has its age.
        let ahead = now.duration_since(ours).max(SignedDuration::ZERO);
        Ok(theirs.checked_add(ahead).unwrap_or(theirs))
    }

    async fn sweep_job(&self, active: Active, look: &Look) -> Result<Sweep> {
        let Active { edition, since: marked } = active;
        let id = edition.job;
        let (before, tag) = self.ledger.swept(edition).await?;
        if before.and_then(|before| before.look_again).is_some_and(|time| look.now < time) {
            return Ok(Sweep::default());
        }
        if let Some(outcome) = self.ledger.outcome(edition).await? {
            self.close(edition, outcome).await?;
            return Ok(Sweep::default());
        }
        if self.ledger.is_cancelled(edition).await? {
            self.cancel(id).await?;
            return Ok(Sweep::default());
        }
        if edition.number > 0 && self.ledger.remade(edition).await?.is_none() {
            return self.sweep_unaccepted_retry(edition, marked, look).await;
        }
        let moved = before.map_or(marked, |before| before.at.max(marked));
        let Some(plan) = self.ledger.plan(edition).await? else {
            return self.sweep_unplanned(edition, moved, tag, look).await;
        };
        let job = self.ledger.job(id).await?;
        let is_in_both = job.placement.place == Place::Burst;
        let burst = if is_in_both {
            let settled = self.ledger.settled(id, &plan).await?;
            trace_of(&job).scope(self.burst(&job, &plan, &settled, look.now)).await?
        } else {
            0
        };
        if burst > 0 {
            return Ok(Sweep { announced: burst, ..Sweep::default() });
        }
        let Some(announced) = self.ledger.announced(edition).await? else {
            return self.sweep_unplanned(edition, moved, tag, look).await;
        };
        // What was announced last may wait behind others.
        if look.may_wait(self.shards_of(&job).name(), announced.newest.max(moved)) {
            return Ok(Sweep::default());
        }
        let end = match self.announce_next(&job, &plan, &announced, look).await? {
            (end, 0) => end,
            (_, announced) => return Ok(Sweep { announced, ..Sweep::default() }),
        };
        let settled = self.ledger.settled(id, &plan).await?;
        let so_far = (settled.shards.len(), settled.turns);
        let stands = before.filter(|before| (before.settled, before.turns) == so_far);
        let rounds = stands.map_or(0, |before| before.rounds);
        // What has just been announced again as the job stood still is not late.
        let late = if end == plan.shards() && rounds == 0 {
            let (are_idle, most) =
                (!look.is_waiting(self.shards_of(&job).name()), look.allow(MOST_ANNOUNCED));
            let hedge = self.hedge(&job, &plan, &announced, &settled, are_idle, most, look.now);
            let late = trace_of(&job).scope(Box::pin(hedge)).await?;
            look.give_back(most - late.announced as usize);
            late
        } else {
            Late::default()
        };
        if late.announced > 0 {
            return Ok(Sweep { announced: late.announced, ..Sweep::default() });
        }
        let moved = moved.max(settled.newest.unwrap_or(moved)).max(late.last.unwrap_or(moved));
        let next_shard = before.and_then(|before| before.next_shard);
        let stall = self.stall(&job, &plan, &settled, rounds);
        let (settled_then, turns) = so_far;
        let swept = Swept { at: moved, rounds, settled: settled_then, turns, next_shard, look_again: None };
        if next_shard.is_none() && !look.has_passed(moved, stall) {
            // One in both places, or with more to announce, is looked at by each sweep.
            let then = after(moved, stall);
            let then = late.next.map_or(then, |next| next.min(then));
            let look_again = (!is_in_both && end == plan.shards()).then_some(then);
            let swept = Swept { look_again, ..swept };
            self.ledger.replace_swept(edition, &swept, tag.as_ref()).await?;
            return Ok(Sweep::default());
        }
        trace_of(&job).scope(Box::pin(self.revive(&job, &plan, end, settled, swept, tag, look))).await
    }

    /// Announces the next slice of a job that nobody has called for, or the rest of one that was begun; returns number of
    /// the shard behind the last that has been announced, and of how many it has announced now.
    async fn announce_next(
        &self,
        job: &Job,
        plan: &Plan,
        announced: &Announced,
        look: &Look,
    ) -> Result<(u64, u64)> {
        let Announced { last, last_written, .. } = *announced;
        let Some(slice) = self.ledger.slice(plan.edition(job.id), last).await? else { return Ok((last, 0)) };
        let end = slice.end(last, plan.shards());
        let trace = trace_of(job);
        let new = match slice.announced {
            true => trace.scope(self.announce_after(job, plan, last, false)).await?,
            false if look.has_passed(last_written, MARGIN) => {
                trace.scope(self.announce_rest(job, plan, last)).await?
            }
            // Somebody is about to.
            false => 0,
        };
        Ok((end, new))
    }

    /// A job that has no plan is announced again, or removed if it was never accepted.
    async fn sweep_unplanned(
        &self,
        edition: Edition,
        moved: Timestamp,
        tag: Option<SweptTag>,
        look: &Look,
    ) -> Result<Sweep> {
        let id = edition.job;
        let read = self.ledger.read_job(id).await?.is_some();
        let accepted = read || self.ledger.intake(id).await?.is_some();
        let stall = if read { self.settings.stall.min(PLAN_STALL) } else { self.settings.stall };
        if !look.has_passed(moved, stall) || accepted && look.may_wait(Stage::Plan.queue(), moved) {
            return Ok(Sweep::default());
        }
        if !accepted {
            // The submitter died before it accepted the request.
            self.ledger.delete_all(id).await?;
            return Ok(Sweep { discarded: 1, ..Sweep::default() });
        }
        let swept =
            Swept { at: look.now, rounds: 0, settled: 0, turns: 0, next_shard: None, look_again: None };
        if !self.ledger.replace_swept(edition, &swept, tag.as_ref()).await? {
            return Ok(Sweep::default());
        }
        self.announce(Stage::Plan, &JobSubmitted { job: id, edition: edition.number }).await?;
        Ok(Sweep { announced: 1, ..Sweep::default() })
    }

    /// A retry whose process died before it was accepted leaves nothing but its marker, which is taken away.
    async fn sweep_unaccepted_retry(
        &self,
        edition: Edition,
        marked: Timestamp,
        look: &Look,
    ) -> Result<Sweep> {
        if !look.has_passed(marked, self.settings.stall) {
            return Ok(Sweep::default());
        }
        self.ledger.delete_active(edition).await?;
        Ok(Sweep { discarded: 1, ..Sweep::default() })
    }

    /// How long a job may stand still: three times what most of its shards took, and twice as long each time
    /// that it was to no avail.
    fn stall(&self, job: &Job, plan: &Plan, settled: &Settled, rounds: u32) -> Duration {
        let shard = settled.most_took(1).unwrap_or_else(|| job.expected_shard_time(&plan.volumes));
        let stall = (shard * 3).max(LEAST_STALL.min(self.settings.stall));
        stall.saturating_mul(1 << rounds.min(16)).min(stall.max(self.settings.stall))
    }

    /// Announces what the job still needs of the shards up to `end`, as far as one sweep may, or gives up those that it
    /// waits for.
    #[allow(clippy::too_many_arguments, reason = "what one sweep knows of one job")]
    async fn revive(
        &self,
        job: &Job,
        plan: &Plan,
        end: u64,
        mut settled: Settled,
        before: Swept,
        tag: Option<SweptTag>,
        look: &Look,
    ) -> Result<Sweep> {
        let (id, edition) = (job.id, plan.edition(job.id));
        let from = before.next_shard.unwrap_or(0);
        let allowed = look.allow(MOST_ANNOUNCED);
        if allowed == 0 {
            return Ok(Sweep::default());
        }
        let in_cloud = self.ledger.burst(id).await?.0;
        let is_paid = |number| in_cloud.as_ref().is_some_and(|burst| burst.has(number));
        let missing = (from..plan.shards())
            .filter(|&number| number < end || is_paid(number))
            .filter(|&number| !settled.shards.contains(&plan.shard(number)))
            .take(allowed + 1);
        let mut missing: Vec<u64> = missing.collect();
        let next_shard = (missing.len() > allowed).then(|| missing.pop()).flatten();
        look.give_back(allowed - missing.len());
        let rounds = before.rounds + u32::from(next_shard.is_none());
        let swept = Swept { at: look.now, rounds, next_shard, look_again: None, ..before };
        // Of several sweeps at the same time one goes on; and should it die, the next does from there.
        if !self.ledger.replace_swept(edition, &swept, tag.as_ref()).await? {
            return Ok(Sweep::default());
        }
        let mut sweep = Sweep::default();
        if before.rounds >= MAX_ROUNDS {
            let reason = format!("announced again {} times without an answer", before.rounds);
            for &number in &missing {
                self.record_failure(plan.message(id, number), &reason).await?;
                settled.shards.insert(plan.shard(number));
            }
            sweep.given_up = missing.len() as u64;
        } else {
            let shards: Vec<ShardPlanned> = missing.iter().map(|&number| plan.message(id, number)).collect();
            let paid = missing.iter().zip(&shards).filter(|&(&number, _)| is_paid(number));
            self.announce_shards_to_cloud(paid.map(|(_, shard)| *shard).collect()).await?;
            self.announce_shards(job, shards, true).await?;
            sweep.announced = missing.len() as u64;
        }
        tracing::info!(job = %id, rounds = before.rounds, missing = missing.len(), "a job stood still");
        if look.may_wait(Stage::Merge.queue(), before.at) {
            return Ok(sweep);
        }
        let mut rows = vec![0; plan.chunks as usize];
        for &(chunk, _) in &settled.shards {
            if let Some(row) = rows.get_mut(chunk as usize) {
                *row += 1;
            }
        }
        let complete = (0..).zip(rows).filter(|&(_, row)| row == plan.volumes.len()).map(|(chunk, _)| chunk);
        let allowed = look.allow(MOST_MERGES);
        let unmerged: Vec<u32> =
            complete.filter(|chunk| !settled.texts.contains(chunk)).take(allowed).collect();
        look.give_back(allowed - unmerged.len());
        for chunk in unmerged {
            self.announce_again(Stage::Merge, &ChunkSearched { job: id, edition: edition.number, chunk })
                .await?;
            sweep.announced += 1;
        }
        if settled.texts.len() == plan.chunks as usize {
            self.announce_again(Stage::Finish, &JobMerged { job: id, edition: edition.number }).await?;
            sweep.announced += 1;
        }
        Ok(sweep)
    }
}
