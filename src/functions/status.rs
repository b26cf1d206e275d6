//! `GET /api/searches/{id}`: where a search stands; with `map=true`, also which shards are done.

use std::sync::Arc;

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
use crate::jobs::Status;

/// Seconds that a client should wait before it asks again.
pub(super) const POLL_SECONDS: u32 = 2;

#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    status: Status,
    links: Links,
}

pub(super) async fn status(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = search_id(path)?;
    app.admit(&headers, id).await?;
    // Anything else in the address has always been passed over.
    let wants_map = uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "map=true"));
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
