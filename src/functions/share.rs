//! `POST /api/searches/{id}/shares` makes a link to a report, `GET /api/shared?token=…` follows it.
//!
//! The second is open to anyone: the token is the permission, and it is one to read only. It stands where
//! neither our log nor the host's telemetry has it. Earlier versions made it a part of the path.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

use super::links::search_id;
use super::problem::Problem;
use super::results::{Reader, report};
use super::services::App;
use super::wishes::Wishes;
use crate::jobs::{Error, MAX_SHARE};

/// How long a link is valid unless asked otherwise: a week.
const DEFAULT_SECONDS: u64 = 7 * 24 * 60 * 60;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ShareLink)]
pub(super) struct Link {
    /// Address of the report, as a path.
    link: String,
    expires: Timestamp,
}

#[utoipa::path(
    post,
    path = "/api/searches/{id}/shares",
    operation_id = "share_results",
    tag = "results",
    summary = "Makes a link with which anyone can read the report for a while",
    params(("id" = crate::jobs::JobId, Path, description = "The search"), ("seconds" = Option<u64>, Query, description = "How long the link leads there; a week unless said otherwise")),
    responses((status = 201, description = "The link", body = Link)),
)]
pub(super) async fn share(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<(StatusCode, Json<Link>), Problem> {
    let id = search_id(path)?;
    app.admit(&headers, id).await?;
    let longest = MAX_SHARE.as_secs();
    let range = format!("a number from 1 to {longest}");
    let mut wishes = Wishes::of(&uri, &["seconds"])?;
    let seconds = wishes.value("seconds", &range, |seconds| (1..=longest).contains(seconds))?;
    let seconds = seconds.unwrap_or(DEFAULT_SECONDS);
    let share = app.pipeline()?.share(id, Duration::from_secs(seconds), Timestamp::now()).await?;
    let link = format!("/api/shared?{TOKEN}={}", share.token);
    Ok((StatusCode::CREATED, Json(Link { link, expires: share.expires })))
}

/// Name of the token in the address.
const TOKEN: &str = "token";

#[utoipa::path(
    get,
    path = "/api/shared",
    operation_id = "shared_results",
    tag = "results",
    summary = "Gives the report that a link leads to",
    params(("token" = String, Query, description = "The token of the link"), ("outfmt" = Option<String>, Query, description = "Another format than that of the search"), ("partial" = Option<bool>, Query, description = "Whether it may lack shards that failed"), ("If-None-Match" = Option<String>, Header, description = "Tags of what the client has"), ("Range" = Option<String>, Header, description = "bytes=FIRST-LAST, of a report in its own format")),
    responses((status = 200, description = "The report", content((String = "application/*"), (String = "text/*"))), (status = 206, description = "The part that Range asks for", content((String = "application/*"), (String = "text/*"))), (status = 302, description = "Where a large report lies"), (status = 304, description = "The client has it")),
)]
pub(super) async fn shared(
    State(app): State<Arc<App>>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let (token, rest) = take_token(&uri)?;
    follow(&app, &token, &rest, &Reader { method, headers }).await
}

/// A link with the token in its path.
#[utoipa::path(
    get,
    path = "/api/shared/{token}",
    operation_id = "shared_results_of_old_link",
    tag = "results",
    summary = "The same for links of earlier versions",
    params(("token" = String, Path, description = "The token of the link"), ("outfmt" = Option<String>, Query, description = "Another format than that of the search"), ("partial" = Option<bool>, Query, description = "Whether it may lack shards that failed"), ("If-None-Match" = Option<String>, Header, description = "Tags of what the client has"), ("Range" = Option<String>, Header, description = "bytes=FIRST-LAST, of a report in its own format")),
    responses((status = 200, description = "The report", content((String = "application/*"), (String = "text/*"))), (status = 206, description = "The part that Range asks for", content((String = "application/*"), (String = "text/*"))), (status = 302, description = "Where a large report lies"), (status = 304, description = "The client has it")),
)]
pub(super) async fn shared_by_path(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let Path(token) = path.map_err(|_| Problem::from(Error::InvalidShare))?;
    follow(&app, &token, &uri, &Reader { method, headers }).await
}

async fn follow(app: &App, token: &str, uri: &Uri, reader: &Reader) -> Result<Response, Problem> {
    let id = app.pipeline()?.shared(token, Timestamp::now()).await?;
    report(app, id, uri, reader).await
}

/// The token in an address, and the address without it.
fn take_token(uri: &Uri) -> Result<(String, Uri), Problem> {
    let is_token = |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| name == TOKEN);
    let (tokens, others): (Vec<_>, Vec<_>) = uri.query().unwrap_or_default().split('&').partition(is_token);
    let rest = format!("{}?{}", uri.path(), others.join("&")).parse();
    match (tokens.as_slice(), rest) {
        ([token], Ok(rest)) => Ok((token[TOKEN.len() + 1..].to_owned(), rest)),
        _ => Err(Error::InvalidShare.into()),
    }
}
