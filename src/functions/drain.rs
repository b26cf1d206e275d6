//! Refusing an upload so that the client learns why.
//!
//! A client that is still sending does not read, and when the connection is closed on it, the answer
//! may be lost. So what is left of a refused body is taken in and thrown away, up to a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use futures::stream::{self, Stream, StreamExt};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long the rest of a body may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Marks an answer that refuses a request although its status is that of success.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused;

/// Takes in what a function left of the body of a request that failed, at most `limit` bytes.
pub(super) async fn drain(State(limit): State<u64>, request: Request, next: Next) -> Response {
    let waits_for_a_word = request.headers().contains_key(EXPECT);
    let (parts, body) = request.into_parts();
    let rest = Arc::new(Mutex::new(body.into_data_stream().fuse()));
    let begun = Arc::new(AtomicBool::new(false));
    let lent = stream::unfold((rest.clone(), begun.clone()), |(rest, begun)| async move {
        begun.store(true, Ordering::Relaxed);
        let piece = rest.lock().await.next().await?;
        Some((piece, (rest, begun)))
    });
    let response = next.run(Request::from_parts(parts, Body::from_stream(lent.fuse()))).await;
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let failed = failed || response.extensions().get::<Refused>().is_some();
    // Who was too slow is not waited for again.
    let failed = failed && response.status() != StatusCode::REQUEST_TIMEOUT;
    // A client that waits to be told to go on has sent nothing, and should not.
    if failed && (begun.load(Ordering::Relaxed) || !waits_for_a_word) {
        let _ = timeout(PATIENCE, async { throw_away(&mut *rest.lock().await, limit).await }).await;
    }
    response
}

async fn throw_away<E>(body: &mut (impl Stream<Item = Result<bytes::Bytes, E>> + Unpin), limit: u64) {
    let mut taken = 0;
    while let Some(Ok(piece)) = body.next().await {
        taken += piece.len() as u64;
        if taken > limit {
            break;
        }
    }
}
