//! The ledger: what is written down of jobs, read and written by type.
//!
//! It knows in which blob a thing lies and in which form, and nothing of steps, queues or patience. A
//! blob that an earlier version wrote under another name or in another form is read as well, so that
//! jobs outlive an upgrade.

mod chunks;
mod index;
mod pieces;
mod shards;
mod slices;
mod turns;
mod uploads;

pub(super) use chunks::StoredPart;
pub(super) use pieces::{Pieces, reader};
pub(super) use shards::{Row, Settled, StoredHits};
pub(super) use slices::Announced;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::burst::Burst;
use super::edition::{Edition, Latest, Remade};
use super::error::{Error, Result};
use super::estimate::Measurements;
use super::id::JobId;
use super::intake::Intake;
use super::job::{Job, Outcome, Plan};
use super::label::Label;
use super::names;
use super::poison::Trouble;
use super::share::Shared;
use super::sweep::Swept;
use crate::store::{Access, BlobInfo, BlobName, BlobStore, ETag, ErrorKind, Grant, Written};

/// The jobs of one store.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    blobs: Arc<dyn BlobStore>,
}

/// A job that is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Active {
    /// The job, in the edition that is not.
    pub(super) edition: Edition,
    /// When it was marked, which is when it was submitted, or retried.
    pub(super) since: Timestamp,
}

/// A version of what sweep remembers of a job.
#[derive(Clone, Debug)]
pub(super) struct SweptTag(ETag);

/// A version of what the latest jobs have shown of the speed of instances.
#[derive(Clone, Debug)]
pub(super) struct MeasurementsTag(ETag);

/// A version of how much of a job the cloud has been told of.
#[derive(Clone, Debug)]
pub(super) struct BurstTag(ETag);

/// Blobs that are deleted at the same time.
const DELETIONS_IN_FLIGHT: usize = 16;

impl Ledger {
    /// The jobs in the container `blobs`.
    pub(super) fn new(blobs: Arc<dyn BlobStore>) -> Self {
        Self { blobs }
    }

    /// The container itself, for those who examine it.
    pub(super) fn blobs(&self) -> &dyn BlobStore {
        &*self.blobs
    }

    /// The job as accepted; [`Error::UnknownJob`] if there is none. It has no chunks as long as its
    /// queries have not been read.
    pub(super) async fn job(&self, id: JobId) -> Result<Job> {
        if let Some(job) = self.read_job(id).await? {
            return Ok(job);
        }
        let intake = self.intake(id).await?;
        intake.map(|intake| intake.job).ok_or(Error::UnknownJob(id))
    }

    /// The job, if its queries have been read.
    pub(super) async fn read_job(&self, id: JobId) -> Result<Option<Job>> {
        self.find_json(&names::of_job(id, names::JOB)?).await
    }

    /// Writes a job whose queries have been read, unless it is there.
    pub(super) async fn put_job(&self, job: &Job) -> Result<()> {
        self.put_json_if_absent(&names::of_job(job.id, names::JOB)?, job).await.map(|_| ())
    }

    /// The request whose queries were uploaded, as it was accepted.
    pub(super) async fn intake(&self, id: JobId) -> Result<Option<Intake>> {
        self.find_json(&names::of_job(id, names::INTAKE)?).await
    }

    /// Writes such a request, unless it is there.
    pub(super) async fn put_intake(&self, intake: &Intake) -> Result<()> {
        self.put_json_if_absent(&names::of_job(intake.job.id, names::INTAKE)?, intake).await.map(|_| ())
    }

    /// The grid, if it has been laid out, with what the edition makes again of it.
    pub(super) async fn plan(&self, edition: Edition) -> Result<Option<Plan>> {
        let id = edition.job;
        let plan: Option<Plan> = match self.find_json(&names::of_job(id, names::PLAN)?).await? {
            None => self.find_json(&names::of_job(id, names::EARLIER_PLAN)?).await?,
            found => found,
        };
        let Some(plan) = plan else { return Ok(None) };
        if edition.number == 0 {
            return Ok(Some(plan));
        }
        let remade = self.remade(edition).await?.ok_or_else(|| Error::Damaged {
            object: format!("{id}/retries/{:06}.json", edition.number),
            reason: "it is missing though the job has been retried".to_owned(),
        })?;
        Ok(Some(Plan { remade, ..plan }))
    }

    /// Writes the grid, unless there is one; returns the one that stands, as the edition has it.
    pub(super) async fn put_plan(&self, edition: Edition, plan: &Plan) -> Result<Plan> {
        let written = self.put_first(&names::of_job(edition.job, names::PLAN)?, plan).await?;
        Ok(if edition.number == 0 { written.0 } else { self.plan(edition).await?.unwrap_or(written.0) })
    }

    /// What the retry that makes this edition makes again, if there has been one.
    pub(super) async fn remade(&self, edition: Edition) -> Result<Option<Remade>> {
        self.find_json(&names::retry(edition)?).await
    }

    /// Writes what a retry makes again, unless another has made that edition; returns what stands.
    pub(super) async fn put_remade(&self, edition: Edition, remade: &Remade) -> Result<Remade> {
        self.put_first(&names::retry(edition)?, remade).await.map(|(remade, _)| remade)
    }

    /// The latest edition of the job and how it has ended, if it has: one operation unless it can be retried, which
    /// costs a listing, and a further read if it has been.
    pub(super) async fn latest(&self, id: JobId) -> Result<Latest> {
        let first = Edition::first(id);
        let outcome = self.outcome(first).await?;
        if !outcome.as_ref().is_some_and(Outcome::can_be_retried) {
            return Ok(Latest { edition: first, outcome });
        }
        let retries = self.blobs.list(&names::retries(id));
        let last =
            |last: u32, blob: BlobInfo| ready(Ok(last.max(names::number_of_retry(&blob.name).unwrap_or(0))));
        match retries.try_fold(0, last).await? {
            0 => Ok(Latest { edition: first, outcome }),
            number => {
                let edition = Edition { job: id, number };
                Ok(Latest { edition, outcome: self.outcome(edition).await? })
            }
        }
    }

    /// How the edition ended, if it has.
    pub(super) async fn outcome(&self, edition: Edition) -> Result<Option<Outcome>> {
        self.find_json(&names::of_edition(edition, names::OUTCOME)?).await
    }

    /// Writes how the edition ended, unless that is known; returns what stands, and whether it is this.
    pub(super) async fn put_outcome(
        &self,
        edition: Edition,
        outcome: &Outcome,
    ) -> Result<(Outcome, Written)> {
        self.put_first(&names::of_edition(edition, names::OUTCOME)?, outcome).await
    }

    /// Cancels the edition, for all who ask [`is_cancelled`](Self::is_cancelled).
    pub(super) async fn put_cancelled(&self, edition: Edition) -> Result<()> {
        self.blobs.put(&names::of_edition(edition, names::CANCELLED)?, Bytes::new()).await?;
        Ok(())
    }

    /// Whether somebody has cancelled the edition.
    pub(super) async fn is_cancelled(&self, edition: Edition) -> Result<bool> {
        self.exists(&names::of_edition(edition, names::CANCELLED)?).await
    }

    /// Whether the edition has ended.
    pub(super) async fn has_outcome(&self, edition: Edition) -> Result<bool> {
        self.exists(&names::of_edition(edition, names::OUTCOME)?).await
    }

    /// Whether nothing more needs to be done for the edition.
    pub(super) async fn is_closed(&self, edition: Edition) -> Result<bool> {
        Ok(self.is_cancelled(edition).await? || self.has_outcome(edition).await?)
    }

    /// What somebody calls the job, if anybody does.
    pub(super) async fn label(&self, id: JobId) -> Result<Option<Label>> {
        self.find_json(&names::of_job(id, names::LABEL)?).await
    }

    /// Writes what somebody calls the job.
    pub(super) async fn put_label(&self, id: JobId, label: &Label) -> Result<()> {
        self.put_json(&names::of_job(id, names::LABEL)?, label).await
    }

    /// What the last delivery of a step's message met with, if that was an error.
    pub(super) async fn trouble(&self, edition: Edition, step: &str) -> Result<Option<Trouble>> {
        self.find_json(&names::trouble(edition, step)?).await
    }

    /// Notes what a delivery of a step's message met with.
    pub(super) async fn put_trouble(&self, edition: Edition, step: &str, trouble: &Trouble) -> Result<()> {
        self.put_json(&names::trouble(edition, step)?, trouble).await
    }

    /// Notes that a shard of the job has been taken up.
    pub(super) async fn put_begun(&self, id: JobId) -> Result<()> {
        self.blobs.put_if_absent(&names::of_job(id, names::BEGUN)?, Bytes::new()).await?;
        Ok(())
    }

    /// When a shard of the job was first taken up, if one has been.
    pub(super) async fn begun(&self, id: JobId) -> Result<Option<Timestamp>> {
        let begun = self.blobs.info(&names::of_job(id, names::BEGUN)?).await?;
        Ok(begun.map(|begun| begun.modified))
    }

    /// Whether a shard of the job has been taken up.
    pub(super) async fn has_begun(&self, id: JobId) -> Result<bool> {
        Ok(self.begun(id).await?.is_some())
    }

    /// Lists the edition as one that is not closed.
    pub(super) async fn put_active(&self, edition: Edition) -> Result<()> {
        self.blobs.put(&names::active(edition)?, Bytes::new()).await?;
        Ok(())
    }

    /// Whether the edition is on that list.
    pub(super) async fn is_active(&self, edition: Edition) -> Result<bool> {
        self.exists(&names::active(edition)?).await
    }

    /// Takes the edition off that list.
    pub(super) async fn delete_active(&self, edition: Edition) -> Result<()> {
        self.blobs.delete(&names::active(edition)?).await?;
        Ok(())
    }

    /// Takes all editions of a job off that list.
    pub(super) async fn delete_active_of(&self, id: JobId) -> Result<()> {
        let mut markers = self.blobs.list(&names::active_of(id));
        while let Some(marker) = markers.try_next().await? {
            self.blobs.delete(&marker.name).await?;
        }
        Ok(())
    }

    /// The jobs that are not closed.
    pub(super) fn active(&self) -> BoxStream<'static, Result<Active>> {
        let markers = self.blobs.list(names::ACTIVE).map_err(Error::from);
        let active = |marker: BlobInfo| async move {
            Ok(names::active_edition(&marker.name).map(|edition| Active { edition, since: marker.modified }))
        };
        markers.try_filter_map(active).boxed()
    }

    /// How many jobs are not closed that were marked before this one.
    pub(super) async fn active_before(&self, id: JobId) -> Result<u64> {
        let active: Vec<Active> = self.active().try_collect().await?;
        // Of two in the same second one is before the other.
        let place = |active: &Active| (active.since, active.edition.job);
        let own = active.iter().filter(|active| active.edition.job == id).map(place).max();
        let is_before = |active: &&Active| own.is_some_and(|own| place(active) < own);
        Ok(active.iter().filter(is_before).count() as u64)
    }

    /// What sweep remembers of the job, and which version of it this is.
    pub(super) async fn swept(&self, edition: Edition) -> Result<(Option<Swept>, Option<SweptTag>)> {
        let (json, tag) = match self.blobs.get_tagged(&names::of_edition(edition, names::SWEPT)?).await {
            Err(error) if names::absent(&error) => return Ok((None, None)),
            other => other?,
        };
        // What cannot be read is forgotten.
        Ok((serde_json::from_slice(&json).ok(), Some(SweptTag(tag))))
    }

    /// Replaces this version of what sweep remembers of the job; `false` if another sweep has.
    pub(super) async fn replace_swept(
        &self,
        edition: Edition,
        swept: &Swept,
        before: Option<&SweptTag>,
    ) -> Result<bool> {
        let blob = names::of_edition(edition, names::SWEPT)?;
        self.replace_json(&blob, swept, before.map(|SweptTag(tag)| tag)).await
    }

    /// What the latest jobs have shown of the speed of instances, and which version of it this is.
    pub(super) async fn measurements(&self) -> Result<(Option<Measurements>, Option<MeasurementsTag>)> {
        let (json, tag) = match self.blobs.get_tagged(&names::rates()?).await {
            Err(error) if names::absent(&error) => return Ok((None, None)),
            other => other?,
        };
        // What cannot be read is made again.
        Ok((serde_json::from_slice(&json).ok(), Some(MeasurementsTag(tag))))
    }

    /// Replaces this version of it; `false` if somebody else has.
    pub(super) async fn replace_measurements(
        &self,
        measurements: &Measurements,
        before: Option<&MeasurementsTag>,
    ) -> Result<bool> {
        self.replace_json(&names::rates()?, measurements, before.map(|MeasurementsTag(tag)| tag)).await
    }

    /// How much of a job the cloud has been told of, if of any, and which version of it this is.
    pub(super) async fn burst(&self, id: JobId) -> Result<(Option<Burst>, Option<BurstTag>)> {
        let blob = names::of_job(id, names::BURST)?;
        let (json, tag) = match self.blobs.get_tagged(&blob).await {
            Err(error) if names::absent(&error) => return Ok((None, None)),
            other => other?,
        };
        let burst = serde_json::from_slice(&json)
            .map_err(|e| Error::Damaged { object: blob.to_string(), reason: e.to_string() })?;
        Ok((Some(burst), Some(BurstTag(tag))))
    }

    /// Replaces this version of it; `false` if somebody else has.
    pub(super) async fn replace_burst(
        &self,
        id: JobId,
        burst: &Burst,
        before: Option<&BurstTag>,
    ) -> Result<bool> {
        let blob = names::of_job(id, names::BURST)?;
        self.replace_json(&blob, burst, before.map(|BurstTag(tag)| tag)).await
    }

    /// What the clock of the store shows.
    pub(super) async fn clock(&self) -> Result<Timestamp> {
        let blob = names::clock()?;
        self.blobs.put(&blob, Bytes::new()).await?;
        let gone = || Error::Internal("a blob is gone as soon as it is written".to_owned());
        Ok(self.blobs.info(&blob).await?.ok_or_else(gone)?.modified)
    }

    /// Removes everything of the job.
    pub(super) async fn delete_all(&self, id: JobId) -> Result<()> {
        let blobs = self.blobs.list(&format!("{id}/"));
        blobs
            .try_for_each_concurrent(DELETIONS_IN_FLIGHT, |blob| async move {
                self.blobs.delete(&blob.name).await.map(|_| ())
            })
            .await?;
        self.delete_active_of(id).await
    }

    /// Writes the report, in a format whose files have this extension, from the texts of all chunks,
    /// unless it is there.
    pub(super) async fn compose_report(
        &self,
        id: JobId,
        plan: &Plan,
        extension: &str,
        head: Bytes,
        end: Bytes,
    ) -> Result<()> {
        let text = |chunk| names::text(plan.edition_of(id, chunk), chunk);
        let texts = (0..plan.chunks).map(text).collect::<Result<Vec<_>>>()?;
        self.blobs.compose_if_absent(&names::report(plan.edition(id), extension)?, head, &texts, end).await?;
        Ok(())
    }

    /// What is known of the report without reading it, if it is there.
    pub(super) async fn report_info(&self, edition: Edition, extension: &str) -> Result<Option<BlobInfo>> {
        Ok(self.blobs.info(&names::report(edition, extension)?).await?)
    }

    /// The report from byte `start` on, piece by piece.
    pub(super) async fn report(
        &self,
        edition: Edition,
        extension: &str,
        start: u64,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let blob = names::report(edition, extension)?;
        Ok(self.blobs.read_from(&blob, start).await?.map_err(Error::from).boxed())
    }

    /// An address at which the report can be read for `lifetime`, if the store has such addresses.
    pub(super) async fn grant_report(
        &self,
        edition: Edition,
        extension: &str,
        lifetime: Duration,
    ) -> Result<Option<Grant>> {
        let blob = names::report(edition, extension)?;
        let file_name = format!("{}.{extension}", edition.job);
        Ok(self.blobs.grant(&blob, Access::Read { file_name }, lifetime).await?)
    }

    /// What the link whose token has this digest leads to.
    pub(super) async fn shared(&self, token: &blake3::Hash) -> Result<Option<Shared>> {
        self.find_json(&names::shared(token)?).await
    }

    /// Writes what a link leads to.
    pub(super) async fn put_shared(&self, token: &blake3::Hash, shared: &Shared) -> Result<()> {
        self.put_json(&names::shared(token)?, shared).await
    }

    /// Removes the links that expired before `then`.
    pub(super) async fn delete_shared(&self, then: Timestamp) -> Result<()> {
        let mut links = self.blobs.list(names::SHARES);
        while let Some(link) = links.try_next().await? {
            let shared: Option<Shared> = self.find_json(&link.name).await?;
            if shared.is_some_and(|shared| shared.expires < then) {
                self.blobs.delete(&link.name).await?;
            }
        }
        Ok(())
    }

    /// What links of earlier versions are signed with, if there have been any.
    pub(super) async fn share_secret(&self) -> Result<Option<Bytes>> {
        match self.blobs.get(&names::share_secret()?).await {
            Err(error) if names::absent(&error) => Ok(None),
            secret => Ok(Some(secret?)),
        }
    }

    /// Keeps that from expiring.
    pub(super) async fn touch_share_secret(&self) -> Result<()> {
        self.blobs.touch(&names::share_secret()?).await?;
        Ok(())
    }

    /// Whether the store answers, and takes what is written. Writes one small blob, always the same.
    pub(super) async fn probe(&self) -> Result<()> {
        self.blobs.put(&names::probe()?, Bytes::from_static(b"1")).await?;
        Ok(())
    }

    async fn exists(&self, blob: &BlobName) -> Result<bool> {
        Ok(self.blobs.info(blob).await?.is_some())
    }

    async fn read_json<T: DeserializeOwned>(&self, blob: &BlobName) -> Result<T> {
        let parse = |json: Bytes| {
            serde_json::from_slice(&json)
                .map_err(|e| Error::Damaged { object: blob.to_string(), reason: e.to_string() })
        };
        self.read_until_whole(blob, |json| ready(parse(json))).await
    }

    /// Reads a blob, and once more if what arrived is damaged: it may be whole where it lies.
    async fn read_until_whole<T, F>(&self, blob: &BlobName, decode: impl Fn(Bytes) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        match decode(self.blobs.get(blob).await?).await {
            Err(error @ Error::Damaged { .. }) => {
                tracing::warn!(%error, "reading it once more");
                decode(self.blobs.get(blob).await?).await
            }
            other => other,
        }
    }

    /// Like [`read_json`](Self::read_json), but `None` if the blob does not exist.
    async fn find_json<T: DeserializeOwned>(&self, blob: &BlobName) -> Result<Option<T>> {
        match self.read_json(blob).await {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    async fn put_json(&self, blob: &BlobName, value: &impl Serialize) -> Result<()> {
        self.blobs.put(blob, json(value)?).await?;
        Ok(())
    }

    /// Replaces the version of a value that has this tag, or none; `false` if somebody else has.
    async fn replace_json(
        &self,
        blob: &BlobName,
        value: &impl Serialize,
        before: Option<&ETag>,
    ) -> Result<bool> {
        let Some(tag) = before else {
            return Ok(self.put_json_if_absent(blob, value).await? == Written::Created);
        };
        match self.blobs.put_if_match(blob, json(value)?, tag).await {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            other => Ok(other.map(|_| true)?),
        }
    }

    async fn put_json_if_absent(&self, blob: &BlobName, value: &impl Serialize) -> Result<Written> {
        Ok(self.blobs.put_if_absent(blob, json(value)?).await?)
    }

    /// Writes a value unless there is one; returns the one that stands, and whether it is this.
    async fn put_first<T: Serialize + DeserializeOwned>(
        &self,
        blob: &BlobName,
        value: &T,
    ) -> Result<(T, Written)> {
        let written = self.put_json_if_absent(blob, value).await?;
        Ok((self.read_json(blob).await?, written))
    }
}

fn json(value: &impl Serialize) -> Result<Bytes> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|e| Error::Internal(e.to_string()))
}
