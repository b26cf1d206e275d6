//! `POST /api/searches`: accepts a search.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::caller::trace_of;
use super::form::{Asked, Form};
use super::kind::Kind;
use super::links::Links;
use super::options::Options;
use super::problem::Problem;
use super::services::App;
use crate::jobs::{
    DatabaseRef, Estimate, InvalidKey, Job, JobId, Label, Pipeline, State as JobState, SubmissionKey,
    SubmitError, Submitter, Warning,
};
use crate::sequence::taxids::Taxid;

/// The answer to an accepted search. Of queries that were uploaded nothing is known yet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Accepted {
    id: JobId,
    state: JobState,
    database: DatabaseRef,
    #[serde(flatten)]
    size: Option<Size>,
    warnings: Vec<Warning>,
    further_warnings: u64,
    /// Taxids among the options that the database does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent_taxids: Vec<Taxid>,
    links: Links,
}

/// How much there is to do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SearchSize)]
struct Size {
    queries: u64,
    residues: u64,
    /// Query–subject pairs.
    comparisons: u64,
}

#[utoipa::path(
    post,
    path = "/api/searches",
    operation_id = "submit_search",
    tag = "searches",
    summary = "Submits a search",
    params(("Idempotency-Key" = Option<String>, Header, description = "16 characters or more; sent again with the same search it is that search")),
    responses((status = 200, description = "What it will take, with dry_run; nothing is stored", body = Estimate), (status = 202, description = "Accepted; Location says where it stands", body = Accepted)),
)]
pub(super) async fn submit(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let owner = app.caller(request.headers())?;
    let pipeline = app.pipeline()?.clone();
    let (trace, key) = (trace_of(request.headers()), key_of(request.headers())?);
    let mut submitter = Submitter { owner, trace, key, ..Submitter::default() };
    let mut uri_options = Options::of(request.uri())?;
    if let Some((upload, parts)) = uri_options.take_upload()? {
        let label = uri_options.take_label()?;
        submitter.placement = uri_options.take_placement()?;
        let job = pipeline.submit_upload(&submitter, upload, parts, &uri_options.into_request()?).await?;
        call(&pipeline, &job, label).await;
        return Ok(accepted(job));
    }
    // On a task of its own: should the client go away, what has been written is still removed.
    let submitting = tokio::spawn(async move { read_and_submit(&app, submitter, request).await });
    submitting.await.map_err(|e| Problem::internal(e.to_string()))?
}

async fn read_and_submit(app: &App, submitter: Submitter, request: Request) -> Result<Response, Problem> {
    let Form { asked, queries, hint } = Form::read(app, submitter.owner.as_deref(), request).await?;
    let Asked { request, label, placement, dry_run } = asked;
    if let Some(dry_run) = dry_run {
        let estimate = queries.estimate(app.pipeline()?, &request, dry_run).await;
        return estimate
            .map(|estimate| Json(estimate).into_response())
            .map_err(|problem| hinted(problem, hint));
    }
    let submitter = Submitter { placement, ..submitter };
    match queries.submit(app.pipeline()?, &submitter, &request).await {
        Ok(job) => {
            call(app.pipeline()?, &job, label).await;
            Ok(accepted(job))
        }
        Err(error @ (SubmitError::NoQueries | SubmitError::OnlyEmptyQueries { .. })) => {
            Err(hinted(error.into(), hint))
        }
        Err(error) => Err(error.into()),
    }
}

fn hinted(problem: Problem, hint: Option<&'static str>) -> Problem {
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// Calls an accepted search what it is to be called. It has been accepted even if that fails.
async fn call(pipeline: &Pipeline, job: &Job, label: Option<Label>) {
    let Some(label) = label else { return };
    if let Err(error) = pipeline.label(job.id, &label).await {
        tracing::warn!(job = %job.id, %error, "accepted, but without its label");
    }
}

/// The header by which a repeated submission is recognised (draft-ietf-httpapi-idempotency-key-header).
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The key of a submission, if the client has given one.
fn key_of(headers: &HeaderMap) -> Result<Option<SubmissionKey>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    // The draft has it in quotes, clients mostly not.
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    let invalid =
        |error: InvalidKey| Problem::bad_request(Kind::InvalidKey, format!("{IDEMPOTENCY_KEY}: {error}"));
    text.parse().map(Some).map_err(invalid)
}

fn accepted(job: Job) -> Response {
    let (queries, residues, comparisons) = (job.queries(), job.residues(), job.comparisons());
    let accepted = Accepted {
        id: job.id,
        state: JobState::Queued,
        size: (queries > 0).then_some(Size { queries, residues, comparisons }),
        database: job.database,
        warnings: job.warnings,
        further_warnings: job.further_warnings,
        absent_taxids: job.chosen.map(|chosen| chosen.absent).unwrap_or_default(),
        links: Links::of(job.id),
    };
    (StatusCode::ACCEPTED, [(LOCATION, accepted.links.status.clone())], Json(accepted)).into_response()
}
