//! Where the hits that are read come from.

use std::sync::Arc;

use crate::jobs::chunk::QueryChunk;
use crate::jobs::error::{Error, Result};
use crate::jobs::hits::{self, ListedHits, PartHead};
use crate::jobs::id::JobId;
use crate::jobs::job::{Job, Plan, State};
use crate::jobs::ledger::reader;
use crate::jobs::pipeline::Pipeline;
use crate::report::ReportContext;

/// What there is to read of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Browsed<T> {
    /// This.
    Ready(T),
    /// There is no report, or not yet.
    NotReady(State),
    /// The report has no such query.
    NoQuery,
}

/// A job that has a report.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) job: Arc<Job>,
    pub(super) plan: Arc<Plan>,
    pub(super) context: Arc<ReportContext>,
}

impl Source {
    /// Number of queries of a chunk.
    pub(super) fn queries_of(&self, chunk: u32) -> Option<u64> {
        self.job.chunks.get(chunk as usize).map(|info| info.queries)
    }

    /// The chunk that has the query in this place of the report, and the query's number there, both from 0.
    pub(super) fn locate(&self, place: u64) -> Option<(u32, u32)> {
        let mut before = 1;
        for (chunk, info) in (0..).zip(&self.job.chunks) {
            if (before..before + info.queries).contains(&place) {
                return Some((chunk, (place - before) as u32));
            }
            before += info.queries;
        }
        None
    }
}

impl Pipeline {
    /// The job, if it has a report; else its state.
    pub(super) async fn source(&self, id: JobId) -> Result<std::result::Result<Source, State>> {
        let job = self.ledger.job(id).await?;
        let latest = self.ledger.latest(id).await?;
        if !latest.outcome.as_ref().is_some_and(|outcome| outcome.state.has_report()) {
            return Ok(Err(self.state_of(&latest).await?));
        }
        let plan = self.ledger.plan(latest.edition).await?.unwrap_or_else(|| Plan::of(&job, 1));
        let context = Arc::new(self.naming_context(&job).await?);
        Ok(Ok(Source { job: job.into(), plan: plan.into(), context }))
    }

    /// Lets `read` read the merged hits of a chunk as they lie, and if they are damaged or lost once more, made
    /// again. It need not read to the end.
    pub(super) async fn read_chunk<T: Send + 'static>(
        &self,
        source: &Source,
        chunk: u32,
        read: impl Fn(&QueryChunk, &PartHead, ListedHits) -> Result<T> + Send + Sync + 'static,
    ) -> Result<T> {
        let (job, read) = (&source.job, Arc::new(read));
        let queries = self.queries(job.id, chunk).await?;
        if let Some((name, pieces)) =
            self.ledger.open_part(source.plan.edition_of(job.id, chunk), chunk).await?
        {
            let (read, queries, input) = (read.clone(), queries.clone(), reader(pieces));
            let found = Self::compute(move || {
                let (head, hits) = hits::read_part(&name, input)?;
                read(&queries, &head, hits)
            });
            match found.await {
                Err(error @ Error::Damaged { .. }) => {
                    tracing::warn!(job = %job.id, chunk, %error, "reading it once more");
                }
                other => return other,
            }
        }
        let part = self.part(job, &source.plan, chunk, &queries).await?;
        let (name, input) = (part.name().to_owned(), reader(self.ledger.read_part(&part).await?));
        Self::compute(move || {
            let (head, hits) = hits::read_part(&name, input)?;
            read(&queries, &head, hits)
        })
        .await
    }
}
