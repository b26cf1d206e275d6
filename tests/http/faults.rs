//! Storage that fails before, while and after it is needed.

use std::time::Duration;

use axum::body::Body;
use futures::stream;
use serde_json::json;
use skyblast::functions::Limits;
use skyblast::jobs::Settings;
use skyblast::store::ErrorKind;
use tokio::sync::mpsc;

use super::lab::{Lab, PROTEINS, during, settings, two_queries};
use crate::common::faulty::Mode;

const DOWN: Mode = Mode::FailAll(ErrorKind::Transient);

async fn patient_lab() -> Lab {
    Lab::with(Limits::default(), Settings { patience: Duration::from_secs(5), ..settings() }).await
}

/// Every so manyth call fails: often enough to hit every kind of step, seldom enough that the
/// longest step, which announces thirty shards, can get through.
const NOW_AND_THEN: u64 = 53;

/// What the search gives when nothing fails.
async fn undisturbed_report() -> String {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", PROTEINS).await;
    lab.complete(&id).await;
    lab.report(&id).await
}

#[tokio::test]
async fn while_storage_is_down_calls_are_told_to_come_back_and_then_work() {
    let lab = Lab::new().await;
    lab.faults.set(DOWN);
    let submitted = lab.post("database=edge", "text/plain", two_queries()).await;
    let unknown = "/api/searches/0123456789abcdef0123456789abcdef";
    let results = format!("{unknown}/results");
    let asked = [lab.get("/api/databases").await, lab.get(unknown).await, lab.get(&results).await];
    for answer in asked.iter().chain([&submitted, &lab.delete(unknown).await]) {
        answer.problem(503, "told to fail");
        assert_eq!(answer.header("retry-after"), "5");
    }
    let health = lab.get("/api/health").await;
    assert_eq!((health.status.as_u16(), &health.json()["status"]), (503, &json!("unavailable")));
    assert!(health.json()["storage"].as_str().unwrap().contains("told to fail"));

    lab.faults.set(Mode::Off);
    assert_eq!(lab.get("/api/health").await.status, 200);
    let id = lab.submit("database=edge", two_queries()).await;
    assert_eq!(lab.complete(&id).await, "completed");
}

#[tokio::test]
async fn denied_storage_says_which_role_is_missing() {
    let lab = Lab::new().await;
    lab.faults.set(Mode::FailAll(ErrorKind::Denied));
    let answer = lab.get("/api/databases").await;
    answer.problem(503, "Storage Blob Data Contributor");
}

#[tokio::test]
async fn full_storage_says_so() {
    let lab = Lab::new().await;
    lab.faults.set(Mode::FailAll(ErrorKind::NoSpace));
    lab.post("database=edge", "text/plain", two_queries()).await.problem(507, "make room");
}

#[tokio::test]
async fn storage_that_fails_in_the_middle_of_a_body_refuses_it_and_sweep_cleans_up() {
    let lab = Lab::new().await;
    let accepted = lab.submit("database=edge", PROTEINS).await;
    let kept = lab.job_blobs().await;
    let (sender, receiver) = mpsc::unbounded_channel::<Result<String, std::io::Error>>();
    let body = stream::unfold(receiver, |mut pieces| async move { Some((pieces.recv().await?, pieces)) });
    sender.send(Ok(two_queries().repeat(12_000))).unwrap();
    let posting = lab.post("database=edge", "text/plain", Body::from_stream(body));
    let failing = async {
        while lab.job_blobs().await.len() < kept.len() + 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        lab.faults.set(DOWN);
        let _ = sender.send(Ok(two_queries()));
        drop(sender);
    };
    let (answer, ()) = futures::future::join(posting, failing).await;
    answer.problem(503, "told to fail");
    lab.faults.set(Mode::Off);

    // Nothing was lost that had been accepted, and nothing stays that had not.
    assert!(lab.job_blobs().await.len() > kept.len());
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(49);
    lab.pipeline.sweep(later).await.unwrap();
    let mut left = lab.job_blobs().await;
    // Sweep remembers when it looked at the job.
    left.retain(|blob| *blob != format!("{accepted}/swept.json"));
    assert_eq!(left, kept);
    assert_eq!(lab.complete(&accepted).await, "completed");
    assert_eq!(lab.report(&accepted).await, undisturbed_report().await);
}

#[tokio::test]
async fn health_notices_that_nothing_can_be_written() {
    let lab = Lab::new().await;
    lab.faults.set(Mode::FailWrites(ErrorKind::NoSpace));
    let full = lab.get("/api/health").await;
    assert_eq!(full.status, 507, "{}", full.text());
    assert!(full.json()["storage"].as_str().unwrap().contains("told to fail"), "{}", full.text());
    lab.faults.set(Mode::Off);
    assert_eq!(lab.get("/api/health").await.status, 200);
    // Good news are kept for some seconds.
    let asked = lab.faults.finished_puts();
    assert_eq!(lab.get("/api/health").await.status, 200);
    assert_eq!(lab.faults.finished_puts(), asked);
}

#[tokio::test]
async fn a_search_goes_on_when_storage_is_back() {
    let lab = patient_lab().await;
    let id = lab.submit("database=edge", PROTEINS).await;
    let outage = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        during(&lab.faults, DOWN, tokio::time::sleep(Duration::from_millis(800))).await;
    };
    let (state, ()) = futures::future::join(lab.complete(&id), outage).await;
    assert_eq!(state, "completed");
    assert_eq!(lab.report(&id).await, undisturbed_report().await);
}

#[tokio::test]
async fn failures_now_and_then_change_no_report() {
    let lab = patient_lab().await;
    let id = lab.submit("database=edge", PROTEINS).await;
    let state =
        during(&lab.faults, Mode::FailEvery(NOW_AND_THEN, ErrorKind::Throttled), lab.complete(&id)).await;
    assert_eq!(state, "completed");
    assert_eq!(lab.report(&id).await, undisturbed_report().await);
}

#[tokio::test]
async fn lost_replies_change_no_report() {
    let lab = patient_lab().await;
    let id = lab.submit("database=edge", PROTEINS).await;
    let state = during(&lab.faults, Mode::LoseReplyEvery(NOW_AND_THEN), lab.complete(&id)).await;
    assert_eq!(state, "completed");
    assert_eq!(lab.report(&id).await, undisturbed_report().await);
}
