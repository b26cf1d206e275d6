//! A few bytes that stand for very many.

use axum::body::Body;
use serde_json::json;
use skyblast::functions::Limits;
use skyblast::jobs::Settings;
use skyblast::sequence::fasta;

use super::forms::multipart;
use super::lab::{Lab, gzip, settings};

/// A lab that takes queries of so many bytes, records and residues.
async fn lab(bytes: u64, records: u64, residues: u64) -> Lab {
    let settings = settings();
    let queries = fasta::Limits { bytes, records, residues, ..settings.queries };
    Lab::with(Limits::default(), Settings { queries, ..settings }).await
}

async fn refused(lab: &Lab, media_type: &str, body: impl Into<Body>, of: &str, limit: u64) {
    let answer = lab.post("database=edge", media_type, body).await;
    let problem = answer.problem(413, &format!("more than {limit} {of}"));
    assert_eq!(problem["limit"], json!({ "of": of, "value": limit }));
    assert_eq!(problem["type"], "urn:skyblast:problem:queries-too-large");
    assert_eq!(lab.job_blobs().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_gzip_body_of_very_many_records_is_refused_by_their_number() {
    let lab = Lab::new().await;
    // As many records as are allowed by default, and one.
    let bomb = gzip(&b">\nA\n".repeat(5_000_001));
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    refused(&lab, "text/plain", bomb, "records", 5_000_000).await;
}

#[tokio::test]
async fn every_limit_holds_in_every_form() {
    let text = ">a\nMKTAYIAKQR\n>b\nMKTAYIAKQR\n";
    for (of, limits) in [("bytes", (27, 9, 99)), ("records", (99, 1, 99)), ("residues", (99, 9, 19))] {
        let lab = lab(limits.0, limits.1, limits.2).await;
        let limit = match of {
            "bytes" => limits.0,
            "records" => limits.1,
            _ => limits.2,
        };
        let bytes = text.as_bytes();
        refused(&lab, "text/plain", text, of, limit).await;
        refused(&lab, "text/plain", gzip(bytes), of, limit).await;
        refused(&lab, "text/plain", zstd::encode_all(bytes, 1).unwrap(), of, limit).await;
        refused(&lab, "application/json", json!({ "query": text }).to_string(), of, limit).await;
        let form = "multipart/form-data; boundary=cut";
        refused(&lab, form, multipart(&[("query", bytes)]), of, limit).await;
        refused(&lab, form, multipart(&[("query", &gzip(bytes))]), of, limit).await;
    }
    lab(28, 2, 20).await.submit("database=edge", text).await;
}

#[tokio::test]
async fn a_gap_of_very_many_residues_is_refused() {
    refused(&lab(1_000, 10, 1_000_000).await, "text/plain", ">a\nMKV\n>?1000000\n", "residues", 1_000_000)
        .await;
    let lab = Lab::new().await;
    let answer = lab.post("database=edge", "text/plain", ">a\n>?60000000\n").await;
    answer.problem(400, "longer than 4194304 residues");
}

#[tokio::test]
async fn a_large_body_that_holds_too_much_ends_its_search_with_the_limit() {
    let lab = lab(100_000_000, 60_000, 100_000_000).await;
    // More than the request looks at.
    let text: String = (0..100_000).map(|number| format!(">query number {number}\nMKTAY\n")).collect();
    let id = lab.submit("database=edge", text).await;
    let message = json!({ "job": id }).to_string();
    assert_eq!(lab.invoke("plan", &message).await.status, 200);
    let status = lab.get(&format!("/api/searches/{id}")).await.json();
    assert_eq!(status["state"], "failed", "{status}");
    let reason = status["reason"].as_str().unwrap();
    assert!(reason.contains("more than 60000 records"), "{reason}");
    let left = lab.job_blobs().await;
    assert!(!left.iter().any(|blob| blob.contains("upload") || blob.contains("active")), "{left:?}");
}

#[tokio::test]
async fn a_small_body_that_becomes_very_much_is_read_by_a_step() {
    let lab = Lab::new().await;
    let record = format!(">a\n{}\n", "MKTAY".repeat(100_000));
    let bomb = gzip(record.repeat(70).as_bytes());
    assert!(bomb.len() < 1_000_000, "{}", bomb.len());
    let answer = lab.post("database=edge", "text/plain", bomb).await;
    answer.accepted();
    assert_eq!(answer.json().get("queries"), None);
}

#[tokio::test]
async fn what_is_no_fasta_is_refused_at_once_whatever_its_length() {
    let lab = Lab::new().await;
    let page = "<html><body>".to_owned() + &"<p>not a protein</p>\n".repeat(100_000);
    lab.post("database=edge", "text/plain", page).await.problem(400, "not a protein sequence");
    assert_eq!(lab.job_blobs().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_wide_window_of_zstd_is_refused() {
    use std::io::Write;
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(b">a\nMKTAYIAKQR\n").unwrap();
    let wide = encoder.finish().unwrap();
    Lab::new()
        .await
        .post("database=edge", "text/plain", wide)
        .await
        .problem(400, "a window of more than 8 MiB");
}
