//! `DELETE /api/searches/{id}`: ends a search.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Serialize;

use super::links::{Links, search_id};
use super::problem::Problem;
use super::services::App;
use crate::jobs::{Cancellation, JobId, Outcome};

/// How the search ended: by this request, or before it.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    id: JobId,
    #[serde(flatten)]
    outcome: Outcome,
    /// Whether it had ended before, so that nothing was cancelled.
    ended_before: bool,
    links: Links,
}

pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Json<Answer>, Problem> {
    let id = search_id(path)?;
    app.admit(&headers, id).await?;
    let Cancellation { outcome, ended_before } = app.pipeline()?.cancel(id).await?;
    Ok(Json(Answer { id, outcome, ended_before, links: Links::of(id) }))
}
