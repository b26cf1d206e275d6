//! The index of jobs by owner and age, and those that are being removed.

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::Ledger;
use crate::jobs::error::{Error, Result};
use crate::jobs::id::JobId;
use crate::jobs::key::Claim;
use crate::jobs::listing::Indexed;
use crate::jobs::names::{self, IndexEntry};
use crate::jobs::reindex::Reindexing;
use crate::jobs::retention::Retained;
use crate::store::{BlobInfo, BlobName, ETag, ErrorKind, Written};

/// Blobs that are deleted at the same time.
const DELETIONS_IN_FLIGHT: usize = 16;

impl Ledger {
    /// Enters a job into the index.
    pub(in crate::jobs) async fn put_index(&self, entry: &IndexEntry, indexed: &Indexed) -> Result<()> {
        self.put_json(&entry.blob()?, indexed).await
    }

    /// The same unless it is there; whether it is now.
    pub(in crate::jobs) async fn put_index_if_absent(
        &self,
        entry: &IndexEntry,
        indexed: &Indexed,
    ) -> Result<bool> {
        Ok(self.put_json_if_absent(&entry.blob()?, indexed).await? == Written::Created)
    }

    /// The jobs whose id begins with this byte; one that was uploaded may come twice.
    pub(in crate::jobs) fn requests(&self, byte: u32) -> BoxStream<'static, Result<JobId>> {
        let job = |blob: BlobInfo| async move { Ok(names::requested(&blob.name)) };
        self.blobs.list(&names::beginning(byte)).map_err(Error::from).try_filter_map(job).boxed()
    }

    /// How far sweep has looked for jobs of versions without an index.
    pub(in crate::jobs) async fn reindexing(&self) -> Result<Option<Reindexing>> {
        self.find_json(&names::indexed()?).await
    }

    /// Notes how far that is.
    pub(in crate::jobs) async fn put_reindexing(&self, reindexing: &Reindexing) -> Result<()> {
        self.put_json(&names::indexed()?, reindexing).await
    }

    /// What the index keeps of a job.
    pub(in crate::jobs) async fn indexed(&self, entry: &IndexEntry) -> Result<Option<Indexed>> {
        self.find_json(&entry.blob()?).await
    }

    /// All entries, by owner and the newest first.
    pub(in crate::jobs) fn index(&self) -> BoxStream<'static, Result<IndexEntry>> {
        self.entries(names::INDEX)
    }

    /// The entries of an owner after a place, the newest first.
    pub(in crate::jobs) fn index_of(
        &self,
        owner: &str,
        after: Option<&BlobName>,
    ) -> BoxStream<'static, Result<IndexEntry>> {
        let after = after.map(|blob| blob.as_str().to_owned());
        let entries = self.entries(&format!("{}{owner}/", names::INDEX));
        entries
            .try_skip_while(move |entry| {
                let before = after.as_deref().is_some_and(|after| entry.name().as_str() <= after);
                async move { Ok(before) }
            })
            .boxed()
    }

    /// The entries of all owners, in no particular order.
    pub(in crate::jobs) fn index_of_all(&self) -> BoxStream<'static, Result<IndexEntry>> {
        self.entries(names::INDEX)
    }

    fn entries(&self, prefix: &str) -> BoxStream<'static, Result<IndexEntry>> {
        let entry = |blob: BlobInfo| async move { Ok(IndexEntry::parse(&blob.name)) };
        self.blobs.list(prefix).map_err(Error::from).try_filter_map(entry).boxed()
    }

    /// Notes that a job is being removed.
    pub(in crate::jobs) async fn put_removing(&self, entry: &IndexEntry) -> Result<()> {
        let index = Bytes::from(entry.name());
        self.blobs.put(&names::removing(entry.job)?, index).await?;
        Ok(())
    }

    /// The jobs that are being removed.
    pub(in crate::jobs) fn removing(&self) -> BoxStream<'static, Result<JobId>> {
        let job = |blob: BlobInfo| async move { Ok(names::removed_job(&blob.name)) };
        self.blobs.list(names::REMOVING).map_err(Error::from).try_filter_map(job).boxed()
    }

    /// Whether there is a request of this id.
    pub(in crate::jobs) async fn has_request(&self, id: JobId) -> Result<bool> {
        Ok(self.exists(&names::of_job(id, names::JOB)?).await?
            || self.exists(&names::of_job(id, names::INTAKE)?).await?)
    }

    /// Removes the request, so that nobody knows the job any more.
    pub(in crate::jobs) async fn delete_request(&self, id: JobId) -> Result<()> {
        for leaf in [names::JOB, names::INTAKE] {
            self.blobs.delete(&names::of_job(id, leaf)?).await?;
        }
        Ok(())
    }

    /// Deletes at most so many blobs of a job; returns how many.
    pub(in crate::jobs) async fn delete_some(&self, id: JobId, most: u64) -> Result<u64> {
        let blobs = self.blobs.list(&format!("{id}/")).take(usize::try_from(most).unwrap_or(usize::MAX));
        let blobs: Vec<BlobInfo> = blobs.try_collect().await?;
        let deleted = blobs.len() as u64;
        futures::stream::iter(blobs.into_iter().map(Ok::<_, Error>))
            .try_for_each_concurrent(DELETIONS_IN_FLIGHT, |blob| async move {
                self.blobs.delete(&blob.name).await?;
                Ok(())
            })
            .await?;
        Ok(deleted)
    }

    /// Removes the last traces of a job whose blobs are deleted.
    pub(in crate::jobs) async fn delete_removed(&self, id: JobId) -> Result<()> {
        let marker = names::removing(id)?;
        match self.blobs.get(&marker).await {
            Err(error) if names::absent(&error) => return Ok(()),
            index => {
                let index = BlobName::parse(String::from_utf8_lossy(&index?))?;
                let indexed: Option<Indexed> = self.find_json(&index).await?;
                if let Some(key) = indexed.and_then(|indexed| indexed.key)
                    && let Some((claim, tag)) = self.claim(&key).await?
                    && claim.job == id
                {
                    self.blobs.delete_if_match(&names::key(&key)?, &tag).await?;
                }
                self.blobs.delete(&index).await?;
            }
        }
        self.delete_active_of(id).await?;
        self.blobs.delete(&marker).await?;
        Ok(())
    }

    /// What a key of a submission stands for, and the tag of that.
    pub(in crate::jobs) async fn claim(&self, key: &str) -> Result<Option<(Claim, ETag)>> {
        let blob = names::key(key)?;
        let (json, tag) = match self.blobs.get_tagged(&blob).await {
            Err(error) if names::absent(&error) => return Ok(None),
            other => other?,
        };
        let claim = serde_json::from_slice(&json)
            .map_err(|e| Error::Damaged { object: blob.to_string(), reason: e.to_string() })?;
        Ok(Some((claim, tag)))
    }

    /// Lets a key stand for something, unless it does already; whether it does so now.
    pub(in crate::jobs) async fn put_claim(&self, key: &str, claim: &Claim) -> Result<bool> {
        Ok(self.put_json_if_absent(&names::key(key)?, claim).await? == Written::Created)
    }

    /// Lets a key stand for something else, if what it stood for still has the tag; `false` if it has not.
    pub(in crate::jobs) async fn replace_claim(&self, key: &str, claim: &Claim, tag: &ETag) -> Result<bool> {
        match self.blobs.put_if_match(&names::key(key)?, super::json(claim)?, tag).await {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            other => Ok(other.map(|_| true)?),
        }
    }

    /// When jobs whose time is over were last looked for.
    pub(in crate::jobs) async fn retained(&self) -> Result<Option<Retained>> {
        self.find_json(&names::retained()?).await
    }

    /// Notes when jobs whose time is over were looked for.
    pub(in crate::jobs) async fn put_retained(&self, retained: &Retained) -> Result<()> {
        self.put_json(&names::retained()?, retained).await
    }
}
