//! Plan: reads queries that were uploaded, lays out a job's grid, then announces its shards page by page.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::error::{Error, Result};
use super::job::{Job, Plan};
use super::messages::{JobSubmitted, ShardPlanned, Stage};
use super::names;
use super::pipeline::Pipeline;

/// Shards announced by one message: some seconds of work, so that a death costs little.
const PAGE: u64 = 1_000;
/// Messages that are sent at the same time.
const SENDS_IN_FLIGHT: usize = 16;

impl Pipeline {
    /// Writes the grid first, then announces shards, so that a repeat finds the same grid.
    pub(super) async fn plan(&self, message: JobSubmitted) -> Result<()> {
        let id = message.job;
        if self.is_closed(id).await? {
            return Ok(());
        }
        let job: Job = match self.find_json(&names::of_job(id, "job.json")?).await? {
            Some(job) => job,
            None => match self.take_in(id).await? {
                Some(job) => job,
                None => return Ok(()),
            },
        };
        let blob = names::of_job(id, "manifest.json")?;
        let plan = match self.find_plan(id).await? {
            Some(plan) => plan,
            None => {
                let plan = Plan {
                    planned: Timestamp::now(),
                    chunks: job.chunks.len() as u32,
                    volumes: self.volumes_of(&job).await?,
                };
                let json = serde_json::to_vec(&plan).map_err(|e| Error::Internal(e.to_string()))?;
                self.jobs.put_if_absent(&blob, json.into()).await?;
                self.read_json(&blob).await?
            }
        };
        let end = plan.shards().min(message.first_shard + PAGE);
        let shards = (message.first_shard..end).map(|shard| {
            let (chunk, volume) = plan.shard(shard);
            ShardPlanned { job: id, chunk, volume }
        });
        stream::iter(shards)
            .map(|shard| async move { self.patiently(|| self.announce(Stage::Search, &shard)).await })
            .buffer_unordered(SENDS_IN_FLIGHT)
            .try_collect::<()>()
            .await?;
        tracing::info!(job = %id, from = message.first_shard, to = end, of = plan.shards(), "announced shards");
        if end < plan.shards() {
            self.announce(Stage::Plan, &JobSubmitted { job: id, first_shard: end }).await?;
        }
        Ok(())
    }
}
