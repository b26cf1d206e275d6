//! Finish: composes the report from its parts and closes the job.

use futures::TryStreamExt;
use jiff::Timestamp;

use super::error::Result;
use super::id::JobId;
use super::job::{FailedShard, Job, MAX_LISTED_FAILURES, Outcome, State};
use super::merge::{output_format, render_end, report_context};
use super::messages::JobMerged;
use super::names;
use super::pipeline::Pipeline;
use crate::report::OutputFormat;
use crate::store::BlobName;

impl Pipeline {
    pub(super) async fn finish(&self, message: JobMerged) -> Result<()> {
        let id = message.job;
        if let Some(outcome) = self.outcome(id).await? {
            self.close(id, outcome).await?;
            return Ok(());
        }
        if self.is_closed(id).await? {
            return Ok(());
        }
        let (job, plan) = self.job_and_plan(id).await?;
        if self.merged(id).await? < plan.chunks {
            return Ok(());
        }
        let parts = (0..plan.chunks).map(|chunk| names::text(id, chunk)).collect::<Result<Vec<_>>>()?;
        let format = output_format(&job)?;
        let end = render_end(&format, &report_context(&job)?, job.queries())?;
        let head = self.head(&job, &format).await?;
        self.jobs.compose_if_absent(&report(&job, &format)?, head, &parts, end.into()).await?;

        let (failed, shards_failed) = self.failures(id).await?;
        let state = if shards_failed == 0 { State::Completed } else { State::CompletedWithFailedShards };
        let outcome = Outcome {
            state,
            finished: Timestamp::now(),
            shards_done: plan.shards() - shards_failed,
            failed,
            shards_failed,
            reason: None,
            instance_milliseconds: Some(self.cost(id).await?),
        };
        self.close(id, outcome).await?;
        Ok(())
    }

    /// The shards that parts lack, and how many there are.
    async fn failures(&self, id: JobId) -> Result<(Vec<FailedShard>, u64)> {
        let mut failed = Vec::new();
        let mut count = 0;
        let mut listing = self.jobs.list(&names::all(id, "missing"));
        while let Some(blob) = listing.try_next().await? {
            let Some(chunk) = names::chunk_of(&blob.name) else { continue };
            for volume in self.read_json::<Vec<u32>>(&blob.name).await? {
                count += 1;
                if failed.len() < MAX_LISTED_FAILURES {
                    let record = self.find_json(&names::failed(id, chunk, volume)?).await?;
                    let unknown = || "no reason was recorded".to_owned();
                    failed.push(record.unwrap_or_else(|| FailedShard { chunk, volume, reason: unknown() }));
                }
            }
        }
        Ok((failed, count))
    }
}

/// Where a job's report lies.
pub(super) fn report(job: &Job, format: &OutputFormat) -> Result<BlobName> {
    names::of_job(job.id, &format!("report.{}", format.extension()))
}
