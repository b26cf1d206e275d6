//! `POST /api/searches`: accepts a search.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::caller::trace_of;
use super::form::{Form, QUERY};
use super::links::Links;
use super::options::Options;
use super::problem::Problem;
use super::services::App;
use crate::jobs::{DatabaseRef, Job, JobId, State as JobState, SubmitError, Submitter, Warning};
use crate::sequence::fasta::{FastaError, Place, Reader};
use crate::sequence::input::{Input, InputError};

/// The answer to an accepted search.
#[derive(Debug, Serialize)]
struct Accepted {
    id: JobId,
    state: JobState,
    database: DatabaseRef,
    queries: u64,
    residues: u64,
    /// Query–subject pairs.
    comparisons: u64,
    warnings: Vec<Warning>,
    further_warnings: u64,
    links: Links,
}

pub(super) async fn submit(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let owner = app.caller(request.headers())?;
    let pipeline = app.pipeline()?.clone();
    let mut submitter = Submitter { owner, trace: trace_of(request.headers()), upload: None };
    let mut uri_options = Options::of(request.uri())?;
    let form = match uri_options.take_upload()? {
        None => Form::read(request, app.limits.body_bytes).await?,
        Some((id, parts)) => {
            let owner = submitter.owner.as_deref();
            if let Some(job) = pipeline.submitted_upload(id, owner).await? {
                return Ok(accepted(job));
            }
            submitter.upload = Some(id);
            let content = pipeline.open_upload(id, owner, parts).await?;
            Form::uploaded(uri_options, Body::from_stream(content)).await?
        }
    };
    let Form { options, open, trouble, hint } = form;
    let request = options.into_request()?;
    // On a task of its own: should the client go away, what has been written is still removed.
    let submitting = tokio::spawn(async move {
        let open = move || open().map_err(unreadable).map(|input| Reader::new(QUERY, input));
        pipeline.submit_by::<Input, _>(&submitter, &request, open).await
    });
    let submitted = submitting.await.map_err(|e| Problem::internal(e.to_string()))?;
    match submitted {
        Ok(job) => Ok(accepted(job)),
        // A body that broke off looks like bad FASTA, but the reader knows better.
        Err(error @ SubmitError::Fasta(_)) => Err(trouble.get().map_or_else(|| error.into(), Problem::from)),
        Err(error @ (SubmitError::NoQueries | SubmitError::OnlyEmptyQueries { .. })) => {
            let problem = Problem::from(error);
            Err(match hint {
                Some(hint) => problem.hint(hint),
                None => problem,
            })
        }
        Err(error) => Err(error.into()),
    }
}

fn accepted(job: Job) -> Response {
    let accepted = Accepted {
        id: job.id,
        state: JobState::Queued,
        queries: job.queries(),
        residues: job.residues(),
        comparisons: job.comparisons(),
        database: job.database,
        warnings: job.warnings,
        further_warnings: job.further_warnings,
        links: Links::of(job.id),
    };
    (StatusCode::ACCEPTED, [(LOCATION, accepted.links.status.clone())], Json(accepted)).into_response()
}

/// Queries of which not even the first bytes can be used.
fn unreadable(error: InputError) -> FastaError {
    let source = match error {
        InputError::Open { source, .. } | InputError::Read { source, .. } => source,
        other => std::io::Error::other(other),
    };
    FastaError::Read { at: Place { input: QUERY.to_owned(), record: 1, line: 1 }, source }
}
