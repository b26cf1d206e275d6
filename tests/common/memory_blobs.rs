//! Blobs in memory, under the clock of the runtime: where that is paused, hours pass in no time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use skyblast::store::{
    BlobInfo, BlobName, BlobStore, ETag, Error, ErrorKind, OnTransfer, Result, Standing, Transfer, Written,
};

use super::memory_queue::Clock;

/// One container.
#[derive(Debug)]
pub(crate) struct MemoryBlobs {
    clock: Clock,
    blobs: Mutex<Blobs>,
}

#[derive(Debug, Default)]
struct Blobs {
    writes: u64,
    by_name: BTreeMap<String, Blob>,
}

#[derive(Clone, Debug)]
struct Blob {
    content: Bytes,
    info: BlobInfo,
}

impl MemoryBlobs {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, blobs: Mutex::default() }
    }

    /// Writes a blob if `may` says so of what is there.
    fn write(
        &self,
        name: &BlobName,
        content: Bytes,
        note: Option<u64>,
        may: impl FnOnce(Option<&Blob>) -> bool,
    ) -> Option<ETag> {
        let mut blobs = self.blobs.lock().unwrap();
        if !may(blobs.by_name.get(name.as_str())) {
            return None;
        }
        blobs.writes += 1;
        let etag = ETag(format!("\"{}\"", blobs.writes));
        let (length, modified) = (content.len() as u64, self.clock.now());
        let info = BlobInfo { name: name.clone(), length, modified, etag: etag.clone(), note };
        blobs.by_name.insert(name.as_str().to_owned(), Blob { content, info });
        Some(etag)
    }

    fn create(&self, name: &BlobName, content: Bytes, note: Option<u64>) -> Written {
        let written = self.write(name, content, note, |there| there.is_none());
        written.map_or(Written::AlreadyExists, |_| Written::Created)
    }

    fn find(&self, name: &BlobName) -> Result<Blob> {
        let found = self.blobs.lock().unwrap().by_name.get(name.as_str()).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "read", name.as_str(), "there is no such blob"))
    }

    fn remove(&self, name: &BlobName, may: impl FnOnce(&Blob) -> bool) -> bool {
        let mut blobs = self.blobs.lock().unwrap();
        let removes = blobs.by_name.get(name.as_str()).is_some_and(may);
        removes && blobs.by_name.remove(name.as_str()).is_some()
    }
}

#[async_trait]
impl BlobStore for MemoryBlobs {
    async fn put(&self, name: &BlobName, content: Bytes) -> Result<ETag> {
        Ok(self.write(name, content, None, |_| true).unwrap())
    }

    async fn put_if_absent(&self, name: &BlobName, content: Bytes) -> Result<Written> {
        Ok(self.create(name, content, None))
    }

    async fn put_noted_if_absent(&self, name: &BlobName, content: Bytes, note: u64) -> Result<Written> {
        Ok(self.create(name, content, Some(note)))
    }

    async fn put_pieces(
        &self,
        name: &BlobName,
        pieces: BoxStream<'static, Result<Bytes>>,
        standing: Standing,
    ) -> Result<Written> {
        let content = Bytes::from(pieces.try_collect::<Vec<_>>().await?.concat());
        Ok(match standing {
            Standing::Stays => self.create(name, content, None),
            Standing::Goes => {
                self.write(name, content, None, |_| true);
                Written::Created
            }
        })
    }

    async fn put_if_match(&self, name: &BlobName, content: Bytes, etag: &ETag) -> Result<ETag> {
        let written =
            self.write(name, content, None, |there| there.is_some_and(|there| there.info.etag == *etag));
        written.ok_or_else(|| Error::new(ErrorKind::Conflict, "replace", name.as_str(), "it has changed"))
    }

    async fn put_file_if_absent(
        &self,
        name: &BlobName,
        file: &Path,
        on_transfer: OnTransfer<'_>,
    ) -> Result<Written> {
        let content = Bytes::from(std::fs::read(file).unwrap());
        on_transfer(Transfer::Sent(content.len() as u64));
        Ok(self.create(name, content, None))
    }

    async fn touch(&self, name: &BlobName) -> Result<bool> {
        let Ok(Blob { content, info }) = self.find(name) else { return Ok(false) };
        Ok(self.write(name, content, info.note, |there| there.is_some()).is_some())
    }

    async fn get_tagged(&self, name: &BlobName) -> Result<(Bytes, ETag)> {
        self.find(name).map(|blob| (blob.content, blob.info.etag))
    }

    async fn read_from(&self, name: &BlobName, start: u64) -> Result<BoxStream<'static, Result<Bytes>>> {
        let content = self.find(name)?.content.slice(start as usize..);
        Ok(stream::once(async { Ok(content) }).boxed())
    }

    async fn info(&self, name: &BlobName) -> Result<Option<BlobInfo>> {
        Ok(self.find(name).ok().map(|blob| blob.info))
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<BlobInfo>> {
        let blobs = self.blobs.lock().unwrap();
        let from = blobs.by_name.range(prefix.to_owned()..);
        let found = from.take_while(|(name, _)| name.starts_with(prefix)).map(|(_, blob)| blob.info.clone());
        stream::iter(found.collect::<Vec<_>>()).map(Ok).boxed()
    }

    async fn container_exists(&self) -> Result<bool> {
        Ok(true)
    }

    async fn create_container(&self) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, name: &BlobName) -> Result<bool> {
        Ok(self.remove(name, |_| true))
    }

    async fn delete_if_match(&self, name: &BlobName, etag: &ETag) -> Result<bool> {
        Ok(self.remove(name, |blob| blob.info.etag == *etag))
    }

    async fn compose_if_absent(
        &self,
        name: &BlobName,
        before: Bytes,
        parts: &[BlobName],
        after: Bytes,
    ) -> Result<Written> {
        if self.find(name).is_ok() {
            return Ok(Written::AlreadyExists);
        }
        let parts = stream::iter(parts).then(|part| self.get(part)).try_collect::<Vec<_>>().await?;
        let content = [&[before][..], &parts[..], &[after][..]].concat().concat();
        Ok(self.create(name, content.into(), None))
    }
}
