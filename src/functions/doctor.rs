//! `GET /api/doctor`: lets the server examine its storage, with its own identity, and what its host was told.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};

use super::paths::without_paths;
use super::problem::Problem;
use super::services::App;
use crate::jobs::Check;

/// What was found out about the Functions host when the program started; an extension of requests.
#[derive(Clone, Debug)]
pub struct HostCheck(pub Check);

#[utoipa::path(
    get,
    path = "/api/doctor",
    operation_id = "doctor",
    tag = "server",
    summary = "Says what is wrong with storage, and what to do",
    responses((status = 200, description = "What was examined", body = Vec<Check>)),
)]
pub(super) async fn doctor(
    State(app): State<Arc<App>>,
    host: Option<Extension<HostCheck>>,
    headers: HeaderMap,
) -> Result<Json<Vec<Check>>, Problem> {
    app.caller(&headers)?;
    let mut checks = Vec::from_iter(host.map(|Extension(HostCheck(check))| check));
    checks.extend(app.pipeline()?.examine(false).await);
    checks.iter_mut().for_each(|check| check.found = without_paths(&check.found));
    Ok(Json(checks))
}
