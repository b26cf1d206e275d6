//! `DELETE /api/searches/{id}`: ends a search; with `purge=true`, removes one that has ended.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::kind::Kind;
use super::links::{Links, search_id};
use super::options::Options;
use super::paths::without_paths;
use super::problem::Problem;
use super::services::App;
use crate::jobs::{Cancellation, JobId, Outcome, Removal};

/// How the search ended: by this request, or before it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Cancelled)]
pub(super) struct Answer {
    id: JobId,
    #[serde(flatten)]
    outcome: Outcome,
    /// Whether it had ended before, so that nothing was cancelled.
    ended_before: bool,
    links: Links,
}

#[utoipa::path(
    delete,
    path = "/api/searches/{id}",
    operation_id = "cancel_search",
    tag = "searches",
    summary = "Cancels a search, or removes one that has ended",
    params(("id" = crate::jobs::JobId, Path, description = "The search"), ("purge" = Option<bool>, Query, description = "Whether to remove a search that has ended")),
    responses((status = 200, description = "How it has ended", body = Answer), (status = 204, description = "Removed")),
)]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = search_id(path)?;
    let mut options = Options::of(&uri)?;
    let purge = options.take_purge()?;
    options.none_left()?;
    app.admit(&headers, id).await?;
    if purge {
        return match app.pipeline()?.remove(id).await? {
            Removal::Removed => Ok(StatusCode::NO_CONTENT.into_response()),
            Removal::NotEnded => {
                let detail =
                    "a search that has not ended is not removed; cancel it first (DELETE without purge)";
                Err(Problem::new(StatusCode::CONFLICT, Kind::NotEnded, detail))
            }
        };
    }
    let Cancellation { mut outcome, ended_before } = app.pipeline()?.cancel(id).await?;
    outcome.reason = outcome.reason.map(|reason| without_paths(&reason));
    outcome.failed.iter_mut().for_each(|shard| shard.reason = without_paths(&shard.reason));
    Ok(Json(Answer { id, outcome, ended_before, links: Links::of(id) }).into_response())
}
