//! `GET /api/searches/{id}`: where a search stands; with `map=true`, also which shards are done, and with
//! `wait=SECONDS` when it has ended, or so much later.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::links::{Links, search_id};
use super::paths::without_paths;
use super::problem::Problem;
use super::services::App;
use super::wishes::out_of_range;
use crate::jobs::Status;

/// Seconds that a client should wait before it asks again.
pub(super) const POLL_SECONDS: u32 = 2;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SearchStatus)]
struct Answer {
    #[serde(flatten)]
    status: Status,
    links: Links,
}

/// Longest wait for the end of a search, seconds: in Azure a request is cut off after 230.
const LONGEST_WAIT: u64 = 200;

/// Whether the map is wanted, and how long the end of the search is waited for. Anything else in the address has
/// always been passed over.
fn wanted(uri: &Uri) -> Result<(bool, Option<Duration>), Problem> {
    let pairs = || uri.query().unwrap_or_default().split('&');
    let wants_map = pairs().any(|pair| pair == "map=true");
    let Some(text) = pairs().find_map(|pair| pair.strip_prefix("wait=")) else {
        return Ok((wants_map, None));
    };
    let seconds = text.parse().ok().filter(|seconds| *seconds <= LONGEST_WAIT);
    let seconds = seconds.ok_or_else(|| {
        out_of_range("wait", text, &format!("a number of seconds from 0 to {LONGEST_WAIT}"))
    })?;
    Ok((wants_map, Some(Duration::from_secs(seconds))))
}

#[utoipa::path(
    get,
    path = "/api/searches/{id}",
    operation_id = "search_status",
    tag = "searches",
    summary = "Says where a search stands",
    params(("id" = crate::jobs::JobId, Path, description = "The search"), ("map" = Option<bool>, Query, description = "Whether to say which shards are done"), ("wait" = Option<u64>, Query, description = "Seconds, 0 to 200, after which to answer if the search has not ended before")),
    responses((status = 200, description = "Where it stands", body = Answer)),
)]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = search_id(path)?;
    app.admit(&headers, id).await?;
    let (wants_map, wait) = wanted(&uri)?;
    if let Some(wait) = wait {
        app.pipeline()?.wait_for_end(id, wait).await?;
    }
    let mut status = app.pipeline()?.status_and_map(id, wants_map).await?;
    status.reason = status.reason.map(|reason| without_paths(&reason));
    status.failed_shards.iter_mut().for_each(|shard| shard.reason = without_paths(&shard.reason));
    let waiting = !status.state.is_final();
    let mut response = Json(Answer { status, links: Links::of(id) }).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if waiting {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(POLL_SECONDS));
    }
    Ok(response)
}
