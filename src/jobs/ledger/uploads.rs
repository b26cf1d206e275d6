//! What is sent before it becomes a job.

use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::Ledger;
use crate::jobs::edition::Edition;
use crate::jobs::error::{Error, Result};
use crate::jobs::id::JobId;
use crate::jobs::names;
use crate::jobs::upload::Ticket;
use crate::store::{Access, BlobInfo, ETag, ErrorKind, Grant};

impl Ledger {
    /// The ticket of an upload and its tag; [`Error::UnknownUpload`] if there is none.
    pub(in crate::jobs) async fn ticket(&self, id: JobId) -> Result<(Ticket, ETag)> {
        let blob = names::ticket(id)?;
        let (json, tag) = match self.blobs.get_tagged(&blob).await {
            Err(error) if names::absent(&error) => return Err(Error::UnknownUpload(id)),
            other => other?,
        };
        let damaged =
            |e: serde_json::Error| Error::Damaged { object: blob.to_string(), reason: e.to_string() };
        Ok((serde_json::from_slice(&json).map_err(damaged)?, tag))
    }

    /// Writes the ticket of a new upload.
    pub(in crate::jobs) async fn put_ticket(&self, id: JobId, ticket: &Ticket) -> Result<()> {
        self.put_json(&names::ticket(id)?, ticket).await
    }

    /// Replaces a ticket if it still has the tag; `false` if it has not.
    pub(in crate::jobs) async fn replace_ticket(
        &self,
        id: JobId,
        ticket: &Ticket,
        tag: &ETag,
    ) -> Result<bool> {
        match self.blobs.put_if_match(&names::ticket(id)?, super::json(ticket)?, tag).await {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            other => Ok(other.map(|_| true)?),
        }
    }

    /// Removes a ticket: nothing more is to be sent.
    pub(in crate::jobs) async fn delete_ticket(&self, id: JobId) -> Result<()> {
        self.blobs.delete(&names::ticket(id)?).await?;
        Ok(())
    }

    /// All uploads that are not jobs yet, and when they began.
    pub(in crate::jobs) fn uploads(&self) -> BoxStream<'static, Result<(JobId, Timestamp)>> {
        let upload = |ticket: BlobInfo| async move {
            Ok(names::upload_of(&ticket.name).map(|id| (id, ticket.modified)))
        };
        self.blobs.list(names::UPLOADS).map_err(Error::from).try_filter_map(upload).boxed()
    }

    /// Writes a part of an upload.
    pub(in crate::jobs) async fn put_upload_part(&self, id: JobId, number: u32, part: Bytes) -> Result<()> {
        self.blobs.put(&names::upload_part(id, number)?, part).await?;
        Ok(())
    }

    /// An address to which the whole of an upload can be sent for `lifetime`, if the store has such.
    pub(in crate::jobs) async fn grant_upload(&self, id: JobId, lifetime: Duration) -> Result<Option<Grant>> {
        Ok(self.blobs.grant(&names::input(id)?, Access::Write, lifetime).await?)
    }

    /// Whether the whole of an upload was sent in one.
    pub(in crate::jobs) async fn has_input(&self, id: JobId) -> Result<bool> {
        self.exists(&names::input(id)?).await
    }

    /// The first of so many parts of an upload that has not been sent.
    pub(in crate::jobs) async fn lacking_part(&self, id: JobId, parts: u32) -> Result<Option<u32>> {
        let listing = self.blobs.list(&names::all(Edition::first(id), names::UPLOAD_PARTS));
        let sent: std::collections::BTreeSet<_> = listing.map_ok(|blob| blob.name).try_collect().await?;
        for number in 0..parts {
            if !sent.contains(&names::upload_part(id, number)?) {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// The content of an upload that was sent in one, or in so many parts.
    pub(in crate::jobs) async fn upload(
        &self,
        id: JobId,
        parts: Option<u32>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let Some(parts) = parts else {
            return Ok(self.blobs.read(&names::input(id)?).await?.map_err(Error::from).boxed());
        };
        let blobs = self.blobs.clone();
        let contents = stream::iter(0..parts).then(move |number| {
            let blobs = blobs.clone();
            async move { Ok(blobs.get(&names::upload_part(id, number)?).await?) }
        });
        Ok(contents.boxed())
    }

    /// Removes an upload, but not the job that it has become.
    pub(in crate::jobs) async fn delete_upload(&self, id: JobId) -> Result<()> {
        let blobs: Vec<_> =
            self.blobs.list(&names::all(Edition::first(id), names::UPLOAD)).try_collect().await?;
        for blob in blobs {
            self.blobs.delete(&blob.name).await?;
        }
        self.delete_ticket(id).await
    }
}
