//! Merge: joins the shards of one chunk into a part of the report.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::attempt::Attempt;
use super::chunk::QueryChunk;
use super::error::{Error, Result};
use super::frame::{self, Kind};
use super::id::JobId;
use super::job::{Job, Plan};
use super::ledger::Row;
use super::messages::{ChunkSearched, JobMerged, ShardPlanned, Stage};
use super::pipeline::Pipeline;
use super::shard::Merger;
use crate::engine::Hit;
use crate::report::{
    DatabaseText, ListedSubjects, MissingVolumes, OutputFormat, QueryText, ReportContext, ReportWriter,
};
use crate::store::Written;

/// The merged hits of a chunk.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    /// Volumes whose shard failed: their hits are not here.
    pub(super) missing: Vec<u32>,
    /// The hits to report, by query.
    pub(super) hits: Vec<Vec<Hit>>,
}

impl Part {
    /// What the queries were not compared with, of the volumes of `plan`.
    pub(super) fn missing_of(&self, plan: &Plan) -> MissingVolumes {
        MissingVolumes { missing: self.missing.len() as u32, of: plan.volumes.len() as u32 }
    }
}

impl Pipeline {
    /// The part is written once; everything that follows from it (text, list of missing volumes)
    /// is made from the part that stands, so that repeats and latecomers cannot contradict it.
    pub(super) async fn merge(&self, message: ChunkSearched, attempt: Attempt) -> Result<()> {
        let ChunkSearched { job: id, chunk } = message;
        if self.has_ended(id).await? {
            return Ok(());
        }
        let (job, plan) = self.job_and_plan(id).await?;
        check_chunk(&plan, message)?;
        if self.ledger.has_text(id, chunk).await? {
            // Who wrote it may have died before it told; then its own message comes back.
            if !attempt.repeated {
                return Ok(());
            }
        } else if !self.write_text(&job, &plan, chunk).await? {
            // Announced too early, or a damaged shard is being compared again.
            return Ok(());
        }
        self.announce_merged_job(&plan, id).await
    }

    /// Writes the text of a chunk, and its part if that is not there; `false` if some shard is not settled.
    pub(super) async fn write_text(&self, job: &Job, plan: &Plan, chunk: u32) -> Result<bool> {
        let queries = self.queries(job.id, chunk).await?;
        let Some(part) = self.standing_part(job, plan, chunk, &queries).await? else { return Ok(false) };
        if !part.missing.is_empty() {
            self.ledger.put_missing(job.id, chunk, &part.missing).await?;
        }
        let (format, context) = (output_format(job)?, report_context(job)?);
        let missing = part.missing_of(plan);
        let text = Self::compute(move || render(&format, &context, &queries, &part.hits, missing)).await?;
        self.ledger.put_text(job.id, chunk, text.into()).await?;
        Ok(true)
    }

    /// The part of a chunk that has been merged; made again if it is lost and the hits are not.
    pub(super) async fn part(
        &self,
        job: &Job,
        plan: &Plan,
        chunk: u32,
        queries: &QueryChunk,
    ) -> Result<Part> {
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
    ) -> Result<Option<Part>> {
        let found = self.ledger.find_part(job.id, chunk).await;
        let damage = match found {
            Ok(Some(part)) => return Ok(Some(part)),
            Ok(None) => None,
            Err(damage @ Error::Damaged { .. }) => Some(damage),
            Err(error) => return Err(error),
        };
        let Some(part) = self.join_row(job, plan, chunk, queries).await? else { return Ok(None) };
        let encode = move || frame::encode(Kind::Part, &part).map(|frame| (frame, part));
        let (frame, part) = Self::compute(encode).await?;
        if let Some(damage) = damage {
            // The same hits, without the same volumes, make the same part.
            tracing::error!(job = %job.id, chunk, error = %damage, "joining the shards again");
            self.ledger.replace_part(job.id, chunk, frame).await?;
        } else if self.ledger.put_part(job.id, chunk, frame).await? == Written::Created {
            return Ok(Some(part));
        }
        self.ledger.part(job.id, chunk).await.map(Some)
    }

    /// Joins a row of the grid, or `None` if some shard of it is not settled.
    async fn join_row(
        &self,
        job: &Job,
        plan: &Plan,
        chunk: u32,
        queries: &QueryChunk,
    ) -> Result<Option<Part>> {
        let volumes = plan.volumes.len();
        let Row { hits, failed } = self.ledger.row(job.id, chunk, volumes as u32).await?;
        if hits.len() + failed.len() < volumes {
            return Ok(None);
        }
        let mut merger = Merger::new(job.options, job.totals, queries)?;
        // What an earlier part lacked, if it has been lost since: the report and its status may say so.
        let mut missing: BTreeSet<u32> = self.ledger.missing_row(job.id, chunk).await?.into_iter().collect();
        missing.extend(failed);
        for (volume, stored) in hits {
            if missing.contains(&volume) {
                continue;
            }
            match self.ledger.hits(&stored).await {
                // They were there when the row was listed; another merge found them damaged since.
                Ok(None) => return Ok(None),
                Ok(Some(hits)) => {
                    merger = Self::compute(move || {
                        merger.add(hits);
                        Ok(merger)
                    })
                    .await?;
                }
                Err(error @ Error::Damaged { .. }) if !self.ledger.is_closed(job.id).await? => {
                    // As long as the job runs, hits can always be had again.
                    tracing::error!(job = %job.id, chunk, volume, %error, "comparing the shard again");
                    self.ledger.delete_hits(&stored).await?;
                    self.announce_again(Stage::Search, &ShardPlanned { job: job.id, chunk, volume }).await?;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        let threads = self.settings.threads;
        let hits = Self::compute(move || Ok(merger.finish(threads))).await?;
        Ok(Some(Part { missing: missing.into_iter().collect(), hits }))
    }

    /// What comes before the texts of a job's chunks. If the format lists the subjects of the report, all
    /// parts are read for it, one after the other.
    pub(super) async fn head(&self, job: &Job, plan: &Plan, format: &OutputFormat) -> Result<Bytes> {
        let context = report_context(job)?;
        let mut subjects = ListedSubjects::default();
        if format.lists_subjects() {
            for chunk in 0..job.chunks.len() as u32 {
                let queries = self.ledger.chunk(job.id, chunk).await?;
                let part = self.part(job, plan, chunk, &queries).await?;
                if !part.missing.is_empty() {
                    subjects.lack(queries.queries.len() as u64);
                }
                for hits in part.hits {
                    subjects.add(&context, &hits);
                }
            }
        }
        render_head(format, &context, &subjects).map(Bytes::from)
    }

    /// Announces the end of a job if all its chunks are merged.
    pub(super) async fn announce_merged_job(&self, plan: &Plan, id: JobId) -> Result<()> {
        if self.ledger.texts(id).await? == plan.chunks {
            self.announce(Stage::Finish, &JobMerged { job: id }).await?;
        }
        Ok(())
    }
}

/// Refuses a chunk that the grid does not have.
pub(super) fn check_chunk(plan: &Plan, message: ChunkSearched) -> Result<()> {
    let ChunkSearched { job, chunk } = message;
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

/// What a job's report says beside its hits.
pub(super) fn report_context(job: &Job) -> Result<ReportContext> {
    let database = DatabaseText {
        name: job.database.name.clone(),
        title: job.database_title.clone().unwrap_or_else(|| job.database.name.clone()),
        posted: job.database_created,
        totals: job.totals,
        searched: job.totals,
        parts: Vec::new(),
        is_given: false,
    };
    Ok(ReportContext::new(database, job.options)?)
}

/// The text of a chunk in a report; that of the first chunk begins the report. It says what the chunk was
/// not compared with.
pub fn render(
    format: &OutputFormat,
    context: &ReportContext,
    chunk: &QueryChunk,
    hits: &[Vec<Hit>],
    missing: MissingVolumes,
) -> Result<Vec<u8>> {
    let writer = ReportWriter::new(format, context);
    let mut text = Vec::new();
    for ((query, hits), place) in chunk.queries.iter().zip(hits).zip(chunk.first_place..) {
        let query = QueryText { missing, ..query.text(place) };
        if place == 1 {
            writer.begin(&mut text, Some(query)).map_err(|e| Error::Internal(e.to_string()))?;
        }
        writer.query(&mut text, query, hits).map_err(|e| Error::Internal(e.to_string()))?;
    }
    Ok(text)
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
