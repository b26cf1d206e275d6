//! Sweep: finds jobs that stand still and announces again what they wait for.
//!
//! Every step announces the next one after it has written its result, so a process that dies in
//! between loses nothing that redelivery does not bring back. What remains are messages lost for
//! good (a queue cleared, a message expired, an acceptance that could not be announced) and shards
//! that take for ever; sweep brings those back from the set of blobs alone.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::id::JobId;
use super::job::Plan;
use super::ledger::{Active, Settled};
use super::messages::{ChunkSearched, JobMerged, JobSubmitted, ShardPlanned, Stage};
use super::pipeline::Pipeline;
use super::trace::Trace;

/// How often a job's missing shards are announced again before they are given up.
const MAX_ROUNDS: u32 = 5;

/// How long an accepted job may wait for its plan, once its queries have been read: laying it out is
/// cheap and may be done twice.
const PLAN_STALL: Duration = Duration::from_secs(60);

/// What sweep remembers of a job; `swept.json`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Swept {
    at: Timestamp,
    /// How often in a row nothing had moved.
    rounds: u32,
    /// Number of settled shards then.
    settled: usize,
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

impl Pipeline {
    /// Looks at every job that is not closed, as of `now`, and once a day at the volumes.
    pub async fn sweep(&self, now: Timestamp) -> Result<Sweep> {
        let mut sweep = Sweep::default();
        let mut active = self.ledger.active();
        while let Some(Active { job: id, since }) = active.try_next().await? {
            sweep.active += 1;
            sweep.oldest = Some(sweep.oldest.map_or(since, |oldest| oldest.min(since)));
            // One job in trouble must not keep the others from being looked at.
            if let Err(error) = self.sweep_job(id, since, now, &mut sweep).await {
                tracing::error!(job = %id, %error, "could not sweep a job");
            }
        }
        if let Err(error) = self.discard_uploads(now).await {
            tracing::error!(%error, "could not look for uploads that became no search");
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

    async fn sweep_job(&self, id: JobId, marked: Timestamp, now: Timestamp, sweep: &mut Sweep) -> Result<()> {
        let idle_for = |since: Timestamp, limit: Duration| {
            Duration::try_from(now.duration_since(since)).is_ok_and(|idle| idle >= limit)
        };
        let stalled = |since: Timestamp| idle_for(since, self.settings.stall);
        if let Some(outcome) = self.ledger.outcome(id).await? {
            self.close(id, outcome).await?;
            return Ok(());
        }
        if self.ledger.is_cancelled(id).await? {
            self.cancel(id).await?;
            return Ok(());
        }
        let before = self.ledger.swept(id).await?;
        let last_look = before.map_or(marked, |swept| swept.at.max(marked));
        let plan = self.ledger.plan(id).await?;
        let read = plan.is_some() || self.ledger.read_job(id).await?.is_some();
        let accepted = read || self.ledger.intake(id).await?.is_some();
        let patience = if read { self.settings.stall.min(PLAN_STALL) } else { self.settings.stall };
        if plan.is_none() && accepted && idle_for(last_look, patience) {
            self.announce(Stage::Plan, &JobSubmitted { job: id, first_shard: 0 }).await?;
            sweep.announced += 1;
            return self.ledger.put_swept(id, &Swept { at: now, rounds: 0, settled: 0 }).await;
        }
        if !stalled(last_look) {
            return Ok(());
        }
        let job = match self.ledger.job(id).await {
            Err(Error::UnknownJob(_)) => {
                // The submitter died before it accepted the request.
                self.ledger.delete_all(id).await?;
                sweep.discarded += 1;
                return Ok(());
            }
            other => other?,
        };
        let Some(plan) = plan else { return Ok(()) };
        let Settled { shards: settled, newest } = self.ledger.settled(id).await?;
        if newest.is_some_and(|newest| !stalled(newest)) || !stalled(plan.planned.max(job.submitted)) {
            return Ok(());
        }
        let moved = before.is_none_or(|swept| swept.settled != settled.len());
        let rounds = if moved { 0 } else { before.map_or(0, |swept| swept.rounds) + 1 };
        let trace = job.trace.as_deref().and_then(|trace| trace.parse().ok());
        let trace = trace.unwrap_or_else(|| Trace::of(id)).child();
        trace.scope(self.revive(id, &plan, &settled, rounds, sweep)).await?;
        self.ledger.put_swept(id, &Swept { at: now, rounds, settled: settled.len() }).await
    }

    /// Announces everything that the job still needs, or gives up the shards it waits for.
    async fn revive(
        &self,
        id: JobId,
        plan: &Plan,
        settled: &BTreeSet<(u32, u32)>,
        rounds: u32,
        sweep: &mut Sweep,
    ) -> Result<()> {
        // While other shards wait in the queue, this job may just not have had its turn.
        let waiting = self.queue(Stage::Search).approximate_count().await? > 0;
        let mut complete = true;
        for chunk in 0..plan.chunks {
            let mut row_complete = true;
            for volume in 0..plan.volumes.len() as u32 {
                if settled.contains(&(chunk, volume)) {
                    continue;
                }
                let shard = ShardPlanned { job: id, chunk, volume };
                if rounds >= MAX_ROUNDS && !waiting {
                    let reason = format!("announced again {rounds} times without an answer");
                    self.record_failure(shard, &reason).await?;
                    sweep.given_up += 1;
                } else {
                    row_complete = false;
                    self.announce(Stage::Search, &shard).await?;
                    sweep.announced += 1;
                }
            }
            if row_complete && !self.ledger.has_text(id, chunk).await? {
                self.announce(Stage::Merge, &ChunkSearched { job: id, chunk }).await?;
                sweep.announced += 1;
                row_complete = false;
            }
            complete &= row_complete;
        }
        if complete {
            self.announce(Stage::Finish, &JobMerged { job: id }).await?;
            sweep.announced += 1;
        }
        Ok(())
    }
}
