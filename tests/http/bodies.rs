//! Bodies: streamed, limited, broken off.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::json;
use skyblast::functions::Limits;
use skyblast::jobs::Settings;
use tokio::sync::mpsc;

use super::forms::multipart;
use super::lab::{Lab, gzip, settings, two_queries};

/// A record of 1,000 residues and its bytes in FASTA.
fn record(number: u64) -> String {
    format!(">q{number}\n{}\n", "MKTAYIAKQRQISFVKSHFSRQLEE".repeat(40))
}

/// A body without a declared length.
fn chunked(text: &[u8]) -> Body {
    let pieces: Vec<_> = text.chunks(1000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Body::from_stream(stream::iter(pieces))
}

#[tokio::test]
async fn chunks_are_stored_before_the_body_has_ended() {
    let lab = Lab::new().await;
    let (sender, receiver) = mpsc::unbounded_channel::<Result<String, std::io::Error>>();
    let body = stream::unfold(receiver, |mut pieces| async move { Some((pieces.recv().await?, pieces)) });
    // Enough to fill the reader's buffer.
    for number in 1..=600 {
        sender.send(Ok(record(number))).unwrap();
    }
    let posting = lab.post("database=edge", "text/plain", Body::from_stream(body));
    let watching = async {
        while !lab.job_blobs().await.iter().any(|blob| blob.contains("/queries/")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(sender);
    };
    let (answer, ()) =
        tokio::time::timeout(Duration::from_secs(60), futures::future::join(posting, watching))
            .await
            .unwrap();
    answer.accepted();
    assert_eq!(answer.json()["queries"], 600);
}

#[tokio::test]
async fn a_large_body_is_not_taken_faster_than_it_is_stored() {
    const RECORDS: u64 = 52_000;
    let lab = Lab::with(Limits::default(), Settings { chunk_residues: None, ..settings() }).await;
    let stored_before = lab.faults.finished_puts();
    let most_ahead = Arc::new(AtomicU64::new(0));
    let (faults, ahead) = (lab.faults.clone(), most_ahead.clone());
    // A chunk has two hundred records; a piece of the body has one hundred.
    let pieces = stream::iter(0..RECORDS / 100).map(move |piece| {
        let stored = 200 * (faults.finished_puts() - stored_before);
        ahead.fetch_max((100 * piece).saturating_sub(stored), Ordering::Relaxed);
        let text: String = (1..=100).map(|i| record(100 * piece + i)).collect();
        Ok::<_, std::io::Error>(Bytes::from(text))
    });
    let answer = lab.post("database=edge", "text/plain", Body::from_stream(pieces)).await;
    answer.accepted();
    assert_eq!(answer.json()["residues"], RECORDS * 1000);
    let most_ahead = most_ahead.load(Ordering::Relaxed);
    assert!(most_ahead < 3_000, "{most_ahead} records of a kilobyte were in memory");
}

async fn assert_too_large(lab: &Lab, media_type: &str, body: impl Into<Body>) {
    let answer = lab.post("database=edge", media_type, body).await;
    let problem = answer.problem(413, "larger than 5000 bytes");
    assert_eq!(problem["limit_bytes"], 5000);
    let detail = problem["detail"].as_str().unwrap();
    for way_out in ["gzip", "split", "skyblast search"] {
        assert!(detail.contains(way_out), "{detail}");
    }
    assert_eq!(lab.job_blobs().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_unread() {
    let lab = Lab::with_body_limit(5000).await;
    let request = axum::http::Request::post("/api/searches?database=edge").header("content-length", "5001");
    let unread = stream::once(async { panic!("the body was read") }).map(Ok::<Bytes, std::io::Error>);
    let request = request.header("expect", "100-continue");
    let answer = lab.send(request.body(Body::from_stream(unread)).unwrap()).await;
    assert_eq!(answer.problem(413, "5000")["limit_bytes"], 5000);
}

#[tokio::test]
async fn a_chunked_body_is_refused_when_it_passes_the_limit() {
    let lab = Lab::with_body_limit(5000).await;
    let text: String = (1..=600).map(record).collect();
    assert_too_large(&lab, "text/plain", chunked(text.as_bytes())).await;
}

#[tokio::test]
async fn a_chunked_form_is_refused_when_it_passes_the_limit() {
    let lab = Lab::with_body_limit(5000).await;
    let text: String = (1..=6).map(record).collect();
    let form = multipart(&[("query", text.as_bytes())]);
    assert_too_large(&lab, "multipart/form-data; boundary=cut", chunked(&form)).await;
}

#[tokio::test]
async fn chunked_json_is_refused_when_it_passes_the_limit() {
    let lab = Lab::with_body_limit(5000).await;
    let text: String = (1..=6).map(record).collect();
    assert_too_large(&lab, "application/json", chunked(json!({ "query": text }).to_string().as_bytes()))
        .await;
}

#[tokio::test]
async fn compressed_json_is_held_to_the_limit_when_it_is_decompressed() {
    let lab = Lab::with_body_limit(5000).await;
    let text: String = (1..=6).map(record).collect();
    let small = gzip(json!({ "query": text }).to_string().as_bytes());
    assert!(small.len() < 1000);
    assert_too_large(&lab, "application/json", small).await;
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_accepted() {
    let fasta = two_queries();
    let lab = Lab::with_body_limit(fasta.len() as u64).await;
    lab.submit("database=edge", chunked(fasta.as_bytes())).await;
}

#[tokio::test]
async fn compressed_queries_may_be_larger_than_the_limit() {
    let lab = Lab::with_body_limit(5000).await;
    let text: String = (1..=20).map(record).collect();
    lab.submit("database=edge", gzip(text.as_bytes())).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let lab = Lab::new().await;
    let start: String = (1..=600).map(record).collect();
    let broken = Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset by peer"));
    let body = Body::from_stream(stream::iter([Ok(start), broken]));
    let answer = lab.post("database=edge", "text/plain", body).await;
    answer.problem(400, "reset by peer");
    assert_eq!(lab.job_blobs().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing() {
    let lab = Lab::new().await;
    let (sender, receiver) = mpsc::unbounded_channel::<Result<String, std::io::Error>>();
    let body = stream::unfold(receiver, |mut pieces| async move { Some((pieces.recv().await?, pieces)) });
    for number in 1..=600 {
        sender.send(Ok(record(number))).unwrap();
    }
    let posting = lab.post("database=edge", "text/plain", Body::from_stream(body));
    // The server drops the function's future when the connection is gone.
    assert!(tokio::time::timeout(Duration::from_millis(500), posting).await.is_err());
    assert!(!lab.job_blobs().await.is_empty());
    sender.send(Err(std::io::Error::other("gone"))).unwrap();
    for _ in 0..500 {
        if lab.job_blobs().await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("left: {:?}", lab.job_blobs().await);
}

/// Sends a whole request before it reads a byte of the answer, as simple clients do.
fn write_then_read(address: SocketAddr, body: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "POST /api/searches?database=edge HTTP/1.1\r\nHost: x\r\n")?;
    write!(connection, "Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_learns_why_it_was_refused() {
    let limits = Limits { body_bytes: 20_000_000, ..Limits::default() };
    let lab = Lab::with(limits, Settings { chunk_residues: None, ..settings() }).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, lab.router.clone()).into_future());
    let bad = ">a\n1234567\n".to_owned() + &(1..=15_000).map(record).collect::<String>();
    let long: String = (1..=30_000).map(record).collect();
    // The first fails while it is read, the second by what it announces.
    for (text, status) in [(bad, "400"), (long, "413")] {
        let answer = tokio::task::spawn_blocking(move || write_then_read(address, &text)).await.unwrap();
        let answer = answer.expect("the answer arrives");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}
