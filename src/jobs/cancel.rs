//! Cancel, and what else closes a job before its time.

use jiff::Timestamp;

use super::edition::{Edition, Latest};
use super::error::Result;
use super::id::JobId;
use super::job::{Outcome, State};
use super::pipeline::Pipeline;

/// How a job has ended that was to be cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// Its end.
    pub outcome: Outcome,
    /// Whether it had ended before.
    pub ended_before: bool,
}

impl Pipeline {
    /// Cancels a job: shards that are being compared stop within seconds, what waits is dropped. A job that
    /// has ended stays as it is.
    pub async fn cancel(&self, id: JobId) -> Result<Cancellation> {
        self.ledger.job(id).await?;
        let Latest { edition, outcome } = self.ledger.latest(id).await?;
        if let Some(outcome) = outcome {
            return Ok(Cancellation { outcome, ended_before: true });
        }
        self.ledger.put_cancelled(edition).await?;
        tracing::info!(job = %id, "cancelled a job");
        let outcome = self.close_without_report(edition, State::Cancelled, None).await?;
        Ok(Cancellation { ended_before: outcome.state != State::Cancelled, outcome })
    }

    /// Ends a job that will not have a report.
    pub(super) async fn close_without_report(
        &self,
        edition: Edition,
        state: State,
        reason: Option<String>,
    ) -> Result<Outcome> {
        let id = edition.job;
        let outcome = Outcome {
            state,
            finished: Timestamp::now(),
            shards_done: 0,
            failed: Vec::new(),
            shards_failed: 0,
            reason,
            instance_milliseconds: self.ledger.spent(id).await?,
        };
        let outcome = self.close(edition, outcome).await?;
        // Queries that have not been read will not be.
        if let Err(error) = self.ledger.delete_upload(id).await {
            tracing::warn!(job = %id, %error, "could not remove what was uploaded");
        }
        Ok(outcome)
    }
}
