//! Finish: composes the report from its parts and closes the job.

use jiff::Timestamp;

use super::edition::Edition;
use super::error::{Error, Result};
use super::id::JobId;
use super::job::{FailedShard, Job, MAX_LISTED_FAILURES, Outcome, Plan, State};
use super::merge::{output_format, render_end, report_context};
use super::messages::{JobMerged, ShardPlanned};
use super::pipeline::Pipeline;

impl Pipeline {
    pub(super) async fn finish(&self, message: JobMerged) -> Result<()> {
        let edition = Edition { job: message.job, number: message.edition };
        if let Some(outcome) = self.ledger.outcome(edition).await? {
            self.close(edition, outcome).await?;
            return Ok(());
        }
        if self.ledger.is_closed(edition).await? {
            return Ok(());
        }
        let (job, plan) = self.job_and_plan(edition).await?;
        if !self.is_merged(&plan, edition.job).await? {
            return Ok(());
        }
        self.compose(&job, &plan).await?;
        let (failed, shards_failed) = self.failures(edition.job, &plan).await?;
        let state = if shards_failed == 0 { State::Completed } else { State::CompletedWithFailedShards };
        let outcome = Outcome {
            state,
            finished: Timestamp::now(),
            shards_done: plan.shards() - shards_failed,
            failed,
            shards_failed,
            reason: None,
            instance_milliseconds: self.ledger.spent(edition.job).await?,
        };
        self.close(edition, outcome).await?;
        Ok(())
    }

    /// Writes the report from the texts of all chunks.
    async fn compose(&self, job: &Job, plan: &Plan) -> Result<()> {
        let format = output_format(job)?.of_pieces();
        let end = render_end(&format, &report_context(job)?, job.queries())?;
        let head = self.head(job, plan, &format, None).await?;
        self.ledger.compose_report(job.id, plan, format.extension(), head, end.into()).await
    }

    /// Writes the report of a job that has ended once more, from what is left of what it was made of.
    pub(super) async fn restore_report(&self, job: &Job, plan: &Plan) -> Result<()> {
        tracing::warn!(job = %job.id, "the report is missing; making it again");
        for chunk in 0..plan.chunks {
            if !self.ledger.has_text(plan.edition_of(job.id, chunk), chunk).await?
                && !self.write_text(job, plan, chunk).await?
            {
                return Err(Error::Damaged {
                    object: format!("{}/text/{chunk:06}", job.id),
                    reason: "it is missing, and so are some of the hits that it was made of".to_owned(),
                });
            }
        }
        self.compose(job, plan).await
    }

    /// The shards that parts lack, and how many there are.
    async fn failures(&self, id: JobId, plan: &Plan) -> Result<(Vec<FailedShard>, u64)> {
        let missing = self.ledger.missing(id, plan).await?;
        let mut failed = Vec::new();
        for &shard in missing.iter().take(MAX_LISTED_FAILURES) {
            let ShardPlanned { chunk, volume, .. } = shard;
            let unknown = || FailedShard { chunk, volume, reason: "no reason was recorded".to_owned() };
            failed.push(self.ledger.failed(shard).await?.unwrap_or_else(unknown));
        }
        Ok((failed, missing.len() as u64))
    }
}
