//! The databases in storage: publishing, finding and reading them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::job::DatabaseRef;
use super::names;
use super::volumes::VolumeCache;
use crate::database::{Database, Manifest, Volume, VolumeInfo};
use crate::store::{BlobStore, Written};

/// The databases of one store.
#[derive(Clone)]
pub struct Catalog {
    blobs: Arc<dyn BlobStore>,
    cache: Arc<VolumeCache>,
}

/// What a database's name means now; `current.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Current {
    version: String,
}

/// What happens while a database is published.
#[derive(Clone, Copy, Debug)]
pub enum Published<'a> {
    /// A volume was sent.
    Sent(&'a VolumeInfo),
    /// A volume was there already.
    Present(&'a VolumeInfo),
}

impl Catalog {
    /// The databases in the container `blobs`; open volumes may take `cache_bytes` of memory.
    pub fn new(blobs: Arc<dyn BlobStore>, cache_bytes: u64) -> Self {
        Self { blobs, cache: Arc::new(VolumeCache::new(cache_bytes)) }
    }

    /// Names of all databases, in order.
    pub async fn names(&self) -> Result<Vec<String>> {
        let mut found = BTreeSet::new();
        let mut listing = self.blobs.list("");
        while let Some(blob) = listing.try_next().await? {
            if let Some((name, names::CURRENT)) = blob.name.as_str().split_once('/') {
                found.insert(name.to_owned());
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Finds `name` (its current version) or `name@version`.
    pub async fn resolve(&self, name: &str) -> Result<(DatabaseRef, Manifest)> {
        let (bare, version) = match name.split_once('@') {
            Some((bare, version)) => (check_name(bare)?, check_name(version)?.to_owned()),
            None => {
                let bare = check_name(name)?;
                let blob = names::current(bare)?;
                let json = match self.blobs.get(&blob).await {
                    Err(error) if names::absent(&error) => return Err(self.unknown(name).await),
                    other => other?,
                };
                let current: Current = serde_json::from_slice(&json)
                    .map_err(|e| Error::Damaged { object: blob.to_string(), reason: e.to_string() })?;
                (bare, current.version)
            }
        };
        let database = DatabaseRef { name: bare.to_owned(), version };
        match self.manifest(&database).await {
            Err(error) if error.is_not_found() => Err(self.unknown(name).await),
            other => Ok((database, other?)),
        }
    }

    /// The manifest of a version.
    pub async fn manifest(&self, database: &DatabaseRef) -> Result<Manifest> {
        let blob = names::manifest(&database.name, &database.version)?;
        let json = self.blobs.get(&blob).await?;
        Ok(Manifest::from_json(blob.as_str(), &json)?)
    }

    async fn unknown(&self, name: &str) -> Error {
        match self.names().await {
            Ok(known) => Error::UnknownDatabase { name: name.to_owned(), known },
            Err(error) => error,
        }
    }

    /// An open volume, checked against its digest.
    pub async fn volume(&self, database: &DatabaseRef, volume: &VolumeInfo) -> Result<Arc<Volume>> {
        self.cache.get(&*self.blobs, database, volume).await
    }

    /// Copies a database that `skyblast makedb` made into storage and lets `name` mean it. What is
    /// there already is not sent again, so an interrupted call can simply be repeated.
    pub async fn publish(
        &self,
        name: &str,
        database: &Database,
        on_volume: &mut (dyn FnMut(Published<'_>) + Send),
    ) -> Result<DatabaseRef> {
        let manifest = database.manifest();
        let published = DatabaseRef { name: check_name(name)?.to_owned(), version: manifest.version.clone() };
        for volume in &manifest.volumes {
            let blob = names::volume(&volume.digest.to_string())?;
            on_volume(match self.blobs.put_file_if_absent(&blob, &database.volume_path(volume)).await? {
                Written::Created => Published::Sent(volume),
                Written::AlreadyExists => Published::Present(volume),
            });
        }
        let blob = names::manifest(&published.name, &published.version)?;
        self.blobs.put_if_absent(&blob, Bytes::from(manifest.to_json())).await?;
        let current = serde_json::to_vec(&Current { version: published.version.clone() })
            .map_err(|e| Error::Internal(e.to_string()))?;
        self.blobs.put(&names::current(&published.name)?, current.into()).await?;
        Ok(published)
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("blobs", &self.blobs).finish_non_exhaustive()
    }
}

/// A database name or version: one segment of a blob name, and not the folder of all volumes.
fn check_name(name: &str) -> Result<&str> {
    let well_formed = (1..=64).contains(&name.len())
        && name != "volumes"
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && name.as_bytes()[0].is_ascii_alphanumeric();
    if well_formed { Ok(name) } else { Err(Error::InvalidDatabaseName(name.chars().take(80).collect())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_folder_are_refused() {
        for good in ["swissprot", "db-20k", "UniRef90.2026_01"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "..", "a/b", ".hidden", "volumes", "ä", &"a".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
