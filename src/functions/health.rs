//! `GET /api/health`: whether storage answers and takes what is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use tokio::time::timeout;

use super::paths::without_paths;
use super::services::{App, SignIn};
use crate::jobs::{Error, Pipeline};
use crate::store::ErrorKind;

/// Storage that takes longer is out of order.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long storage that is in order is not asked again.
const KEPT: Duration = Duration::from_secs(5);

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// `ok` or `unavailable`.
    status: &'static str,
    version: &'static str,
    /// `ok`, or what is wrong.
    storage: String,
    /// Longest body of a request.
    body_limit_bytes: u64,
    /// How users sign in, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in: Option<SignIn>,
}

#[utoipa::path(
    get,
    path = "/api/health",
    operation_id = "health",
    tag = "server",
    summary = "Says whether storage answers",
    responses((status = 200, description = "It does", body = Health), (status = 503, description = "It does not", body = Health), (status = 507, description = "It has no room", body = Health)),
)]
pub(super) async fn health(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let (code, storage) = match app.pipeline() {
        Ok(pipeline) => app.probe(pipeline).await,
        Err(unavailable) => (StatusCode::SERVICE_UNAVAILABLE, unavailable.to_string()),
    };
    let status = if code == StatusCode::OK { "ok" } else { "unavailable" };
    let (body_limit_bytes, sign_in) = (app.limits.body_bytes, app.limits.sign_in.clone());
    let version = env!("CARGO_PKG_VERSION");
    let storage = without_paths(&storage);
    (code, Json(Health { status, version, storage, body_limit_bytes, sign_in }))
}

/// How storage was found.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    at: Instant,
    code: StatusCode,
    storage: String,
}

impl App {
    /// How storage is: good news may be some seconds old, and who has waited for somebody else's look
    /// gets what that found.
    async fn probe(&self, pipeline: &Pipeline) -> (StatusCode, String) {
        let asked = Instant::now();
        let mut last = self.probed.lock().await;
        let fresh =
            |probe: &&Probe| probe.at >= asked || (probe.code == StatusCode::OK && probe.at.elapsed() < KEPT);
        if let Some(probe) = last.as_ref().filter(fresh) {
            return (probe.code, probe.storage.clone());
        }
        let (code, storage) = match timeout(PATIENCE, pipeline.probe()).await {
            Ok(Ok(())) => (StatusCode::OK, "ok".to_owned()),
            Ok(Err(Error::Store(error))) if error.kind() == ErrorKind::NoSpace => {
                (StatusCode::INSUFFICIENT_STORAGE, error.to_string())
            }
            Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            Err(_) => {
                let reason = format!("storage did not answer within {} seconds", PATIENCE.as_secs());
                (StatusCode::SERVICE_UNAVAILABLE, reason)
            }
        };
        *last = Some(Probe { at: Instant::now(), code, storage: storage.clone() });
        (code, storage)
    }
}
