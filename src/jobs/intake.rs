//! Intake: a search whose queries were uploaded before is accepted at once, and they are read by the
//! step `plan`. Reading them may take longer than a request may.
//!
//! The request is written down (`intake.json`); whatever happens to the process that reads, the message
//! comes back and the queries are read again, into the same chunks.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::chunk::Warning;
use super::edition::Edition;
use super::error::{Error, Result};
use super::id::JobId;
use super::job::{ChunkInfo, Job, State};
use super::messages::{JobSubmitted, Stage};
use super::pipeline::Pipeline;
use super::submit::{Request, SubmitError, Submitter};
use super::trace::Trace;
use crate::sequence::fasta::{FastaError, Reader};
use crate::sequence::input::Input;

/// Name of the queries in errors.
const QUERY: &str = "query";

/// A search as it was accepted by reference; `intake.json`. Never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Intake {
    /// The job, but for chunks and warnings: the queries have not been read.
    pub(super) job: Job,
    /// In how many parts they were uploaded; `None` if straight to storage.
    parts: Option<u32>,
}

impl Pipeline {
    /// Accepts a search with the queries of an upload, which was sent straight to storage or in so many
    /// `parts`. When this returns, the job will run even if every process dies. An upload that has
    /// become a job already is that job.
    ///
    /// The queries themselves are not looked at yet: if they are no FASTA, the job fails.
    pub async fn submit_upload(
        &self,
        submitter: &Submitter,
        upload: JobId,
        parts: Option<u32>,
        request: &Request,
    ) -> Result<Job> {
        let owner = submitter.owner.as_deref();
        if let Some(job) = self.submitted_upload(upload, owner).await? {
            return Ok(job);
        }
        match self.take_over(submitter, upload, parts, request).await {
            // Another request may have submitted it meanwhile.
            Err(Error::UnknownUpload(_)) => {
                self.submitted_upload(upload, owner).await?.ok_or(Error::UnknownUpload(upload))
            }
            other => other,
        }
    }

    async fn take_over(
        &self,
        submitter: &Submitter,
        id: JobId,
        parts: Option<u32>,
        request: &Request,
    ) -> Result<Job> {
        self.check_upload(id, submitter.owner.as_deref(), parts).await?;
        let searched = self.searched_by(request).await?;
        let database = &searched.database;
        let mut submitted_as = format!("{database} {:?} {}", request.options, request.outfmt);
        submitted_as.extend(request.taxa.iter().map(|taxa| format!(" {taxa:?}")));
        self.claim_upload(id, submitter.owner.as_deref(), &submitted_as).await?;
        let trace = submitter.trace.unwrap_or_else(|| Trace::of(id)).child();
        // The marker comes first: should this process die here, sweep removes what was written.
        self.ledger.put_active(Edition::first(id)).await?;
        // From here on garbage collection spares the volumes, unless the database was removed before.
        match self.catalog.manifest(database).await {
            Err(error) if error.is_not_found() => return Err(self.catalog.unknown(&request.database).await),
            other => drop(other?),
        }
        let job = Job::new(id, submitter, trace, request, searched);
        let job = Job { placement: self.placement_for(submitter), ..job };
        self.ledger.put_intake(&Intake { job, parts }).await?;
        // Should the announcement get lost, sweep repeats it.
        let message = JobSubmitted { job: id, edition: 0 };
        if let Err(error) = trace.scope(self.announce(Stage::Plan, &message)).await {
            tracing::warn!(job = %id, %error, "accepted, but not announced; sweep will do it");
        }
        // Nothing more is to be sent.
        if let Err(error) = self.ledger.delete_ticket(id).await {
            tracing::warn!(job = %id, %error, "could not remove an upload's ticket; plan will");
        }
        let job = self.ledger.job(id).await?;
        self.enter(&job, None).await?;
        tracing::info!(job = %id, trace_id = trace.trace_id(), database = %job.database, "accepted a job");
        Ok(job)
    }

    /// The job that an upload of `owner`'s has become, if it has.
    async fn submitted_upload(&self, id: JobId, owner: Option<&str>) -> Result<Option<Job>> {
        match self.ledger.job(id).await {
            Ok(job) => Ok(Some(job).filter(|job| job.owner.as_deref() == owner)),
            Err(Error::UnknownJob(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the queries of a search that was accepted by reference. `None` if they cannot be used; its
    /// job has failed then.
    pub(super) async fn take_in(&self, id: JobId) -> Result<Option<Job>> {
        let Intake { job, parts } = self.ledger.intake(id).await?.ok_or(Error::UnknownJob(id))?;
        // Should the process have died that accepted it, it is not in the index.
        self.enter(&job, None).await?;
        let error = match self.read_upload(&job, parts).await {
            Ok((chunks, warnings, further_warnings)) => {
                let job = Job { chunks, warnings, further_warnings, ..job };
                let job = Job { expected: self.expected(&job).await, ..job };
                self.ledger.put_job(&job).await?;
                if let Err(error) = self.ledger.delete_upload(id).await {
                    tracing::warn!(job = %id, %error, "could not remove what was uploaded");
                }
                tracing::info!(job = %id, queries = job.queries(), "read the queries of a job");
                return self.ledger.read_job(id).await;
            }
            Err(error) => error,
        };
        // Where the same message was delivered twice, the other may have read and removed them.
        if let Some(job) = self.ledger.read_job(id).await? {
            return Ok(Some(job));
        }
        match error {
            SubmitError::Pipeline(error) => Err(error),
            refusal => {
                tracing::info!(job = %id, reason = %refusal, "the queries of a job cannot be used");
                self.close_without_report(Edition::first(id), State::Failed, Some(refusal.to_string()))
                    .await?;
                Ok(None)
            }
        }
    }

    async fn read_upload(
        &self,
        job: &Job,
        parts: Option<u32>,
    ) -> Result<(Vec<ChunkInfo>, Vec<Warning>, u64), SubmitError> {
        // What broke off looks like bad FASTA, but storage knows better.
        let trouble = Arc::new(Mutex::new(None));
        let noted = trouble.clone();
        let content = self.ledger.upload(job.id, parts).await?.map_err(move |error| {
            let text = error.to_string();
            noted.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            io::Error::other(text)
        });
        let reader = SyncIoBridge::new(StreamReader::new(content));
        let query_limits = self.query_limits();
        let open = move || match Input::from_sender(QUERY, reader) {
            Ok(input) => Ok(Reader::with_limits(QUERY, input, query_limits)),
            Err(error) => Err(FastaError::unreadable(QUERY, error)),
        };
        let read = self
            .store_chunks(job.id, self.chunk_limits(&job.volumes, job.options.mode), job.options, open)
            .await;
        let trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
        match trouble {
            Some(error) => Err(error.into()),
            None => read,
        }
    }
}
