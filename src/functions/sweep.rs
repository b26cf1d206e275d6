//! `POST /sweep`: the timer. What the host says about its schedule does not matter.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;

use super::envelope;
use super::services::App;

pub(super) async fn sweep(State(app): State<Arc<App>>) -> Response {
    let fail = |error: &dyn std::error::Error| {
        tracing::error!(%error, "could not sweep");
        envelope::failed(error)
    };
    let pipeline = match app.pipeline() {
        Ok(pipeline) => pipeline,
        Err(error) => return fail(&error),
    };
    match pipeline.sweep(Timestamp::now()).await {
        Ok(swept) => {
            tracing::info!(
                active = swept.active,
                announced = swept.announced,
                given_up = swept.given_up,
                discarded = swept.discarded,
                "swept"
            );
            envelope::done()
        }
        Err(error) => fail(&error),
    }
}
