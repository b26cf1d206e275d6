//! Search: compares one shard and stores its hits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chunk::QueryChunk;
use super::error::{Error, Result};
use super::frame::{self, Kind};
use super::id::JobId;
use super::job::{Job, Plan};
use super::messages::{ChunkSearched, ShardPlanned, Stage};
use super::pipeline::Pipeline;
use super::shard;
use crate::engine::Search;

impl Pipeline {
    /// A shard that cannot be compared however often it is tried is recorded as failed; that
    /// settles it too.
    pub(super) async fn search(&self, message: ShardPlanned) -> Result<()> {
        let ShardPlanned { job: id, chunk, volume } = message;
        if self.ledger.is_closed(id).await? {
            return Ok(());
        }
        let (job, plan) = self.job_and_plan(id).await?;
        if chunk >= plan.chunks || volume as usize >= plan.volumes.len() {
            let reason = format!("job {id} has no shard {chunk}/{volume}");
            return Err(Error::Message { stage: Stage::Search.function(), reason });
        }
        if !self.ledger.has_hits(message).await? {
            self.note_begun(id).await?;
            match self.compare(&job, &plan, chunk, volume).await {
                Ok((frame, spent)) => {
                    self.ledger.put_hits(message, frame).await?;
                    // The report does not depend on it.
                    if let Err(error) =
                        self.ledger.put_spent(message, spent.as_micros().div_ceil(1_000) as u64).await
                    {
                        tracing::warn!(job = %id, chunk, volume, %error, "could not record what a shard cost");
                    }
                }
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => self.record_failure(message, &error.to_string()).await?,
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
    ) -> Result<(bytes::Bytes, Duration)> {
        let started = Instant::now();
        let queries: QueryChunk = self.ledger.chunk(job.id, chunk).await?;
        let info = &plan.volumes[volume as usize];
        let subjects = self.catalog.volume(&job.database, info).await?;
        let (job, threads, first_ordinal) = (job.clone(), self.settings.threads, info.first_ordinal);
        let (id, fetched) = (job.id, started.elapsed());
        let comparisons = queries.queries.len() as u64 * info.sequences;
        tracing::debug!(job = %id, chunk, volume, "comparing a shard");
        let frame = Self::compute(move || {
            let search = Search::new(job.options, job.totals)?;
            let hits = shard::compare(&search, &queries, &*subjects, first_ordinal, threads, &|_| ());
            frame::encode(Kind::Hits, &hits)
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

    /// Announces the merge of a chunk if all its shards are settled. More than one shard may find
    /// that they are; merging twice does no harm.
    pub(super) async fn announce_complete_row(&self, plan: &Plan, id: JobId, chunk: u32) -> Result<()> {
        if self.ledger.settled_row(id, chunk).await?.len() == plan.volumes.len() {
            self.announce(Stage::Merge, &ChunkSearched { job: id, chunk }).await?;
        }
        Ok(())
    }
}
