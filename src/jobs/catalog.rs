//! The databases in storage: finding and reading them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::error::{Error, Result};
use super::job::DatabaseRef;
use super::names;
use super::volumes::VolumeCache;
use crate::database::{Digest, Manifest, Volume, VolumeInfo};
use crate::store::BlobStore;
use crate::taxonomy::Taxonomy;

/// The databases of one store.
#[derive(Clone)]
pub struct Catalog {
    pub(super) blobs: Arc<dyn BlobStore>,
    pub(super) cache: Arc<VolumeCache>,
    /// The names of taxa that were used last.
    pub(super) names_of_taxa: Arc<Mutex<Option<LastNames>>>,
}

/// Names of taxa, by the digest of their import.
pub(super) type LastNames = (Digest, Arc<Taxonomy>);

/// The folder of all volumes, which lies where databases have theirs.
pub(super) const RESERVED: &str = "volumes";

/// What a database's name means now; `current.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Current {
    pub(super) version: String,
}

impl Catalog {
    /// The databases in the container `blobs`; open volumes may take `cache_bytes` of memory.
    pub fn new(blobs: Arc<dyn BlobStore>, cache_bytes: u64) -> Self {
        Self { blobs, cache: Arc::new(VolumeCache::new(cache_bytes, None)), names_of_taxa: Arc::default() }
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

    /// All versions of all databases, in order of their names; or of the one that is called `only`.
    pub async fn versions(&self, only: Option<&str>) -> Result<Vec<DatabaseRef>> {
        let prefix = only.map(|name| check_name(name).map(|name| format!("{name}/"))).transpose()?;
        let mut listing = self.blobs.list(&prefix.unwrap_or_default());
        let mut versions = Vec::new();
        while let Some(blob) = listing.try_next().await? {
            if let [name, version, names::MANIFEST] = blob.name.as_str().split('/').collect::<Vec<_>>()[..] {
                versions.push(DatabaseRef { name: name.to_owned(), version: version.to_owned() });
            }
        }
        Ok(versions)
    }

    /// The version that a bare name means; `None` if there is no such database.
    pub async fn current(&self, name: &str) -> Result<Option<String>> {
        let blob = names::current(check_name(name)?)?;
        let json = match self.blobs.get(&blob).await {
            Err(error) if names::absent(&error) => return Ok(None),
            other => other?,
        };
        let current: Current = serde_json::from_slice(&json)
            .map_err(|e| Error::Damaged { object: blob.to_string(), reason: e.to_string() })?;
        Ok(Some(current.version))
    }

    /// Finds `name` (its current version) or `name@version`.
    pub async fn resolve(&self, name: &str) -> Result<(DatabaseRef, Manifest)> {
        let (bare, version) = match name.split_once('@') {
            Some((bare, version)) => (check_name(bare)?, check_name(version)?.to_owned()),
            None => {
                let bare = check_name(name)?;
                match self.current(bare).await? {
                    Some(version) => (bare, version),
                    None => return Err(self.unknown(name).await),
                }
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

    pub(super) async fn unknown(&self, name: &str) -> Error {
        match self.names().await {
            Ok(known) => Error::UnknownDatabase { name: name.to_owned(), known },
            Err(error) => error,
        }
    }

    /// Lets go of volumes and names of taxa that are kept in memory.
    pub(super) async fn forget_volumes(&self) {
        self.cache.forget().await;
        *self.names_of_taxa.lock().await = None;
    }

    /// An open volume, checked against its digest.
    pub async fn volume(&self, database: &DatabaseRef, volume: &VolumeInfo) -> Result<Arc<Volume>> {
        self.cache.get(&*self.blobs, database, volume).await
    }
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("blobs", &self.blobs).finish_non_exhaustive()
    }
}

/// Checks a name for a database: 1 to 64 letters, digits, dots, underscores and hyphens, and not what
/// names something else in storage.
pub fn check_database_name(name: &str) -> Result<()> {
    check_name(name).map(|_| ())
}

/// A database name or version: one segment of a blob name, and not the folder of all volumes.
pub(super) fn check_name(name: &str) -> Result<&str> {
    let well_formed = (1..=64).contains(&name.len())
        && name != RESERVED
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
