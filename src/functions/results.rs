//! `GET /api/searches/{id}/results`: the report.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use super::links::search_id;
use super::options::Options;
use super::problem::Problem;
use super::services::App;
use super::status::POLL_SECONDS;
use crate::jobs::{self, JobId, Report, State as JobState};
use crate::report::OutputFormat;

pub(super) async fn results(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = search_id(path)?;
    app.admit(&headers, id).await?;
    report(&app, id, &uri).await
}

/// How long an address of storage is valid; long enough to begin the download.
const LINK: Duration = Duration::from_secs(15 * 60);

/// The report of a search that the caller may see, in the format that `uri` asks for: its bytes, or if
/// they are many a redirection to where they lie.
pub(super) async fn report(app: &App, id: JobId, uri: &Uri) -> Result<Response, Problem> {
    let mut options = Options::of(uri)?;
    let format = options.take_outfmt()?;
    options.none_left()?;
    let least = app.limits.redirect_bytes;
    if let Some(grant) = app.pipeline()?.results_link(id, format.as_ref(), least, LINK).await? {
        let link = json!({ "url": grant.url, "expires": grant.expires });
        let headers = [(LOCATION, grant.url.as_str()), (CACHE_CONTROL, "no-store")];
        return Ok((StatusCode::FOUND, headers, Json(link)).into_response());
    }
    match app.pipeline()?.results(id, format).await? {
        Report::Ready { format, content } => stream_report(id, &format, content).await,
        Report::NotReady(state) => Err(not_ready(id, state)),
    }
}

/// Answers only when the first piece is there, so that a report that cannot be read at all is an
/// error; one that cannot be read to its end breaks the connection.
async fn stream_report(
    id: JobId,
    format: &OutputFormat,
    mut content: BoxStream<'static, jobs::Result<bytes::Bytes>>,
) -> Result<Response, Problem> {
    let first = content.try_next().await?;
    let rest = content.inspect_err(move |error| tracing::error!(job = %id, %error, "a report broke off"));
    let body = Body::from_stream(stream::iter(first.map(Ok)).chain(rest));
    let disposition = format!("attachment; filename=\"{id}.{}\"", format.extension());
    let headers = [(CONTENT_TYPE, format.media_type()), (CONTENT_DISPOSITION, disposition.as_str())];
    Ok((headers, body).into_response())
}

fn not_ready(id: JobId, state: JobState) -> Problem {
    let problem =
        |detail: String| Problem::new(StatusCode::CONFLICT, "no-results", detail).with("state", state);
    if state.is_final() {
        return problem(format!(
            "the search is {state}, so it has no report; GET /api/searches/{id} says more"
        ));
    }
    problem(format!("the search is {state}; its report comes when it is completed")).retry_after(POLL_SECONDS)
}
