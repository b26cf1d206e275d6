//! `POST /api/uploads` and `PUT /api/uploads/{id}/parts/{number}`: queries that are too large for one
//! request.
//!
//! The answer to the first has an address of storage (`url`), to which the client sends the queries as a
//! block blob, or none: then they are sent here in parts. `POST /api/searches?upload=<id>`, with
//! `&parts=<number of parts>` if there are any, submits them; it does not wait until they are read.
//! `POST /api/uploads?id=<id>` gives another address when the first has expired.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use serde::Serialize;

use super::body::BodyError;
use super::kind::Kind;
use super::problem::Problem;
use super::services::App;
use super::wishes::Wishes;
use crate::jobs::{JobId, PART_BYTES};

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = UploadTicket)]
pub(super) struct Ticket {
    id: JobId,
    /// Where to send the queries, straight to storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    /// Most bytes of a part that is sent here.
    part_bytes: u64,
}

#[utoipa::path(
    post,
    path = "/api/uploads",
    operation_id = "begin_upload",
    tag = "uploads",
    summary = "Says where to send queries that are too large for a request",
    params(("id" = Option<String>, Query, description = "An upload whose address has expired")),
    responses((status = 201, description = "A new upload", body = Ticket), (status = 200, description = "Another address of the upload", body = Ticket)),
)]
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<(StatusCode, Json<Ticket>), Problem> {
    let caller = app.caller(&headers)?;
    let pipeline = app.pipeline()?;
    let (status, upload) = match Wishes::of(&uri, &["id"])?.text("id") {
        None => (StatusCode::CREATED, pipeline.begin_upload(caller.as_deref()).await?),
        Some(id) => (StatusCode::OK, pipeline.renew_upload(upload_id(&id)?, caller.as_deref()).await?),
    };
    let (url, expires) = upload.grant.map(|grant| (grant.url, grant.expires)).unzip();
    Ok((status, Json(Ticket { id: upload.id, url, expires, part_bytes: PART_BYTES })))
}

#[utoipa::path(
    put,
    path = "/api/uploads/{id}/parts/{number}",
    operation_id = "upload_part",
    tag = "uploads",
    summary = "Takes in a part of an upload",
    params(("id" = crate::jobs::JobId, Path, description = "The upload"), ("number" = u32, Path, description = "The part, from 0")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "Stored")),
)]
pub(super) async fn part(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let caller = app.caller(&headers)?;
    let Path((id, number)) = path.map_err(|e| unknown(e.body_text()))?;
    let number = number.parse().map_err(|_| unknown(format!("{number:?} is not the number of a part")))?;
    let pipeline = app.pipeline()?;
    let mut part = app.arrivals.whole(body, PART_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge { .. } => {
            let detail = format!("a part has at most {PART_BYTES} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Kind::BodyTooLarge, detail)
                .with("limit_bytes", PART_BYTES)
        }
        other => other.into(),
    })?;
    let content = part.take().into();
    pipeline.put_part(upload_id(&id)?, caller.as_deref(), number, content).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The upload that a text names. What is no id is no upload.
pub(super) fn upload_id(text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|e: crate::jobs::ParseJobIdError| unknown(e.to_string()))
}

fn unknown(detail: String) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, Kind::UnknownUpload, detail)
}
