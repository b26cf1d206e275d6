//! The alignments of chosen hits of a query.

use std::collections::BTreeSet;

use serde::Serialize;

use super::source::Browsed;
use crate::jobs::error::Result;
use crate::jobs::id::JobId;
use crate::jobs::pipeline::Pipeline;
use crate::report::{HitSummary, WrittenAlignment};

/// Most hits whose alignments are asked for at a time.
pub const MAX_ALIGNED: usize = 500;
/// Alignments of a hit that are written out.
const ALIGNMENTS: usize = 100;
/// Columns beyond which no further hits are written out.
const COLUMNS: u64 = 4 << 20;

/// A hit with its alignments.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AlignedHit {
    /// The hit.
    #[serde(flatten)]
    pub hit: HitSummary,
    /// Its alignments, best first; the first hundred if they are more.
    pub alignments: Vec<WrittenAlignment>,
}

/// Hits with their alignments.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AlignedPage {
    /// The hits, in the order of the report.
    pub hits: Vec<AlignedHit>,
    /// Whether some that were asked for are left out, since they are too long together.
    pub cut: bool,
}

impl Pipeline {
    /// The alignments of the query in this place, from 1, of the report of a job with the subjects at these
    /// positions of the database.
    pub async fn browse_alignments(
        &self,
        id: JobId,
        place: u64,
        subjects: BTreeSet<u64>,
    ) -> Result<Browsed<AlignedPage>> {
        let source = match self.source(id).await? {
            Ok(source) => source,
            Err(state) => return Ok(Browsed::NotReady(state)),
        };
        let Some((chunk, number)) = source.locate(place) else { return Ok(Browsed::NoQuery) };
        let context = source.context.clone();
        let page = self.read_chunk(&source, chunk, move |queries, _, hits| {
            let (mut page, mut columns) = (AlignedPage { hits: Vec::new(), cut: false }, 0);
            let Some(query) = queries.queries.get(number as usize) else { return Ok(page) };
            let query = query.text(place);
            for item in hits {
                let (of, hit) = item?;
                if of > number || page.hits.len() == subjects.len() {
                    break;
                }
                if of < number || !subjects.contains(&hit.ordinal()) {
                    continue;
                }
                if columns >= COLUMNS {
                    page.cut = true;
                    break;
                }
                let alignments = WrittenAlignment::all(&context, query, &hit, ALIGNMENTS);
                columns += alignments.iter().map(|alignment| u64::from(alignment.columns)).sum::<u64>();
                let summary = HitSummary::of(&context, query, &hit);
                page.hits.extend(summary.map(|hit| AlignedHit { hit, alignments }));
            }
            Ok(page)
        });
        Ok(Browsed::Ready(page.await?))
    }
}
