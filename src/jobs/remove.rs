//! Removing databases, and choosing what a name means. Volumes stay until they are
//! [garbage](super::Garbage): jobs under way may need them.

use super::catalog::Catalog;
use super::error::{Error, Result};
use super::job::DatabaseRef;
use super::names;

impl Catalog {
    /// Lets the bare name mean the version of `name@version`.
    pub async fn use_version(&self, name: &str) -> Result<DatabaseRef> {
        let (database, _) = self.resolve(name).await?;
        self.set_current(&database).await?;
        Ok(database)
    }

    /// Removes `name@version`, or all versions of `name`; returns what was removed. The version that
    /// the bare name means is removed only with the name.
    ///
    /// Searches that have been accepted are not affected.
    pub async fn remove(&self, name: &str) -> Result<Vec<DatabaseRef>> {
        let (bare, version) = match name.split_once('@') {
            Some((bare, version)) => (bare, Some(version)),
            None => (name, None),
        };
        let mut removed = self.versions(Some(bare)).await?;
        let current = self.current(bare).await?;
        if let Some(version) = version {
            removed.retain(|database| database.version == version);
            if current.as_deref() == Some(version) {
                return Err(Error::CurrentVersion { name: bare.to_owned(), version: version.to_owned() });
            }
        }
        if removed.is_empty() && (version.is_some() || current.is_none()) {
            return Err(self.unknown(name).await);
        }
        if version.is_none() {
            // First, so that the name never means what is not there.
            self.blobs.delete(&names::current(bare)?).await?;
        }
        for database in &removed {
            self.blobs.delete(&names::manifest(&database.name, &database.version)?).await?;
        }
        Ok(removed)
    }
}
