//! Where a client goes from here.

use serde::Serialize;

use super::kind::Kind;
use super::problem::Problem;
use crate::jobs::JobId;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;

/// Addresses of a search, as paths.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Links {
    /// GET: where it stands.
    pub(super) status: String,
    /// GET: its report.
    results: String,
    /// DELETE: ends it.
    cancel: String,
}

impl Links {
    pub(super) fn of(id: JobId) -> Self {
        let search = format!("/api/searches/{id}");
        Self { results: format!("{search}/results"), cancel: search.clone(), status: search }
    }
}

/// The search that an address names. What is no id is no search.
pub(super) fn search_id(path: Result<Path<String>, PathRejection>) -> Result<JobId, Problem> {
    let unknown = |reason: String| Problem::new(StatusCode::NOT_FOUND, Kind::UnknownSearch, reason);
    let Path(text) = path.map_err(|rejection| unknown(rejection.body_text()))?;
    text.parse().map_err(|e: crate::jobs::ParseJobIdError| unknown(e.to_string()))
}
