//! Results: the report as a stream, in the format it was asked for in or in another.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use super::error::Result;
use super::id::JobId;
use super::job::State;
use super::merge::{output_format, render, render_end, report_context};
use super::pipeline::Pipeline;
use crate::report::OutputFormat;
use crate::store::Grant;

/// What there is to read of a job.
pub enum Report {
    /// The report, piece by piece.
    Ready {
        /// Its format.
        format: OutputFormat,
        /// Its bytes.
        content: BoxStream<'static, Result<Bytes>>,
    },
    /// There is none, or not yet.
    NotReady(State),
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready { format, .. } => {
                f.debug_struct("Ready").field("format", format).finish_non_exhaustive()
            }
            Self::NotReady(state) => f.debug_tuple("NotReady").field(state).finish(),
        }
    }
}

impl Pipeline {
    /// A job's report in `format`, or in the format it was submitted with. Memory is bounded by one
    /// chunk's hits.
    pub async fn results(self: &Arc<Self>, id: JobId, format: Option<OutputFormat>) -> Result<Report> {
        let job = self.ledger.job(id).await?;
        let state = self.status_word(id).await?;
        if !state.has_report() {
            return Ok(Report::NotReady(state));
        }
        let composed = output_format(&job)?;
        let format = format.unwrap_or_else(|| composed.clone());
        if format == composed {
            let content = self.ledger.report(id, format.extension()).await?;
            return Ok(Report::Ready { format, content });
        }
        let context = Arc::new(report_context(&job)?);
        let end = render_end(&format, &context, job.queries())?;
        let chunks = job.chunks.len() as u32;
        let (pipeline, style) = (self.clone(), format.clone());
        // What comes first must not be empty: it tells whether the report can be read.
        let head = stream::iter(format.lists_subjects().then_some(job)).then(move |job| {
            let (pipeline, style) = (pipeline.clone(), style.clone());
            async move { pipeline.head(&job, &style).await }
        });
        let (pipeline, style) = (self.clone(), format.clone());
        let parts = stream::iter(0..chunks).then(move |chunk| {
            let (pipeline, format, context) = (pipeline.clone(), style.clone(), context.clone());
            async move {
                let queries = pipeline.ledger.chunk(id, chunk).await?;
                let part = pipeline.ledger.part(id, chunk).await?;
                Self::compute(move || render(&format, &context, &queries, &part.hits)).await.map(Bytes::from)
            }
        });
        let content = head.chain(parts).chain(stream::once(async move { Ok(Bytes::from(end)) })).boxed();
        Ok(Report::Ready { format, content })
    }

    /// An address from which a report in the format it was submitted with can be read for `lifetime`,
    /// if it has at least `least` bytes and the store has such addresses.
    pub async fn results_link(
        &self,
        id: JobId,
        format: Option<&OutputFormat>,
        least: u64,
        lifetime: Duration,
    ) -> Result<Option<Grant>> {
        let job = self.ledger.job(id).await?;
        let composed = output_format(&job)?;
        if format.is_some_and(|format| *format != composed) {
            return Ok(None);
        }
        self.ledger.grant_report(id, composed.extension(), least, lifetime).await
    }

    async fn status_word(&self, id: JobId) -> Result<State> {
        Ok(match self.ledger.outcome(id).await? {
            Some(outcome) => outcome.state,
            None if self.ledger.plan(id).await?.is_some() => State::Running,
            None => State::Queued,
        })
    }
}
