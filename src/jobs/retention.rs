//! Retention: jobs are kept for a while after their end, then removed, wherever they lie.
//!
//! An index has an entry per job, so that jobs are found by owner and age without reading them all. A
//! removal is written down first; from then on the job is unknown, and sweep deletes its blobs, some in
//! each run. A job that has not ended is never removed.

use std::time::Duration;

use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::id::JobId;
use super::job::{Job, Outcome};
use super::listing::Indexed;
use super::names::IndexEntry;
use super::pipeline::Pipeline;

/// How often sweep looks for jobs whose time is over.
const PERIOD: Duration = Duration::from_secs(60 * 60);
/// Most jobs whose removal is decided in a look.
const JOBS_PER_LOOK: usize = 1_000;
/// Most blobs that are deleted in a run.
const BLOBS_PER_RUN: u64 = 5_000;

/// When sweep last looked for jobs whose time is over; `retained.json`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Retained {
    at: Timestamp,
}

/// What happened to a job that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone for everybody; its blobs may take a while.
    Removed,
    /// It has not ended, so it stays.
    NotEnded,
}

impl Pipeline {
    /// When a job that has ended is removed, if ever.
    pub(super) fn expiry(&self, outcome: &Outcome) -> Option<Timestamp> {
        let kept = SignedDuration::try_from(self.settings.keep_jobs?).ok()?;
        outcome.finished.checked_add(kept).ok()
    }

    /// Removes a job that has ended; [`Error::UnknownJob`] if there is none.
    pub async fn remove(&self, id: JobId) -> Result<Removal> {
        let job = self.ledger.job(id).await?;
        if self.ledger.latest(id).await?.outcome.is_none() {
            return Ok(Removal::NotEnded);
        }
        self.begin_removal(&IndexEntry::of(&job)).await?;
        // Sweep does the rest.
        let mut budget = BLOBS_PER_RUN;
        self.go_on_removing(id, &mut budget).await?;
        Ok(Removal::Removed)
    }

    /// Goes on with removals, and once in a while looks which jobs' time is over as of `now`. Returns how
    /// many are gone altogether.
    pub(super) async fn retain(&self, now: Timestamp) -> Result<u64> {
        self.mark_expired(now).await?;
        let (mut removed, mut budget) = (0, BLOBS_PER_RUN);
        let mut removing = self.ledger.removing();
        while let Some(id) = removing.try_next().await? {
            if !self.go_on_removing(id, &mut budget).await? {
                break;
            }
            removed += 1;
        }
        Ok(removed)
    }

    async fn mark_expired(&self, now: Timestamp) -> Result<()> {
        let Some(kept) = self.settings.keep_jobs else { return Ok(()) };
        let over = |since: Timestamp, time: Duration| {
            Duration::try_from(now.duration_since(since)).is_ok_and(|passed| passed >= time)
        };
        if self.ledger.retained().await?.is_some_and(|last| !over(last.at, PERIOD)) {
            return Ok(());
        }
        let mut marked = 0;
        let mut entries = self.ledger.index();
        while let Some(entry) = entries.try_next().await? {
            if !over(entry.submitted, kept) {
                continue;
            }
            let expired = match self.ledger.latest(entry.job).await?.outcome {
                Some(outcome) => self.expiry(&outcome).is_some_and(|expiry| expiry <= now),
                // An entry whose job was never accepted, or is half removed.
                None => matches!(self.ledger.job(entry.job).await, Err(Error::UnknownJob(_))),
            };
            if expired {
                self.begin_removal(&entry).await?;
                marked += 1;
            }
            if marked >= JOBS_PER_LOOK {
                // The next run looks for the others.
                return Ok(());
            }
        }
        self.ledger.put_retained(&Retained { at: now }).await
    }

    /// Lets nobody know the job any more.
    async fn begin_removal(&self, entry: &IndexEntry) -> Result<()> {
        self.ledger.put_removing(entry).await?;
        self.ledger.delete_request(entry.job).await
    }

    /// Deletes what is left of a job that is being removed, at most `budget` blobs; `false` if that was not
    /// all.
    async fn go_on_removing(&self, id: JobId, budget: &mut u64) -> Result<bool> {
        *budget -= self.ledger.delete_some(id, *budget).await?;
        if *budget == 0 {
            return Ok(false);
        }
        self.ledger.delete_removed(id).await?;
        tracing::info!(job = %id, "removed a job");
        Ok(true)
    }

    /// Puts a job into the index; before it is accepted, so that none is ever missing from it.
    pub(super) async fn enter(&self, job: &Job, key: Option<&str>) -> Result<()> {
        self.ledger.put_index(&IndexEntry::of(job), &Indexed::new(job, key)).await
    }

    /// Removes a job that nobody has been told of.
    pub(super) async fn withdraw(&self, job: &Job) -> Result<()> {
        self.begin_removal(&IndexEntry::of(job)).await
    }
}
