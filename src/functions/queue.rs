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
use crate::jobs::Stage;

/// Which queue a message came from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Work(Stage),
    Poison(Stage),
}

impl Source {
    fn function(self) -> &'static str {
        match self {
            Self::Work(stage) => stage.function(),
            Self::Poison(stage) => stage.poison_function(),
        }
    }
}

/// A route for every queue function.
pub(super) fn routes() -> Router<Arc<App>> {
    let sources = Stage::ALL.into_iter().flat_map(|stage| [Source::Work(stage), Source::Poison(stage)]);
    sources.fold(Router::new(), |router, source| {
        let function =
            move |State(app): State<Arc<App>>, payload| async move { invoke(&app, source, payload).await };
        router.route(&format!("/{}", source.function()), post(function))
    })
}

/// An error that belongs to a job is recorded by the pipeline, which then succeeds. Any other asks
/// for another delivery; the host gives a message up after some, and its poison function settles it.
async fn invoke(app: &App, source: Source, payload: Result<Bytes, BytesRejection>) -> Response {
    let function = source.function();
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
    let handled = match source {
        Source::Work(Stage::Search) => {
            let _turn = app.comparing.lock().await;
            pipeline.handle(Stage::Search, &message).await
        }
        Source::Work(stage) => pipeline.handle(stage, &message).await,
        Source::Poison(stage) => pipeline.handle_poison(stage, &message).await,
    };
    match handled {
        Ok(()) => envelope::done(),
        Err(error) => fail(function, &id, &attempt, &error),
    }
}

fn fail(function: &str, message: &str, attempt: &str, error: &dyn std::error::Error) -> Response {
    // The text of a line is its member `message`; a second one would hide it.
    tracing::error!(function, message_id = message, attempt, %error, "a message failed");
    envelope::failed(error)
}
