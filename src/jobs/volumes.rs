//! Open volumes, kept so that the next shard of the same volume need not fetch it again.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell};

use super::error::{Error, Result};
use super::job::DatabaseRef;
use super::names;
use super::volume_folder::{Unkept, VolumeFolder};
use crate::database::{Digest, Volume, VolumeInfo};
use crate::store::BlobStore;

/// The volumes used last, up to a limit of memory (one volume is kept whatever its size).
pub(super) struct VolumeCache {
    limit: u64,
    /// Where volumes of a store far away are kept on this machine.
    folder: Option<VolumeFolder>,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_digest: HashMap<Digest, Entry>,
    uses: u64,
}

struct Entry {
    /// Filled by the first to want it; others wait for that.
    volume: Arc<OnceCell<Arc<Volume>>>,
    bytes: u64,
    last_use: u64,
}

impl VolumeCache {
    pub(super) fn new(limit: u64, folder: Option<VolumeFolder>) -> Self {
        Self { limit, folder, entries: Mutex::default() }
    }

    /// Whether a volume is mapped from a folder of this machine rather than held in memory.
    pub(super) fn maps(&self, info: &VolumeInfo) -> bool {
        self.folder.as_ref().is_some_and(|folder| folder.takes(info))
    }

    /// The same limit, with such a folder.
    pub(super) fn with_folder(&self, folder: VolumeFolder) -> Self {
        Self::new(self.limit, Some(folder))
    }

    pub(super) async fn get(
        &self,
        blobs: &dyn BlobStore,
        database: &DatabaseRef,
        info: &VolumeInfo,
    ) -> Result<Arc<Volume>> {
        let cell = {
            let mut entries = self.entries.lock().await;
            entries.uses += 1;
            let last_use = entries.uses;
            let entry = entries.by_digest.entry(info.digest).or_insert_with(|| Entry {
                volume: Arc::default(),
                bytes: info.bytes,
                last_use,
            });
            entry.last_use = last_use;
            let cell = entry.volume.clone();
            entries.shrink(self.limit);
            cell
        };
        let volume = cell.get_or_try_init(|| fetch(blobs, self.folder.as_ref(), database, info)).await?;
        Ok(volume.clone())
    }
}

impl VolumeCache {
    /// Forgets all volumes; shards that still hold one keep it alive.
    pub(super) async fn forget(&self) {
        self.entries.lock().await.by_digest.clear();
    }
}

impl Entries {
    /// Forgets the volumes used longest ago; shards that still hold one keep it alive.
    fn shrink(&mut self, limit: u64) {
        while self.by_digest.len() > 1
            && self.by_digest.values().map(|entry| entry.bytes).sum::<u64>() > limit
        {
            let oldest =
                self.by_digest.iter().min_by_key(|(_, entry)| entry.last_use).map(|(digest, _)| *digest);
            if let Some(digest) = oldest {
                self.by_digest.remove(&digest);
            }
        }
    }
}

/// Reads and checks a volume: mapped where the store or a folder of this machine keeps it as a file, else into memory.
async fn fetch(
    blobs: &dyn BlobStore,
    folder: Option<&VolumeFolder>,
    database: &DatabaseRef,
    info: &VolumeInfo,
) -> Result<Arc<Volume>> {
    let blob = names::volume(&info.digest.to_string())?;
    let digest = info.digest;
    let opened = match blobs.as_file(&blob) {
        Some(path) if path.exists() => {
            let name = blob.to_string();
            let open = move || {
                Volume::open(&path, Some(&digest)).map_err(|error| {
                    tracing::error!(%error, "a volume cannot be used");
                    // Where this machine keeps it is nobody's business who reads the reason.
                    error.called(&name)
                })
            };
            tokio::task::spawn_blocking(open).await
        }
        _ => {
            let failed = |error| {
                if names::absent(&error) {
                    Error::VolumeMissing { database: database.to_string(), digest: digest.to_string() }
                } else {
                    error.into()
                }
            };
            let name = blob.to_string();
            if let Some(folder) = folder.filter(|folder| folder.takes(info)) {
                if let Some(volume) = folder.get(digest).await? {
                    return Ok(volume.into());
                }
                match folder.keep(info, blobs.read(&blob).await.map_err(failed)?).await {
                    Ok(volume) => return Ok(volume.into()),
                    Err(Unkept::Damaged(source)) => {
                        let source = source.called(&name);
                        return Err(Error::VolumeDamaged { database: database.to_string(), source });
                    }
                    Err(Unkept::Failed(error)) => return Err(*error),
                    Err(Unkept::NoRoom(error)) => {
                        tracing::warn!(%error, "a volume cannot be kept in the cache; it goes into memory");
                    }
                }
            }
            let bytes = blobs.get(&blob).await.map_err(failed)?;
            tokio::task::spawn_blocking(move || Volume::from_bytes(&name, bytes, Some(&digest))).await
        }
    };
    let volume = opened.map_err(|e| Error::Internal(format!("opening volume {digest}: {e}")))?;
    volume.map(Arc::new).map_err(|source| Error::VolumeDamaged { database: database.to_string(), source })
}

impl fmt::Debug for VolumeCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolumeCache").field("limit", &self.limit).finish_non_exhaustive()
    }
}
