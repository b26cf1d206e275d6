//! `PATCH /api/searches/{id}` with `{"label": "…"}`: calls a search something.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::kind::Kind;
use super::links::{Links, search_id};
use super::problem::Problem;
use super::services::App;
use crate::jobs::{JobId, Label};

/// Longest body, bytes.
const LONGEST: u64 = 4 << 10;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LabelWish)]
struct Wish {
    label: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Labelled)]
pub(super) struct Answer {
    id: JobId,
    label: Label,
    links: Links,
}

#[utoipa::path(
    patch,
    path = "/api/searches/{id}",
    operation_id = "label_search",
    tag = "searches",
    summary = "Calls a search something",
    params(("id" = crate::jobs::JobId, Path, description = "The search")),
    request_body = Wish,
    responses((status = 200, description = "What it is called", body = Answer)),
)]
pub(super) async fn label(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Answer>, Problem> {
    let id = search_id(path)?;
    app.admit(&headers, id).await?;
    let pipeline = app.pipeline()?.clone();
    let sent = app.arrivals.whole(body, LONGEST).await?.take();
    let Wish { label } = serde_json::from_slice(&sent).map_err(|error| {
        Problem::bad_request(Kind::InvalidJson, format!("the body is not {{\"label\": \"…\"}}: {error}"))
    })?;
    let label = parse(&label)?;
    pipeline.label(id, &label).await?;
    Ok(Json(Answer { id, label, links: Links::of(id) }))
}

/// The label that a text is.
pub(super) fn parse(text: &str) -> Result<Label, Problem> {
    text.parse().map_err(|error: crate::jobs::ParseLabelError| {
        let shown: String = text.chars().take(80).collect();
        Problem::bad_request(Kind::InvalidOption, format!("the option \"label\": {error}"))
            .with("option", json!({ "name": "label", "value": shown, "range": error.to_string() }))
    })
}
