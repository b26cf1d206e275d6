//! Uploading a file block by block so that the next try goes on where this one stops.
//!
//! The service keeps blocks that were sent but not committed for a week. A block's id is made from
//! its place and its content, so whoever sends the same file finds the blocks that are there, and
//! writers of different content share none.

use std::collections::HashSet;
use std::path::Path;

use azure_storage_blob::models::BlockListType;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use tokio_util::io::ReaderStream;

use super::blobs::{AzureBlobs, PIECE, PIECES_AT_ONCE};
use super::errors::Fault;
use super::upload::{Condition, Writer, blocks};
use super::{Error, ErrorKind, Result};
use crate::store::{BlobName, BlobStore, OnTransfer, Transfer, Written};

impl AzureBlobs {
    pub(super) async fn put_file(
        &self,
        name: &BlobName,
        file: &Path,
        on_transfer: OnTransfer<'_>,
    ) -> Result<Written> {
        let (length, pieces) = read_file(file).await?;
        if self.info(name).await?.is_some() {
            on_transfer(Transfer::Present(length));
            return Ok(Written::AlreadyExists);
        }
        if length <= PIECE {
            let written = self.create(name, pieces, None).await?;
            on_transfer(match written {
                Written::Created => Transfer::Sent(length),
                Written::AlreadyExists => Transfer::Present(length),
            });
            return Ok(written);
        }
        let staged = self.staged(name).await.map_err(|fault| self.error(fault, "write", name))?;
        let staged = &staged;
        let sent = blocks(pieces).enumerate().map(|(index, block)| async move {
            let block = block?;
            let (id, length) = (block_id(index, &block), block.len() as u64);
            if staged.contains(&(id.clone(), length)) {
                on_transfer(Transfer::Present(length));
            } else {
                let staged = self.stage_block(name, &id, block).await;
                staged.map_err(|fault| self.error(fault, "write", name))?;
                on_transfer(Transfer::Sent(length));
            }
            Ok::<_, Error>(id)
        });
        let ids = sent.buffered(PIECES_AT_ONCE).try_collect().await?;
        let writer = Writer::new()?;
        let written = self.commit(name, ids, Condition::Absent, &writer).await;
        let created = self.settle(name, written, Condition::Absent, &writer).await?;
        Ok(created.map_or(Written::AlreadyExists, |_| Written::Created))
    }

    /// Ids and lengths of the blocks that are there without being part of the blob.
    async fn staged(&self, name: &BlobName) -> std::result::Result<HashSet<(Vec<u8>, u64)>, Fault> {
        let client = self.client(name).block_blob_client();
        let request = async { client.get_block_list(BlockListType::Uncommitted, None).await?.into_model() };
        let list = match self.session.call(request).await {
            Ok(list) => list,
            Err(fault) if fault.kind == ErrorKind::NotFound => return Ok(HashSet::new()),
            Err(fault) => return Err(fault),
        };
        let blocks = list.uncommitted_blocks.unwrap_or_default().into_iter();
        Ok(blocks.filter_map(|block| Some((block.name?, u64::try_from(block.size?).ok()?))).collect())
    }
}

/// All ids of one blob must have the same length: that of [`Writer`]'s.
fn block_id(index: usize, block: &[u8]) -> Vec<u8> {
    let digest = blake3::hash(block).to_hex();
    format!("{}-{index:08}", &digest[..16]).into_bytes()
}

/// Length and content of a file of this machine.
async fn read_file(path: &Path) -> Result<(u64, BoxStream<'static, Result<Bytes>>)> {
    let source = format!("file {}", path.display());
    let fail = move |e: std::io::Error| {
        let kind = match e.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            _ => ErrorKind::Transient,
        };
        Error::new(kind, "read", source.clone(), e.to_string())
    };
    let file = tokio::fs::File::open(path).await.map_err(&fail)?;
    let length = file.metadata().await.map_err(&fail)?.len();
    Ok((length, ReaderStream::with_capacity(file, 1 << 20).map_err(fail).boxed()))
}
