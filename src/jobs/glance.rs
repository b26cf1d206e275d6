//! What those ask who look at a job every few seconds: read from a few small blobs, whatever its size.

use std::time::Duration;

use super::error::Result;
use super::hits;
use super::id::JobId;
use super::job::{Job, Outcome, State};
use super::ledger::reader;
use super::messages::Stage;
use super::pipeline::Pipeline;

/// Chunks that are looked into for a hit; where there is none in so many, there may be one in the others.
const LOOKED_INTO: usize = 64;

/// What a search takes beside its comparisons: its messages wait to be noticed.
const OVERHEAD: Duration = Duration::from_secs(2);

/// What is supposed of a search whose queries have not been read.
const UNREAD: Duration = Duration::from_secs(60);

/// A job and how far it is, without counting its shards.
#[derive(Clone, Debug)]
pub struct Glance {
    /// The job.
    pub job: Job,
    /// In one word.
    pub state: State,
    /// How it has ended.
    pub outcome: Option<Outcome>,
}

impl Pipeline {
    /// A job and how far it is; [`UnknownJob`](super::Error::UnknownJob) if there is none.
    pub async fn glance(&self, id: JobId) -> Result<Glance> {
        let job = self.ledger.job(id).await?;
        let latest = self.ledger.latest(id).await?;
        let state = self.state_of(&latest).await?;
        Ok(Glance { job, state, outcome: latest.outcome })
    }

    /// Whether the report of a job has hits. If the first of many chunks have none, it is taken to have some.
    pub async fn may_have_hits(&self, job: &Job) -> Result<bool> {
        let latest = self.ledger.latest(job.id).await?;
        let Some(plan) = self.ledger.plan(latest.edition).await? else { return Ok(true) };
        for chunk in 0..job.chunks.len().min(LOOKED_INTO) as u32 {
            let merged_in = plan.edition_of(job.id, chunk);
            let Some(part) = self.ledger.part(merged_in, chunk).await? else { return Ok(true) };
            let (name, input) = (part.name().to_owned(), reader(self.ledger.read_part(&part).await?));
            let look = move || {
                let (_, mut hits) = hits::read_part(&name, input)?;
                Ok(hits.next().transpose()?.is_some())
            };
            if Self::compute(look).await? {
                return Ok(true);
            }
        }
        Ok(job.chunks.len() > LOOKED_INTO)
    }

    /// How long a job that has just been accepted is likely to take here, with what waits before it.
    pub async fn time_to_end(&self, job: &Job) -> Result<Duration> {
        if job.chunks.is_empty() {
            return Ok(UNREAD);
        }
        let threads = self.settings.threads.get() as u32;
        let shard = job.expected_shard_time(&job.volumes) / threads;
        let shards = job.chunks.len() * job.volumes.len();
        // Of other jobs nothing but the number of their shards is known.
        let waiting = self.queue(Stage::Search).approximate_count().await?;
        let work = shard.as_secs_f64() * shards as f64 + shard.as_secs_f64().max(1.0) * waiting as f64;
        Ok(OVERHEAD + Duration::try_from_secs_f64(work).unwrap_or(Duration::MAX / 2))
    }
}
