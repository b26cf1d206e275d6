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

use super::refusals::InWords;

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
    serve_at_most(allowed(), listener, router, patience, stop).await;
}

/// The same with so many connections at the same time.
async fn serve_at_most(
    connections: usize,
    listener: TcpListener,
    router: Router,
    patience: Duration,
    stop: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(connections));
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
        .serve_connection(TokioIo::new(InWords::new(stream)), TowerToHyperService::new(router));
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

#[cfg(test)]
mod tests {
    use std::io::Result;
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const LONG: Duration = Duration::from_secs(600);

    async fn start(connections: usize, patience: Duration) -> Result<(SocketAddr, CancellationToken)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, stop) = (listener.local_addr()?, CancellationToken::new());
        let router = Router::new().route("/", get(|| async { "hello" }));
        tokio::spawn(serve_at_most(connections, listener, router, patience, stop.clone()));
        Ok((address, stop))
    }

    /// Reads an answer that ends in `hello`.
    async fn hello(stream: &mut TcpStream) -> Result<()> {
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello") {
            assert!(stream.read_buf(&mut answer).await? > 0, "{}", String::from_utf8_lossy(&answer));
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_connection_that_does_not_say_what_it_wants_is_closed() -> Result<()> {
        let (address, _stop) = start(10, Duration::from_millis(50)).await?;
        for beginning in [&b""[..], b"GET / HTTP/1.1\r\nhost: loc"] {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(beginning).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            assert!(!answer.ends_with(b"hello"));
        }
        let mut kept_open = TcpStream::connect(address).await?;
        kept_open.write_all(REQUEST).await?;
        hello(&mut kept_open).await?;
        assert_eq!(kept_open.read(&mut [0; 8]).await?, 0, "closed when no further request came");
        Ok(())
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_in_words_also_behind_one() -> Result<()> {
        let (address, _stop) = start(10, LONG).await?;
        let long = "x".repeat(70_000);
        let headers: String = (0..120).map(|number| format!("x-{number}: 1\r\n")).collect();
        for (request, status, kind) in [
            ("GET /a b HTTP/1.1\r\n\r\n".to_owned(), 400, "unreadable-request"),
            ("nonsense\r\n\r\n".to_owned(), 400, "unreadable-request"),
            (format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"), 414, "address-too-long"),
            (format!("GET / HTTP/1.1\r\n{headers}\r\n"), 431, "head-too-large"),
        ] {
            for before in [&b""[..], REQUEST] {
                let mut stream = TcpStream::connect(address).await?;
                stream.write_all(&[before, request.as_bytes()].concat()).await?;
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await?;
                let (answered, refusal) = answer.split_once("HTTP/1.1 4").expect("a refusal");
                assert_eq!(answered.ends_with("hello"), !before.is_empty(), "{answer}");
                let (head, body) = refusal.split_once("\r\n\r\n").expect("a head");
                assert!(head.starts_with(&status.to_string()[1..]), "{answer}");
                assert!(head.contains("\r\ncontent-type: application/problem+json"), "{answer}");
                assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())), "{answer}");
                let problem: serde_json::Value = serde_json::from_str(body)?;
                assert_eq!(problem["type"], format!("urn:skyblast:problem:{kind}"));
                assert_eq!(problem["status"], status);
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_connection_too_many_waits_until_another_ends() -> Result<()> {
        let (address, _stop) = start(2, LONG).await?;
        let mut first = TcpStream::connect(address).await?;
        let mut second = TcpStream::connect(address).await?;
        for stream in [&mut first, &mut second] {
            stream.write_all(REQUEST).await?;
            hello(stream).await?;
        }
        let mut third = TcpStream::connect(address).await?;
        third.write_all(REQUEST).await?;
        let answered = timeout(Duration::from_millis(100), third.readable()).await;
        assert!(answered.is_err(), "answered beside two others");
        drop(first);
        hello(&mut third).await
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed_when_the_server_stops() -> Result<()> {
        let (address, stop) = start(10, LONG).await?;
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(REQUEST).await?;
        hello(&mut stream).await?;
        stop.cancel();
        assert_eq!(stream.read(&mut [0; 8]).await?, 0);
        Ok(())
    }
}
