//! Messages that were given up: their job must learn of it, or it would wait for ever.

use super::error::{Error, Result};
use super::id::JobId;
use super::job::State;
use super::messages::{self, ChunkSearched, JobMerged, JobSubmitted, ShardPlanned, Stage};
use super::pipeline::{Pipeline, in_trace_of};

/// Deliveries after which a message is given up; `maxDequeueCount` in `host.json`.
pub const MAX_DELIVERIES: u32 = 5;

impl Pipeline {
    /// Settles a message of `stage` that was delivered [`MAX_DELIVERIES`] times in vain: a shard is
    /// recorded as failed, any other step ends its job as failed.
    ///
    /// A body that is no message of ours belongs to no job; it is logged and dealt with.
    pub async fn handle_poison(&self, stage: Stage, body: &str) -> Result<()> {
        let settling = self.patiently(|| self.settle_poison(stage, body));
        match in_trace_of(stage.poison_function(), stage, body, settling).await {
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
                if self.ledger.is_closed(shard.job).await? {
                    return Ok(());
                }
                let (_, plan) = self.job_and_plan(shard.job).await?;
                self.record_failure(shard, &reason).await?;
                return self.announce_complete_row(&plan, shard.job, shard.chunk).await;
            }
            _ => job_of(stage, body)?,
        };
        self.ledger.job(id).await?;
        let reason = format!("step \"{}\" was {reason}", stage.function());
        self.close_without_report(id, State::Failed, Some(reason)).await?;
        Ok(())
    }

    /// Ends the job of a step that damaged or missing blobs keep from ever succeeding; any other
    /// error is handed back. (Shards record their failures themselves.)
    pub(super) async fn fail_job(&self, stage: Stage, body: &str, error: Error) -> Result<()> {
        let hopeless = !error.is_retryable()
            && !matches!(error, Error::Message { .. } | Error::UnknownJob(_) | Error::Internal(_));
        if stage == Stage::Search || !hopeless {
            return Err(error);
        }
        let id = job_of(stage, body)?;
        tracing::error!(job = %id, function = stage.function(), %error, "a job failed");
        let reason = format!("step \"{}\" failed: {error}", stage.function());
        self.close_without_report(id, State::Failed, Some(reason)).await?;
        Ok(())
    }
}

/// The job that a message belongs to.
pub(super) fn job_of(stage: Stage, body: &str) -> Result<JobId> {
    Ok(match stage {
        Stage::Plan => messages::parse::<JobSubmitted>(stage, body)?.job,
        Stage::Search => messages::parse::<ShardPlanned>(stage, body)?.job,
        Stage::Merge => messages::parse::<ChunkSearched>(stage, body)?.job,
        Stage::Finish => messages::parse::<JobMerged>(stage, body)?.job,
    })
}
