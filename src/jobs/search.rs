//! Search: compares one shard and stores its hits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempt::Attempt;
use super::error::{Error, Result};
use super::hits;
use super::id::JobId;
use super::job::{Job, Plan};
use super::merger::Candidates;
use super::messages::{ChunkSearched, ShardPlanned, Stage};
use super::pipeline::Pipeline;
use super::shard;
use super::spill::{Spool, SpoolWriter};
use crate::engine::{Search, to_the_end};

impl Pipeline {
    /// A shard that cannot be compared however often it is tried is recorded as failed; that
    /// settles it too.
    pub(super) async fn search(&self, shard: ShardPlanned, attempt: Attempt) -> Result<()> {
        let ShardPlanned { job: id, chunk, volume } = shard;
        if self.has_ended(id).await? {
            return Ok(());
        }
        let (job, plan) = self.job_and_plan(id).await?;
        check_shard(&plan, shard)?;
        if attempt.repeated && self.ledger.has_hits(shard).await? {
            // Who compared it may have died before it told.
            if self.ledger.has_text(id, chunk).await? {
                return Ok(());
            }
            return self.announce_complete_row(&plan, id, chunk).await;
        }
        self.note_begun(id).await?;
        let started = Instant::now();
        match self.compare(&job, &plan, chunk, volume).await {
            Ok((frame, spent)) => {
                // What was compared should not have to be compared again.
                let put = || self.ledger.put_hits(shard, in_milliseconds(spent), frame.pieces());
                let waited_for = self.patiently(put).await?;
                // Somebody else looks at the row, later.
                if !waited_for && !attempt.repeated && (volume as usize) + 1 < plan.volumes.len() {
                    return Ok(());
                }
            }
            Err(error) => {
                // The report does not depend on it.
                if !error.is_retryable()
                    && let Err(error) = self.ledger.put_spent(shard, in_milliseconds(started.elapsed())).await
                {
                    tracing::warn!(job = %id, chunk, volume, %error, "could not record what a shard cost");
                }
                if attempt.may_follow(&error) {
                    return Err(error);
                }
                if let Error::VolumeDamaged { .. } = error {
                    self.catalog.note_damage(&plan.volumes[volume as usize]).await?;
                }
                self.record_failure(shard, &error.to_string()).await?;
            }
        }
        self.announce_complete_row(&plan, id, chunk).await
    }

    /// The hits of a shard in their stored form, and how long it took to get them.
    async fn compare(
        &self,
        job: &Arc<Job>,
        plan: &Plan,
        chunk: u32,
        volume: u32,
    ) -> Result<(Spool, Duration)> {
        let started = Instant::now();
        let info = &plan.volumes[volume as usize];
        self.check_memory(&job.database, info)?;
        let queries = self.queries(job.id, chunk).await?;
        let subjects = self.catalog.volume(&job.database, info).await?;
        let (job, threads, first_ordinal) = (job.clone(), self.settings.threads, info.first_ordinal);
        let (id, fetched) = (job.id, started.elapsed());
        let comparisons = queries.queries.len() as u64 * info.sequences;
        tracing::debug!(job = %id, chunk, volume, "comparing a shard");
        let room = self.settings.room;
        let frame = Self::compute(move || {
            let search = Search::new(job.options, job.totals)?.on_threads(threads).within(room);
            let mut found = Candidates::new(&job.options, room);
            let mut add = |list, hit| found.add(list, hit);
            shard::compare(&search, &queries, &*subjects, first_ordinal, None, &to_the_end, &mut add)?;
            let mut frame = SpoolWriter::new(room / 4);
            hits::write_shard(found.finish()?, &mut frame)?;
            Ok(frame.finish())
        })
        .await?;
        let spent = started.elapsed();
        let (fetch_ms, hits_bytes) = (fetched.as_millis() as u64, frame.len());
        tracing::debug!(chunk, volume, fetch_ms, hits_bytes, "what a shard took and gave");
        // The one line of a shard, of which there may be millions; hence without a parent, which would add
        // function and trace: the job's other lines say them.
        let seconds = (spent - fetched).as_millis() as f64 / 1e3;
        tracing::info!(parent: None, job = %id, chunk, volume, seconds, comparisons, "compared");
        Ok((frame, spent))
    }

    /// Records that a shard was given up, and why.
    pub(super) async fn record_failure(&self, shard: ShardPlanned, reason: &str) -> Result<()> {
        let ShardPlanned { job: id, chunk, volume } = shard;
        tracing::error!(job = %id, chunk, volume, reason, "a shard failed");
        self.ledger.put_failed(shard, reason).await
    }

    /// Announces the merge of a chunk if all its shards are settled, or else sees to it that somebody looks at
    /// the row again: leaves word with a shard that is not, most likely the last. The word lies where its hits
    /// will, so that either it finds the word or its hits are found here. More than one shard may find that all
    /// are settled; merging twice does no harm.
    pub(super) async fn announce_complete_row(&self, plan: &Plan, id: JobId, chunk: u32) -> Result<()> {
        loop {
            let unsettled = self.ledger.unsettled(id, chunk, plan.volumes.len()).await?;
            let Some(&volume) = unsettled.volumes.last() else {
                return self.announce(Stage::Merge, &ChunkSearched { job: id, chunk }).await;
            };
            let shard = ShardPlanned { job: id, chunk, volume };
            if unsettled.word_is_left || self.ledger.leave_word(shard).await? {
                return Ok(());
            }
        }
    }
}

/// Refuses a shard that the grid does not have.
pub(super) fn check_shard(plan: &Plan, shard: ShardPlanned) -> Result<()> {
    let ShardPlanned { job, chunk, volume } = shard;
    if chunk < plan.chunks && (volume as usize) < plan.volumes.len() {
        return Ok(());
    }
    let reason = format!("job {job} has no shard {chunk}/{volume}");
    Err(Error::Message { stage: Stage::Search.function(), reason })
}

pub(super) fn in_milliseconds(time: Duration) -> u64 {
    time.as_micros().div_ceil(1_000) as u64
}
