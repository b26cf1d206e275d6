//! Plan: reads queries that were uploaded, lays out a job's grid, then announces its shards page by page.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::error::Result;
use super::job::Plan;
use super::messages::{JobSubmitted, ShardPlanned, Stage};
use super::pipeline::Pipeline;

/// Shards announced by one message: some seconds of work, so that a death costs little.
const PAGE: u64 = 1_000;
/// Messages that are sent at the same time.
const SENDS_IN_FLIGHT: usize = 16;

impl Pipeline {
    /// Writes the grid first, then announces shards, so that a repeat finds the same grid.
    pub(super) async fn plan(&self, message: JobSubmitted) -> Result<()> {
        let id = message.job;
        if self.ledger.is_closed(id).await? {
            return Ok(());
        }
        let job = match self.ledger.read_job(id).await? {
            Some(job) => job,
            None => match self.take_in(id).await? {
                Some(job) => job,
                None => return Ok(()),
            },
        };
        let plan = match self.ledger.plan(id).await? {
            Some(plan) => plan,
            None => {
                let plan =
                    Plan { planned: Timestamp::now(), chunks: job.chunks.len() as u32, volumes: job.volumes };
                self.ledger.put_plan(id, &plan).await?
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
