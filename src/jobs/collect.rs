//! Garbage collection: volumes that nothing refers to.
//!
//! A volume is needed by the manifests that list it and by the jobs that are not closed. What nobody
//! needs is deleted once it is older than a grace period: a database that is being added has volumes
//! before it has a manifest. The order of looking matters. Volumes are listed first, with their tags,
//! and deleted only if they still have them, so that one that is [claimed](super::Catalog::publish)
//! meanwhile survives. Manifests are read before jobs: a job reads its manifest after it has marked
//! itself as active, so at least one of the two is seen.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::error::{Error, Result};
use super::id::JobId;
use super::ledger::Active;
use super::names;
use super::pipeline::Pipeline;
use crate::database::VolumeInfo;
use crate::store::BlobInfo;

/// How long a volume that nothing refers to is kept unless asked otherwise: as long as Azure keeps
/// the blocks of an interrupted upload.
pub const GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often sweep collects.
const PERIOD: Duration = Duration::from_secs(24 * 60 * 60);

/// What a collection found, and did unless it was only to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// Volumes that are needed.
    pub needed: u64,
    /// Volumes that nothing refers to, but which are too young to be deleted.
    pub young: u64,
    /// Volumes that were deleted, or would have been.
    pub deleted: u64,
    /// Bytes of these.
    pub deleted_bytes: u64,
    /// A search that is being submitted, because of which nothing was deleted.
    pub postponed_by: Option<JobId>,
}

/// When sweep last collected; `collected.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Collected {
    at: Timestamp,
}

impl Pipeline {
    /// Deletes the volumes that nothing refers to and that have not been touched for `grace` as of
    /// `now`, or with `dry_run` only counts them. No database may be added for longer than `grace`.
    pub async fn collect_garbage(&self, now: Timestamp, grace: Duration, dry_run: bool) -> Result<Garbage> {
        let mut garbage = Garbage::default();
        let volumes = self.catalog.stored_volumes().await?;
        let mut needed = self.catalog.volumes_of_manifests().await?;
        let mut active = self.ledger.active();
        while let Some(Active { edition, .. }) = active.try_next().await? {
            let id = edition.job;
            match self.ledger.job(id).await {
                Ok(job) => needed.extend(digests(&job.volumes)),
                // What it will search in is not written down yet.
                Err(Error::UnknownJob(_)) => garbage.postponed_by = Some(id),
                Err(error) => return Err(error),
            }
        }
        for volume in volumes {
            let digest = volume.name.as_str().trim_start_matches(names::VOLUMES);
            let age = Duration::try_from(now.duration_since(volume.modified)).unwrap_or_default();
            if needed.contains(digest) {
                garbage.needed += 1;
            } else if age < grace || garbage.postponed_by.is_some() {
                garbage.young += 1;
            } else if dry_run || self.catalog.blobs.delete_if_match(&volume.name, &volume.etag).await? {
                if !dry_run {
                    self.catalog.blobs.delete(&names::taxa(digest)?).await?;
                }
                garbage.deleted += 1;
                garbage.deleted_bytes += volume.length;
                tracing::info!(volume = digest, bytes = volume.length, dry_run, "nothing refers to a volume");
            }
        }
        Ok(garbage)
    }

    /// What [`collect_garbage`](Self::collect_garbage) does, at most once a day; what is to outlive the jobs
    /// is kept then, too.
    pub(super) async fn collect_daily(&self, now: Timestamp) -> Result<Garbage> {
        let blob = names::collected()?;
        let before: Option<Collected> = match self.catalog.blobs.get(&blob).await {
            Ok(json) => serde_json::from_slice(&json).ok(),
            Err(error) if names::absent(&error) => None,
            Err(error) => return Err(error.into()),
        };
        let recent = |last: Collected| {
            Duration::try_from(now.duration_since(last.at)).is_ok_and(|since| since < PERIOD)
        };
        if before.is_some_and(recent) {
            return Ok(Garbage::default());
        }
        self.tend_shares(now).await?;
        let garbage = self.collect_garbage(now, GRACE, false).await?;
        let json = serde_json::to_vec(&Collected { at: now }).map_err(|e| Error::Internal(e.to_string()))?;
        self.catalog.blobs.put(&blob, json.into()).await?;
        Ok(garbage)
    }
}

impl Catalog {
    async fn stored_volumes(&self) -> Result<Vec<BlobInfo>> {
        Ok(self.blobs.list(names::VOLUMES).try_collect().await?)
    }

    /// Digests of the volumes that manifests list. A manifest that cannot be read is an error: what
    /// it needs is not known.
    async fn volumes_of_manifests(&self) -> Result<BTreeSet<String>> {
        let mut needed = BTreeSet::new();
        for database in self.versions(None).await? {
            match self.manifest(&database).await {
                Ok(manifest) => needed.extend(digests(&manifest.volumes)),
                // Removed since it was listed.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(needed)
    }
}

fn digests(volumes: &[VolumeInfo]) -> impl Iterator<Item = String> {
    volumes.iter().map(|volume| volume.digest.to_string())
}
