//! Stores and queues whose calls somebody may hold up, spoil or repeat.

use std::collections::HashSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use skyblast::store::{
    Access, BlobInfo, BlobName, BlobStore, Delivery, ETag, Grant, OnTransfer, Queue, Result, Standing,
    Written,
};

/// What somebody does to calls; nothing, unless said otherwise.
pub(crate) trait Interceptor: Clone + Debug + Send + Sync + 'static {
    /// Does the work of a call, or not, or later.
    fn call<T: Send>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T>> + Send,
    ) -> impl Future<Output = Result<T>> + Send;

    /// Hears that a blob was written with `put`.
    fn has_put(&self) {}

    /// Is there when somebody is about to write the hits of a shard.
    fn compared(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// What arrives of a blob.
    fn arrives(&self, content: Bytes) -> Bytes {
        content
    }

    /// What the service's clock showed.
    fn shown(&self, time: Timestamp) -> Timestamp {
        time
    }

    /// How late each copy of a message is.
    fn copies(&self) -> Vec<Duration> {
        vec![Duration::ZERO]
    }

    /// Whether a lease ends at once.
    fn ends_lease(&self) -> bool {
        false
    }

    /// Whether the service forgets that a message was deleted.
    fn forgets_delete(&self) -> bool {
        false
    }
}

/// A store or a queue of which `by` hears all.
#[derive(Debug)]
pub(crate) struct Intercepted<S: ?Sized, I> {
    inner: Arc<S>,
    by: I,
    /// Hits that could not be written: who compared them writes them again.
    unwritten: Mutex<HashSet<BlobName>>,
}

impl<S: ?Sized, I> Intercepted<S, I> {
    pub(crate) fn new(inner: Arc<S>, by: I) -> Self {
        Self { inner, by, unwritten: Mutex::default() }
    }
}

#[async_trait]
impl<I: Interceptor> BlobStore for Intercepted<dyn BlobStore, I> {
    async fn put(&self, name: &BlobName, content: Bytes) -> Result<ETag> {
        let written = self.by.call("write", self.inner.put(name, content)).await?;
        self.by.has_put();
        Ok(written)
    }

    async fn put_if_absent(&self, name: &BlobName, content: Bytes) -> Result<Written> {
        self.by.call("write", self.inner.put_if_absent(name, content)).await
    }

    async fn put_noted_if_absent(&self, name: &BlobName, content: Bytes, note: u64) -> Result<Written> {
        let writes_again = self.unwritten.lock().unwrap().remove(name);
        if !content.is_empty() && !writes_again {
            self.by.compared().await;
        }
        let written = self.by.call("write", self.inner.put_noted_if_absent(name, content, note)).await;
        if written.is_err() {
            self.unwritten.lock().unwrap().insert(name.clone());
        }
        written
    }

    async fn put_pieces(
        &self,
        name: &BlobName,
        pieces: BoxStream<'static, Result<Bytes>>,
        standing: Standing,
    ) -> Result<Written> {
        let written = self.by.call("write", self.inner.put_pieces(name, pieces, standing)).await?;
        self.by.has_put();
        Ok(written)
    }

    async fn put_if_match(&self, name: &BlobName, content: Bytes, etag: &ETag) -> Result<ETag> {
        self.by.call("write", self.inner.put_if_match(name, content, etag)).await
    }

    async fn put_file_if_absent(
        &self,
        name: &BlobName,
        file: &Path,
        on_transfer: OnTransfer<'_>,
    ) -> Result<Written> {
        self.by.call("write", self.inner.put_file_if_absent(name, file, on_transfer)).await
    }

    async fn touch(&self, name: &BlobName) -> Result<bool> {
        self.by.call("touch", self.inner.touch(name)).await
    }

    async fn get_tagged(&self, name: &BlobName) -> Result<(Bytes, ETag)> {
        let (content, tag) = self.by.call("read", self.inner.get_tagged(name)).await?;
        Ok((self.by.arrives(content), tag))
    }

    async fn read_from(&self, name: &BlobName, start: u64) -> Result<BoxStream<'static, Result<Bytes>>> {
        let pieces = self.by.call("read", self.inner.read_from(name, start)).await?;
        // What is not checked is what a store knows the length of.
        if !["/hits/", "/parts/"].iter().any(|checked| name.as_str().contains(checked)) {
            return Ok(pieces);
        }
        let by = self.by.clone();
        let arrived = pieces.map_ok(move |piece| {
            let arrived = by.arrives(piece.clone());
            let whole = arrived.len() == piece.len();
            (arrived, whole)
        });
        // Nothing follows what is cut off.
        let until_cut = arrived.scan(true, |goes_on, piece| {
            let taken = goes_on.then(|| piece);
            *goes_on = matches!(&taken, Some(Ok((_, true))));
            std::future::ready(taken)
        });
        Ok(until_cut.map_ok(|(piece, _)| piece).boxed())
    }

    async fn info(&self, name: &BlobName) -> Result<Option<BlobInfo>> {
        let found = self.by.call("look up", self.inner.info(name)).await?;
        Ok(found.map(|info| BlobInfo { modified: self.by.shown(info.modified), ..info }))
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<BlobInfo>> {
        let (by, listing) = (self.by.clone(), self.inner.list(prefix));
        stream::once(async move {
            match by.call("list", async { Ok(()) }).await {
                Ok(()) => {
                    listing.map_ok(move |info| BlobInfo { modified: by.shown(info.modified), ..info }).boxed()
                }
                Err(error) => stream::once(async { Err(error) }).boxed(),
            }
        })
        .flatten()
        .boxed()
    }

    /// None, so that every read can fail.
    fn as_file(&self, _name: &BlobName) -> Option<PathBuf> {
        None
    }

    async fn container_exists(&self) -> Result<bool> {
        self.by.call("look for", self.inner.container_exists()).await
    }

    async fn create_container(&self) -> Result<()> {
        self.by.call("create", self.inner.create_container()).await
    }

    async fn grant(&self, name: &BlobName, access: Access, lifetime: Duration) -> Result<Option<Grant>> {
        self.by.call("grant", self.inner.grant(name, access, lifetime)).await
    }

    async fn delete(&self, name: &BlobName) -> Result<bool> {
        self.by.call("delete", self.inner.delete(name)).await
    }

    async fn delete_if_match(&self, name: &BlobName, etag: &ETag) -> Result<bool> {
        self.by.call("delete", self.inner.delete_if_match(name, etag)).await
    }

    async fn compose_if_absent(
        &self,
        name: &BlobName,
        before: Bytes,
        parts: &[BlobName],
        after: Bytes,
    ) -> Result<Written> {
        self.by.call("compose", self.inner.compose_if_absent(name, before, parts, after)).await
    }
}

#[async_trait]
impl<I: Interceptor> Queue for Intercepted<dyn Queue, I> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn exists(&self) -> Result<bool> {
        self.by.call("look for", self.inner.exists()).await
    }

    async fn create(&self) -> Result<()> {
        self.by.call("create", self.inner.create()).await
    }

    async fn send(&self, body: &str, delay: Duration) -> Result<()> {
        let send = async {
            for late in self.by.copies() {
                self.inner.send(body, delay + late).await?;
            }
            Ok(())
        };
        self.by.call("send to", send).await
    }

    async fn receive(&self, max: u32, visibility: Duration) -> Result<Vec<Delivery>> {
        let deliveries = self.by.call("receive from", self.inner.receive(max, visibility)).await?;
        for delivery in &deliveries {
            if self.by.ends_lease() {
                self.inner.renew(&mut delivery.clone(), Duration::ZERO).await?;
            }
        }
        Ok(deliveries)
    }

    async fn renew(&self, delivery: &mut Delivery, visibility: Duration) -> Result<()> {
        self.by.call("renew in", self.inner.renew(delivery, visibility)).await
    }

    async fn delete(&self, delivery: &Delivery) -> Result<()> {
        if self.by.forgets_delete() {
            return Ok(());
        }
        self.by.call("delete from", self.inner.delete(delivery)).await
    }

    async fn waiting_since(&self) -> Result<Option<Timestamp>> {
        let since = self.by.call("look into", self.inner.waiting_since()).await?;
        Ok(since.map(|since| self.by.shown(since)))
    }

    async fn approximate_count(&self) -> Result<u64> {
        self.by.call("count", self.inner.approximate_count()).await
    }
}
