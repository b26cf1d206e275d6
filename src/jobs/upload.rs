//! Queries that are too large for one request: sent first, then submitted by reference.
//!
//! An upload's id becomes the job's, so submitting it twice is submitting it once. The client sends the
//! queries straight to storage with a grant, or, if the store has none to give, in parts through the
//! server. A ticket says that the upload is wanted; sweep removes what has not been submitted in time.

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::id::JobId;
use super::pipeline::Pipeline;
use crate::store::Grant;

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
pub(super) struct Ticket {
    owner: Option<String>,
    /// What the upload was submitted as; it can be submitted as nothing else.
    submitted_as: Option<String>,
}

impl Pipeline {
    /// Prepares an upload for `owner`.
    pub async fn begin_upload(&self, owner: Option<&str>) -> Result<Upload> {
        let id = JobId::random().map_err(|e| Error::Internal(e.to_string()))?;
        let ticket = Ticket { owner: owner.map(str::to_owned), submitted_as: None };
        self.ledger.put_ticket(id, &ticket).await?;
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
        self.ledger.put_upload_part(id, number, part).await
    }

    /// Removes an upload that will not be submitted.
    pub async fn give_up_upload(&self, id: JobId) -> Result<()> {
        self.ledger.delete_upload(id).await
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
            let sent = self.ledger.has_input(id).await?;
            return if sent { Ok(()) } else { Err(missing("the content".to_owned())) };
        };
        match self.ledger.lacking_part(id, parts).await? {
            Some(number) => Err(missing(format!("part {number} of {parts}"))),
            None => Ok(()),
        }
    }

    /// Reserves an upload for one request: `submitted_as` says all of it.
    pub(super) async fn claim_upload(
        &self,
        id: JobId,
        owner: Option<&str>,
        submitted_as: &str,
    ) -> Result<()> {
        let (ticket, tag) = self.ledger.ticket(id).await?;
        let ticket = ticket.of(id, owner)?;
        let taken = || {
            let reason = "it is being submitted with other options; begin another upload".to_owned();
            Error::InvalidUpload { id, reason }
        };
        match ticket.submitted_as.as_deref() {
            Some(before) if before == submitted_as => Ok(()),
            Some(_) => Err(taken()),
            None => {
                let claimed = Ticket { submitted_as: Some(submitted_as.to_owned()), ..ticket };
                let replaced = self.ledger.replace_ticket(id, &claimed, &tag).await?;
                if replaced { Ok(()) } else { Err(taken()) }
            }
        }
    }

    /// Removes uploads whose clients have gone, as of `now`.
    pub(super) async fn discard_uploads(&self, now: Timestamp) -> Result<()> {
        let uploads: Vec<_> = self.ledger.uploads().try_collect().await?;
        for (id, begun) in uploads {
            let age = Duration::try_from(now.duration_since(begun)).unwrap_or_default();
            if age >= LIFE {
                self.ledger.delete_upload(id).await?;
                tracing::info!(upload = %id, "removed an upload that became no search");
            }
        }
        Ok(())
    }

    async fn granted(&self, id: JobId) -> Result<Upload> {
        Ok(Upload { id, grant: self.ledger.grant_upload(id, GRANT).await? })
    }

    async fn ticket(&self, id: JobId, owner: Option<&str>) -> Result<Ticket> {
        self.ledger.ticket(id).await?.0.of(id, owner)
    }
}

impl Ticket {
    /// The ticket of upload `id`, for `owner`; that of another owner does not exist.
    fn of(self, id: JobId, owner: Option<&str>) -> Result<Self> {
        if self.owner.as_deref() == owner { Ok(self) } else { Err(Error::UnknownUpload(id)) }
    }
}
