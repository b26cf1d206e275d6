//! How many hits each query of a chunk has.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::source::Source;
use super::species::SpeciesCounter;
use crate::engine::Hit;
use crate::jobs::chunk::{Query, QueryChunk};
use crate::jobs::edition::Edition;
use crate::jobs::error::{Error, Result};
use crate::jobs::hits;
use crate::jobs::job::Job;
use crate::jobs::ledger::{StoredPart, reader};
use crate::jobs::merge::report_context;
use crate::jobs::pipeline::Pipeline;
use crate::report::{HitSummary, ReportContext, query_name};
use crate::sequence::defline;

/// Letters of a title that lists show.
const TITLE: usize = 200;

/// A query and what was found with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QueryCount {
    /// Its place in the report, from 1.
    pub place: u64,
    /// Number of its record in the input, from 1.
    pub number: u64,
    /// What names it in reports (`qaccver`).
    pub id: String,
    /// What its definition line says beside that, cut if it is long.
    pub title: String,
    /// Number of its residues.
    pub length: u64,
    /// Number of hits.
    pub hits: u64,
    /// Number of HSPs.
    pub hsps: u64,
    /// Its first hit.
    pub best: Option<BestHit>,
}

/// The first hit of a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BestHit {
    /// What names the subject (`saccver`).
    pub subject: String,
    /// Its E-value.
    pub evalue: f64,
    /// Its bit score.
    pub bit_score: f64,
}

/// The queries of a chunk, in order; stored as they are.
pub(in crate::jobs) type ChunkCounts = Vec<QueryCount>;

impl QueryCount {
    /// A query without hits, as number `place` of the report.
    pub(super) fn of(query: &Query, place: u64) -> Self {
        let title = String::from_utf8_lossy(defline::title(&query.defline)).into_owned();
        let id = query_name(query.text(place));
        let title = title.strip_prefix(id.as_str()).unwrap_or(&title).trim_start();
        Self {
            place,
            number: query.number,
            title: title.chars().take(TITLE).collect(),
            id,
            length: query.residues.len() as u64,
            hits: 0,
            hsps: 0,
            best: None,
        }
    }

    fn add(&mut self, context: &ReportContext, query: &Query, hit: &Hit) {
        if self.hits == 0 {
            let first = HitSummary::of(context, query.text(self.place), hit);
            self.best = first.map(|HitSummary { subject, evalue, bit_score, .. }| BestHit {
                subject,
                evalue,
                bit_score,
            });
        }
        self.hits += 1;
        self.hsps += hit.hsps.len() as u64;
    }
}

/// Counts the hits of a chunk, which come by query.
fn count(
    context: &ReportContext,
    chunk: &QueryChunk,
    hits: impl Iterator<Item = Result<(u32, Hit)>>,
) -> Result<ChunkCounts> {
    let counts =
        chunk.queries.iter().zip(chunk.first_place..).map(|(query, place)| QueryCount::of(query, place));
    let mut counts: ChunkCounts = counts.collect();
    for item in hits {
        let (number, hit) = item?;
        let query = chunk.queries.get(number as usize).zip(counts.get_mut(number as usize));
        let (query, count) = query.ok_or_else(|| Error::Damaged {
            object: format!("the part of the chunk that begins with query {}", chunk.first_place),
            reason: format!("it has hits of query {number}, of {}", chunk.queries.len()),
        })?;
        count.add(context, query, &hit);
    }
    Ok(counts)
}

impl Pipeline {
    /// The counts of a chunk, made again if they are missing or damaged.
    pub(super) async fn counts(&self, source: &Source, chunk: u32) -> Result<ChunkCounts> {
        let (id, edition) = (source.job.id, source.plan.edition_of(source.job.id, chunk));
        match self.ledger.counts(edition, chunk).await {
            Ok(Some(counts)) if Some(counts.len() as u64) == source.queries_of(chunk) => return Ok(counts),
            Ok(_) => {}
            Err(error @ Error::Damaged { .. }) => {
                tracing::warn!(job = %id, chunk, %error, "counting the hits again");
            }
            Err(error) => return Err(error),
        }
        let counts = self.count(source, chunk).await?;
        self.keep_counts(edition, chunk, &counts).await;
        Ok(counts)
    }

    async fn count(&self, source: &Source, chunk: u32) -> Result<ChunkCounts> {
        let context = source.context.clone();
        self.read_chunk(source, chunk, move |queries, _, hits| count(&context, queries, hits)).await
    }

    /// Writes the counts of a chunk whose part is at hand. They can be had again, so an error is only told.
    pub(in crate::jobs) async fn write_counts(
        &self,
        job: &Job,
        edition: Edition,
        chunk: u32,
        queries: Arc<QueryChunk>,
        part: &StoredPart,
    ) {
        let counted = async {
            let context = report_context(job)?;
            let (name, input) = (part.name().to_owned(), reader(self.ledger.read_part(part).await?));
            Self::compute(move || {
                let (_, hits) = hits::read_part(&name, input)?;
                let mut species = SpeciesCounter::default();
                // Both from one reading of the part.
                let hits = hits.inspect(|item| {
                    if let Ok((number, hit)) = item
                        && let Some(query) = queries.queries.get(*number as usize)
                    {
                        let place = queries.first_place + u64::from(*number);
                        let hit = HitSummary::of(&context, query.text(place), hit);
                        hit.into_iter().for_each(|hit| species.add(*number, &hit));
                    }
                });
                let counts = count(&context, &queries, hits)?;
                Ok((counts, species.finish()))
            })
            .await
        };
        match counted.await {
            Ok((counts, species)) => {
                self.keep_counts(edition, chunk, &counts).await;
                self.keep_species(edition, chunk, &species).await;
            }
            Err(error) => {
                tracing::warn!(job = %job.id, chunk, %error, "could not count the hits; who reads them will");
            }
        }
    }

    async fn keep_counts(&self, edition: Edition, chunk: u32, counts: &ChunkCounts) {
        if let Err(error) = self.ledger.put_counts(edition, chunk, counts).await {
            tracing::warn!(job = %edition.job, chunk, %error, "could not keep the counts of hits; they will be made again");
        }
    }
}
