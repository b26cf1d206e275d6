//! Writing block blobs: in one request if short, else block by block and then all at once.

use std::collections::HashMap;
use std::fmt;

use azure_core::http::Etag;
use azure_storage_blob::models::{
    BlobClientGetPropertiesResultHeaders, BlobClientUploadOptions, BlockBlobClientCommitBlockListOptions,
    BlockLookupList,
};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};

use super::blobs::{AzureBlobs, PIECE, PIECES_AT_ONCE};
use super::errors::Fault;
use super::properties::{NOTE, tag_of};
use super::{Error, ErrorKind, Result};
use crate::store::{BlobName, BlobStore, ETag, Written};

/// The metadata that says which write made the blob.
const WRITER: &str = "writer";

/// What must hold for a write to happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Condition<'a> {
    None,
    /// The blob does not exist.
    Absent,
    /// The blob has this tag.
    Match(&'a ETag),
}

impl Condition<'_> {
    fn if_none_match(self) -> Option<Etag> {
        matches!(self, Self::Absent).then(|| Etag::from("*"))
    }

    fn if_match(self) -> Option<Etag> {
        match self {
            Self::Match(tag) => Some(Etag::from(tag.0.as_str())),
            _ => None,
        }
    }
}

impl AzureBlobs {
    /// Creates the blob unless it exists, with a number beside it if given.
    pub(super) async fn create(
        &self,
        name: &BlobName,
        pieces: BoxStream<'static, Result<Bytes>>,
        note: Option<u64>,
    ) -> Result<Written> {
        let written = self.upload(name, pieces, Condition::Absent, note).await?;
        Ok(written.map_or(Written::AlreadyExists, |_| Written::Created))
    }

    /// Like [`create`](Self::create), looking first: for content that costs much to read and send.
    pub(super) async fn create_once(
        &self,
        name: &BlobName,
        pieces: BoxStream<'static, Result<Bytes>>,
    ) -> Result<Written> {
        if self.info(name).await?.is_some() {
            return Ok(Written::AlreadyExists);
        }
        self.create(name, pieces, None).await
    }

    /// Writes what `pieces` yield, with a bounded part of it in memory. Returns the new tag, or
    /// `None` if the condition does not hold.
    pub(super) async fn upload(
        &self,
        name: &BlobName,
        pieces: BoxStream<'static, Result<Bytes>>,
        condition: Condition<'_>,
        note: Option<u64>,
    ) -> Result<Option<ETag>> {
        let mut blocks = Box::pin(blocks(pieces));
        let writer = Writer { note, ..Writer::new()? };
        let first = blocks.try_next().await?.unwrap_or_default();
        let second = blocks.try_next().await?;
        let written = match second {
            None => self.put_whole(name, first, condition, &writer).await,
            Some(second) => {
                let blocks = stream::iter([Ok(first), Ok(second)]).chain(blocks);
                let ids = self.stage(name, blocks, &writer).await?;
                self.commit(name, ids, condition, &writer).await
            }
        };
        self.settle(name, written, condition, &writer).await
    }

    /// What became of a write: the new tag, or `None` if the condition does not hold.
    pub(super) async fn settle(
        &self,
        name: &BlobName,
        written: std::result::Result<ETag, Fault>,
        condition: Condition<'_>,
        writer: &Writer,
    ) -> Result<Option<ETag>> {
        match written {
            Ok(tag) => Ok(Some(tag)),
            Err(fault) if refused(&fault, condition) => {
                self.tag_if_written_by(name, writer).await.map_err(|fault| self.error(fault, "write", name))
            }
            Err(fault) => Err(self.error(fault, "write", name)),
        }
    }

    async fn put_whole(
        &self,
        name: &BlobName,
        content: Bytes,
        condition: Condition<'_>,
        writer: &Writer,
    ) -> std::result::Result<ETag, Fault> {
        let client = self.client(name);
        let upload = || async {
            let options = BlobClientUploadOptions {
                if_match: condition.if_match(),
                if_none_match: condition.if_none_match(),
                metadata: Some(writer.metadata()),
                // Never in parts: those would need time limits of their own.
                partition_size: std::num::NonZero::new(PIECE + 1),
                ..BlobClientUploadOptions::default()
            };
            let answer = client.upload(content.clone().into(), Some(options)).await?;
            Ok(tag_of(answer.raw_response.headers()))
        };
        let mut tag = self.session.call(upload()).await;
        if tag.as_ref().is_err_and(|fault| fault.is(&["ContainerNotFound"])) {
            self.make_container().await?;
            tag = self.session.call(upload()).await;
        }
        tag?.ok_or_else(|| Fault::unexpected("the service's answer has no ETag"))
    }

    /// Sends the blocks, a few at a time, and returns their ids in order.
    async fn stage(
        &self,
        name: &BlobName,
        blocks: impl Stream<Item = Result<Bytes>> + Send,
        writer: &Writer,
    ) -> Result<Vec<Vec<u8>>> {
        let staged = blocks.enumerate().map(|(index, block)| {
            let id = writer.block_id(index);
            async move {
                let staged = self.stage_block(name, &id, block?).await;
                staged.map(|()| id).map_err(|fault| self.error(fault, "write", name))
            }
        });
        staged.buffered(PIECES_AT_ONCE).try_collect().await
    }

    pub(super) async fn stage_block(
        &self,
        name: &BlobName,
        id: &[u8],
        block: Bytes,
    ) -> std::result::Result<(), Fault> {
        let client = self.client(name).block_blob_client();
        let length = block.len() as u64;
        let send = || client.stage_block(id, length, block.clone().into(), None);
        let mut staged = self.session.call(send()).await;
        if staged.as_ref().is_err_and(|fault| fault.is(&["ContainerNotFound"])) {
            self.make_container().await?;
            staged = self.session.call(send()).await;
        }
        staged.map(|_| ())
    }

    /// Makes the staged blocks the content of the blob.
    pub(super) async fn commit(
        &self,
        name: &BlobName,
        ids: Vec<Vec<u8>>,
        condition: Condition<'_>,
        writer: &Writer,
    ) -> std::result::Result<ETag, Fault> {
        let client = self.client(name).block_blob_client();
        let list = BlockLookupList { latest: Some(ids), ..BlockLookupList::default() };
        let request = async {
            let options = BlockBlobClientCommitBlockListOptions {
                if_match: condition.if_match(),
                if_none_match: condition.if_none_match(),
                metadata: Some(writer.metadata()),
                ..BlockBlobClientCommitBlockListOptions::default()
            };
            let answer = client.commit_block_list(list.try_into()?, Some(options)).await?;
            Ok(tag_of(answer.headers()))
        };
        self.session.call(request).await?.ok_or_else(|| Fault::unexpected("the service's answer has no ETag"))
    }

    /// The blob's tag if `writer` wrote it. A write is refused by its own condition when it had
    /// succeeded, the answer was lost, and it was sent again.
    async fn tag_if_written_by(
        &self,
        name: &BlobName,
        writer: &Writer,
    ) -> std::result::Result<Option<ETag>, Fault> {
        let client = self.client(name);
        match self.session.call(client.get_properties(None)).await {
            Ok(answer) => {
                let metadata = answer.metadata().unwrap_or_default();
                let ours = metadata.get(WRITER).is_some_and(|written_by| *written_by == writer.id);
                Ok(tag_of(answer.headers()).filter(|_| ours))
            }
            Err(fault) if fault.kind == ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// Whether `fault` says that the condition does not hold.
fn refused(fault: &Fault, condition: Condition<'_>) -> bool {
    match condition {
        Condition::None => false,
        // The commit of another writer discards the blocks that this one had staged.
        Condition::Absent => fault.kind == ErrorKind::Conflict || fault.is(&["InvalidBlockList"]),
        Condition::Match(_) => {
            matches!(fault.kind, ErrorKind::Conflict | ErrorKind::NotFound) || fault.is(&["InvalidBlockList"])
        }
    }
}

/// One write's own random name, so that concurrent writers of a blob share no blocks.
pub(super) struct Writer {
    id: String,
    /// The number that it leaves beside the content.
    note: Option<u64>,
}

impl Writer {
    pub(super) fn new() -> Result<Self> {
        let number = getrandom::u64().map_err(|e| {
            Error::new(ErrorKind::Transient, "name", "an upload", format!("no random numbers: {e}"))
        })?;
        Ok(Self { id: format!("{number:016x}"), note: None })
    }

    fn metadata(&self) -> HashMap<String, String> {
        let note = self.note.map(|note| (NOTE.to_owned(), note.to_string()));
        [(WRITER.to_owned(), self.id.clone())].into_iter().chain(note).collect()
    }

    /// All ids of one blob must have the same length.
    fn block_id(&self, index: usize) -> Vec<u8> {
        format!("{self}-{index:08}").into_bytes()
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// Cuts the stream into blocks of [`PIECE`] bytes; the last may be shorter.
pub(super) fn blocks(pieces: BoxStream<'static, Result<Bytes>>) -> impl Stream<Item = Result<Bytes>> + Send {
    stream::try_unfold((pieces, BytesMut::new()), |(mut pieces, mut waiting)| async move {
        while waiting.len() < PIECE as usize {
            let Some(piece) = pieces.try_next().await? else { break };
            waiting.extend_from_slice(&piece);
        }
        let length = waiting.len().min(PIECE as usize);
        let block = waiting.split_to(length).freeze();
        Ok((!block.is_empty()).then_some((block, (pieces, waiting))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn block_lengths(pieces: &[usize]) -> Vec<usize> {
        let pieces: Vec<_> = pieces.iter().map(|&length| Ok(Bytes::from(vec![7; length]))).collect();
        blocks(stream::iter(pieces).boxed()).map_ok(|block| block.len()).try_collect().await.unwrap()
    }

    #[tokio::test]
    async fn blocks_are_full_but_for_the_last() {
        let full = PIECE as usize;
        assert!(block_lengths(&[]).await.is_empty());
        assert!(block_lengths(&[0, 0]).await.is_empty());
        assert_eq!(block_lengths(&[1, 0, 2]).await, [3]);
        assert_eq!(block_lengths(&[full]).await, [full]);
        assert_eq!(block_lengths(&[full - 1, 2, full]).await, [full, full, 1]);
    }
}
