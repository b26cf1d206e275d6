//! Plan: reads queries that were uploaded, lays out a job's grid, then announces the first of its shards.

use super::attempt::Attempt;
use super::error::Result;
use super::job::Plan;
use super::messages::{JobSubmitted, Message};
use super::pipeline::Pipeline;
use crate::database::VolumeInfo;

/// Most volumes that are searched at the same time; each is read by an eighth of the instances then.
const MOST_ABREAST: u64 = 8;

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
        if edition.number > 0 {
            self.announce_complete_rows(&job, &plan).await?;
        }
        self.announce_first(&job, &plan, attempt.repeated).await.map(drop)
    }

    /// How many volumes are searched at the same time: as many as an instance keeps open. More would be
    /// fetched again and again, and fewer would send all instances to the same blob at once.
    fn abreast(&self, volumes: &[VolumeInfo]) -> u32 {
        let largest = volumes.iter().map(|volume| volume.bytes).max().unwrap_or(0).max(1);
        (self.settings.volume_cache_bytes / largest).clamp(1, MOST_ABREAST) as u32
    }
}
