//! What lies in the rows of a job's grid: the queries of chunks, and what is merged of them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::io::Cursor;
use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Ledger;
use super::pieces::{Pieces, reader, start_of};
use crate::jobs::browse::{ChunkCounts, SpeciesTally};
use crate::jobs::chunk::{Query, QueryChunk};
use crate::jobs::edition::Edition;
use crate::jobs::error::{Error, Result};
use crate::jobs::frame::{self, Kind};
use crate::jobs::hits::{self, PartHead};
use crate::jobs::id::JobId;
use crate::jobs::job::Plan;
use crate::jobs::messages::ShardPlanned;
use crate::jobs::names;
use crate::store::{BlobInfo, BlobName, Standing, Written};

/// The merged hits of a chunk where they lie.
#[derive(Clone, Debug)]
pub(in crate::jobs) struct StoredPart {
    /// What there is to know without the hits.
    pub(in crate::jobs) head: PartHead,
    blob: BlobName,
    /// The whole of it, if it is short.
    held: Option<Bytes>,
}

impl StoredPart {
    /// Its name, for errors.
    pub(in crate::jobs) fn name(&self) -> &str {
        self.blob.as_str()
    }
}

impl Ledger {
    /// The queries of a chunk.
    pub(in crate::jobs) async fn chunk(&self, id: JobId, chunk: u32) -> Result<QueryChunk> {
        let blob = names::queries(id, chunk)?;
        let decode = |frame: Bytes| {
            let name = blob.to_string();
            on_thread(move || {
                let frame = frame::open_whole(Kind::Queries, &name, &frame)?;
                match frame.version() {
                    frame::EARLIER => frame.value().map(EarlierChunk::into),
                    _ => frame.value(),
                }
            })
        };
        self.read_until_whole(&blob, decode).await
    }

    /// Writes the queries of a chunk.
    pub(in crate::jobs) async fn put_chunk(&self, id: JobId, chunk: u32, queries: &QueryChunk) -> Result<()> {
        self.blobs.put(&names::queries(id, chunk)?, frame::encode(Kind::Queries, queries)?).await?;
        Ok(())
    }

    /// The merged hits of a chunk, read to their end to know that they are whole; `None` if there are none.
    pub(in crate::jobs) async fn part(&self, edition: Edition, chunk: u32) -> Result<Option<StoredPart>> {
        let blob = names::part(edition, chunk)?;
        let checked = match self.check_part(&blob).await {
            Err(error @ Error::Damaged { .. }) => {
                tracing::warn!(%error, "reading it once more");
                self.check_part(&blob).await
            }
            other => other,
        };
        match checked {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    async fn check_part(&self, blob: &BlobName) -> Result<StoredPart> {
        let mut pieces = self.pieces(blob).await?;
        let start = start_of(&mut pieces).await?;
        let (name, held) = (blob.to_string(), start.is_all.then(|| start.bytes.clone()));
        let input = reader(stream::iter([Ok(start.bytes)]).chain(pieces).boxed());
        let head = on_thread(move || hits::check_part(&name, input)).await?;
        Ok(StoredPart { head, blob: blob.clone(), held })
    }

    /// The [frame](super::super::hits) of a part, piece by piece.
    pub(in crate::jobs) async fn read_part(&self, part: &StoredPart) -> Result<Pieces> {
        match &part.held {
            Some(held) => Ok(stream::iter([Ok(held.clone())]).boxed()),
            None => self.pieces(&part.blob).await,
        }
    }

    /// Writes the [frame](super::super::hits) of a part; one that is there stays or goes. Returns the one that
    /// stands, if it is still there.
    pub(in crate::jobs) async fn put_part(
        &self,
        edition: Edition,
        chunk: u32,
        frame: Pieces,
        standing: Standing,
    ) -> Result<Option<StoredPart>> {
        let blob = names::part(edition, chunk)?;
        let mut pieces = frame;
        let start = start_of(&mut pieces).await?;
        let whole = start.is_all.then(|| start.bytes.clone());
        let frame = stream::iter([Ok(start.bytes)]).chain(pieces).boxed();
        let written = self.put_pieces(&blob, frame, standing).await?;
        let Some(held) = whole.filter(|_| written == Written::Created) else {
            return self.part(edition, chunk).await;
        };
        let (name, input) = (blob.to_string(), Cursor::new(held.clone()));
        let head = on_thread(move || hits::check_part(&name, input)).await?;
        Ok(Some(StoredPart { head, blob, held: Some(held) }))
    }

    /// The [frame](super::super::hits) of the part of a chunk as it lies, with its name; `None` if there is none.
    pub(in crate::jobs) async fn open_part(
        &self,
        edition: Edition,
        chunk: u32,
    ) -> Result<Option<(String, Pieces)>> {
        let blob = names::part(edition, chunk)?;
        match self.pieces(&blob).await {
            Err(error) if error.is_not_found() => Ok(None),
            pieces => Ok(Some((blob.to_string(), pieces?))),
        }
    }

    /// How many hits the queries of a chunk have, if that is written down.
    pub(in crate::jobs) async fn counts(&self, edition: Edition, chunk: u32) -> Result<Option<ChunkCounts>> {
        self.find_framed(Kind::Counts, &names::counts(edition, chunk)?).await
    }

    /// Which species the hits of a chunk are of, if that is written down.
    pub(in crate::jobs) async fn species(
        &self,
        edition: Edition,
        chunk: u32,
    ) -> Result<Option<SpeciesTally>> {
        self.find_framed(Kind::Species, &names::species(edition, chunk)?).await
    }

    /// The one value of a frame; `None` if the blob does not exist.
    async fn find_framed<T: DeserializeOwned>(&self, kind: Kind, blob: &BlobName) -> Result<Option<T>> {
        let decode = |frame: Bytes| {
            ready(frame::open_whole(kind, blob.as_str(), &frame).and_then(|frame| frame.value()))
        };
        match self.read_until_whole(blob, decode).await {
            Err(error) if error.is_not_found() => Ok(None),
            value => value.map(Some),
        }
    }

    /// Writes which species the hits of a chunk are of.
    pub(in crate::jobs) async fn put_species(
        &self,
        edition: Edition,
        chunk: u32,
        tally: &SpeciesTally,
    ) -> Result<()> {
        self.blobs.put(&names::species(edition, chunk)?, frame::encode(Kind::Species, tally)?).await?;
        Ok(())
    }

    /// Writes how many hits the queries of a chunk have.
    pub(in crate::jobs) async fn put_counts(
        &self,
        edition: Edition,
        chunk: u32,
        counts: &ChunkCounts,
    ) -> Result<()> {
        self.blobs.put(&names::counts(edition, chunk)?, frame::encode(Kind::Counts, counts)?).await?;
        Ok(())
    }

    /// Writes which volumes a part lacks.
    pub(in crate::jobs) async fn put_missing(
        &self,
        edition: Edition,
        chunk: u32,
        volumes: &[u32],
    ) -> Result<()> {
        self.put_json(&names::missing(edition, chunk)?, &volumes).await
    }

    /// The volumes that the part of a chunk lacks, as far as that was written down.
    pub(in crate::jobs) async fn missing_row(&self, edition: Edition, chunk: u32) -> Result<Vec<u32>> {
        Ok(self.find_json(&names::missing(edition, chunk)?).await?.unwrap_or_default())
    }

    /// The shards that the parts lack, in the order of the grid.
    pub(in crate::jobs) async fn missing(&self, id: JobId, plan: &Plan) -> Result<Vec<ShardPlanned>> {
        let mut missing = Vec::new();
        for (chunk, blob) in self.of_chunks(id, plan, names::MISSING).await? {
            let (volumes, edition): (Vec<u32>, u32) =
                (self.read_json(&blob.name).await?, plan.remade.edition);
            missing.extend(volumes.into_iter().map(|volume| ShardPlanned {
                job: id,
                edition,
                chunk,
                volume,
            }));
        }
        Ok(missing)
    }

    /// The blobs of a kind of all chunks, each in the edition in which it was merged, in the order of the chunks.
    pub(super) async fn of_chunks(
        &self,
        id: JobId,
        plan: &Plan,
        kind: &str,
    ) -> Result<BTreeMap<u32, BlobInfo>> {
        let mut blobs = BTreeMap::new();
        for number in plan.remade.editions() {
            let mut listing = self.blobs.list(&names::all(Edition { job: id, number }, kind));
            while let Some(blob) = listing.try_next().await? {
                if let Some(chunk) = names::chunk_of(&blob.name)
                    && plan.remade.edition_of(chunk) == number
                {
                    blobs.insert(chunk, blob);
                }
            }
        }
        Ok(blobs)
    }

    /// The chunks that have their text.
    pub(in crate::jobs) async fn merged(&self, id: JobId, plan: &Plan) -> Result<BTreeSet<u32>> {
        Ok(self.of_chunks(id, plan, names::TEXT).await?.into_keys().collect())
    }

    /// Whether a chunk has its text.
    pub(in crate::jobs) async fn has_text(&self, edition: Edition, chunk: u32) -> Result<bool> {
        self.exists(&names::text(edition, chunk)?).await
    }

    /// Writes the text of a chunk.
    pub(in crate::jobs) async fn put_text(&self, edition: Edition, chunk: u32, text: Pieces) -> Result<()> {
        self.put_pieces(&names::text(edition, chunk)?, text, Standing::Goes).await.map(|_| ())
    }

    /// Whether all chunks of a job of so many have their text that lie around this one: those whose numbers differ in the
    /// last three digits only.
    pub(in crate::jobs) async fn has_texts_around(
        &self,
        edition: Edition,
        chunk: u32,
        chunks: u32,
    ) -> Result<bool> {
        let first = chunk - chunk % names::AROUND;
        let around = first..chunks.min(first + names::AROUND);
        let texts = self.blobs.list(&names::texts_around(edition, chunk));
        let count = texts.try_fold(0, |sum, blob| {
            let is_one = names::chunk_of(&blob.name).is_some_and(|chunk| around.contains(&chunk));
            ready(Ok(sum + usize::from(is_one)))
        });
        Ok(count.await? == around.len())
    }
}

/// Runs what may take a while where it holds up nothing else.
pub(super) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::Internal(e.to_string()))?
}

/// A chunk as version 3 of its form had it: queries were not cut into pieces.
#[derive(Deserialize)]
struct EarlierChunk {
    first_place: u64,
    queries: Vec<EarlierQuery>,
}

#[derive(Deserialize)]
struct EarlierQuery {
    number: u64,
    batch: u64,
    defline: Vec<u8>,
    residues: Vec<u8>,
    lower_case: Vec<Range<u32>>,
}

impl From<EarlierChunk> for QueryChunk {
    fn from(EarlierChunk { first_place, queries }: EarlierChunk) -> Self {
        let query = |EarlierQuery { number, batch, defline, residues, lower_case }| Query {
            number,
            batch,
            defline,
            residues,
            lower_case,
            pieces: Vec::new(),
        };
        Self { first_place, queries: queries.into_iter().map(query).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::local::LocalStore;

    /// Two queries, the first with lower case from 1 to 3, as version 3 of the form has them.
    const EARLIER: [u8; 26] = [
        9, 2, // first place, number of queries
        7, 4, 2, b'q', b'1', 3, 1, 2, 3, 1, 1,
        3, // number, batch, definition line, residues, lower case
        8, 0xac, 2, 4, b'q', b'2', b' ', b'x', 2, 20, 5, 0,
    ];

    #[tokio::test]
    async fn queries_of_the_version_before_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = LocalStore::open(folder.path()).expect("a store");
        let ledger = Ledger::new(std::sync::Arc::new(store.blobs(names::JOBS).expect("a container")));
        let id = JobId::random().expect("an id");
        let frame = frame::whole_of(frame::EARLIER, Kind::Queries, &EARLIER);
        let blob = names::queries(id, 0).expect("a name");
        ledger.blobs.put(&blob, frame.into()).await.expect("written");
        let query = |number, batch, defline: &[u8], residues: &[u8], lower_case| Query {
            number,
            batch,
            defline: defline.to_vec(),
            residues: residues.to_vec(),
            lower_case,
            pieces: Vec::new(),
        };
        let queries = vec![
            query(7, 4, b"q1", &[1, 2, 3], vec![Range { start: 1, end: 3 }]),
            query(8, 300, b"q2 x", &[20, 5], Vec::new()),
        ];
        let chunk = QueryChunk { first_place: 9, queries };
        assert_eq!(ledger.chunk(id, 0).await.expect("queries"), chunk);
        ledger.put_chunk(id, 0, &chunk).await.expect("written");
        assert_eq!(ledger.chunk(id, 0).await.expect("queries"), chunk, "in the form of today");
    }
}
