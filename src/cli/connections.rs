//! Listening: connections are so many at most, and each has to say in time what it wants.

use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Most connections at the same time; more wait until one ends.
const CONNECTIONS: usize = 4_096;
/// Files that the rest of the program may need at the same time.
const OTHER_FILES: u64 = 1_024;
/// Pause when the system has no room for a further connection.
const PAUSE: Duration = Duration::from_millis(500);

/// Serves `router` until `stop` is cancelled, and then what is under way. A connection that does not send
/// the head of a request within `patience` is closed, also one that has sent some before.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    stop: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(allowed()));
    let serving = TaskTracker::new();
    let accepting = async {
        loop {
            let Ok(place) = room.clone().acquire_owned().await else { return };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) if is_of_one_connection(error.kind()) => continue,
                Err(error) => {
                    tracing::error!(%error, "could not accept a connection, will go on");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let connection = answer(stream, router.clone(), patience, stop.clone());
            serving.spawn(async move {
                connection.await;
                drop(place);
            });
        }
    };
    let _ = stop.run_until_cancelled(accepting).await;
    drop(listener);
    serving.close();
    serving.wait().await;
}

/// Answers the requests of one connection.
async fn answer(stream: TcpStream, router: Router, patience: Duration, stop: CancellationToken) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

fn is_of_one_connection(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// How many connections there may be. Each is an open file, of which a process is often allowed a
/// thousand until it asks for more.
fn allowed() -> usize {
    let wanted = CONNECTIONS as u64 + OTHER_FILES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let number = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    if number(current) < wanted {
        let more = number(maximum).min(wanted);
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum }) {
            tracing::warn!(%error, "could not raise the number of open files");
        }
    }
    let files = number(getrlimit(Resource::Nofile).current);
    let left = files.saturating_sub(OTHER_FILES).max(files / 2);
    usize::try_from(left).unwrap_or(usize::MAX).clamp(1, CONNECTIONS)
}
