//! What there is to do, as storage tells it now.

use futures::TryStreamExt;
use jiff::Timestamp;

use super::burst::Place;
use super::edition::Edition;
use super::error::Result;
use super::job::Plan;
use super::ledger::Active;
use super::messages::Stage;
use super::pipeline::Pipeline;

/// What there is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Jobs that have not ended.
    pub active: u64,
    /// When the first of them was accepted.
    pub oldest: Option<Timestamp>,
    /// About how many messages each queue has, those included that are being worked on.
    pub messages: Vec<(Stage, u64)>,
}

/// About how many shards there are to compare, those included that are being compared and those that have not been announced yet, by
/// who is told of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardsLeft {
    /// Own workers, and the app if the job is in both places.
    pub own: u64,
    /// The app, which own workers help.
    pub cloud: u64,
}

impl Pipeline {
    /// How many shards there are to compare: an operation per queue, a listing, and four operations for each job that has not ended.
    pub async fn shards_left(&self) -> Result<ShardsLeft> {
        let own = self.own_shards().approximate_count().await?;
        let cloud = self.queue(Stage::Search).approximate_count().await?;
        let (mut left, mut active) = (ShardsLeft { own, cloud }, self.ledger.active());
        while let Some(Active { edition, .. }) = active.try_next().await? {
            // What has not been laid out yet, or has ended meanwhile, has nothing to compare.
            let Some(job) = self.ledger.read_job(edition.job).await? else { continue };
            let Some(plan) = self.ledger.plan(edition).await? else { continue };
            let shards = self.unannounced(&plan, edition).await?;
            match job.placement.place {
                Place::Own | Place::Burst => left.own += shards,
                Place::Cloud => left.cloud += shards,
            }
        }
        Ok(left)
    }

    /// How many shards of a job have not been announced to the place where it is announced first.
    async fn unannounced(&self, plan: &Plan, edition: Edition) -> Result<u64> {
        let Some(announced) = self.ledger.announced(edition).await? else { return Ok(0) };
        let Some(slice) = self.ledger.slice(edition, announced.last).await? else { return Ok(0) };
        let end = slice.end(announced.last, plan.shards());
        if edition.number == 0 || end >= plan.shards() {
            return Ok(plan.shards().saturating_sub(end));
        }
        // A retry announces some shards only.
        let lacking = self.lacking(edition.job, plan).await?;
        Ok(lacking.into_iter().filter(|&number| number >= end).count() as u64)
    }

    /// What there is to do: a listing and an operation per queue.
    pub async fn backlog(&self) -> Result<Backlog> {
        let (mut backlog, mut jobs) = (Backlog::default(), self.ledger.active());
        while let Some(job) = jobs.try_next().await? {
            backlog.active += 1;
            backlog.oldest = Some(backlog.oldest.map_or(job.since, |oldest| oldest.min(job.since)));
        }
        for stage in Stage::ALL {
            backlog.messages.push((stage, self.queue(stage).approximate_count().await?));
        }
        Ok(backlog)
    }
}
