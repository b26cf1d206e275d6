//! `POST /plan`, `/search`, `/merge`, `/finish` and their `_poison`: a queue message for the pipeline.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;

use super::envelope::{self, Invocation};
use super::services::App;
use crate::jobs::{Inbox, Stage};

/// A route for every queue function.
pub(super) fn routes() -> Router<Arc<App>> {
    Inbox::all().fold(Router::new(), |router, inbox| {
        let function =
            move |State(app): State<Arc<App>>, payload| async move { invoke(&app, inbox, payload).await };
        router.route(&format!("/{}", inbox.function()), post(function))
    })
}

/// An error that belongs to a job is recorded by the pipeline, which then succeeds. Any other asks
/// for another delivery; the host gives a message up after some, and its poison function settles it.
async fn invoke(app: &App, inbox: Inbox, payload: Result<Bytes, BytesRejection>) -> Response {
    let function = inbox.function();
    let invocation = match payload.map(|payload| Invocation::parse(&payload)) {
        Ok(Ok(invocation)) => invocation,
        Ok(Err(error)) => return fail(function, "", "", &error),
        Err(error) => return fail(function, "", "", &error),
    };
    let Invocation { message, attempt, id } = invocation;
    let pipeline = match app.pipeline() {
        Ok(pipeline) => pipeline,
        Err(error) => return fail(function, &id, &attempt, &error),
    };
    // A host that does not say may have delivered it before.
    let delivery = attempt.parse().unwrap_or(2);
    let _turn = match inbox {
        Inbox::Work(Stage::Search) => Some(app.comparing.lock().await),
        _ => None,
    };
    match pipeline.deliver(inbox, &message, delivery).await {
        Ok(()) => envelope::done(),
        Err(error) => fail(function, &id, &attempt, &error),
    }
}

fn fail(function: &str, message: &str, attempt: &str, error: &dyn std::error::Error) -> Response {
    // The text of a line is its member `message`; a second one would hide it.
    tracing::error!(function, message_id = message, attempt, %error, "a message failed");
    envelope::failed(error)
}
