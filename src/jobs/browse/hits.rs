//! The hits of one query, a page at a time.

use serde::Serialize;

use super::counts::QueryCount;
use super::filter::HitFilter;
use super::order::{First, HitColumn};
use super::plots::{Plots, Plotter};
use super::source::Browsed;
use crate::jobs::error::{Error, Result};
use crate::jobs::id::JobId;
use crate::jobs::pipeline::Pipeline;
use crate::report::{HitSummary, MissingVolumes};

/// Most hits of a page.
pub const MAX_HITS: usize = 1_000;
/// How far into hits in another order than the report's a page may lie: as many are held in memory.
pub const MAX_DEPTH: usize = 10_000;

/// Which hits are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HitsWanted {
    /// How many are skipped.
    pub from: usize,
    /// At most so many, up to [`MAX_HITS`].
    pub limit: usize,
    /// The column that they are ordered by.
    pub column: HitColumn,
    /// Whether the largest come first.
    pub descending: bool,
    /// What they must be like.
    pub filter: HitFilter,
    /// Whether distributions of all that are like this are wanted.
    pub plots: bool,
}

/// A hit with its place in the report.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RankedHit {
    /// Its place among the hits of its query, from 1.
    pub rank: u64,
    /// The hit.
    #[serde(flatten)]
    pub hit: HitSummary,
}

/// Some hits of a query.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HitsPage {
    /// The query; its counts are those of all hits.
    pub query: QueryCount,
    /// Volumes that it was not compared with, and how many there are.
    pub missing_volumes: (u32, u32),
    /// How many hits are like what is wanted.
    pub matching: u64,
    /// The hits.
    pub hits: Vec<RankedHit>,
    /// Distributions of the matching hits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plots: Option<Plots>,
}

impl Pipeline {
    /// Lists hits of the query in this place, from 1, of the report of a job.
    pub async fn browse_hits(&self, id: JobId, place: u64, wanted: &HitsWanted) -> Result<Browsed<HitsPage>> {
        let source = match self.source(id).await? {
            Ok(source) => source,
            Err(state) => return Ok(Browsed::NotReady(state)),
        };
        let Some((chunk, number)) = source.locate(place) else { return Ok(Browsed::NoQuery) };
        let counts = self.counts(&source, chunk).await?;
        let Some(query) = counts.into_iter().nth(number as usize) else { return Ok(Browsed::NoQuery) };
        let (context, volumes) = (source.context.clone(), source.plan.volumes.len() as u32);
        let HitsWanted { from, column, descending, plots, .. } = *wanted;
        let (limit, filter) = (wanted.limit.min(MAX_HITS), wanted.filter.clone().prepared());
        let as_reported = column == HitColumn::Rank && !descending;
        let page = self.read_chunk(&source, chunk, move |queries, head, hits| {
            let text = queries.queries.get(number as usize).ok_or_else(|| Error::Damaged {
                object: format!("{id}/queries/{chunk:06}"),
                reason: "it has fewer queries than the job says".to_owned(),
            })?;
            let missing = MissingVolumes { missing: head.missing.len() as u32, of: volumes };
            let text = crate::report::QueryText { missing, ..text.text(place) };
            let mut plotter = plots.then(|| Plotter::new(query.length));
            let mut first = First::new(column, descending, from.saturating_add(limit));
            let (mut rank, mut matching, mut page) = (0, 0, Vec::new());
            for item in hits {
                let (of, hit) = item?;
                if of < number {
                    continue;
                }
                if of > number {
                    break;
                }
                rank += 1;
                let summary = HitSummary::of(&context, text, &hit);
                let Some(hit) = summary.filter(|hit| filter.admits(hit)) else { continue };
                if let Some(plotter) = &mut plotter {
                    plotter.add(&hit);
                }
                if !as_reported {
                    first.push(RankedHit { rank, hit });
                } else if matching >= from && page.len() < limit {
                    page.push(RankedHit { rank, hit });
                }
                matching += 1;
            }
            if !as_reported {
                page = first.finish().into_iter().skip(from).take(limit).collect();
            }
            Ok(HitsPage {
                query: query.clone(),
                missing_volumes: (missing.missing, missing.of),
                matching: matching as u64,
                hits: page,
                plots: plotter.map(Plotter::finish),
            })
        });
        Ok(Browsed::Ready(page.await?))
    }
}
