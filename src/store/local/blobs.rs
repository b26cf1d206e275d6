//! [`BlobStore`] over the files of a folder.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::errors::from_io;
use super::files::{Folder, etag, info};
use super::threads::FILES;
use super::walk::Walk;
use super::{Error, ErrorKind, Result};
use crate::store::{BlobInfo, BlobName, BlobStore, ETag, OnTransfer, Standing, Transfer, Written};

/// Length of the pieces of a streamed read.
const PIECE: usize = 1 << 20;
/// Entries that are listed at a time.
const LISTED_AT_ONCE: usize = 256;

/// One container in a local folder.
#[derive(Clone, Debug)]
pub struct LocalBlobs {
    folder: Arc<Folder>,
}

impl LocalBlobs {
    pub(super) fn new(folder: Folder) -> Self {
        if let Err(e) = folder.remove_stale_partials() {
            tracing::warn!(container = folder.container(), error = %e, "could not remove stale partial files");
        }
        Self { folder: Arc::new(folder) }
    }

    /// Runs `work` on the folder away from the async threads.
    async fn on_disk<T, F>(&self, name: &BlobName, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Folder, &BlobName) -> Result<T> + Send + 'static,
    {
        let (folder, name) = (Arc::clone(&self.folder), name.clone());
        FILES.run(move || work(&folder, &name)).await
    }
}

#[async_trait]
impl BlobStore for LocalBlobs {
    async fn put(&self, name: &BlobName, content: Bytes) -> Result<ETag> {
        let written = self.on_disk(name, move |folder, name| {
            let partial = folder.write_partial(name, |file| append(folder, name, file, &content))?;
            folder.publish_over(name, &partial, None)
        });
        Ok(written.await?.expect("an unconditional write has no condition to fail"))
    }

    async fn put_if_absent(&self, name: &BlobName, content: Bytes) -> Result<Written> {
        self.on_disk(name, move |folder, name| {
            create(folder, name, None, |file| append(folder, name, file, &content))
        })
        .await
    }

    async fn put_noted_if_absent(&self, name: &BlobName, content: Bytes, note: u64) -> Result<Written> {
        self.on_disk(name, move |folder, name| {
            create(folder, name, Some(note), |file| append(folder, name, file, &content))
        })
        .await
    }

    async fn put_pieces(
        &self,
        name: &BlobName,
        mut pieces: BoxStream<'static, Result<Bytes>>,
        standing: Standing,
    ) -> Result<Written> {
        // No thread waits for whoever makes the pieces.
        let mut partial = self.on_disk(name, Folder::begin_partial).await?;
        while let Some(piece) = pieces.try_next().await? {
            let appended = self.on_disk(name, move |folder, name| {
                append(folder, name, partial.as_file_mut(), &piece)?;
                Ok(partial)
            });
            partial = appended.await?;
        }
        self.on_disk(name, move |folder, name| {
            folder.seal(name, &partial)?;
            match standing {
                Standing::Stays => folder.publish_absent(name, &partial, None),
                Standing::Goes => folder.publish_over(name, &partial, None).map(|_| Written::Created),
            }
        })
        .await
    }

    async fn put_if_match(&self, name: &BlobName, content: Bytes, etag: &ETag) -> Result<ETag> {
        let expected = etag.clone();
        self.on_disk(name, move |folder, name| {
            let partial = folder.write_partial(name, |file| append(folder, name, file, &content))?;
            folder.publish_over(name, &partial, Some(&expected))?.ok_or_else(|| {
                let object = format!("blob {}/{name}", folder.container());
                Error::new(
                    ErrorKind::Conflict,
                    "replace",
                    object,
                    "its content has changed since it was read",
                )
            })
        })
        .await
    }

    async fn put_file_if_absent(
        &self,
        name: &BlobName,
        file: &Path,
        on_transfer: OnTransfer<'_>,
    ) -> Result<Written> {
        let source = file.to_owned();
        let copied = self.on_disk(name, move |folder, name| {
            let mut input =
                File::open(&source).map_err(|e| from_io(&e, "read", format!("file {}", source.display())))?;
            let mut length = input.metadata().map_or(0, |metadata| metadata.len());
            let written = create(folder, name, None, |file| {
                length = io::copy(&mut input, file).map_err(|e| folder.error(&e, "write", name))?;
                Ok(())
            })?;
            Ok((written, length))
        });
        let (written, length) = copied.await?;
        on_transfer(match written {
            Written::Created => Transfer::Sent(length),
            Written::AlreadyExists => Transfer::Present(length),
        });
        Ok(written)
    }

    async fn touch(&self, name: &BlobName) -> Result<bool> {
        self.on_disk(name, Folder::touch).await
    }

    async fn get_tagged(&self, name: &BlobName) -> Result<(Bytes, ETag)> {
        self.on_disk(name, |folder, name| {
            let (mut file, metadata) = folder.open(name)?;
            let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
            file.read_to_end(&mut content).map_err(|e| folder.error(&e, "read", name))?;
            Ok((content.into(), etag(&metadata)))
        })
        .await
    }

    async fn read_from(&self, name: &BlobName, start: u64) -> Result<BoxStream<'static, Result<Bytes>>> {
        let opened = self.on_disk(name, move |folder, name| {
            let (mut file, _) = folder.open(name)?;
            file.seek(SeekFrom::Start(start)).map_err(|e| folder.error(&e, "read", name))?;
            Ok(file)
        });
        let file = opened.await?;
        let (store, name) = (self.clone(), name.clone());
        let next = move |mut file: File| {
            let (store, name) = (store.clone(), name.clone());
            async move {
                let piece = store.on_disk(&name, move |folder, name| {
                    let mut piece = Vec::with_capacity(PIECE);
                    let read = (&mut file).take(PIECE as u64).read_to_end(&mut piece);
                    read.map_err(|e| folder.error(&e, "read", name))?;
                    Ok((piece, file))
                });
                let (piece, file) = piece.await?;
                Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
            }
        };
        Ok(stream::try_unfold(file, next).boxed())
    }

    async fn info(&self, name: &BlobName) -> Result<Option<BlobInfo>> {
        self.on_disk(name, |folder, name| match folder.open(name) {
            Ok((_, metadata)) => Ok(Some(info(name.clone(), &metadata, folder.note(name)))),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        })
        .await
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<BlobInfo>> {
        // No thread waits for whoever takes the entries.
        let (folder, prefix) = (Arc::clone(&self.folder), prefix.to_owned());
        let next = move |walk: Option<Walk>| {
            let (folder, prefix) = (Arc::clone(&folder), prefix.clone());
            FILES.run(move || {
                let mut walk = walk.map_or_else(|| Walk::start(&folder, &prefix), Ok)?;
                let found = walk.next(&folder, LISTED_AT_ONCE)?;
                Ok((!found.is_empty()).then_some((found, Some(walk))))
            })
        };
        let pages = stream::try_unfold(None, next);
        pages.map_ok(|found| stream::iter(found.into_iter().map(Ok))).try_flatten().boxed()
    }

    fn as_file(&self, name: &BlobName) -> Option<PathBuf> {
        self.folder.path(name).ok()
    }

    /// A folder's containers are there when they are needed.
    async fn container_exists(&self) -> Result<bool> {
        Ok(true)
    }

    async fn create_container(&self) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, name: &BlobName) -> Result<bool> {
        self.on_disk(name, |folder, name| folder.delete(name, None)).await
    }

    async fn delete_if_match(&self, name: &BlobName, etag: &ETag) -> Result<bool> {
        let expected = etag.clone();
        self.on_disk(name, move |folder, name| folder.delete(name, Some(&expected))).await
    }

    async fn compose_if_absent(
        &self,
        name: &BlobName,
        before: Bytes,
        parts: &[BlobName],
        after: Bytes,
    ) -> Result<Written> {
        let parts = parts.to_vec();
        self.on_disk(name, move |folder, name| {
            create(folder, name, None, |file| {
                append(folder, name, file, &before)?;
                for part in &parts {
                    let (mut input, _) = folder.open(part)?;
                    io::copy(&mut input, file).map_err(|e| folder.error(&e, "write", name))?;
                }
                append(folder, name, file, &after)
            })
        })
        .await
    }
}

/// Creates the blob with what `fill` writes, and a note if given, unless it exists.
fn create(
    folder: &Folder,
    name: &BlobName,
    note: Option<u64>,
    fill: impl FnOnce(&mut File) -> Result<()>,
) -> Result<Written> {
    // Saves the work in the common case; the decision is taken when the file gets its name.
    let path = folder.path(name).map_err(|e| folder.error(&e, "write", name))?;
    if path.is_file() {
        return Ok(Written::AlreadyExists);
    }
    let partial = folder.write_partial(name, fill)?;
    folder.publish_absent(name, &partial, note)
}

fn append(folder: &Folder, name: &BlobName, file: &mut File, content: &[u8]) -> Result<()> {
    file.write_all(content).map_err(|e| folder.error(&e, "write", name))
}
