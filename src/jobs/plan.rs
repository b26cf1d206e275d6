//! Plan: reads queries that were uploaded, lays out a job's grid, then announces its shards page by page.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::attempt::Attempt;
use super::edition::Edition;
use super::error::Result;
use super::job::{Job, Plan};
use super::messages::{JobSubmitted, Message, ShardPlanned, Stage};
use super::pipeline::Pipeline;
use crate::database::VolumeInfo;

/// Shards announced by one message: some seconds of work, so that a death costs little.
pub(super) const PAGE: u64 = 1_000;
/// Most volumes that are searched at the same time; each is read by an eighth of the instances then.
const MOST_ABREAST: u64 = 8;
/// Messages that are sent at the same time.
const SENDS_IN_FLIGHT: usize = 16;

/// A page of shards that somebody has begun to announce; `announced/<shard>.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    /// Whether that is done, and the next page announced.
    pub(super) announced: bool,
}

impl Pipeline {
    /// Writes the grid first, then announces shards, so that a repeat finds the same grid.
    pub(super) async fn plan(&self, message: JobSubmitted, attempt: Attempt) -> Result<()> {
        let (id, edition) = (message.job, message.in_edition());
        if self.ledger.is_closed(edition).await? {
            return Ok(());
        }
        let job = match self.ledger.read_job(id).await? {
            Some(job) => job,
            None => match self.take_in(id).await? {
                Some(job) => job,
                None => return Ok(()),
            },
        };
        let plan = match self.ledger.plan(edition).await? {
            Some(plan) => plan,
            None => {
                let plan = Plan::of(&job, self.abreast(&job.volumes));
                self.ledger.put_plan(edition, &plan).await?
            }
        };
        if !self.may_announce(message, attempt).await? {
            return Ok(());
        }
        if edition.number > 0 {
            return self.announce_lacking(&job, &plan, message).await;
        }
        let end = plan.shards().min(message.first_shard.saturating_add(PAGE));
        let shards = (message.first_shard..end).map(|shard| plan.message(id, shard));
        self.announce_shards(&job, shards.collect(), attempt.repeated).await?;
        tracing::info!(job = %id, from = message.first_shard, to = end, of = plan.shards(), "announced shards");
        if end < plan.shards() {
            self.announce(Stage::Plan, &JobSubmitted { first_shard: end, ..message }).await?;
        }
        self.ledger.finish_page(edition, message.first_shard).await
    }

    /// Whether a page is still to be announced. Copies of its message leave it to the one that came first:
    /// should that die, it is delivered again.
    async fn may_announce(&self, message: JobSubmitted, attempt: Attempt) -> Result<bool> {
        let (edition, first_shard): (Edition, u64) = (message.in_edition(), message.first_shard);
        if self.ledger.claim_page(edition, first_shard).await? {
            return Ok(true);
        }
        Ok(attempt.repeated
            && !self.ledger.page(edition, first_shard).await?.is_some_and(|page| page.announced))
    }

    /// Announces shards of a job where they wait, several at the same time; `again` if they may have been
    /// announced before.
    pub(super) async fn announce_shards(
        &self,
        job: &Job,
        shards: Vec<ShardPlanned>,
        again: bool,
    ) -> Result<()> {
        let announce = |shard| async move {
            // A message may have been sent though that seems to have failed.
            let again = AtomicBool::new(again);
            self.patiently(|| self.announce_shard(job, shard, again.swap(true, Ordering::Relaxed))).await
        };
        stream::iter(shards).map(announce).buffer_unordered(SENDS_IN_FLIGHT).try_collect().await
    }

    /// Announces shards of a job in both places to the cloud.
    pub(super) async fn announce_shards_to_cloud(&self, shards: Vec<ShardPlanned>) -> Result<()> {
        let announce = |shard| self.patiently(move || self.announce_to_cloud(shard));
        stream::iter(shards).map(announce).buffer_unordered(SENDS_IN_FLIGHT).try_collect().await
    }

    /// How many volumes are searched at the same time: as many as an instance keeps open. More would be
    /// fetched again and again, and fewer would send all instances to the same blob at once.
    fn abreast(&self, volumes: &[VolumeInfo]) -> u32 {
        let largest = volumes.iter().map(|volume| volume.bytes).max().unwrap_or(0).max(1);
        (self.settings.volume_cache_bytes / largest).clamp(1, MOST_ABREAST) as u32
    }
}
