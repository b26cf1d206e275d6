//! `POST /api/searches/{id}/retry`: tries the failed shards of a search that has ended again.

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
use super::problem::Problem;
use super::services::App;
use crate::jobs::{self, JobId, Retry};

/// Whether the search is retried by this request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Retried)]
pub(super) struct Answer {
    id: JobId,
    /// Where it stands now.
    state: jobs::State,
    /// Whether it has been retried; not if it had not ended, as after a request that was sent twice.
    begun: bool,
    links: Links,
}

#[utoipa::path(
    post,
    path = "/api/searches/{id}/retry",
    operation_id = "retry_search",
    tag = "searches",
    summary = "Tries the failed shards of a search that has ended again",
    params(("id" = crate::jobs::JobId, Path, description = "The search")),
    responses((status = 202, description = "They are tried again, or the search has not ended", body = Answer)),
)]
pub(super) async fn retry(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let id = search_id(path)?;
    Options::of(&uri)?.none_left()?;
    app.admit(&headers, id).await?;
    let nothing = |detail: String, state: jobs::State| {
        Err(Problem::new(StatusCode::CONFLICT, Kind::NothingToRetry, detail).with("state", state))
    };
    let (state, begun) = match app.pipeline()?.retry(id).await? {
        Retry::Begun(state) => (state, true),
        Retry::NotEnded(state) => (state, false),
        Retry::NothingFailed(state) => {
            let detail =
                format!("the search is {state}, and none of its shards failed; submit it again instead");
            return nothing(detail, state);
        }
        Retry::NoQueries => {
            let detail =
                "the search failed before its queries had been read, and they are gone; submit it again";
            return nothing(detail.to_owned(), jobs::State::Failed);
        }
    };
    Ok((StatusCode::ACCEPTED, Json(Answer { id, state, begun, links: Links::of(id) })).into_response())
}
