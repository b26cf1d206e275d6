//! Submit: a request becomes a job. Queries are cut into chunks and stored while they are read.

use std::io::BufRead;
use std::pin::pin;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::burst::Placement;
use super::chunk::{ChunkLimits, Chunker, QueryChunk, Warning};
use super::edition::Edition;
use super::error::{Error, Result};
use super::id::JobId;
use super::job::{ChunkInfo, DatabaseRef, Job};
use super::key::{SubmissionKey, claim_name};
use super::messages::{JobSubmitted, Stage};
use super::pipeline::Pipeline;
use super::taxa::{AskedTaxa, Chosen};
use super::trace::Trace;
use crate::database::{Digest, Manifest, VolumeInfo};
use crate::engine::{DatabaseTotals, Mode, QueryLocation, SearchOptions};
use crate::report::OutputFormat;
use crate::sequence::defline;
use crate::sequence::fasta::{FastaError, Reader};

/// A request for a search, checked as far as it can be without the queries.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `name` or `name@version` of the database.
    pub database: String,
    /// Options that change the hits.
    pub options: SearchOptions,
    /// Format of the report.
    pub outfmt: OutputFormat,
    /// The taxa whose sequences are searched, or left out; else all are searched.
    pub taxa: Option<AskedTaxa>,
}

/// What is searched of a database.
pub(super) struct Searched {
    /// The database.
    pub(super) database: DatabaseRef,
    pub(super) manifest: Manifest,
    /// The volumes of it that have something to search.
    pub(super) volumes: Vec<VolumeInfo>,
    /// What that is, if it is not all.
    chosen: Option<Chosen>,
    /// The names of taxa of this moment.
    taxonomy: Option<Digest>,
}

impl Searched {
    /// Its size.
    pub(super) fn size(&self) -> DatabaseTotals {
        let all = DatabaseTotals { sequences: self.manifest.sequences, residues: self.manifest.residues };
        self.chosen.as_ref().map_or(all, Chosen::totals)
    }
}

/// Who sends a request, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Submitter {
    /// Whose job it will be, where users sign in.
    pub owner: Option<String>,
    /// The trace that the request belongs to.
    pub trace: Option<Trace>,
    /// Makes the submission known again if it is repeated.
    pub key: Option<SubmissionKey>,
    /// How the report is to be shown if nobody says otherwise, in the words of the API that was used.
    pub view: Option<String>,
    /// Where the job is to be compared, if it matters.
    pub placement: Option<Placement>,
}

/// Why a request was not accepted. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The queries cannot be read.
    #[error(transparent)]
    Fasta(#[from] FastaError),
    /// There are no queries at all.
    #[error("the query holds no sequence; send FASTA: a line with '>' and a name, then lines of residues")]
    NoQueries,
    /// All queries end before the part that is to be searched.
    #[error("no query reaches into the part {0} (query_loc), so there is nothing to search")]
    OutOfRange(QueryLocation),
    /// All queries are without residues.
    #[error("none of the {records} records has residues; the first is {first:?}")]
    OnlyEmptyQueries {
        /// Number of records.
        records: u64,
        /// Id of the first.
        first: String,
    },
    /// The pipeline or its storage failed.
    #[error(transparent)]
    Pipeline(#[from] Error),
}

/// Chunks that are being stored at the same time.
const STORES_IN_FLIGHT: usize = 8;

impl Job {
    /// A job whose queries have not been read.
    pub(super) fn new(
        id: JobId,
        submitter: &Submitter,
        trace: Trace,
        request: &Request,
        searched: Searched,
    ) -> Self {
        let Searched { database, manifest, volumes, chosen, taxonomy } = searched;
        Self {
            id,
            program: "blastp".to_owned(),
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            submitted: Timestamp::now(),
            owner: submitter.owner.clone(),
            trace: Some(trace.to_string()),
            database,
            database_title: Some(manifest.title),
            database_created: Some(manifest.created),
            totals: DatabaseTotals { sequences: manifest.sequences, residues: manifest.residues },
            chosen,
            taxonomy,
            volumes,
            options: request.options,
            outfmt: request.outfmt.to_string(),
            view: submitter.view.clone(),
            chunks: Vec::new(),
            warnings: Vec::new(),
            further_warnings: 0,
            expected: None,
            placement: Placement::default(),
        }
    }
}

/// Queries that are being cut into chunks.
enum Reading<R, F> {
    Unopened(F),
    Opened { chunker: Box<Chunker<Reader<R>>>, first_id: Option<Vec<u8>> },
    Ended,
}

/// What reading on has given.
enum Read {
    Chunk(QueryChunk),
    End(Findings),
}

enum Stored {
    Chunk(ChunkInfo),
    End(Findings),
}

/// What is known of queries when all have been read.
#[derive(Default)]
struct Findings {
    first_id: Option<Vec<u8>>,
    warnings: Vec<Warning>,
    further_warnings: u64,
}

impl<R: BufRead, F: FnOnce() -> Result<Reader<R>, FastaError>> Reading<R, F> {
    /// Reads on, which may block.
    fn next(self, limits: ChunkLimits, options: SearchOptions) -> Result<Option<(Read, Self)>, FastaError> {
        let (mut chunker, first_id) = match self {
            Self::Unopened(open) => (Box::new(Chunker::new(open()?, limits, options)), None),
            Self::Opened { chunker, first_id } => (chunker, first_id),
            Self::Ended => return Ok(None),
        };
        match chunker.next().transpose()? {
            Some(chunk) => {
                let first = || chunk.queries.first().map(|query| defline::id(&query.defline).to_vec());
                let first_id = first_id.or_else(first);
                Ok(Some((Read::Chunk(chunk), Self::Opened { chunker, first_id })))
            }
            None => {
                let (warnings, further_warnings) = chunker.warnings();
                let findings = Findings { first_id, warnings: warnings.to_vec(), further_warnings };
                Ok(Some((Read::End(findings), Self::Ended)))
            }
        }
    }
}

impl Pipeline {
    /// Accepts a search of the FASTA that `open` opens (on a thread that may block), from nobody in
    /// particular. When this returns, the job will run even if every process dies.
    ///
    /// Memory is bounded by a few chunks, whatever the size of the queries.
    pub async fn submit<R, F>(&self, request: &Request, open: F) -> Result<Job, SubmitError>
    where
        R: BufRead + Send + 'static,
        F: FnOnce() -> Result<Reader<R>, FastaError> + Send + 'static,
    {
        self.submit_by(&Submitter::default(), request, open).await
    }

    /// Like [`submit`](Self::submit), for `submitter`.
    pub async fn submit_by<R, F>(
        &self,
        submitter: &Submitter,
        request: &Request,
        open: F,
    ) -> Result<Job, SubmitError>
    where
        R: BufRead + Send + 'static,
        F: FnOnce() -> Result<Reader<R>, FastaError> + Send + 'static,
    {
        let searched = self.searched_by(request).await?;
        let id = JobId::random().map_err(|e| Error::Internal(e.to_string()))?;
        let trace = submitter.trace.unwrap_or_else(|| Trace::of(id)).child();
        // The marker comes first: should this process die here, sweep removes what was written.
        self.ledger.put_active(Edition::first(id)).await?;
        // From here on garbage collection spares the volumes, unless the database was removed before.
        let accepted = match self.catalog.manifest(&searched.database).await {
            Ok(_) => {
                self.store_chunks(
                    id,
                    self.chunk_limits(&searched.volumes, request.options.mode),
                    request.options,
                    open,
                )
                .await
            }
            Err(error) if error.is_not_found() => Err(self.catalog.unknown(&request.database).await.into()),
            Err(error) => Err(error.into()),
        };
        let (chunks, warnings, further_warnings) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if let Err(left) = self.ledger.delete_all(id).await {
                    tracing::warn!(job = %id, error = %left, "could not remove a refused job; sweep will");
                }
                return Err(error);
            }
        };
        let job = Job::new(id, submitter, trace, request, searched);
        let job = Job { chunks, warnings, further_warnings, ..job };
        let job = Job { placement: self.placement_for(submitter), ..job };
        let job = Job { expected: self.expected(&job).await, ..job };
        let Some(key) = claim_name(submitter) else {
            self.enter(&job, None).await?;
            self.ledger.put_job(&job).await?;
            return Ok(self.announce_accepted(job, trace).await);
        };
        let claim = self.claim_of(id, request, job.chunks.len() as u32).await?;
        let claimed = self.claim(&key, &claim).await;
        if !matches!(claimed, Ok(None))
            && let Err(left) = self.ledger.delete_all(id).await
        {
            tracing::warn!(job = %id, error = %left, "could not remove a repeated job; sweep will");
        }
        if let Some(earlier) = claimed? {
            return Ok(earlier);
        }
        self.enter(&job, Some(&key)).await?;
        self.ledger.put_job(&job).await?;
        // The same submission, sent twice at the same time, may have taken the claim over before the job was
        // there to be seen.
        let standing = self.confirm(&key, claim, job).await?;
        if standing.id != id {
            return Ok(standing);
        }
        Ok(self.announce_accepted(standing, trace).await)
    }

    /// Where a job of this submitter is compared.
    pub(super) fn placement_for(&self, submitter: &Submitter) -> Placement {
        let usual = Placement { place: self.settings.place, ..Placement::default() };
        submitter.placement.unwrap_or(usual)
    }

    async fn announce_accepted(&self, job: Job, trace: Trace) -> Job {
        let id = job.id;
        // Should the announcement get lost, sweep repeats it.
        let message = JobSubmitted { job: id, edition: 0 };
        if let Err(error) = trace.scope(self.announce(Stage::Plan, &message)).await {
            tracing::warn!(job = %id, %error, "accepted, but not announced; sweep will do it");
        }
        let trace_id = trace.trace_id();
        tracing::info!(job = %id, trace_id, queries = job.queries(), database = %job.database, "accepted a job");
        job
    }

    /// What a request searches now.
    pub(super) async fn searched_by(&self, request: &Request) -> Result<Searched> {
        let (database, manifest) = self.catalog.resolve(&request.database).await?;
        let taxonomy = self.catalog.current_taxonomy().await?.map(|current| current.digest);
        let (volumes, chosen) = match &request.taxa {
            None => (manifest.volumes.clone(), None),
            Some(asked) => {
                let (volumes, chosen) = self.choose(&database, &manifest.volumes, asked, taxonomy).await?;
                (volumes, Some(chosen))
            }
        };
        Ok(Searched { database, manifest, volumes, chosen, taxonomy })
    }

    /// How queries are cut for these volumes.
    pub(super) fn chunk_limits(&self, volumes: &[VolumeInfo], mode: Mode) -> ChunkLimits {
        let largest = volumes.iter().map(|volume| volume.residues).max().unwrap_or(0);
        let mut limits = ChunkLimits::for_volumes_of(largest, mode);
        if let Some(residues) = self.settings.chunk_residues {
            limits.residues = residues;
        }
        limits
    }

    /// Reads queries and stores them in chunks. Returns what the chunks hold, and what was odd.
    pub(super) async fn store_chunks<R, F>(
        &self,
        id: JobId,
        limits: ChunkLimits,
        options: SearchOptions,
        open: F,
    ) -> Result<(Vec<ChunkInfo>, Vec<Warning>, u64), SubmitError>
    where
        R: BufRead + Send + 'static,
        F: FnOnce() -> Result<Reader<R>, FastaError> + Send + 'static,
    {
        let stop = CancellationToken::new();
        // A thread is held while a chunk is read, and not while one waits to be stored: storage in a
        // folder needs threads from the same pool.
        let chunks = stream::try_unfold(Reading::Unopened(open), |reading| {
            let stop = stop.clone();
            async move {
                if stop.is_cancelled() {
                    return Ok::<_, SubmitError>(None);
                }
                let read = tokio::task::spawn_blocking(move || reading.next(limits, options)).await;
                Ok(read.map_err(|e| Error::Internal(e.to_string()))??)
            }
        });
        let mut stored = pin!(
            chunks
                .enumerate()
                .map(async |(number, read)| self.store_read(id, number, read?).await)
                .buffered(STORES_IN_FLIGHT)
        );
        let (mut chunks, mut findings, mut failure) = (Vec::new(), Findings::default(), None);
        // What is under way when one fails is waited for: it must not be written after the rest was removed.
        while let Some(stored) = stored.next().await {
            match stored {
                Ok(Stored::Chunk(chunk)) => chunks.push(chunk),
                Ok(Stored::End(found)) => findings = found,
                Err(error) => {
                    failure.get_or_insert(error);
                    stop.cancel();
                }
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        let Findings { first_id, warnings, further_warnings } = findings;
        let records: u64 = chunks.iter().map(|chunk| chunk.queries).sum();
        if records == 0 {
            return Err(options.query_location.map_or(SubmitError::NoQueries, SubmitError::OutOfRange));
        }
        if chunks.iter().all(|chunk| chunk.residues == 0) {
            let first = String::from_utf8_lossy(&first_id.unwrap_or_default()).into_owned();
            return Err(SubmitError::OnlyEmptyQueries { records, first });
        }
        Ok((chunks, warnings, further_warnings))
    }

    async fn store_read(&self, id: JobId, number: usize, read: Read) -> Result<Stored, SubmitError> {
        Ok(match read {
            Read::Chunk(chunk) => Stored::Chunk(self.store_chunk(id, number, &chunk).await?),
            Read::End(findings) => Stored::End(findings),
        })
    }

    async fn store_chunk(&self, id: JobId, number: usize, chunk: &QueryChunk) -> Result<ChunkInfo> {
        self.ledger.put_chunk(id, number as u32, chunk).await?;
        Ok(ChunkInfo { queries: chunk.queries.len() as u64, residues: chunk.residues() })
    }
}
