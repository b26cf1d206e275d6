//! What lies in the cells and rows of a job's grid.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::TryStreamExt;
use jiff::Timestamp;

use super::Ledger;
use crate::jobs::chunk::QueryChunk;
use crate::jobs::error::{Error, Result};
use crate::jobs::frame::{self, Kind};
use crate::jobs::id::JobId;
use crate::jobs::job::FailedShard;
use crate::jobs::merge::Part;
use crate::jobs::messages::ShardPlanned;
use crate::jobs::names;
use crate::jobs::shard::ShardHits;

/// The shards of a job that need not be compared any more.
#[derive(Debug, Default)]
pub(in crate::jobs) struct Settled {
    /// Chunk and volume of those that have hits or have failed.
    pub(in crate::jobs) shards: BTreeSet<(u32, u32)>,
    /// When anything of the job was last written, texts included.
    pub(in crate::jobs) newest: Option<Timestamp>,
}

impl Ledger {
    /// The queries of a chunk.
    pub(in crate::jobs) async fn chunk(&self, id: JobId, chunk: u32) -> Result<QueryChunk> {
        let blob = names::queries(id, chunk)?;
        frame::decode(Kind::Queries, blob.as_str(), &self.blobs.get(&blob).await?)
    }

    /// Writes the queries of a chunk.
    pub(in crate::jobs) async fn put_chunk(&self, id: JobId, chunk: u32, queries: &QueryChunk) -> Result<()> {
        self.blobs.put(&names::queries(id, chunk)?, frame::encode(Kind::Queries, queries)?).await?;
        Ok(())
    }

    /// The hits of a shard, if it has been compared.
    pub(in crate::jobs) async fn hits(&self, shard: ShardPlanned) -> Result<Option<ShardHits>> {
        let blob = names::hits(shard)?;
        let frame = match self.blobs.get(&blob).await {
            Err(error) if names::absent(&error) => return Ok(None),
            other => other?,
        };
        let decode = move || frame::decode(Kind::Hits, blob.as_str(), &frame).map(Some);
        tokio::task::spawn_blocking(decode).await.map_err(|e| Error::Internal(e.to_string()))?
    }

    /// Whether a shard has been compared.
    pub(in crate::jobs) async fn has_hits(&self, shard: ShardPlanned) -> Result<bool> {
        self.exists(&names::hits(shard)?).await
    }

    /// Writes the [frame](frame::encode) of a shard's hits, unless they are there.
    pub(in crate::jobs) async fn put_hits(&self, shard: ShardPlanned, frame: Bytes) -> Result<()> {
        self.blobs.put_if_absent(&names::hits(shard)?, frame).await?;
        Ok(())
    }

    /// Removes the hits of a shard, which can always be had again.
    pub(in crate::jobs) async fn delete_hits(&self, shard: ShardPlanned) -> Result<()> {
        self.blobs.delete(&names::hits(shard)?).await?;
        Ok(())
    }

    /// Why a shard was given up, if it was.
    pub(in crate::jobs) async fn failed(&self, shard: ShardPlanned) -> Result<Option<FailedShard>> {
        self.find_json(&names::failed(shard)?).await
    }

    /// Whether a shard was given up.
    pub(in crate::jobs) async fn has_failed(&self, shard: ShardPlanned) -> Result<bool> {
        self.exists(&names::failed(shard)?).await
    }

    /// Records that a shard was given up, and why, unless that is known.
    pub(in crate::jobs) async fn put_failed(&self, shard: ShardPlanned, reason: &str) -> Result<()> {
        let ShardPlanned { chunk, volume, .. } = shard;
        let failed = FailedShard { chunk, volume, reason: reason.to_owned() };
        self.put_json_if_absent(&names::failed(shard)?, &failed).await.map(|_| ())
    }

    /// The volumes of a chunk's shards that have hits or have failed.
    pub(in crate::jobs) async fn settled_row(&self, id: JobId, chunk: u32) -> Result<BTreeSet<u32>> {
        let mut settled = BTreeSet::new();
        for kind in [names::HITS, names::FAILED] {
            let mut listing = self.blobs.list(&names::row(id, kind, chunk));
            while let Some(blob) = listing.try_next().await? {
                settled.extend(names::shard_of(&blob.name).map(|(_, volume)| volume));
            }
        }
        Ok(settled)
    }

    /// All shards of the job that are settled.
    pub(in crate::jobs) async fn settled(&self, id: JobId) -> Result<Settled> {
        let mut settled = Settled::default();
        for kind in [names::HITS, names::FAILED, names::TEXT] {
            let mut listing = self.blobs.list(&names::all(id, kind));
            while let Some(blob) = listing.try_next().await? {
                settled.newest = settled.newest.max(Some(blob.modified));
                if kind != names::TEXT {
                    settled.shards.extend(names::shard_of(&blob.name));
                }
            }
        }
        Ok(settled)
    }

    /// Chunk and volume of the shards that have been compared.
    pub(in crate::jobs) async fn compared_shards(&self, id: JobId) -> Result<BTreeSet<(u32, u32)>> {
        self.shards(id, names::HITS).await
    }

    /// Chunk and volume of the shards that were given up.
    pub(in crate::jobs) async fn failed_shards(&self, id: JobId) -> Result<BTreeSet<(u32, u32)>> {
        self.shards(id, names::FAILED).await
    }

    async fn shards(&self, id: JobId, kind: &str) -> Result<BTreeSet<(u32, u32)>> {
        let listing = self.blobs.list(&names::all(id, kind));
        let shards = listing.try_filter_map(|blob| async move { Ok(names::shard_of(&blob.name)) });
        Ok(shards.try_collect().await?)
    }

    /// The merged hits of a chunk.
    pub(in crate::jobs) async fn part(&self, id: JobId, chunk: u32) -> Result<Part> {
        let blob = names::part(id, chunk)?;
        frame::decode(Kind::Part, blob.as_str(), &self.blobs.get(&blob).await?)
    }

    /// Like [`part`](Self::part), but `None` if the chunk has not been merged.
    pub(in crate::jobs) async fn find_part(&self, id: JobId, chunk: u32) -> Result<Option<Part>> {
        match self.part(id, chunk).await {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Writes the [frame](frame::encode) of a part, unless there is one.
    pub(in crate::jobs) async fn put_part(&self, id: JobId, chunk: u32, frame: Bytes) -> Result<()> {
        self.blobs.put_if_absent(&names::part(id, chunk)?, frame).await?;
        Ok(())
    }

    /// Replaces a part that is damaged.
    pub(in crate::jobs) async fn replace_part(&self, id: JobId, chunk: u32, frame: Bytes) -> Result<()> {
        self.blobs.put(&names::part(id, chunk)?, frame).await?;
        Ok(())
    }

    /// Writes which volumes a part lacks.
    pub(in crate::jobs) async fn put_missing(&self, id: JobId, chunk: u32, volumes: &[u32]) -> Result<()> {
        self.put_json(&names::missing(id, chunk)?, &volumes).await
    }

    /// The volumes that the part of a chunk lacks, as far as that was written down.
    pub(in crate::jobs) async fn missing_row(&self, id: JobId, chunk: u32) -> Result<Vec<u32>> {
        Ok(self.find_json(&names::missing(id, chunk)?).await?.unwrap_or_default())
    }

    /// The shards that the parts lack, in the order of the grid.
    pub(in crate::jobs) async fn missing(&self, id: JobId) -> Result<Vec<ShardPlanned>> {
        let mut missing = Vec::new();
        let mut listing = self.blobs.list(&names::all(id, names::MISSING));
        while let Some(blob) = listing.try_next().await? {
            let Some(chunk) = names::chunk_of(&blob.name) else { continue };
            let volumes: Vec<u32> = self.read_json(&blob.name).await?;
            missing.extend(volumes.into_iter().map(|volume| ShardPlanned { job: id, chunk, volume }));
        }
        Ok(missing)
    }

    /// Whether a chunk has its text.
    pub(in crate::jobs) async fn has_text(&self, id: JobId, chunk: u32) -> Result<bool> {
        self.exists(&names::text(id, chunk)?).await
    }

    /// Writes the text of a chunk.
    pub(in crate::jobs) async fn put_text(&self, id: JobId, chunk: u32, text: Bytes) -> Result<()> {
        self.blobs.put(&names::text(id, chunk)?, text).await?;
        Ok(())
    }

    /// Number of chunks that have their text.
    pub(in crate::jobs) async fn texts(&self, id: JobId) -> Result<u32> {
        let texts = self.blobs.list(&names::all(id, names::TEXT));
        Ok(texts.try_fold(0, |sum, _| async move { Ok(sum + 1) }).await?)
    }

    /// Records that a shard was compared in so many milliseconds.
    pub(in crate::jobs) async fn put_spent(&self, shard: ShardPlanned, milliseconds: u64) -> Result<()> {
        self.blobs.put(&names::spent(shard, milliseconds)?, Bytes::new()).await?;
        Ok(())
    }

    /// Milliseconds that instances have spent on comparing the job's shards.
    pub(in crate::jobs) async fn spent(&self, id: JobId) -> Result<u64> {
        let records = self.blobs.list(&names::all(id, names::SPENT));
        let sum = |sum, blob: crate::store::BlobInfo| async move {
            Ok(sum + names::milliseconds_of(&blob.name).unwrap_or(0))
        };
        Ok(records.try_fold(0, sum).await?)
    }
}
