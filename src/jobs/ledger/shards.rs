//! What lies in the cells of a job's grid: how its shards stand.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::Ledger;
use super::pieces::{Pieces, SHORT, start_of};
use crate::jobs::edition::Edition;
use crate::jobs::error::Result;
use crate::jobs::id::JobId;
use crate::jobs::job::{FailedShard, Plan};
use crate::jobs::messages::ShardPlanned;
use crate::jobs::names;
use crate::jobs::underway::{Stands, Taken};
use crate::store::{BlobInfo, BlobName, Standing, Written};

/// The hits of a shard where they lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jobs) struct StoredHits {
    blob: BlobName,
    /// Length in bytes.
    length: u64,
}

impl StoredHits {
    /// Whether they may be held as they are.
    pub(in crate::jobs) fn is_short(&self) -> bool {
        self.length <= SHORT as u64
    }

    /// Its name, for errors.
    pub(in crate::jobs) fn name(&self) -> &str {
        self.blob.as_str()
    }
}

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
    /// Number of blobs that others have put aside.
    pub(in crate::jobs) turns: usize,
    /// Chunk and volume of the shards that these are of.
    pub(in crate::jobs) put_aside: BTreeSet<(u32, u32)>,
    /// Chunks that have their text.
    pub(in crate::jobs) texts: BTreeSet<u32>,
    /// How long they took, in milliseconds, as far as that is known.
    pub(in crate::jobs) milliseconds: BTreeMap<(u32, u32), u64>,
    /// When any of this was last written, or shards were last announced.
    pub(in crate::jobs) newest: Option<Timestamp>,
}

impl Settled {
    /// What nine of ten of its shards took at most, if that is known of so many at least.
    pub(in crate::jobs) fn most_took(&self, least: usize) -> Option<Duration> {
        let mut took: Vec<u64> = self.milliseconds.values().copied().collect();
        took.sort_unstable();
        let most = took.get(took.len() * 9 / 10).copied().map(Duration::from_millis);
        most.filter(|_| took.len() >= least)
    }
}

impl Ledger {
    /// The [frame](super::super::hits) of a shard's hits, piece by piece, unless they are gone.
    pub(in crate::jobs) async fn hits(&self, stored: &StoredHits) -> Result<Option<Pieces>> {
        match self.pieces(&stored.blob).await {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    /// Whether a shard has been compared.
    pub(in crate::jobs) async fn has_hits(&self, shard: ShardPlanned) -> Result<bool> {
        let blobs = self.blobs.list(&names::hits_of(shard));
        Ok(pin!(blobs.try_filter(|blob| ready(has_hits(blob)))).try_next().await?.is_some())
    }

    /// Writes the [frame](super::super::hits) of a shard's hits, which it took so many milliseconds to get. `true`
    /// if somebody may wait for them: there was word of it, or the same hits, or they are too long to be written
    /// in one request.
    pub(in crate::jobs) async fn put_hits(
        &self,
        shard: ShardPlanned,
        milliseconds: u64,
        frame: Pieces,
    ) -> Result<bool> {
        let blob = names::hits(shard)?;
        let mut pieces = frame;
        let start = start_of(&mut pieces).await?;
        if start.is_all
            && self.blobs.put_noted_if_absent(&blob, start.bytes.clone(), milliseconds.max(1)).await?
                == Written::Created
        {
            return Ok(false);
        }
        if self.blobs.info(&blob).await?.is_none_or(|there| is_word(&there)) {
            let frame = stream::iter([Ok(start.bytes)]).chain(pieces).boxed();
            self.put_pieces(&blob, frame, Standing::Goes).await?;
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
        self.blobs.delete(&stored.blob).await?;
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
        edition: Edition,
        chunk: u32,
        volumes: usize,
    ) -> Result<Unsettled> {
        let mut unsettled: BTreeSet<u32> = (0..volumes as u32).collect();
        let mut words = BTreeSet::new();
        let mut listing = self.blobs.list(&names::row(Edition::first(edition.job), names::HITS, chunk));
        while let Some(blob) = listing.try_next().await? {
            let Some((_, volume)) = names::shard_of(&blob.name) else { continue };
            if is_word(&blob) {
                words.insert(volume);
            } else if settles(&blob, edition) {
                unsettled.remove(&volume);
            }
        }
        let word_is_left = !words.is_disjoint(&unsettled);
        Ok(Unsettled { volumes: unsettled, word_is_left })
    }

    /// The shards of a chunk, of a job with so many volumes, that have hits or have failed.
    pub(in crate::jobs) async fn row(&self, edition: Edition, chunk: u32, volumes: u32) -> Result<Row> {
        let mut row = Row::default();
        let mut listing = self.blobs.list(&names::row(Edition::first(edition.job), names::HITS, chunk));
        while let Some(blob) = listing.try_next().await? {
            let volume = names::shard_of(&blob.name).map(|(_, volume)| volume);
            if let Some(volume) = volume.filter(|&volume| volume < volumes && has_hits(&blob)) {
                row.hits.entry(volume).or_insert(StoredHits { blob: blob.name, length: blob.length });
            }
        }
        if row.hits.len() < volumes as usize {
            let mut listing = self.blobs.list(&names::row(edition, names::FAILED, chunk));
            while let Some(blob) = listing.try_next().await? {
                let volume = names::shard_of(&blob.name).map(|(_, volume)| volume);
                row.failed
                    .extend(volume.filter(|volume| *volume < volumes && !row.hits.contains_key(volume)));
            }
        }
        Ok(row)
    }

    /// All shards of the job that are settled in the edition of this plan.
    pub(in crate::jobs) async fn settled(&self, id: JobId, plan: &Plan) -> Result<Settled> {
        let (edition, first) = (plan.edition(id), Edition::first(id));
        let mut settled = Settled { newest: plan.remade.since, ..Settled::default() };
        for (chunk, blob) in self.of_chunks(id, plan, names::TEXT).await? {
            settled.newest = settled.newest.max(Some(blob.modified));
            settled.texts.insert(chunk);
        }
        for (kind, of) in [
            (names::ANNOUNCED, edition),
            (names::HITS, first),
            (names::FAILED, edition),
            (names::TURNS, first),
        ] {
            let mut listing = self.blobs.list(&names::all(of, kind));
            while let Some(blob) = listing.try_next().await? {
                if kind == names::HITS && (is_word(&blob) || !settles(&blob, edition)) {
                    continue;
                }
                settled.newest = settled.newest.max(Some(blob.modified));
                match kind {
                    names::ANNOUNCED => {}
                    names::TURNS => {
                        settled.turns += 1;
                        settled.put_aside.extend(names::shard_of_turn(&blob.name));
                    }
                    _ => {
                        let Some(shard) = names::shard_of(&blob.name) else { continue };
                        settled.shards.insert(shard);
                        settled.milliseconds.extend(milliseconds_of(&blob).map(|took| (shard, took)));
                    }
                }
            }
        }
        Ok(settled)
    }

    /// What blobs say of the shards of a job, in five listings: of hits, of what else was spent, of failures, of what
    /// is being compared, and of texts.
    pub(in crate::jobs) async fn stands(&self, id: JobId, plan: &Plan) -> Result<Stands> {
        let first = Edition::first(id);
        let merged = self.merged(id, plan).await?.len() as u64;
        let mut stands = Stands { merged, ..Stands::default() };
        let kinds = [
            (names::HITS, first),
            (names::SPENT, first),
            (names::FAILED, plan.edition(id)),
            (names::TAKEN, first),
        ];
        for (kind, of) in kinds {
            let mut listing = self.blobs.list(&names::all(of, kind));
            while let Some(blob) = listing.try_next().await? {
                let Some(shard) = names::shard_of(&blob.name) else { continue };
                match kind {
                    names::HITS if !has_hits(&blob) => {}
                    names::HITS => {
                        stands.done.insert(shard, blob.modified);
                        stands.milliseconds += milliseconds_of(&blob).unwrap_or(0);
                    }
                    names::SPENT => stands.milliseconds += milliseconds_of(&blob).unwrap_or(0),
                    names::TAKEN => {
                        let taken = Taken { at: blob.modified, in_cloud: names::is_in_cloud(&blob.name) };
                        let latest = stands.taken.entry(shard).or_insert(taken);
                        if latest.at < taken.at {
                            *latest = taken;
                        }
                    }
                    _ => {
                        stands.failed.extend(Some(shard).filter(|shard| !stands.done.contains_key(shard)));
                    }
                }
            }
        }
        Ok(stands)
    }

    /// Writes that somebody compares a shard.
    pub(in crate::jobs) async fn put_taken(&self, shard: ShardPlanned, in_cloud: bool) -> Result<()> {
        self.blobs.put(&names::taken(shard, in_cloud)?, Bytes::new()).await?;
        Ok(())
    }

    /// Records that so many milliseconds were spent on a shard without getting its hits.
    pub(in crate::jobs) async fn put_spent(&self, shard: ShardPlanned, milliseconds: u64) -> Result<()> {
        let mark = getrandom::u32().unwrap_or_default();
        self.blobs.put(&names::spent(shard, mark, milliseconds)?, Bytes::new()).await?;
        Ok(())
    }

    /// Milliseconds that instances have spent on comparing the job's shards.
    pub(in crate::jobs) async fn spent(&self, id: JobId) -> Result<u64> {
        let mut spent = 0;
        for kind in [names::HITS, names::SPENT] {
            let mut records = self.blobs.list(&names::all(Edition::first(id), kind));
            while let Some(blob) = records.try_next().await? {
                spent += milliseconds_of(&blob).unwrap_or(0);
            }
        }
        Ok(spent)
    }
}

/// The note of the word that [`Ledger::leave_word`] leaves. Hits take some time.
const WORD: u64 = 0;

/// Whether a blob below `hits` has hits.
fn has_hits(blob: &BlobInfo) -> bool {
    !is_word(blob) && names::given_up_in(&blob.name).is_none()
}

/// Whether a blob below `hits` that is no word settles its shard in this edition.
fn settles(blob: &BlobInfo, edition: Edition) -> bool {
    names::given_up_in(&blob.name).is_none_or(|given_up| given_up == edition.number)
}

/// Whether a blob below `hits` is the word that [`Ledger::leave_word`] leaves.
fn is_word(blob: &BlobInfo) -> bool {
    blob.note == Some(WORD)
}

/// The milliseconds that a `hits` or `spent` blob says were spent.
fn milliseconds_of(blob: &BlobInfo) -> Option<u64> {
    blob.note.or_else(|| names::milliseconds_of(&blob.name))
}
