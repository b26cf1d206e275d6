//! Bodies: streamed, limited, broken off.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::json;
use skyblast::functions::{Limits, Pace};
use skyblast::jobs::Settings;
use tokio::sync::mpsc;

use super::forms::multipart;
use super::lab::{Lab, gzip, send, settings, two_queries};

/// A record of 1,000 residues and its bytes in FASTA.
fn record(number: u64) -> String {
    format!(">q{number}\n{}\n", "MKTAYIAKQRQISFVKSHFSRQLEE".repeat(40))
}

/// A body without a declared length.
fn chunked(text: &[u8]) -> Body {
    let pieces: Vec<_> = text.chunks(1000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Body::from_stream(stream::iter(pieces))
}

type Sender = mpsc::UnboundedSender<Result<String, std::io::Error>>;

/// A body that is sent piece by piece, and ends when the sender is dropped.
fn piecewise() -> (Sender, Body) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let body = stream::unfold(receiver, |mut pieces| async move { Some((pieces.recv().await?, pieces)) });
    (sender, Body::from_stream(body))
}

/// Waits until something of an upload is stored.
async fn until_a_part_is_stored(lab: &Lab) {
    while !lab.job_blobs().await.iter().any(|blob| blob.contains("/upload/parts/")) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_large_body_is_stored_while_it_arrives_and_read_after_it_is_accepted() {
    const RECORDS: u64 = 5_000;
    let lab = Lab::with(Limits::default(), Settings { chunk_residues: None, ..settings() }).await;
    let (sender, body) = piecewise();
    for number in 1..=RECORDS {
        sender.send(Ok(record(number))).unwrap();
    }
    let posting = lab.post("database=edge", "text/plain", body);
    let watching = async {
        until_a_part_is_stored(&lab).await;
        drop(sender);
    };
    let (answer, ()) =
        tokio::time::timeout(Duration::from_secs(60), futures::future::join(posting, watching))
            .await
            .unwrap();
    let id = answer.accepted();
    assert_eq!(answer.json().get("queries"), None, "nobody has read them");
    assert!(!lab.job_blobs().await.iter().any(|blob| blob.contains("/queries/")));
    let message = json!({ "job": id }).to_string();
    assert_eq!(lab.invoke("plan", &message).await.status, 200);
    let status = lab.get(&format!("/api/searches/{id}")).await.json();
    assert_eq!(status["queries"], RECORDS, "{status}");
    assert!(!lab.job_blobs().await.iter().any(|blob| blob.contains("upload")), "nothing is left of it");
}

#[tokio::test]
async fn a_large_body_is_not_taken_faster_than_it_is_stored() {
    const RECORDS: u64 = 40_000;
    let lab = Lab::new().await;
    let stored_before = lab.faults.finished_puts();
    let most_ahead = Arc::new(AtomicU64::new(0));
    let (faults, ahead) = (lab.faults.clone(), most_ahead.clone());
    // A part has four thousand records; a piece of the body has one hundred.
    let pieces = stream::iter(0..RECORDS / 100).map(move |piece| {
        let stored = 4_000 * (faults.finished_puts() - stored_before);
        ahead.fetch_max((100 * piece).saturating_sub(stored), Ordering::Relaxed);
        let text: String = (1..=100).map(|i| record(100 * piece + i)).collect();
        Ok::<_, std::io::Error>(Bytes::from(text))
    });
    let answer = lab.post("database=edge", "text/plain", Body::from_stream(pieces)).await;
    answer.accepted();
    let most_ahead = most_ahead.load(Ordering::Relaxed);
    assert!(most_ahead < 9_000, "{most_ahead} records of a kilobyte were in memory");
}

#[tokio::test]
async fn hundreds_of_bodies_that_hardly_arrive_hold_up_nobody() {
    let pace = Pace { window: Duration::from_secs(3_600), ..Pace::default() };
    let lab = Lab::with(Limits { pace, ..Limits::default() }, settings()).await;
    let slow: Vec<_> = (0..700)
        .map(|_| {
            let (sender, body) = piecewise();
            sender.send(Ok(">q\nMKTAY".to_owned())).unwrap();
            let router = lab.router.clone();
            let request = Request::post("/api/searches?database=edge").header("content-type", "text/plain");
            let request = request.body(body).unwrap();
            (sender, tokio::spawn(async move { send(&router, request).await }))
        })
        .collect();
    let asked = async {
        let id = lab.submit("database=edge", two_queries()).await;
        assert_eq!(lab.get("/api/health").await.status, 200);
        assert_eq!(lab.complete(&id).await, "completed");
    };
    tokio::time::timeout(Duration::from_secs(120), asked).await.expect("others are answered");
    assert!(slow.iter().all(|(_, posting)| !posting.is_finished()), "they are still arriving");
    let (sender, posting) = slow.into_iter().next().unwrap();
    drop(sender);
    posting.await.unwrap().accepted();
}

#[tokio::test]
async fn more_bodies_than_there_is_room_for_are_told_to_come_back() {
    let lab = Lab::with(Limits { bodies: 2, ..Limits::default() }, settings()).await;
    let waiting = (piecewise(), piecewise());
    let ((one, first), (two, second)) = waiting;
    let post = |body| {
        let router = lab.router.clone();
        let request = Request::post("/api/searches?database=edge").body(body).unwrap();
        tokio::spawn(async move { send(&router, request).await })
    };
    let arriving = [post(first), post(second)];
    // A body that is taken in is asked for its pieces.
    while one.is_closed() || two.is_closed() || lab.post("database=edge", "", "").await.status != 503 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let refused = lab.post("database=edge", "text/plain", two_queries()).await;
    refused.problem(503, "at the same time");
    assert_eq!(refused.header("retry-after"), "10");
    assert_eq!(lab.get("/api/health").await.status, 200);
    for sender in [one, two] {
        sender.send(Ok(two_queries())).unwrap();
    }
    for posting in arriving {
        posting.await.unwrap().accepted();
    }
    lab.submit("database=edge", two_queries()).await;
}

#[tokio::test]
async fn bodies_have_so_much_memory_together() {
    let lab = Lab::with(Limits { bodies_memory: 256 << 10, ..Limits::default() }, settings()).await;
    let text: String = (1..=300).map(record).collect();
    lab.post("database=edge", "text/plain", text.clone()).await.problem(503, "at the same time");
    lab.submit("database=edge", text[..text.len() / 2].to_owned()).await;
}

#[tokio::test]
async fn a_body_that_arrives_too_slowly_is_given_up() {
    let pace =
        Pace { window: Duration::from_millis(200), window_bytes: 1_000, longest: Duration::from_secs(600) };
    let lab = Lab::with(Limits { pace, ..Limits::default() }, settings()).await;
    for media_type in ["text/plain", "application/json", "multipart/form-data; boundary=cut"] {
        let (sender, body) = piecewise();
        // Each piece comes in time, but they are too short.
        let trickle = tokio::spawn(async move {
            while sender.send(Ok("\n".to_owned())).is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let answer = lab.post("database=edge", media_type, body).await;
        answer.problem(408, "too slowly");
        trickle.abort();
    }
    assert_eq!(lab.job_blobs().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_body_that_takes_too_long_in_all_is_given_up() {
    let pace = Pace { longest: Duration::from_millis(300), ..Pace::default() };
    let lab = Lab::with(Limits { pace, ..Limits::default() }, settings()).await;
    let (sender, body) = piecewise();
    let trickle = tokio::spawn(async move {
        while sender.send(Ok(record(1))).is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    lab.post("database=edge", "text/plain", body).await.problem(408, "too slowly");
    trickle.abort();
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
    let (sender, body) = piecewise();
    for number in 1..=5_000 {
        sender.send(Ok(record(number))).unwrap();
    }
    let posting = lab.post("database=edge", "text/plain", body);
    // The server drops the function's future when the connection is gone.
    tokio::select! {
        answer = posting => panic!("{}", answer.text()),
        () = until_a_part_is_stored(&lab) => {}
    }
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
