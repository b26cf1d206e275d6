//! The index of jobs that were accepted before there was one.
//!
//! Nothing leads to them but their own blobs. So once, some of the store in each run, sweep looks through all
//! and gives every job an entry that has none: from then on it is listed, and removed when its time is over.

use futures::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::listing::Indexed;
use super::names::IndexEntry;
use super::pipeline::Pipeline;

/// Parts of the store, by the first byte of a job's id.
const PARTS: u32 = 256;
/// Parts that are looked through in a run.
const PARTS_PER_RUN: u32 = 16;

/// How far sweep has come; `indexed.json`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Reindexing {
    parts: u32,
}

impl Pipeline {
    /// Goes on with it; returns how many entries it made.
    pub(super) async fn reindex(&self) -> Result<u64> {
        let first = self.ledger.reindexing().await?.map_or(0, |reindexing| reindexing.parts);
        let end = PARTS.min(first.saturating_add(PARTS_PER_RUN));
        let mut made = 0;
        for part in first..end {
            let mut requests = self.ledger.requests(part);
            while let Some(id) = requests.try_next().await? {
                let job = match self.ledger.job(id).await {
                    Ok(job) => job,
                    // It is being removed, or nobody can read it.
                    Err(Error::UnknownJob(_) | Error::Damaged { .. }) => continue,
                    Err(error) => return Err(error),
                };
                let entry = IndexEntry::of(&job);
                made += u64::from(self.ledger.put_index_if_absent(&entry, &Indexed::new(&job, None)).await?);
            }
        }
        if end > first {
            self.ledger.put_reindexing(&Reindexing { parts: end }).await?;
        }
        if made > 0 {
            tracing::info!(jobs = made, "found jobs of an earlier version");
        }
        Ok(made)
    }
}
