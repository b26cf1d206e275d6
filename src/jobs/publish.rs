//! Publishing a database: its volumes, then its manifest, then its name.
//!
//! The order makes an interrupted call harmless: nothing refers to what is not complete, and the next
//! call finds the volumes that are there. Whoever relies on a volume that was there already *touches*
//! it first, so that [garbage collection](super::Garbage), which deletes only what has not been
//! touched for long, and only as it saw it, leaves it alone.

use bytes::Bytes;
use futures::TryStreamExt;

use super::catalog::{Catalog, Current, check_name};
use super::error::{Error, Result};
use super::job::DatabaseRef;
use super::names;
use crate::database::{Database, Digest, DigestWriter, VolumeInfo};
use crate::store::{BlobName, Transfer, Written};

/// What happens while a database is published.
#[derive(Clone, Copy, Debug)]
pub enum Published<'a> {
    /// A piece of a volume was sent, or found.
    Piece(Transfer),
    /// A volume was sent, or the part of it that was missing.
    Sent(&'a VolumeInfo),
    /// A volume was there already.
    Present(&'a VolumeInfo),
    /// What was there in a volume's place is not the volume; it is sent again.
    Damaged(&'a VolumeInfo),
}

/// Hears of what happens while a database is published.
pub type OnPublished<'a> = &'a (dyn Fn(Published<'_>) + Sync);

impl Catalog {
    /// Copies a database that `skyblast makedb` made into storage and lets `name` mean it. What is
    /// there already is not sent again, so an interrupted call can simply be repeated, and several
    /// may run at the same time. A volume that does not match its digest is refused.
    pub async fn publish(
        &self,
        name: &str,
        database: &Database,
        on_step: OnPublished<'_>,
    ) -> Result<DatabaseRef> {
        let manifest = database.manifest();
        let published = DatabaseRef { name: check_name(name)?.to_owned(), version: manifest.version.clone() };
        for (index, volume) in manifest.volumes.iter().enumerate() {
            let blob = names::volume(&volume.digest.to_string())?;
            let source = database.clone();
            let open = move || Ok(source.volume(index)?);
            if self.claim(&blob, volume, on_step).await? {
                self.put_census(&volume.digest, open).await?;
                on_step(Published::Piece(Transfer::Present(volume.bytes)));
                on_step(Published::Present(volume));
                continue;
            }
            let source = database.clone();
            let checked = tokio::task::spawn_blocking(move || source.volume(index).map(drop)).await;
            checked.map_err(|e| Error::Internal(e.to_string()))??;
            let on_transfer = |transfer| on_step(Published::Piece(transfer));
            let file = database.volume_path(volume);
            on_step(match self.blobs.put_file_if_absent(&blob, &file, &on_transfer).await? {
                Written::Created => Published::Sent(volume),
                Written::AlreadyExists => Published::Present(volume),
            });
            self.put_census(&volume.digest, open).await?;
        }
        let blob = names::manifest(&published.name, &published.version)?;
        self.blobs.put_if_absent(&blob, Bytes::from(manifest.to_json())).await?;
        self.set_current(&published).await?;
        Ok(published)
    }

    /// Whether the volume is there, and will stay there for a while.
    async fn claim(&self, blob: &BlobName, volume: &VolumeInfo, on_step: OnPublished<'_>) -> Result<bool> {
        let Some(found) = self.blobs.info(blob).await? else { return Ok(false) };
        let note = names::damaged(&volume.digest.to_string())?;
        let suspected = self.blobs.info(&note).await?.is_some();
        if found.length != volume.bytes || suspected && self.stored_digest(blob).await? != volume.digest {
            on_step(Published::Damaged(volume));
            self.blobs.delete_if_match(blob, &found.etag).await?;
            return Ok(false);
        }
        if suspected {
            self.blobs.delete(&note).await?;
        }
        Ok(self.blobs.touch(blob).await?)
    }

    /// Digest of what is there in a volume's place.
    async fn stored_digest(&self, blob: &BlobName) -> Result<Digest> {
        let mut digest = DigestWriter::default();
        let mut content = self.blobs.read(blob).await?;
        while let Some(piece) = content.try_next().await? {
            digest.update(&piece);
        }
        Ok(digest.finish())
    }

    /// Notes that a volume was found damaged, so that it is looked at when its database is added again: to
    /// look at all of them each time would take as long as to send them.
    pub(super) async fn note_damage(&self, volume: &VolumeInfo) -> Result<()> {
        self.blobs.put(&names::damaged(&volume.digest.to_string())?, Bytes::new()).await?;
        Ok(())
    }

    /// Lets the bare name of `database` mean this version of it.
    pub(super) async fn set_current(&self, database: &DatabaseRef) -> Result<()> {
        let current = serde_json::to_vec(&Current { version: database.version.clone() })
            .map_err(|e| Error::Internal(e.to_string()))?;
        self.blobs.put(&names::current(&database.name)?, current.into()).await?;
        Ok(())
    }
}
