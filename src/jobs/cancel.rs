//! Cancel, and what else closes a job before its time.

use bytes::Bytes;
use futures::TryStreamExt;
use jiff::Timestamp;

use super::error::Result;
use super::id::JobId;
use super::job::{Outcome, State};
use super::names;
use super::pipeline::Pipeline;

/// Blobs that are deleted at the same time.
const DELETIONS_IN_FLIGHT: usize = 16;

impl Pipeline {
    /// Cancels a job: what is running is finished for nothing, what waits is dropped. A job that
    /// has ended stays as it is. Returns how the job ended.
    pub async fn cancel(&self, id: JobId) -> Result<Outcome> {
        self.job(id).await?;
        if let Some(outcome) = self.outcome(id).await? {
            return Ok(outcome);
        }
        self.jobs.put(&names::of_job(id, "cancelled")?, Bytes::new()).await?;
        tracing::info!(job = %id, "cancelled a job");
        self.close_without_report(id, State::Cancelled, None).await
    }

    /// Ends a job that will not have a report.
    pub(super) async fn close_without_report(
        &self,
        id: JobId,
        state: State,
        reason: Option<String>,
    ) -> Result<Outcome> {
        let outcome = Outcome {
            state,
            finished: Timestamp::now(),
            shards_done: 0,
            failed: Vec::new(),
            shards_failed: 0,
            reason,
            instance_milliseconds: Some(self.cost(id).await?),
        };
        let outcome = self.close(id, outcome).await?;
        // Queries that have not been read will not be.
        if let Err(error) = self.discard_upload(id).await {
            tracing::warn!(job = %id, %error, "could not remove what was uploaded");
        }
        Ok(outcome)
    }

    /// Removes everything of a request that was not accepted.
    pub(super) async fn discard(&self, id: JobId) -> Result<()> {
        let blobs = self.jobs.list(&format!("{id}/"));
        blobs
            .try_for_each_concurrent(DELETIONS_IN_FLIGHT, |blob| async move {
                self.jobs.delete(&blob.name).await.map(|_| ())
            })
            .await?;
        self.jobs.delete(&names::active(id)?).await?;
        Ok(())
    }
}
