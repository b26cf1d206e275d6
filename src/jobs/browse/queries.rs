//! The queries of a job, a page at a time.

use serde::Serialize;

use super::counts::QueryCount;
use super::source::Browsed;
use crate::jobs::error::Result;
use crate::jobs::id::JobId;
use crate::jobs::pipeline::Pipeline;

/// Most queries of a page.
pub const MAX_QUERIES: usize = 1_000;
/// Chunks that are looked at for a page, so that one that is picky ends, too.
const CHUNKS_LOOKED_AT: usize = 50;

/// Which queries are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueriesWanted {
    /// Place in the report, from 1, of the first that is looked at.
    pub from: u64,
    /// At most so many, up to [`MAX_QUERIES`].
    pub limit: usize,
    /// Only those whose id or title has this text, in upper or lower case.
    pub text: Option<String>,
    /// Only those with hits, or only those without.
    pub with_hits: Option<bool>,
}

/// Some queries, in the order of the report.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct QueriesPage {
    /// Number of all queries of the job.
    pub total: u64,
    /// The queries.
    pub queries: Vec<QueryCount>,
    /// Where the next page goes on; there is none without it. A page may have fewer queries than asked for, or
    /// none, and yet a next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

impl QueriesWanted {
    /// Whether a query is; `text` is that of this, in lower case.
    fn wants(&self, query: &QueryCount, text: Option<&str>) -> bool {
        let has = |words: &str, text: &str| words.to_lowercase().contains(text);
        self.with_hits.is_none_or(|with| with == (query.hits > 0))
            && text.is_none_or(|text| has(&query.id, text) || has(&query.title, text))
    }
}

impl Pipeline {
    /// Lists the queries of a job that has a report, with the number of their hits.
    pub async fn browse_queries(&self, id: JobId, wanted: &QueriesWanted) -> Result<Browsed<QueriesPage>> {
        let source = match self.source(id).await? {
            Ok(source) => source,
            Err(state) => return Ok(Browsed::NotReady(state)),
        };
        let limit = wanted.limit.clamp(1, MAX_QUERIES);
        let text = wanted.text.as_ref().map(|text| text.to_lowercase());
        let total = source.job.queries();
        let mut place = wanted.from.max(1);
        let (mut queries, mut before, mut looked_at) = (Vec::new(), 1, 0);
        for (chunk, info) in (0..).zip(&source.job.chunks) {
            let behind = before + info.queries;
            if place < behind {
                if queries.len() == limit || looked_at == CHUNKS_LOOKED_AT {
                    break;
                }
                looked_at += 1;
                let counts = self.counts(&source, chunk).await?;
                for query in counts.into_iter().skip((place - before) as usize) {
                    if queries.len() == limit {
                        break;
                    }
                    place = query.place + 1;
                    if wanted.wants(&query, text.as_deref()) {
                        queries.push(query);
                    }
                }
            }
            before = behind;
        }
        Ok(Browsed::Ready(QueriesPage { total, queries, next: Some(place).filter(|&place| place <= total) }))
    }
}
