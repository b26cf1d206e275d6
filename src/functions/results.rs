//! `GET /api/searches/{id}/results`: the report.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

use super::links::search_id;
use super::options::Options;
use super::problem::Problem;
use super::services::App;
use super::status::POLL_SECONDS;
use crate::jobs::{self, AddressFrom, JobId, MissingShards, Report, State as JobState, Wanted};
use crate::report::OutputFormat;
use crate::store::Grant;

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

/// The header that says how many of how many shards a report lacks, as in `3/12`.
pub const MISSING_SHARDS: &str = "skyblast-missing-shards";

/// The type of the problem that a report lacks shards.
pub const INCOMPLETE: &str = "incomplete-report";

/// How long an address of storage is valid; long enough to begin the download.
const LINK: Duration = Duration::from_secs(15 * 60);

/// The report of a search that the caller may see, in the format that `uri` asks for: its bytes, or if
/// they are many a redirection to where they lie.
pub(super) async fn report(app: &App, id: JobId, uri: &Uri) -> Result<Response, Problem> {
    let mut options = Options::of(uri)?;
    let wanted = Wanted {
        format: options.take_outfmt()?,
        partial: options.take_partial()?,
        most: None,
        address: Some(AddressFrom { bytes: app.limits.redirect_bytes, lifetime: LINK }),
    };
    options.none_left()?;
    match app.pipeline()?.results(id, wanted).await? {
        Report::Ready { format, content, missing } => {
            say_missing(stream_report(id, &format, content).await?, missing)
        }
        Report::Elsewhere { grant, missing } => say_missing(elsewhere(&grant), missing),
        none => Err(none_of(id, &none)),
    }
}

/// Why there is no report of a search.
pub(super) fn none_of(id: JobId, report: &Report) -> Problem {
    match report {
        Report::Incomplete(missing) => incomplete(id, *missing),
        Report::NotReady(state) => not_ready(id, *state),
        Report::Ready { .. } | Report::Elsewhere { .. } => Problem::internal("a report that is there"),
    }
}

/// The same answer with the header that says what it lacks.
pub(super) fn say_missing(
    mut response: Response,
    missing: Option<MissingShards>,
) -> Result<Response, Problem> {
    if let Some(MissingShards { missing, of }) = missing {
        let value =
            HeaderValue::try_from(format!("{missing}/{of}")).map_err(|e| Problem::internal(e.to_string()))?;
        response.headers_mut().insert(MISSING_SHARDS, value);
    }
    Ok(response)
}

fn elsewhere(grant: &Grant) -> Response {
    let link = json!({ "url": grant.url, "expires": grant.expires });
    let headers = [(LOCATION, grant.url.as_str()), (CACHE_CONTROL, "no-store")];
    (StatusCode::FOUND, headers, Json(link)).into_response()
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

fn incomplete(id: JobId, missing: MissingShards) -> Problem {
    let detail = format!(
        "the report lacks {missing}, so it may lack hits; GET /api/searches/{id} says why, and partial=true gives \
         what there is"
    );
    Problem::new(StatusCode::CONFLICT, INCOMPLETE, detail)
        .with("missing_shards", missing.missing)
        .with("shards", missing.of)
}

/// That a search has no report, or none yet.
pub(super) fn not_ready(id: JobId, state: JobState) -> Problem {
    let problem =
        |detail: String| Problem::new(StatusCode::CONFLICT, "no-results", detail).with("state", state);
    if state.is_final() {
        return problem(format!(
            "the search is {state}, so it has no report; GET /api/searches/{id} says more"
        ));
    }
    problem(format!("the search is {state}; its report comes when it is completed")).retry_after(POLL_SECONDS)
}
