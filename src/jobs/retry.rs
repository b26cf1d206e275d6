//! Retry: shards that failed are compared again, and the report is made anew, as the next edition of its job.
//!
//! What the retry makes again is written down once, in the order marker, record, message: a process that dies in
//! between leaves a marker that the sweep takes away, or a job that it revives. Of several retries at the same time
//! the first to write the record has made the edition, and the others find it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::edition::{Latest, Remade};
use super::error::Result;
use super::id::JobId;
use super::job::{Job, Plan, State};
use super::messages::{ChunkSearched, JobSubmitted, Stage};
use super::pipeline::Pipeline;
use super::trace::Trace;

/// What came of wanting to try failed shards again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// They are tried again; where the job stands now.
    Begun(State),
    /// The job has not ended, perhaps because somebody has retried it before.
    NotEnded(State),
    /// It has ended in this state, and has no failed shards.
    NothingFailed(State),
    /// It has failed before its queries had been read, and they are gone.
    NoQueries,
}

impl Pipeline {
    /// Tries the failed shards of a job that has ended again, and makes its report anew; of one that has no report,
    /// all that has not been compared. [`UnknownJob`](super::Error::UnknownJob) if there is none.
    pub async fn retry(&self, id: JobId) -> Result<Retry> {
        let job = self.ledger.job(id).await?;
        let latest = self.ledger.latest(id).await?;
        let Latest { edition: before, outcome: Some(outcome) } = &latest else {
            if latest.edition.number > 0 {
                // Who made this edition may have died before it told; copies of the message do no harm.
                self.announce_retry(&job, latest.edition.number).await;
            }
            return Ok(Retry::NotEnded(self.state_of(&latest).await?));
        };
        if !outcome.can_be_retried() {
            return Ok(Retry::NothingFailed(outcome.state));
        }
        if self.ledger.read_job(id).await?.is_none() {
            return Ok(Retry::NoQueries);
        }
        let plan = self.ledger.plan(*before).await?;
        let edition = before.next();
        // From here on garbage collection spares the volumes that are still there.
        self.ledger.put_active(edition).await?;
        let chunks = match &plan {
            Some(plan) if outcome.state.has_report() => self.lacking_chunks(id, plan).await?,
            _ => (0..job.chunks.len() as u32).collect(),
        };
        let earlier =
            plan.map_or_else(|| Remade { edition: before.number, ..Remade::default() }, |plan| plan.remade);
        let remade = self.ledger.put_remade(edition, &earlier.next(chunks, Timestamp::now())).await?;
        tracing::info!(job = %id, edition = edition.number, chunks = remade.anew().count(), "retried a job");
        self.announce_retry(&job, edition.number).await;
        Ok(Retry::Begun(self.state_of(&Latest { edition, outcome: None }).await?))
    }

    /// The chunks whose parts lack shards.
    async fn lacking_chunks(&self, id: JobId, plan: &Plan) -> Result<BTreeSet<u32>> {
        let missing = self.ledger.missing(id, plan).await?;
        Ok(missing.into_iter().map(|shard| shard.chunk).collect())
    }

    async fn announce_retry(&self, job: &Job, edition: u32) {
        let message = JobSubmitted { job: job.id, edition };
        let trace = job.trace.as_deref().and_then(|trace| trace.parse().ok());
        let trace: Trace = trace.unwrap_or_else(|| Trace::of(job.id)).child();
        if let Err(error) = trace.scope(self.announce_again(Stage::Plan, &message)).await {
            tracing::warn!(job = %job.id, %error, "retried, but not announced; sweep will do it");
        }
    }

    /// Announces the merges of a retried job for which no shard is to be compared.
    pub(super) async fn announce_complete_rows(&self, job: &Job, plan: &Plan) -> Result<()> {
        let settled = self.ledger.settled(job.id, plan).await?;
        let volumes = 0..plan.volumes.len() as u32;
        let is_complete =
            |chunk: &u32| volumes.clone().all(|volume| settled.shards.contains(&(*chunk, volume)));
        for chunk in plan.remade.anew().filter(is_complete) {
            let merge = ChunkSearched { job: job.id, edition: plan.remade.edition, chunk };
            self.announce_again(Stage::Merge, &merge).await?;
        }
        Ok(())
    }

    /// The numbers of the shards of a retried job that are to be compared, in ascending order.
    pub(super) async fn lacking(&self, id: JobId, plan: &Plan) -> Result<Vec<u64>> {
        let settled = self.ledger.settled(id, plan).await?;
        let anew: BTreeSet<u32> = plan.remade.anew().collect();
        let is_lacking = |number: &u64| {
            let shard = plan.shard(*number);
            anew.contains(&shard.0) && !settled.shards.contains(&shard)
        };
        Ok((0..plan.shards()).filter(is_lacking).collect())
    }
}
