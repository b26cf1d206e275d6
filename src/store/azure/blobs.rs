//! [`BlobStore`] over a container of block blobs: reading, listing, deleting. Writing is in
//! `upload`.

use std::fmt;
use std::num::NonZero;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::Etag;
use azure_storage_blob::models::{
    BlobClientDeleteOptions, BlobClientDownloadOptions, BlobClientGetPropertiesResultHeaders,
    BlobContainerClientListBlobsOptions, BlobItem, ListBlobsIncludeItem,
};
use azure_storage_blob::{BlobClient, BlobContainerClient, BlobContainerClientOptions};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::errors::Fault;
use super::properties::{info_of, note_of, tag_of, timestamp, total_length};
use super::sas;
use super::session::Session;
use super::upload::Condition;
use super::{Error, ErrorKind, Result};
use crate::store::{Access, BlobInfo, BlobName, BlobStore, ETag, Grant, OnTransfer, Standing, Written};

/// Length of the ranges that a long blob is read in, and of the blocks that it is written in.
pub(super) const PIECE: u64 = 8 << 20;
/// Pieces of one blob under way at the same time. With [`PIECE`] it bounds the memory of a transfer.
pub(super) const PIECES_AT_ONCE: usize = 4;
/// Blobs per page of a listing.
const PAGE: i32 = 1_000;

/// One container of an Azure Storage account.
#[derive(Clone)]
pub struct AzureBlobs {
    container: Arc<str>,
    pub(super) session: Arc<Session>,
    client: Arc<BlobContainerClient>,
}

/// One range of a blob.
struct Piece {
    content: Bytes,
    tag: ETag,
    /// Length of the whole blob.
    total: u64,
}

impl AzureBlobs {
    pub(super) fn new(session: Arc<Session>, container: &str) -> Result<Self> {
        let (url, credential, client_options) = session.container(container);
        let options = BlobContainerClientOptions { client_options, ..BlobContainerClientOptions::default() };
        let client = BlobContainerClient::new(url, credential, Some(options))
            .map_err(|e| Fault::from(e).while_doing("use", format!("container {container}")))?;
        Ok(Self { container: container.into(), session, client: Arc::new(client) })
    }

    pub(super) fn client(&self, name: &BlobName) -> BlobClient {
        self.client.blob_client(name.as_str())
    }

    /// Turns a fault into an error that names the blob.
    pub(super) fn error(&self, fault: Fault, action: &'static str, name: &BlobName) -> Error {
        fault.while_doing(action, format!("blob {}/{name}", self.container))
    }

    /// Creates the container; that it exists is fine.
    pub(super) async fn make_container(&self) -> std::result::Result<(), Fault> {
        match self.session.call(self.client.create(None)).await {
            Err(fault) if !fault.is(&["ContainerAlreadyExists"]) => Err(fault),
            _ => Ok(()),
        }
    }

    /// Reads one range, of the version `tag` if given.
    async fn piece(&self, name: &BlobName, range: Range<u64>, tag: Option<&ETag>) -> Result<Piece> {
        let client = self.client(name);
        let mut tries_left = self.session.retries();
        loop {
            let options = BlobClientDownloadOptions {
                range: Some(range.clone().into()),
                if_match: tag.map(|tag| Etag::from(tag.0.as_str())),
                parallel: Some(NonZero::<usize>::MIN),
                partition_size: NonZero::new(PIECE as usize),
                ..BlobClientDownloadOptions::default()
            };
            let answer = match self.session.call(client.download(Some(options))).await {
                Ok(answer) => answer,
                // So may the reason of a refusal.
                Err(fault) if fault.is_broken_off() && tries_left > 0 => {
                    tries_left -= 1;
                    continue;
                }
                Err(fault) => return Err(self.error(fault, "read", name)),
            };
            let (headers, body) = (answer.headers, answer.body);
            match self.session.call(body.collect()).await {
                Ok(content) => {
                    let total = total_length(&headers).unwrap_or(content.len() as u64);
                    if (content.len() as u64) < total.min(range.end) - total.min(range.start) {
                        let fault = Fault::unexpected("the service's answer is too short");
                        if tries_left == 0 {
                            return Err(self.error(fault, "read", name));
                        }
                        tries_left -= 1;
                        continue;
                    }
                    let tag = tag_of(&headers);
                    let tag = tag.ok_or_else(|| self.error(Fault::unexpected("no ETag"), "read", name))?;
                    return Ok(Piece { content, tag, total });
                }
                // The client repeats a failed request, but not one whose answer breaks off.
                Err(fault) if fault.kind == ErrorKind::Transient && tries_left > 0 => tries_left -= 1,
                Err(fault) => return Err(self.error(fault, "read", name)),
            }
        }
    }

    /// The tag of the version read, its length, and its pieces in order from byte `start` on. The first has been
    /// read already, so that what is missing is missing here.
    pub(super) async fn pieces(
        &self,
        name: &BlobName,
        start: u64,
    ) -> Result<(ETag, u64, BoxStream<'static, Result<Bytes>>)> {
        let Piece { content, tag, total } = self.piece(name, start..start + PIECE, None).await?;
        let (blobs, name, version) = (self.clone(), name.clone(), tag.clone());
        let starts = (start + PIECE..total).step_by(PIECE as usize);
        let rest = stream::iter(starts).map(move |start| {
            let (blobs, name, version) = (blobs.clone(), name.clone(), version.clone());
            async move {
                let range = start..total.min(start + PIECE);
                Ok(blobs.piece(&name, range, Some(&version)).await?.content)
            }
        });
        let first = stream::once(async { Ok(content) });
        Ok((tag, total, first.chain(rest.buffered(PIECES_AT_ONCE)).boxed()))
    }

    /// One page of a listing and the mark of the next.
    async fn page(&self, prefix: &str, marker: Option<String>) -> Result<(Vec<BlobItem>, Option<String>)> {
        let request = || async {
            let options = BlobContainerClientListBlobsOptions {
                prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
                marker: marker.clone(),
                maxresults: Some(PAGE),
                include: Some(vec![ListBlobsIncludeItem::Metadata]),
                ..BlobContainerClientListBlobsOptions::default()
            };
            let mut pages = self.client.list_blobs(Some(options))?.into_pages();
            pages.try_next().await?.map(|page| page.into_model()).transpose()
        };
        let mut page = self.session.call(request()).await;
        // The client does not repeat a request whose answer breaks off.
        if page.as_ref().is_err_and(|fault| fault.kind == ErrorKind::Transient) {
            page = self.session.call(request()).await;
        }
        match page {
            Ok(Some(page)) => Ok((page.blob_items, page.next_marker.filter(|marker| !marker.is_empty()))),
            Ok(None) => Ok((Vec::new(), None)),
            Err(fault) if fault.is(&["ContainerNotFound"]) => Ok((Vec::new(), None)),
            Err(fault) => Err(fault.while_doing("list", format!("blobs {}/{prefix}", self.container))),
        }
    }
}

#[async_trait]
impl BlobStore for AzureBlobs {
    async fn put(&self, name: &BlobName, content: Bytes) -> Result<ETag> {
        let written = self.upload(name, slices(content), Condition::None, None).await?;
        Ok(written.expect("an unconditional write has no condition to fail"))
    }

    async fn put_if_absent(&self, name: &BlobName, content: Bytes) -> Result<Written> {
        self.create(name, slices(content), None).await
    }

    async fn put_noted_if_absent(&self, name: &BlobName, content: Bytes, note: u64) -> Result<Written> {
        self.create(name, slices(content), Some(note)).await
    }

    async fn put_pieces(
        &self,
        name: &BlobName,
        pieces: BoxStream<'static, Result<Bytes>>,
        standing: Standing,
    ) -> Result<Written> {
        match standing {
            Standing::Stays => self.create(name, pieces, None).await,
            Standing::Goes => {
                self.upload(name, pieces, Condition::None, None).await.map(|_| Written::Created)
            }
        }
    }

    async fn put_if_match(&self, name: &BlobName, content: Bytes, etag: &ETag) -> Result<ETag> {
        self.upload(name, slices(content), Condition::Match(etag), None).await?.ok_or_else(|| {
            let object = format!("blob {}/{name}", self.container);
            Error::new(ErrorKind::Conflict, "replace", object, "its content has changed since it was read")
        })
    }

    async fn put_file_if_absent(
        &self,
        name: &BlobName,
        file: &Path,
        on_transfer: OnTransfer<'_>,
    ) -> Result<Written> {
        self.put_file(name, file, on_transfer).await
    }

    async fn touch(&self, name: &BlobName) -> Result<bool> {
        let client = self.client(name);
        let touch = async {
            // Setting metadata replaces all of it.
            let metadata = client.get_properties(None).await?.metadata().unwrap_or_default();
            client.set_metadata(&metadata, None).await
        };
        match self.session.call(touch).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.kind == ErrorKind::NotFound => Ok(false),
            Err(fault) => Err(self.error(fault, "touch", name)),
        }
    }

    async fn get_tagged(&self, name: &BlobName) -> Result<(Bytes, ETag)> {
        let (tag, total, mut pieces) = self.pieces(name, 0).await?;
        if total <= PIECE {
            return Ok((pieces.try_next().await?.unwrap_or_default(), tag));
        }
        let mut content = BytesMut::with_capacity(usize::try_from(total).unwrap_or(0));
        while let Some(piece) = pieces.try_next().await? {
            content.extend_from_slice(&piece);
        }
        Ok((content.freeze(), tag))
    }

    async fn read_from(&self, name: &BlobName, start: u64) -> Result<BoxStream<'static, Result<Bytes>>> {
        Ok(self.pieces(name, start).await?.2)
    }

    async fn info(&self, name: &BlobName) -> Result<Option<BlobInfo>> {
        let client = self.client(name);
        match self.session.call(client.get_properties(None)).await {
            Ok(answer) => {
                let modified = answer.last_modified().ok().flatten().and_then(timestamp);
                let length = answer.content_length().ok().flatten();
                match (length, modified, tag_of(answer.headers())) {
                    (Some(length), Some(modified), Some(etag)) => {
                        let note = answer.metadata().ok().and_then(|metadata| note_of(&metadata));
                        Ok(Some(BlobInfo { name: name.clone(), length, modified, etag, note }))
                    }
                    _ => Err(self.error(Fault::unexpected("no length, time or ETag"), "examine", name)),
                }
            }
            Err(fault) if fault.kind == ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(self.error(fault, "examine", name)),
        }
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<BlobInfo>> {
        let (blobs, prefix) = (self.clone(), prefix.to_owned());
        let pages = stream::try_unfold(Some(None), move |next: Option<Option<String>>| {
            let (blobs, prefix) = (blobs.clone(), prefix.clone());
            async move {
                let Some(marker) = next else { return Ok(None) };
                let (items, following) = blobs.page(&prefix, marker).await?;
                let infos: Vec<Result<BlobInfo>> = items.into_iter().filter_map(info_of).map(Ok).collect();
                Ok::<_, Error>(Some((stream::iter(infos), following.map(Some))))
            }
        });
        pages.try_flatten().boxed()
    }

    async fn container_exists(&self) -> Result<bool> {
        let exists = self.session.call(self.client.exists()).await;
        exists.map_err(|fault| fault.while_doing("look for", format!("container {}", self.container)))
    }

    async fn create_container(&self) -> Result<()> {
        let created = self.make_container().await;
        created.map_err(|fault| fault.while_doing("create", format!("container {}", self.container)))
    }

    async fn grant(&self, name: &BlobName, access: Access, lifetime: Duration) -> Result<Option<Grant>> {
        let expires = Timestamp::now() + lifetime;
        let granted = sas::grant(&self.session, &self.container, name, &access, expires).await;
        let url = granted.map_err(|fault| self.error(fault, "make an address for", name))?;
        Ok(url.map(|url| Grant { url, expires }))
    }

    async fn delete(&self, name: &BlobName) -> Result<bool> {
        let client = self.client(name);
        match self.session.call(client.delete(None)).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.kind == ErrorKind::NotFound => Ok(false),
            Err(fault) => Err(self.error(fault, "delete", name)),
        }
    }

    async fn delete_if_match(&self, name: &BlobName, etag: &ETag) -> Result<bool> {
        let client = self.client(name);
        let options = BlobClientDeleteOptions {
            if_match: Some(Etag::from(etag.0.as_str())),
            ..BlobClientDeleteOptions::default()
        };
        match self.session.call(client.delete(Some(options))).await {
            Ok(_) => Ok(true),
            Err(fault) if matches!(fault.kind, ErrorKind::NotFound | ErrorKind::Conflict) => Ok(false),
            Err(fault) => Err(self.error(fault, "delete", name)),
        }
    }

    async fn compose_if_absent(
        &self,
        name: &BlobName,
        before: Bytes,
        parts: &[BlobName],
        after: Bytes,
    ) -> Result<Written> {
        let blobs = self.clone();
        // The first pieces of the next parts are read ahead: most parts have no second.
        let contents = stream::iter(parts.to_vec())
            .map(move |part| {
                let blobs = blobs.clone();
                async move { Ok::<_, Error>(blobs.pieces(&part, 0).await?.2) }
            })
            .buffered(PIECES_AT_ONCE)
            .try_flatten();
        self.create_once(name, slices(before).chain(contents).chain(slices(after)).boxed()).await
    }
}

impl fmt::Debug for AzureBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureBlobs")
            .field("container", &self.container)
            .field("session", &self.session)
            .finish()
    }
}

/// `content` in pieces that share its memory.
fn slices(content: Bytes) -> BoxStream<'static, Result<Bytes>> {
    let length = content.len();
    let pieces = (0..length).step_by(PIECE as usize);
    stream::iter(pieces.map(move |start| Ok(content.slice(start..length.min(start + PIECE as usize)))))
        .boxed()
}
