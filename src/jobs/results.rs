//! Results: the report as a stream, in the format it was asked for in or in another.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::edition::Edition;
use super::error::Result;
use super::id::JobId;
use super::job::{Job, Outcome, Plan, State};
use super::ledger::reader;
use super::merge::{Look, output_format, render_end};
use super::pipeline::Pipeline;
use super::produce::produced;
use crate::report::{OutputFormat, ParquetFile, SoFar};
use crate::store::{BlobInfo, ETag, Grant};

/// Which report is wanted, and how.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Its format, unless it is the one that the job was submitted with.
    pub format: Option<OutputFormat>,
    /// Whether it may lack shards.
    pub partial: bool,
    /// Whether it may be asked for before its search has ended, with the chunks that are merged so far.
    pub so_far: bool,
    /// Most subjects that it shows of a query, if they are fewer than were kept; the first ones. A format that
    /// lists all subjects at its beginning lists all the same.
    pub most: Option<usize>,
    /// From which size on an address of storage is wanted instead, if the store has such.
    pub address: Option<AddressFrom>,
}

/// When an address is wanted instead of a report's bytes.
#[derive(Clone, Copy, Debug)]
pub struct AddressFrom {
    /// Least size of the report, bytes.
    pub bytes: u64,
    /// How long the address is to be valid.
    pub lifetime: Duration,
}

/// Shards that a report lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingShards {
    /// How many.
    pub missing: u64,
    /// Of how many.
    pub of: u64,
}

impl MissingShards {
    fn of(outcome: &Outcome) -> Option<Self> {
        let missing = outcome.shards_failed;
        (missing > 0).then_some(Self { missing, of: missing + outcome.shards_done })
    }
}

impl fmt::Display for MissingShards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} shards", self.missing, self.of)
    }
}

/// A report that lies in storage as it is; [`Pipeline::report_from`] reads parts of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredReport {
    /// Length, bytes.
    pub length: u64,
    /// Tag of its bytes.
    pub tag: ETag,
    /// The edition of its job that it is of.
    pub edition: u32,
}

/// What there is to read of a job.
pub enum Report {
    /// The report, piece by piece.
    Ready {
        /// Its format.
        format: OutputFormat,
        /// Its bytes; nothing is done for them before they are asked for.
        content: BoxStream<'static, Result<Bytes>>,
        /// What is known of it beforehand, if it lies in storage as it is; else it is made while it is read.
        stored: Option<StoredReport>,
        /// What it lacks.
        missing: Option<MissingShards>,
        /// The edition of its job that it is of: 0, and one more for each retry.
        edition: u32,
        /// The queries that it is on, if its search has not ended.
        so_far: Option<SoFar>,
    },
    /// The report, where it lies.
    Elsewhere {
        /// The address.
        grant: Grant,
        /// What it lacks.
        missing: Option<MissingShards>,
    },
    /// The report lacks these, and nobody said that it may.
    Incomplete(MissingShards),
    /// There is none, or not yet.
    NotReady(State),
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { format, stored, missing, .. } => f
                .debug_struct("Ready")
                .field("format", format)
                .field("stored", stored)
                .field("missing", missing)
                .finish_non_exhaustive(),
            Self::Elsewhere { missing, .. } => {
                f.debug_struct("Elsewhere").field("missing", missing).finish_non_exhaustive()
            }
            Self::Incomplete(missing) => f.debug_tuple("Incomplete").field(missing).finish(),
            Self::NotReady(state) => f.debug_tuple("NotReady").field(state).finish(),
        }
    }
}

impl Pipeline {
    /// A job's report, of which little is in memory at a time.
    ///
    /// Blobs that it is made of and that have been lost are made again from what is left.
    pub async fn results(self: &Arc<Self>, id: JobId, wanted: Wanted) -> Result<Report> {
        let (job, plan, missing) = match self.reported(id, wanted.partial).await? {
            Ok(reported) => reported,
            Err(Report::NotReady(state)) if wanted.so_far && !state.is_final() => {
                return self.results_so_far(id, state, wanted).await;
            }
            Err(none) => return Ok(none),
        };
        let edition = plan.edition(id);
        let asked = output_format(&job)?;
        let composed = asked.of_pieces();
        let format = wanted.format.unwrap_or(asked);
        let pieces = format.of_pieces();
        let most = wanted.most.filter(|&most| most < job.options.max_target_seqs);
        if pieces != composed || most.is_some() {
            let content = whole(&format, self.rendered(job, plan, &pieces, most, None).await?);
            let (edition, so_far) = (edition.number, None);
            return Ok(Report::Ready { format, content, stored: None, missing, edition, so_far });
        }
        let extension = composed.extension();
        let found = match self.ledger.report_info(edition, extension).await? {
            Some(found) => Some(found),
            None => {
                self.restore_report(&job, &plan).await?;
                self.ledger.report_info(edition, extension).await?
            }
        };
        let is_stored = format == composed;
        let stored = found.map(|BlobInfo { length, etag, .. }| StoredReport {
            length,
            tag: etag,
            edition: edition.number,
        });
        let length = stored.as_ref().map_or(0, |stored| stored.length);
        if let Some(AddressFrom { bytes, lifetime }) = wanted.address
            && is_stored
            && length >= bytes
            && let Some(grant) = self.ledger.grant_report(edition, extension, lifetime).await?
        {
            return Ok(Report::Elsewhere { grant, missing });
        }
        let pipeline = self.clone();
        let content =
            stream::once(async move { pipeline.ledger.report(edition, composed.extension(), 0).await })
                .try_flatten();
        let content = whole(&format, content.boxed());
        let stored = stored.filter(|_| is_stored);
        Ok(Report::Ready { format, content, stored, missing, edition: edition.number, so_far: None })
    }

    /// The bytes of a stored report of a job in the format that it was submitted with, from byte `start` on, which
    /// must be less than its [length](StoredReport::length) unless it is 0.
    pub async fn report_from(
        &self,
        id: JobId,
        stored: &StoredReport,
        format: &OutputFormat,
        start: u64,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let edition = Edition { job: id, number: stored.edition };
        self.ledger.report(edition, format.extension(), start).await
    }

    /// A job that has a report which may be shown, with its grid and what the report lacks; else why it has
    /// none.
    pub(super) async fn reported(
        &self,
        id: JobId,
        partial: bool,
    ) -> Result<std::result::Result<(Job, Plan, Option<MissingShards>), Report>> {
        let job = self.ledger.job(id).await?;
        let latest = self.ledger.latest(id).await?;
        let outcome = latest.outcome.as_ref().filter(|outcome| outcome.state.has_report());
        let Some(outcome) = outcome else {
            return Ok(Err(Report::NotReady(self.state_of(&latest).await?)));
        };
        let missing = MissingShards::of(outcome);
        if let Some(missing) = missing.filter(|_| !partial) {
            return Ok(Err(Report::Incomplete(missing)));
        }
        let plan = self.ledger.plan(latest.edition).await?.unwrap_or_else(|| Plan::of(&job, 1));
        Ok(Ok((job, plan, missing)))
    }

    /// The report of a job that has not ended, on the chunks that are merged so far.
    async fn results_so_far(self: &Arc<Self>, id: JobId, state: State, wanted: Wanted) -> Result<Report> {
        let job = self.ledger.job(id).await?;
        let edition = self.ledger.latest(id).await?.edition;
        let Some(plan) = self.ledger.plan(edition).await? else { return Ok(Report::NotReady(state)) };
        let chunks = self.ledger.merged(id, &plan).await?;
        let mut place = 1;
        let mut ranges = Vec::new();
        for (chunk, info) in (0..).zip(&job.chunks) {
            ranges.extend(chunks.contains(&chunk).then(|| place..place + info.queries));
            place += info.queries;
        }
        let Some(so_far) = SoFar::new(ranges, job.queries()) else { return Ok(Report::NotReady(state)) };
        let (volumes, of) = (plan.volumes.len() as u64, plan.shards());
        let failed = self.ledger.missing(id, &plan).await?.len() as u64;
        let missing = (of - volumes * chunks.len() as u64) + failed;
        let missing = Some(MissingShards { missing, of }).filter(|missing| missing.missing > 0);
        let format = match wanted.format {
            Some(format) => format,
            None => output_format(&job)?,
        };
        let most = wanted.most.filter(|&most| most < job.options.max_target_seqs);
        let parts = Some((so_far.clone(), chunks));
        let content = whole(&format, self.rendered(job, plan, &format.of_pieces(), most, parts).await?);
        let (edition, so_far) = (edition.number, Some(so_far));
        Ok(Report::Ready { format, content, stored: None, missing, edition, so_far })
    }

    /// The report of a job in another format than it was submitted with, or with fewer subjects; or of a job that has
    /// not ended, on some of its chunks.
    async fn rendered(
        self: &Arc<Self>,
        job: Job,
        plan: Plan,
        format: &OutputFormat,
        most: Option<usize>,
        so_far: Option<(SoFar, BTreeSet<u32>)>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        let context = self.context_for(&job, format).await?;
        let (context, queries, chunks) = match &so_far {
            Some((so_far, chunks)) => (context.so_far(so_far.clone()), so_far.queries(), chunks.clone()),
            None => (context, job.queries(), (0..job.chunks.len() as u32).collect()),
        };
        let context = Arc::new(context);
        let end = render_end(format, &context, queries)?;
        let grid = Arc::new((job, plan));
        let (pipeline, style, found) = (self.clone(), format.clone(), grid.clone());
        // What comes first must not be empty: it tells whether the report can be read.
        let head = stream::iter(format.lists_subjects().then_some(found)).then(move |grid| {
            let (pipeline, style, so_far) = (pipeline.clone(), style.clone(), so_far.clone());
            async move {
                let so_far = so_far.as_ref().map(|(so_far, chunks)| (so_far.clone(), chunks));
                pipeline.head(&grid.0, &grid.1, &style, so_far).await
            }
        });
        let (pipeline, style) = (self.clone(), format.clone());
        let parts = stream::iter(chunks).then(move |chunk| {
            let (pipeline, grid) = (pipeline.clone(), grid.clone());
            let look = Look { format: style.clone(), context: context.clone(), most };
            async move {
                let (job, plan) = &*grid;
                let queries = pipeline.ledger.chunk(job.id, chunk).await?;
                let part = pipeline.part(job, plan, chunk, &queries).await?;
                pipeline.text(look, queries.into(), part.head.missing_of(plan), &part).await
            }
        });
        Ok(head.chain(parts.try_flatten()).chain(stream::once(async move { Ok(Bytes::from(end)) })).boxed())
    }
}

/// A report from its pieces.
fn whole(
    format: &OutputFormat,
    pieces: BoxStream<'static, Result<Bytes>>,
) -> BoxStream<'static, Result<Bytes>> {
    let OutputFormat::Parquet(_) = format else { return pieces };
    let mut pieces = reader(pieces);
    produced(move |out| {
        let mut file = ParquetFile::new(out);
        io::copy(&mut pieces, &mut file)?;
        file.finish()?;
        Ok(())
    })
}
