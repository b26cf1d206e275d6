//! `GET /`: the Functions host's readiness probe, for which any answer will do.

use axum::Json;
use serde::Serialize;

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Ready {
    name: &'static str,
    version: &'static str,
}

pub(super) async fn ready() -> Json<Ready> {
    Json(Ready { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") })
}
