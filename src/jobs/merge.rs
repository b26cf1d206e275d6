//! Merge: joins the shards of one chunk into a part of the report.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::attempt::Attempt;
use super::chunk::QueryChunk;
use super::error::{Error, Result};
use super::hits::{self, PartWriter};
use super::id::JobId;
use super::job::{Job, Plan};
use super::ledger::{Pieces, Row, StoredHits, StoredPart, reader};
use super::merger::Merger;
use super::messages::{ChunkSearched, JobMerged, Message, ShardPlanned, Stage};
use super::pipeline::Pipeline;
use super::produce::produced;
use super::spill::ShelfBuilder;
use crate::engine::Hit;
use crate::report::{
    DatabaseText, ListedSubjects, MissingVolumes, OutputFormat, QueryHits, QueryText, ReportContext,
    ReportWriter, SoFar,
};
use crate::store::Standing;

/// Volumes whose hits are fetched at the same time.
const READ_AHEAD: usize = 4;

impl Pipeline {
    /// The part is written once; everything that follows from it (text, list of missing volumes)
    /// is made from the part that stands, so that repeats and latecomers cannot contradict it.
    pub(super) async fn merge(&self, message: ChunkSearched, attempt: Attempt) -> Result<()> {
        let ChunkSearched { job: id, chunk, .. } = message;
        let edition = message.in_edition();
        if self.has_ended(edition).await? {
            return Ok(());
        }
        let (job, plan) = self.job_and_plan(edition).await?;
        check_chunk(&plan, message)?;
        if self.ledger.has_text(plan.edition_of(id, chunk), chunk).await? {
            // Who wrote it may have died before it told; then its own message comes back.
            if !attempt.repeated {
                return Ok(());
            }
        } else if !self.write_text(&job, &plan, chunk).await? {
            // Announced too early, or a damaged shard is being compared again.
            return Ok(());
        }
        self.announce_merged_job(&plan, message).await
    }

    /// Writes the text of a chunk, and its part if that is not there; `false` if some shard is not settled.
    pub(super) async fn write_text(&self, job: &Job, plan: &Plan, chunk: u32) -> Result<bool> {
        let (queries, edition) = (self.queries(job.id, chunk).await?, plan.edition_of(job.id, chunk));
        let Some(part) = self.standing_part(job, plan, chunk, &queries).await? else { return Ok(false) };
        if !part.head.missing.is_empty() {
            self.ledger.put_missing(edition, chunk, &part.head.missing).await?;
        }
        let format = output_format(job)?.of_pieces();
        let context = self.context_for(job, &format).await?.into();
        let look = Look { format, context, most: None };
        let text = self.text(look, queries.clone(), part.head.missing_of(plan), &part).await?;
        // Before the text, with which the chunk is done.
        self.write_counts(job, edition, chunk, queries, &part).await;
        self.ledger.put_text(edition, chunk, text).await?;
        Ok(true)
    }

    /// The text of a chunk, piece by piece, made from its part.
    pub(super) async fn text(
        &self,
        look: Look,
        queries: Arc<QueryChunk>,
        missing: MissingVolumes,
        part: &StoredPart,
    ) -> Result<Pieces> {
        let (name, room) = (part.name().to_owned(), self.settings.room);
        let input = reader(self.ledger.read_part(part).await?);
        Ok(produced(move |out| {
            let (_, hits) = hits::read_part(&name, input)?;
            let hits = first_of_each(hits, look.most);
            render(&look.format, &look.context, &queries, missing, hits, room, out)
        }))
    }

    /// The part of a chunk that has been merged; made again if it is lost and the hits are not.
    pub(super) async fn part(
        &self,
        job: &Job,
        plan: &Plan,
        chunk: u32,
        queries: &QueryChunk,
    ) -> Result<StoredPart> {
        let part = self.standing_part(job, plan, chunk, queries).await?;
        part.ok_or_else(|| Error::Damaged {
            object: format!("{}/parts/{chunk:06}", job.id),
            reason: "it is missing, and so are some of the hits that it was made of".to_owned(),
        })
    }

    /// The part of a chunk: the one that is there, or a new one if the row is complete.
    async fn standing_part(
        &self,
        job: &Job,
        plan: &Plan,
        chunk: u32,
        queries: &QueryChunk,
    ) -> Result<Option<StoredPart>> {
        let edition = plan.edition_of(job.id, chunk);
        let damage = match self.ledger.part(edition, chunk).await {
            Ok(Some(part)) => return Ok(Some(part)),
            Ok(None) => None,
            Err(damage @ Error::Damaged { .. }) => Some(damage),
            Err(error) => return Err(error),
        };
        let Some(part) = self.join_row(job, plan, chunk, queries).await? else { return Ok(None) };
        let standing = if let Some(damage) = damage {
            // The same hits, without the same volumes, make the same part.
            tracing::error!(job = %job.id, chunk, error = %damage, "joining the shards again");
            Standing::Goes
        } else {
            Standing::Stays
        };
        self.ledger.put_part(edition, chunk, part, standing).await
    }

    /// Joins a row of the grid into a part, or `None` if some shard of it is not settled.
    async fn join_row(
        &self,
        job: &Job,
        plan: &Plan,
        chunk: u32,
        queries: &QueryChunk,
    ) -> Result<Option<Pieces>> {
        let volumes = plan.volumes.len();
        let edition = plan.edition_of(job.id, chunk);
        let Row { hits, failed } = self.ledger.row(edition, chunk, volumes as u32).await?;
        if hits.len() + failed.len() < volumes {
            return Ok(None);
        }
        let mut merger = Merger::new(job.options, job.searched(), queries, self.settings.room)?;
        // What an earlier part lacked, if it has been lost since: the report and its status may say so.
        let mut missing: BTreeSet<u32> = self.ledger.missing_row(edition, chunk).await?.into_iter().collect();
        missing.extend(failed);
        let wanted: Vec<_> = hits.into_iter().filter(|(volume, _)| !missing.contains(volume)).collect();
        let mut fetched = stream::iter(wanted)
            .map(|(volume, stored)| async move { (volume, self.fetch(&stored).await, stored) })
            .buffered(READ_AHEAD);
        while let Some((volume, pieces, stored)) = fetched.next().await {
            // They were there when the row was listed; another merge found them damaged since.
            let Some(pieces) = pieces? else { return Ok(None) };
            let added;
            (merger, added) = self.add_shard(merger, &stored, pieces).await?;
            match added {
                Ok(()) => {}
                Err(error @ Error::Damaged { .. })
                    if !self.ledger.is_closed(plan.edition(job.id)).await? =>
                {
                    // As long as the job runs, hits can always be had again.
                    tracing::error!(job = %job.id, chunk, volume, %error, "comparing the shard again");
                    self.ledger.delete_hits(&stored).await?;
                    let shard = ShardPlanned { job: job.id, edition: plan.remade.edition, chunk, volume };
                    self.announce_shard(job, shard, true).await?;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        let (threads, missing) = (self.settings.threads, missing.into_iter().collect::<Vec<u32>>());
        Ok(Some(produced(move |out| {
            let mut part = PartWriter::new(&missing, out)?;
            merger.finish(threads, |query, hits| part.push(query, hits))?;
            part.finish()
        })))
    }

    /// The hits of a shard, already here if they are short, unless they are gone.
    async fn fetch(&self, stored: &StoredHits) -> Result<Option<Pieces>> {
        let Some(mut pieces) = self.ledger.hits(stored).await? else { return Ok(None) };
        if !stored.is_short() {
            return Ok(Some(pieces));
        }
        let first = pieces.try_next().await?;
        Ok(Some(stream::iter(first.map(Ok)).chain(pieces).boxed()))
    }

    /// Adds the hits of a shard. If they are damaged they are read once more, as they may be whole where they
    /// lie; those that came before the damage are no others.
    async fn add_shard(
        &self,
        merger: Merger,
        stored: &StoredHits,
        pieces: Pieces,
    ) -> Result<(Merger, Result<()>)> {
        match add_all(merger, stored, pieces).await? {
            (merger, Err(error @ Error::Damaged { .. })) => {
                tracing::warn!(%error, "reading it once more");
                match self.ledger.hits(stored).await? {
                    Some(pieces) => add_all(merger, stored, pieces).await,
                    None => Ok((merger, Err(error))),
                }
            }
            other => Ok(other),
        }
    }

    /// What comes before the texts of a job's chunks. If the format lists the subjects of the report, all
    /// parts are read for it, one after the other; of a report so far, those of these chunks.
    pub(super) async fn head(
        &self,
        job: &Job,
        plan: &Plan,
        format: &OutputFormat,
        so_far: Option<(SoFar, &BTreeSet<u32>)>,
    ) -> Result<Bytes> {
        let context = report_context(job)?;
        let (context, chunks) = match so_far {
            Some((so_far, chunks)) => (Arc::new(context.so_far(so_far)), chunks.iter().copied().collect()),
            None => (Arc::new(context), (0..job.chunks.len() as u32).collect::<Vec<_>>()),
        };
        let mut subjects = ListedSubjects::default();
        if format.lists_subjects() {
            for chunk in chunks {
                let queries = self.ledger.chunk(job.id, chunk).await?;
                let part = self.part(job, plan, chunk, &queries).await?;
                if !part.head.missing.is_empty() {
                    subjects.lack(queries.queries.len() as u64);
                }
                let (name, context) = (part.name().to_owned(), context.clone());
                let input = reader(self.ledger.read_part(&part).await?);
                let list = move || {
                    let (_, mut hits) = hits::read_part(&name, input)?;
                    hits.try_for_each(|item| item.map(|(_, hit)| subjects.add(&context, &hit)))?;
                    Ok(subjects)
                };
                subjects = Self::compute(list).await?;
            }
        }
        render_head(format, &context, &subjects).map(Bytes::from)
    }

    /// Announces the end of a job if all its chunks are merged. In the first edition, whoever merges the last of some
    /// hundred looks at all of the job; so the listings of a job are about as many as its chunks.
    async fn announce_merged_job(&self, plan: &Plan, merged: ChunkSearched) -> Result<()> {
        let ChunkSearched { job: id, edition, chunk } = merged;
        let may_be_last =
            edition > 0 || self.ledger.has_texts_around(merged.in_edition(), chunk, plan.chunks).await?;
        if may_be_last && self.is_merged(plan, id).await? {
            self.announce(Stage::Finish, &JobMerged { job: id, edition: plan.remade.edition }).await?;
        }
        Ok(())
    }

    /// Whether all chunks of a job have their text.
    pub(super) async fn is_merged(&self, plan: &Plan, id: JobId) -> Result<bool> {
        Ok(self.ledger.merged(id, plan).await?.len() == plan.chunks as usize)
    }
}

/// Refuses a chunk that the grid does not have.
pub(super) fn check_chunk(plan: &Plan, message: ChunkSearched) -> Result<()> {
    let ChunkSearched { job, chunk, .. } = message;
    if chunk < plan.chunks {
        return Ok(());
    }
    let reason = format!("job {job} has no chunk {chunk}");
    Err(Error::Message { stage: Stage::Merge.function(), reason })
}

/// The format that a job's report was asked for in.
pub(super) fn output_format(job: &Job) -> Result<OutputFormat> {
    job.outfmt
        .parse()
        .map_err(|e| Error::Damaged { object: format!("{}/job.json", job.id), reason: format!("{e}") })
}

/// What a job's report says beside its hits, without names of taxa.
pub(super) fn report_context(job: &Job) -> Result<ReportContext> {
    let database = DatabaseText {
        name: job.database.name.clone(),
        title: job.database_title.clone().unwrap_or_else(|| job.database.name.clone()),
        version: Some(job.database.version.clone()),
        posted: job.database_created,
        totals: job.totals,
        searched: job.searched(),
        parts: Vec::new(),
        is_given: false,
    };
    Ok(ReportContext::new(database, job.options)?)
}

/// How a report looks.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) format: OutputFormat,
    pub(super) context: Arc<ReportContext>,
    /// Most subjects that are shown of a query.
    pub(super) most: Option<usize>,
}

/// Of hits by query, the first `most` of each query, or all.
pub(super) fn first_of_each(
    hits: impl Iterator<Item = Result<(u32, Hit)>>,
    most: Option<usize>,
) -> impl Iterator<Item = Result<(u32, Hit)>> {
    let (mut current, mut shown) = (None, 0);
    hits.filter(move |item| {
        // What cannot be read is told whatever comes before it.
        let (Some(most), Ok((query, _))) = (most, item) else { return true };
        shown = if current == Some(*query) { shown + 1 } else { 1 };
        current = Some(*query);
        shown <= most
    })
}

/// Adds hits to a merger, away from where waiting is not allowed; gives it back with how that went.
async fn add_all(mut merger: Merger, stored: &StoredHits, pieces: Pieces) -> Result<(Merger, Result<()>)> {
    let (name, input) = (stored.name().to_owned(), reader(pieces));
    Pipeline::compute(move || {
        let added = hits::read_shard(&name, input).and_then(|mut hits| {
            hits.try_for_each(|item| item.and_then(|(list, hit)| merger.add(list as usize, hit)))
        });
        Ok((merger, added))
    })
    .await
}

/// Writes the text of a chunk in a report, from hits by query in ascending order; that of the first chunk
/// begins the report. It says what the chunk was not compared with. What the hits of a query take of memory
/// beyond `room` bytes goes to a temporary file.
///
/// # Errors
/// If the hits cannot be read, or the text not be written.
pub fn render(
    format: &OutputFormat,
    context: &ReportContext,
    chunk: &QueryChunk,
    missing: MissingVolumes,
    hits: impl Iterator<Item = Result<(u32, Hit)>>,
    room: usize,
    mut out: &mut dyn Write,
) -> Result<()> {
    let writer = ReportWriter::new(format, context);
    each_query(chunk, missing, hits, room, |query, hits| {
        if query.place == context.first_place() {
            writer.begin(&mut out, Some(query))?;
        }
        Ok(writer.query(&mut out, query, hits)?)
    })
}

/// Shows `show` the queries of a chunk with their hits, which come by query in ascending order.
pub(super) fn each_query(
    chunk: &QueryChunk,
    missing: MissingVolumes,
    hits: impl Iterator<Item = Result<(u32, Hit)>>,
    room: usize,
    mut show: impl FnMut(QueryText<'_>, &dyn QueryHits) -> Result<()>,
) -> Result<()> {
    let mut hits = hits.peekable();
    for ((number, query), place) in (0..).zip(&chunk.queries).zip(chunk.first_place..) {
        let mut shelf = ShelfBuilder::new(room);
        while let Some(item) = hits.next_if(|item| item.as_ref().map_or(true, |(query, _)| *query == number))
        {
            shelf.add(item?.1)?;
        }
        show(QueryText { missing, ..query.text(place) }, &shelf.finish()?)?;
    }
    Ok(())
}

/// What comes before the texts of all chunks in a report on hits in `subjects`.
pub fn render_head(
    format: &OutputFormat,
    context: &ReportContext,
    subjects: &ListedSubjects,
) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    ReportWriter::new(format, context)
        .head(&mut text, subjects)
        .map_err(|e| Error::Internal(e.to_string()))?;
    Ok(text)
}

/// What ends a report on `queries` queries.
pub fn render_end(format: &OutputFormat, context: &ReportContext, queries: u64) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    ReportWriter::new(format, context).end(&mut text, queries).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(text)
}
