//! `POST /sweep`: the timer. What the host says about its schedule does not matter.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;

use super::envelope;
use super::services::App;
use crate::jobs::{Pipeline, Stage};

pub(super) async fn sweep(State(app): State<Arc<App>>) -> Response {
    let fail = |error: &dyn std::error::Error| {
        tracing::error!(%error, "could not sweep");
        envelope::failed(error)
    };
    let pipeline = match app.pipeline() {
        Ok(pipeline) => pipeline,
        Err(error) => return fail(&error),
    };
    let now = Timestamp::now();
    match pipeline.sweep(now).await {
        Ok(swept) => {
            let (plans, shards) =
                (waiting(pipeline, Stage::Plan).await, waiting(pipeline, Stage::Search).await);
            let (merges, finishes) =
                (waiting(pipeline, Stage::Merge).await, waiting(pipeline, Stage::Finish).await);
            tracing::info!(
                active = swept.active,
                oldest_seconds = swept.oldest.map(|oldest| now.duration_since(oldest).as_secs().max(0)),
                plans,
                shards,
                merges,
                finishes,
                announced = swept.announced,
                given_up = swept.given_up,
                discarded = swept.discarded,
                removed = swept.removed,
                deleted_volumes = swept.deleted_volumes,
                "swept"
            );
            envelope::done()
        }
        Err(error) => fail(&error),
    }
}

/// Messages in a stage's queue, for the log: nobody else looks at the queues regularly.
async fn waiting(pipeline: &Pipeline, stage: Stage) -> Option<u64> {
    pipeline.queue(stage).approximate_count().await.ok()
}
