//! `GET /api/doctor`: lets the server examine its storage, with its own identity.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;

use super::problem::Problem;
use super::services::App;
use crate::jobs::Check;

pub(super) async fn doctor(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Vec<Check>>, Problem> {
    app.caller(&headers)?;
    Ok(Json(app.pipeline()?.examine(false).await))
}
