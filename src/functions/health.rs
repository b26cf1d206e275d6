//! `GET /api/health`: whether storage answers.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use tokio::time::timeout;

use super::services::{App, SignIn};
use crate::jobs::{Error, JobId, Pipeline, Stage};
use crate::store::ErrorKind;

/// Storage that takes longer is out of order.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Serialize)]
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

pub(super) async fn health(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let storage = match app.pipeline() {
        Ok(pipeline) => match timeout(PATIENCE, probe(pipeline)).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("storage did not answer within {} seconds", PATIENCE.as_secs())),
        },
        Err(unavailable) => Err(unavailable.to_string()),
    };
    let (code, status, storage) = match storage {
        Ok(()) => (StatusCode::OK, "ok", "ok".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", reason),
    };
    let (body_limit_bytes, sign_in) = (app.limits.body_bytes, app.limits.sign_in.clone());
    let version = env!("CARGO_PKG_VERSION");
    (code, Json(Health { status, version, storage, body_limit_bytes, sign_in }))
}

/// Asks blobs and queues something cheap. "Not found" is an answer too.
async fn probe(pipeline: &Pipeline) -> Result<(), Error> {
    let nobody = JobId::random().map_err(|e| Error::Internal(e.to_string()))?;
    match pipeline.status(nobody).await {
        Ok(_) | Err(Error::UnknownJob(_)) => {}
        Err(error) => return Err(error),
    }
    match pipeline.queue(Stage::Plan).approximate_count().await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
