//! Queries that are too large for one request: sent first, then submitted by reference.
//!
//! An upload's id becomes the job's, so submitting it twice is submitting it once. The client sends the
//! queries straight to storage with a grant, or, if the store has none to give, in parts through the
//! server. A ticket says that the upload is wanted; sweep removes what has not been submitted in time.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::id::JobId;
use super::names;
use super::pipeline::Pipeline;
use crate::store::{Access, Grant};

/// How long a grant for an upload is valid; a client can have another.
const GRANT: Duration = Duration::from_secs(60 * 60);
/// An upload of this age has lost its client.
const LIFE: Duration = Duration::from_secs(2 * 24 * 60 * 60);
/// Largest part of an upload that goes through the server, in bytes.
pub const PART_BYTES: u64 = 8 << 20;
/// Most parts of an upload.
const MAX_PARTS: u32 = 1_000_000;

/// An upload that a client may fill.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its id, and that of the job it will be.
    pub id: JobId,
    /// Where to send the queries; without it they come in parts.
    pub grant: Option<Grant>,
}

/// What is remembered of an upload.
#[derive(Debug, Serialize, Deserialize)]
struct Ticket {
    owner: Option<String>,
    /// What the upload was submitted as; it can be submitted as nothing else.
    submitted_as: Option<String>,
}

impl Pipeline {
    /// Prepares an upload for `owner`.
    pub async fn begin_upload(&self, owner: Option<&str>) -> Result<Upload> {
        let id = JobId::random().map_err(|e| Error::Internal(e.to_string()))?;
        let ticket = Ticket { owner: owner.map(str::to_owned), submitted_as: None };
        self.jobs.put(&names::ticket(id)?, json(&ticket)?).await?;
        self.granted(id).await
    }

    /// Another grant for an upload of `owner`'s whose first has run out.
    pub async fn renew_upload(&self, id: JobId, owner: Option<&str>) -> Result<Upload> {
        self.ticket(id, owner).await?;
        self.granted(id).await
    }

    /// Stores part `number` (from 0) of an upload, at most [`PART_BYTES`] long.
    pub async fn put_part(&self, id: JobId, owner: Option<&str>, number: u32, part: Bytes) -> Result<()> {
        self.ticket(id, owner).await?;
        if part.len() as u64 > PART_BYTES || number >= MAX_PARTS {
            let reason = format!("parts have at most {PART_BYTES} bytes and numbers below {MAX_PARTS}");
            return Err(Error::InvalidUpload { id, reason });
        }
        self.jobs.put(&names::upload_part(id, number)?, part).await?;
        Ok(())
    }

    /// Whether an upload of `owner`'s is complete, that was sent straight to storage or in so many
    /// `parts`.
    pub(super) async fn check_upload(
        &self,
        id: JobId,
        owner: Option<&str>,
        parts: Option<u32>,
    ) -> Result<()> {
        self.ticket(id, owner).await?;
        let missing = |what: String| Error::InvalidUpload { id, reason: format!("{what} has not been sent") };
        let Some(parts) = parts else {
            let sent = self.exists(&names::input(id)?).await?;
            return if sent { Ok(()) } else { Err(missing("the content".to_owned())) };
        };
        let listing = self.jobs.list(&names::all(id, "upload/parts"));
        let sent: BTreeSet<_> = listing.map_ok(|blob| blob.name).try_collect().await?;
        for number in 0..parts {
            if !sent.contains(&names::upload_part(id, number)?) {
                return Err(missing(format!("part {number} of {parts}")));
            }
        }
        Ok(())
    }

    /// The content of an upload.
    pub(super) async fn open_upload(
        &self,
        id: JobId,
        parts: Option<u32>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let Some(parts) = parts else {
            return Ok(self.jobs.read(&names::input(id)?).await?.map_err(Error::from).boxed());
        };
        let jobs = self.jobs.clone();
        let contents = stream::iter(0..parts).then(move |number| {
            let jobs = jobs.clone();
            async move { Ok(jobs.get(&names::upload_part(id, number)?).await?) }
        });
        Ok(contents.boxed())
    }

    /// Reserves an upload for one request: `submitted_as` says all of it.
    pub(super) async fn claim_upload(
        &self,
        id: JobId,
        owner: Option<&str>,
        submitted_as: &str,
    ) -> Result<()> {
        let blob = names::ticket(id)?;
        let (found, tag) = match self.jobs.get_tagged(&blob).await {
            Err(error) if names::absent(&error) => return Err(Error::UnknownUpload(id)),
            other => other?,
        };
        let ticket = read(id, owner, &found)?;
        let taken = || {
            let reason = "it is being submitted with other options; begin another upload".to_owned();
            Error::InvalidUpload { id, reason }
        };
        match ticket.submitted_as.as_deref() {
            Some(before) if before == submitted_as => Ok(()),
            Some(_) => Err(taken()),
            None => {
                let claimed = Ticket { submitted_as: Some(submitted_as.to_owned()), ..ticket };
                match self.jobs.put_if_match(&blob, json(&claimed)?, &tag).await {
                    Err(error) if error.kind() == crate::store::ErrorKind::Conflict => Err(taken()),
                    other => Ok(other.map(|_| ())?),
                }
            }
        }
    }

    /// Removes an upload, but not the job that it has become.
    pub(super) async fn discard_upload(&self, id: JobId) -> Result<()> {
        let blobs: Vec<_> = self.jobs.list(&names::all(id, "upload")).try_collect().await?;
        for blob in blobs {
            self.jobs.delete(&blob.name).await?;
        }
        self.jobs.delete(&names::ticket(id)?).await?;
        Ok(())
    }

    /// Removes uploads whose clients have gone, as of `now`.
    pub(super) async fn discard_uploads(&self, now: Timestamp) -> Result<()> {
        let tickets: Vec<_> = self.jobs.list(names::UPLOADS).try_collect().await?;
        for ticket in tickets {
            let age = Duration::try_from(now.duration_since(ticket.modified)).unwrap_or_default();
            if let Some(id) = names::upload_of(&ticket.name).filter(|_| age >= LIFE) {
                self.discard_upload(id).await?;
                tracing::info!(upload = %id, "removed an upload that became no search");
            }
        }
        Ok(())
    }

    async fn granted(&self, id: JobId) -> Result<Upload> {
        Ok(Upload { id, grant: self.jobs.grant(&names::input(id)?, Access::Write, GRANT).await? })
    }

    async fn ticket(&self, id: JobId, owner: Option<&str>) -> Result<Ticket> {
        match self.jobs.get(&names::ticket(id)?).await {
            Err(error) if names::absent(&error) => Err(Error::UnknownUpload(id)),
            other => read(id, owner, &other?),
        }
    }
}

/// Reads a ticket; that of another owner does not exist.
fn read(id: JobId, owner: Option<&str>, found: &[u8]) -> Result<Ticket> {
    let ticket: Ticket = serde_json::from_slice(found)
        .map_err(|e| Error::Damaged { object: format!("uploads/{id}"), reason: e.to_string() })?;
    if ticket.owner.as_deref() == owner { Ok(ticket) } else { Err(Error::UnknownUpload(id)) }
}

fn json(ticket: &Ticket) -> Result<Bytes> {
    serde_json::to_vec(ticket).map(Bytes::from).map_err(|e| Error::Internal(e.to_string()))
}
