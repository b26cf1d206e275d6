//! `CMD=Delete`: removes a search; one that has not ended is cancelled first.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::page;
use super::report::find;
use crate::functions::kind::Kind;
use crate::functions::problem::Problem;
use crate::functions::services::App;

pub(super) async fn delete(app: &App, headers: &HeaderMap, rid: &str) -> Result<Response, Problem> {
    let Some(glance) = find(app, headers, rid).await? else {
        let detail = "no search has this RID: it was never given, or its search has been removed";
        return Err(Problem::new(StatusCode::NOT_FOUND, Kind::UnknownSearch, detail));
    };
    let pipeline = app.pipeline()?;
    if !glance.state.is_final() {
        pipeline.cancel(glance.job.id).await?;
    }
    pipeline.remove(glance.job.id).await?;
    Ok(page::text("skyblast: search removed", &["The search has been removed, and its report with it."]))
}
