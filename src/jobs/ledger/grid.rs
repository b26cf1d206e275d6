//! What lies in the cells and rows of a job's grid.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::pin::pin;

use bytes::Bytes;
use futures::TryStreamExt;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::Ledger;
use crate::jobs::chunk::QueryChunk;
use crate::jobs::error::{Error, Result};
use crate::jobs::frame::{self, Kind};
use crate::jobs::id::JobId;
use crate::jobs::job::FailedShard;
use crate::jobs::merge::Part;
use crate::jobs::messages::ShardPlanned;
use crate::jobs::names;
use crate::jobs::plan::Page;
use crate::jobs::shard::ShardHits;
use crate::store::{BlobInfo, BlobName, Written};

/// The hits of a shard where they lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jobs) struct StoredHits(BlobName);

/// The shards of a chunk that have neither hits nor failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::jobs) struct Unsettled {
    /// Their volumes.
    pub(in crate::jobs) volumes: BTreeSet<u32>,
    /// Whether one of them has been left word to look at the row.
    pub(in crate::jobs) word_is_left: bool,
}

/// The settled shards of a chunk.
#[derive(Debug, Default)]
pub(in crate::jobs) struct Row {
    /// Hits by volume.
    pub(in crate::jobs) hits: BTreeMap<u32, StoredHits>,
    /// Volumes whose shard failed and has no hits.
    pub(in crate::jobs) failed: BTreeSet<u32>,
}

/// The shards of a job that need not be compared any more.
#[derive(Debug, Default)]
pub(in crate::jobs) struct Settled {
    /// Chunk and volume of those that have hits or have failed.
    pub(in crate::jobs) shards: BTreeSet<(u32, u32)>,
    /// Pages of shards that somebody has begun to announce.
    pub(in crate::jobs) pages: usize,
    /// Chunks that have their text.
    pub(in crate::jobs) texts: BTreeSet<u32>,
    /// How long the shards took, in milliseconds, as far as that is known.
    pub(in crate::jobs) milliseconds: Vec<u64>,
    /// When any of this was last written, or shards were last announced.
    pub(in crate::jobs) newest: Option<Timestamp>,
}

impl Ledger {
    /// The queries of a chunk.
    pub(in crate::jobs) async fn chunk(&self, id: JobId, chunk: u32) -> Result<QueryChunk> {
        self.read_frame(Kind::Queries, &names::queries(id, chunk)?).await
    }

    /// Writes the queries of a chunk.
    pub(in crate::jobs) async fn put_chunk(&self, id: JobId, chunk: u32, queries: &QueryChunk) -> Result<()> {
        self.blobs.put(&names::queries(id, chunk)?, frame::encode(Kind::Queries, queries)?).await?;
        Ok(())
    }

    /// The hits of a shard, unless they are gone.
    pub(in crate::jobs) async fn hits(&self, stored: &StoredHits) -> Result<Option<ShardHits>> {
        match self.read_frame(Kind::Hits, &stored.0).await {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Whether a shard has been compared.
    pub(in crate::jobs) async fn has_hits(&self, shard: ShardPlanned) -> Result<bool> {
        let blobs = self.blobs.list(&names::hits_of(shard));
        Ok(pin!(blobs.try_filter(|blob| ready(has_hits(blob)))).try_next().await?.is_some())
    }

    /// Writes the [frame](frame::encode) of a shard's hits, which it took so many milliseconds to get. `true` if
    /// something was there before: the word of somebody who waits for them, or the same hits.
    pub(in crate::jobs) async fn put_hits(
        &self,
        shard: ShardPlanned,
        milliseconds: u64,
        frame: Bytes,
    ) -> Result<bool> {
        let blob = names::hits(shard)?;
        if self.blobs.put_noted_if_absent(&blob, frame.clone(), milliseconds.max(1)).await?
            == Written::Created
        {
            return Ok(false);
        }
        if self.blobs.info(&blob).await?.is_none_or(|there| is_word(&there)) {
            self.blobs.put(&blob, frame).await?;
        }
        self.put_spent(shard, milliseconds).await?;
        Ok(true)
    }

    /// Leaves word with a shard that who compares it is to look at its row; `false` if it has been compared, or
    /// somebody else has left word.
    pub(in crate::jobs) async fn leave_word(&self, shard: ShardPlanned) -> Result<bool> {
        let left = self.blobs.put_noted_if_absent(&names::hits(shard)?, Bytes::new(), WORD).await?;
        Ok(left == Written::Created)
    }

    /// Removes hits, which can always be had again.
    pub(in crate::jobs) async fn delete_hits(&self, stored: &StoredHits) -> Result<()> {
        self.blobs.delete(&stored.0).await?;
        Ok(())
    }

    /// Why a shard was given up, if it was.
    pub(in crate::jobs) async fn failed(&self, shard: ShardPlanned) -> Result<Option<FailedShard>> {
        self.find_json(&names::failed(shard)?).await
    }

    /// Records that a shard was given up, and why, unless that is known.
    pub(in crate::jobs) async fn put_failed(&self, shard: ShardPlanned, reason: &str) -> Result<()> {
        let ShardPlanned { chunk, volume, .. } = shard;
        let failed = FailedShard { chunk, volume, reason: reason.to_owned() };
        self.put_json_if_absent(&names::failed(shard)?, &failed).await?;
        self.blobs.put(&names::given_up(shard)?, Bytes::new()).await?;
        Ok(())
    }

    /// The shards of a chunk, of a job with so many volumes, that have neither hits nor failed. Those that an
    /// earlier version gave up are among them.
    pub(in crate::jobs) async fn unsettled(
        &self,
        id: JobId,
        chunk: u32,
        volumes: usize,
    ) -> Result<Unsettled> {
        let mut unsettled: BTreeSet<u32> = (0..volumes as u32).collect();
        let mut words = BTreeSet::new();
        let mut listing = self.blobs.list(&names::row(id, names::HITS, chunk));
        while let Some(blob) = listing.try_next().await? {
            let Some((_, volume)) = names::shard_of(&blob.name) else { continue };
            if is_word(&blob) {
                words.insert(volume);
            } else {
                unsettled.remove(&volume);
            }
        }
        let word_is_left = !words.is_disjoint(&unsettled);
        Ok(Unsettled { volumes: unsettled, word_is_left })
    }

    /// The shards of a chunk, of a job with so many volumes, that have hits or have failed.
    pub(in crate::jobs) async fn row(&self, id: JobId, chunk: u32, volumes: u32) -> Result<Row> {
        let mut row = Row::default();
        let mut listing = self.blobs.list(&names::row(id, names::HITS, chunk));
        while let Some(blob) = listing.try_next().await? {
            let volume = names::shard_of(&blob.name).map(|(_, volume)| volume);
            if let Some(volume) = volume.filter(|&volume| volume < volumes && has_hits(&blob)) {
                row.hits.entry(volume).or_insert(StoredHits(blob.name));
            }
        }
        if row.hits.len() < volumes as usize {
            let mut listing = self.blobs.list(&names::row(id, names::FAILED, chunk));
            while let Some(blob) = listing.try_next().await? {
                let volume = names::shard_of(&blob.name).map(|(_, volume)| volume);
                row.failed
                    .extend(volume.filter(|volume| *volume < volumes && !row.hits.contains_key(volume)));
            }
        }
        Ok(row)
    }

    /// All shards of the job that are settled.
    pub(in crate::jobs) async fn settled(&self, id: JobId) -> Result<Settled> {
        let mut settled = Settled::default();
        for kind in [names::ANNOUNCED, names::HITS, names::FAILED, names::TEXT] {
            let mut listing = self.blobs.list(&names::all(id, kind));
            while let Some(blob) = listing.try_next().await? {
                if kind == names::HITS && is_word(&blob) {
                    continue;
                }
                settled.newest = settled.newest.max(Some(blob.modified));
                match kind {
                    names::ANNOUNCED => settled.pages += 1,
                    names::TEXT => settled.texts.extend(names::chunk_of(&blob.name)),
                    _ => {
                        settled.shards.extend(names::shard_of(&blob.name));
                        settled.milliseconds.extend(milliseconds_of(&blob));
                    }
                }
            }
        }
        Ok(settled)
    }

    /// Chunk and volume of the shards that have been compared.
    pub(in crate::jobs) async fn compared_shards(&self, id: JobId) -> Result<BTreeSet<(u32, u32)>> {
        let listing = self.blobs.list(&names::all(id, names::HITS));
        let shards = listing.try_filter_map(|blob| async move {
            Ok(names::shard_of(&blob.name).filter(|_| has_hits(&blob)))
        });
        Ok(shards.try_collect().await?)
    }

    /// Chunk and volume of the shards that were given up.
    pub(in crate::jobs) async fn failed_shards(&self, id: JobId) -> Result<BTreeSet<(u32, u32)>> {
        let listing = self.blobs.list(&names::all(id, names::FAILED));
        let shards = listing.try_filter_map(|blob| async move { Ok(names::shard_of(&blob.name)) });
        Ok(shards.try_collect().await?)
    }

    /// The merged hits of a chunk.
    pub(in crate::jobs) async fn part(&self, id: JobId, chunk: u32) -> Result<Part> {
        self.read_frame(Kind::Part, &names::part(id, chunk)?).await
    }

    /// Like [`part`](Self::part), but `None` if the chunk has not been merged.
    pub(in crate::jobs) async fn find_part(&self, id: JobId, chunk: u32) -> Result<Option<Part>> {
        match self.part(id, chunk).await {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Writes the [frame](frame::encode) of a part, unless there is one.
    pub(in crate::jobs) async fn put_part(&self, id: JobId, chunk: u32, frame: Bytes) -> Result<Written> {
        Ok(self.blobs.put_if_absent(&names::part(id, chunk)?, frame).await?)
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

    /// Records that so many milliseconds were spent on a shard without getting its hits.
    pub(in crate::jobs) async fn put_spent(&self, shard: ShardPlanned, milliseconds: u64) -> Result<()> {
        self.blobs.put(&names::spent(shard, milliseconds)?, Bytes::new()).await?;
        Ok(())
    }

    /// Milliseconds that instances have spent on comparing the job's shards.
    pub(in crate::jobs) async fn spent(&self, id: JobId) -> Result<u64> {
        let mut spent = 0;
        for kind in [names::HITS, names::SPENT] {
            let mut records = self.blobs.list(&names::all(id, kind));
            while let Some(blob) = records.try_next().await? {
                spent += milliseconds_of(&blob).unwrap_or(0);
            }
        }
        Ok(spent)
    }

    /// When shards were last announced by the plan.
    pub(in crate::jobs) async fn last_announced(&self, id: JobId) -> Result<Option<Timestamp>> {
        let pages = self.blobs.list(&names::all(id, names::ANNOUNCED)).map_ok(|blob| blob.modified);
        Ok(pages.try_fold(None, |last, page| ready(Ok(last.max(Some(page))))).await?)
    }

    /// The page of shards that begins with this one, if anybody has begun to announce it.
    pub(in crate::jobs) async fn page(&self, id: JobId, first_shard: u64) -> Result<Option<Page>> {
        self.find_json(&names::page(id, first_shard)?).await
    }

    /// Reserves a page of shards for who announces it; `false` if somebody has.
    pub(in crate::jobs) async fn claim_page(&self, id: JobId, first_shard: u64) -> Result<bool> {
        let page = Page { announced: false };
        let written = self.put_json_if_absent(&names::page(id, first_shard)?, &page).await?;
        Ok(written == Written::Created)
    }

    /// Writes that a page of shards is announced, and the next page, too.
    pub(in crate::jobs) async fn finish_page(&self, id: JobId, first_shard: u64) -> Result<()> {
        self.put_json(&names::page(id, first_shard)?, &Page { announced: true }).await
    }

    /// Reads a [frame](frame::decode).
    async fn read_frame<T>(&self, kind: Kind, blob: &BlobName) -> Result<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let decode = |frame: Bytes| async move {
            let name = blob.to_string();
            let decode = move || frame::decode(kind, &name, &frame);
            tokio::task::spawn_blocking(decode).await.map_err(|e| Error::Internal(e.to_string()))?
        };
        self.read_until_whole(blob, decode).await
    }
}

/// The note of the word that [`Ledger::leave_word`] leaves. Hits take some time.
const WORD: u64 = 0;

/// Whether a blob below `hits` has hits.
fn has_hits(blob: &BlobInfo) -> bool {
    !is_word(blob) && !names::is_given_up(&blob.name)
}

/// Whether a blob below `hits` is the word that [`Ledger::leave_word`] leaves.
fn is_word(blob: &BlobInfo) -> bool {
    blob.note == Some(WORD)
}

/// The milliseconds that a `hits` or `spent` blob says were spent.
fn milliseconds_of(blob: &BlobInfo) -> Option<u64> {
    blob.note.or_else(|| names::milliseconds_of(&blob.name))
}
