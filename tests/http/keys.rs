//! Submissions that are repeated.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use super::lab::{Answer, Lab, two_queries};
use super::sign_in::lab;

const KEY: &str = "3f1c9a52-0b7e-4d7f-9c2e-1a2b3c4d5e6f";

async fn submit(lab: &Lab, query: &str, key: &str, user: Option<&str>, fasta: String) -> Answer {
    let mut request = Request::post(format!("/api/searches?{query}")).header("idempotency-key", key);
    if let Some(user) = user {
        request = request.header("x-ms-client-principal-id", user);
    }
    lab.send(request.body(Body::from(fasta)).unwrap()).await
}

/// Jobs that have blobs in storage.
async fn jobs(lab: &Lab) -> usize {
    lab.job_blobs().await.iter().filter(|blob| blob.ends_with("/job.json")).count()
}

#[tokio::test]
async fn a_repeated_submission_is_the_same_search() {
    let lab = Lab::new().await;
    let first = submit(&lab, "database=edge&evalue=1", KEY, None, two_queries()).await.accepted();
    let quoted = format!("\"{KEY}\"");
    for key in [KEY, &quoted] {
        let again = submit(&lab, "evalue=1.0&database=edge", key, None, two_queries()).await;
        assert_eq!(again.json()["queries"], 2);
        assert_eq!(again.accepted(), first);
    }
    lab.complete(&first).await;
    assert_eq!(submit(&lab, "database=edge&evalue=1", KEY, None, two_queries()).await.accepted(), first);
    assert_eq!(jobs(&lab).await, 1);
    let blobs = lab.job_blobs().await;
    let others = blobs.iter().filter(|blob| blob.contains("/queries/") && !blob.starts_with(&first));
    assert_eq!(others.count(), 0, "nothing of the repetitions is left");
    assert_ne!(lab.submit("database=edge&evalue=1", two_queries()).await, first, "without a key");
}

/// Too large to be read before it is accepted.
#[tokio::test]
async fn a_repeated_submission_that_is_stored_is_the_same_search() {
    let lab = Lab::new().await;
    let large = two_queries().repeat(12_000);
    let first = submit(&lab, "database=edge", KEY, None, large.clone()).await.accepted();
    let stored = lab.job_blobs().await;
    assert!(stored.iter().any(|blob| blob.starts_with(&format!("{first}/upload/"))), "{stored:?}");
    assert_eq!(submit(&lab, "database=edge", KEY, None, large.clone()).await.accepted(), first);
    let other = submit(&lab, "database=edge", KEY, None, large.clone() + ">another\nMKVLA\n").await;
    assert_eq!(other.problem(422, "make up another")["type"], "urn:skyblast:problem:key-reused");
    submit(&lab, "database=edge&evalue=1", KEY, None, large.clone()).await.problem(422, "make up another");
    assert_eq!(lab.job_blobs().await, stored, "nothing of the repetitions is left");
    assert_ne!(lab.submit("database=edge", large).await, first, "without a key");
}

#[tokio::test]
async fn a_key_is_for_one_search() {
    let lab = Lab::new().await;
    submit(&lab, "database=edge", KEY, None, two_queries()).await.accepted();
    for (query, fasta) in [
        ("database=edge&evalue=1", two_queries()),
        ("database=edge&outfmt=7", two_queries()),
        ("database=edge", two_queries().replacen("MK", "MA", 1) + "A\n"),
        ("database=edge", format!("{}>third\nMKVLAAGIVALLLAACSSA\n", two_queries())),
    ] {
        let problem = submit(&lab, query, KEY, None, fasta).await.problem(422, "make up another");
        assert_eq!(problem["type"], "urn:skyblast:problem:key-reused");
    }
    assert_eq!(jobs(&lab).await, 1);
    for bad in ["1", "short", "with a blank 0123456789"] {
        submit(&lab, "database=edge", bad, None, two_queries()).await.problem(400, "16 to 200");
    }
}

#[tokio::test]
async fn a_key_is_its_owners() {
    let lab = lab().await;
    let adas = submit(&lab, "database=edge", KEY, Some("ada"), two_queries()).await.accepted();
    let eves = submit(&lab, "database=edge", KEY, Some("eve"), two_queries()).await.accepted();
    assert_ne!(adas, eves);
    assert_eq!(submit(&lab, "database=edge", KEY, Some("ada"), two_queries()).await.accepted(), adas);
}

/// Many times, since which of them see each other's claim is a matter of chance.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_submissions_sent_at_the_same_time_one_stands() {
    let lab = Lab::new().await;
    let large = two_queries().repeat(12_000);
    let mut standing = std::collections::BTreeSet::new();
    for round in 0..24 {
        let key = format!("{KEY}-{round}");
        // Some are too large to be read before they are accepted.
        let queries = if round % 8 == 0 { &large } else { &two_queries() };
        let submissions = (0..8).map(|_| submit(&lab, "database=edge", &key, None, queries.clone()));
        let answers = futures::future::join_all(submissions).await;
        let ids: std::collections::BTreeSet<String> =
            answers.into_iter().map(|answer| answer.accepted()).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        standing.extend(ids);
        lab.pipeline.sweep(jiff::Timestamp::now()).await.unwrap();
        let left = lab.job_blobs().await;
        let accepted = left
            .iter()
            .filter_map(|blob| blob.strip_suffix("/job.json").or_else(|| blob.strip_suffix("/intake.json")));
        assert_eq!(accepted.map(str::to_owned).collect::<std::collections::BTreeSet<_>>(), standing);
    }
}

#[tokio::test]
async fn a_key_is_free_again_when_its_search_is_removed() {
    let lab = Lab::new().await;
    let first = submit(&lab, "database=edge", KEY, None, two_queries()).await.accepted();
    lab.complete(&first).await;
    assert_eq!(lab.delete(&format!("/api/searches/{first}?purge=true")).await.status, 204);
    assert!(!lab.job_blobs().await.iter().any(|blob| blob.starts_with("keys/")));
    let second: Value = submit(&lab, "database=edge", KEY, None, two_queries()).await.json();
    assert_ne!(second["id"], first);
}
