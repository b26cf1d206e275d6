//! Listing: which jobs somebody has, newest first.

use futures::TryStreamExt;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Result;
use super::id::JobId;
use super::job::{DatabaseRef, Job, State};
use super::names::{self, IndexEntry};
use super::pipeline::Pipeline;

/// Most jobs of a page.
pub const MAX_PAGE: usize = 200;
/// Entries that are looked at for a page, per job of it, if only some states are wanted.
const LOOKED_AT: usize = 10;
/// Entries that are looked at at the same time.
const READS_IN_FLIGHT: usize = 16;

/// What the index keeps of a job; never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Indexed {
    database: DatabaseRef,
    outfmt: String,
    /// The name of the key that it was submitted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
}

impl Indexed {
    pub(super) fn new(job: &Job, key: Option<&str>) -> Self {
        Self { database: job.database.clone(), outfmt: job.outfmt.clone(), key: key.map(str::to_owned) }
    }
}

/// A job as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Listed {
    /// The job.
    pub id: JobId,
    /// What somebody calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where it stands.
    pub state: State,
    /// When it was accepted.
    pub submitted: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// When it is removed, if it has ended.
    pub expires: Option<Timestamp>,
    /// What is searched.
    pub database: DatabaseRef,
    /// Format of the report.
    pub outfmt: String,
}

/// Which jobs are wanted.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Whose; without an owner, those that nobody owns.
    pub owner: Option<String>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those after this place, [`Page::next`] of the page before.
    pub after: Option<String>,
    /// At most so many, up to [`MAX_PAGE`].
    pub limit: usize,
}

/// Some jobs, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The jobs.
    pub searches: Vec<Listed>,
    /// Where the next page goes on; there is none without it. A page may have fewer jobs than asked for,
    /// or none, and yet a next one.
    pub next: Option<String>,
}

impl Pipeline {
    /// Lists jobs. [`Error::InvalidPlace`](super::Error::InvalidPlace) if the place to go on from is none.
    pub async fn list(&self, wanted: &Listing) -> Result<Page> {
        let limit = wanted.limit.clamp(1, MAX_PAGE);
        let owner = names::owner_key(wanted.owner.as_deref());
        let after = wanted.after.as_deref().map(|place| names::place(&owner, place)).transpose()?;
        let entries = self.ledger.index_of(&owner, after.as_ref());
        let looked_at = if wanted.state.is_some() { limit * LOOKED_AT } else { limit };
        let entries: Vec<IndexEntry> = entries.take(looked_at + 1).try_collect().await?;
        let mut read = stream::iter(entries.clone().into_iter().take(looked_at))
            .map(|entry| async move { self.listed(&entry).await })
            .buffered(READS_IN_FLIGHT);
        let (mut searches, mut seen) = (Vec::new(), 0_usize);
        while searches.len() < limit
            && let Some(listed) = read.try_next().await?
        {
            seen += 1;
            searches.extend(listed.filter(|job| wanted.state.is_none_or(|state| state == job.state)));
        }
        let last = seen.checked_sub(1).filter(|_| seen < entries.len());
        Ok(Page { searches, next: last.map(|last| entries[last].place()) })
    }

    /// What is shown of a job; `None` if it is gone.
    async fn listed(&self, entry: &IndexEntry) -> Result<Option<Listed>> {
        let Some(Indexed { database, outfmt, .. }) = self.ledger.indexed(entry).await? else {
            return Ok(None);
        };
        let latest = self.ledger.latest(entry.job).await?;
        if latest.outcome.is_none() && !self.ledger.has_request(entry.job).await? {
            return Ok(None);
        }
        let state = self.state_of(&latest).await?;
        let outcome = latest.outcome;
        Ok(Some(Listed {
            id: entry.job,
            label: self.label_of(entry.job).await?,
            state,
            submitted: entry.submitted,
            finished: outcome.as_ref().map(|outcome| outcome.finished),
            expires: outcome.as_ref().and_then(|outcome| self.expiry(outcome)),
            database,
            outfmt,
        }))
    }
}
