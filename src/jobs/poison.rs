//! Messages that were given up: their job must learn of it, or it would wait for ever.

use super::error::Result;
use super::job::State;
use super::messages::{self, ChunkSearched, JobMerged, JobSubmitted, ShardPlanned, Stage};
use super::pipeline::Pipeline;

/// Deliveries after which a message is given up; `maxDequeueCount` in `host.json`.
pub const MAX_DELIVERIES: u32 = 5;

impl Pipeline {
    /// Settles a message of `stage` that was delivered [`MAX_DELIVERIES`] times in vain: a shard is
    /// recorded as failed, any other step ends its job as failed.
    ///
    /// A body that is no message of ours belongs to no job; it is logged and dealt with.
    pub async fn handle_poison(&self, stage: Stage, body: &str) -> Result<()> {
        let settled = self.patiently(|| self.settle_poison(stage, body)).await;
        match settled {
            Err(error) if !error.is_retryable() => {
                tracing::error!(function = stage.poison_function(), %error, body, "dropped a poison message");
                Ok(())
            }
            other => other,
        }
    }

    async fn settle_poison(&self, stage: Stage, body: &str) -> Result<()> {
        let reason = format!(
            "given up after {MAX_DELIVERIES} attempts; the log of the function \"{}\" says why",
            stage.function()
        );
        let id = match stage {
            Stage::Search => {
                let shard: ShardPlanned = messages::parse(stage, body)?;
                if self.is_closed(shard.job).await? {
                    return Ok(());
                }
                let (_, plan) = self.job_and_plan(shard.job).await?;
                self.record_failure(shard, &reason).await?;
                return self.announce_complete_row(&plan, shard.job, shard.chunk).await;
            }
            Stage::Plan => messages::parse::<JobSubmitted>(stage, body)?.job,
            Stage::Merge => messages::parse::<ChunkSearched>(stage, body)?.job,
            Stage::Finish => messages::parse::<JobMerged>(stage, body)?.job,
        };
        self.job(id).await?;
        self.close_without_report(
            id,
            State::Failed,
            Some(format!("step \"{}\" was {reason}", stage.function())),
        )
        .await?;
        Ok(())
    }
}
