//! What there is to do, as storage tells it now.

use futures::TryStreamExt;
use jiff::Timestamp;

use super::error::Result;
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

/// About how many shards wait or are being compared, by who is told of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnnouncedShards {
    /// Own workers alone.
    pub own: u64,
    /// The app, which own workers help.
    pub cloud: u64,
}

impl Pipeline {
    /// How many shards there are to compare: an operation per queue.
    pub async fn announced_shards(&self) -> Result<AnnouncedShards> {
        let own = self.own_shards().approximate_count().await?;
        let cloud = self.queue(Stage::Search).approximate_count().await?;
        Ok(AnnouncedShards { own, cloud })
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
