//! Queries sent before they are submitted, in parts through the server.

use axum::body::Body;
use axum::http::Request;
use skyblast::functions::Limits;

use skyblast::store::ErrorKind;

use super::lab::{Answer, Lab, PROTEINS, during, gzip, settings, two_queries};
use crate::common::faulty::Mode;

async fn begin(lab: &Lab) -> String {
    let answer = lab.send(Request::post("/api/uploads").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["part_bytes"], 8 << 20);
    assert_eq!(answer.json().get("url"), None, "a folder has no addresses");
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn part(lab: &Lab, id: &str, number: u32, content: impl Into<Body>) -> Answer {
    let request = Request::put(format!("/api/uploads/{id}/parts/{number}"));
    lab.send(request.body(content.into()).unwrap()).await
}

async fn submit(lab: &Lab, query: &str) -> Answer {
    lab.post(&format!("database=edge&{query}"), "", Body::empty()).await
}

#[tokio::test]
async fn parts_make_one_search_larger_than_the_limit_of_a_request() {
    let lab = Lab::with_body_limit(100).await;
    let id = begin(&lab).await;
    // In any order, with a part sent twice, and cut anywhere.
    let compressed = gzip(PROTEINS);
    let pieces: Vec<_> = compressed.chunks(compressed.len() / 3 + 1).collect();
    for number in [2, 0, 1, 1] {
        assert_eq!(part(&lab, &id, number, pieces[number as usize].to_vec()).await.status, 204);
    }
    let accepted = submit(&lab, &format!("upload={id}&parts=3")).await;
    assert_eq!(accepted.accepted(), id, "the upload's id is the search's");
    let again = submit(&lab, &format!("upload={id}&parts=3")).await;
    assert_eq!(again.accepted(), id, "once submitted, always the same search");
    let waiting = lab.get(&format!("/api/searches/{id}")).await.json();
    assert_eq!((&waiting["state"], &waiting["queries"]), (&"queued".into(), &0.into()), "{waiting}");
    part(&lab, &id, 0, "x").await.problem(404, &id);
    assert_eq!(lab.complete(&id).await, "completed");
    assert!(!lab.job_blobs().await.iter().any(|name| name.contains("upload")), "nothing is left");
    let other = Lab::new().await;
    let direct = other.submit("database=edge", PROTEINS).await;
    other.complete(&direct).await;
    assert_eq!(lab.report(&id).await, other.report(&direct).await);
}

#[tokio::test]
async fn what_is_not_complete_is_named_and_can_be_completed() {
    let lab = Lab::new().await;
    let id = begin(&lab).await;
    submit(&lab, &format!("upload={id}")).await.problem(409, "the content has not been sent");
    part(&lab, &id, 1, two_queries()).await;
    let id = begin(&lab).await;
    part(&lab, &id, 1, two_queries()).await;
    let problem = submit(&lab, &format!("upload={id}&parts=2")).await;
    problem.problem(409, "part 0 of 2 has not been sent");
    part(&lab, &id, 0, two_queries()).await;
    submit(&lab, &format!("upload={id}&parts=3")).await.problem(409, "part 2 of 3");
    assert_eq!(submit(&lab, &format!("upload={id}&parts=2")).await.accepted(), id);
    assert_eq!(lab.complete(&id).await, "completed");
    let nobody = "0123456789abcdef0123456789abcdef";
    part(&lab, nobody, 0, "x").await.problem(404, nobody);
    part(&lab, "../x", 0, "x").await.problem(404, "");
    submit(&lab, &format!("upload={nobody}")).await.problem(404, nobody);
    submit(&lab, "parts=2").await.problem(400, "together with upload only");
    let long = vec![b'A'; (8 << 20) + 1];
    part(&lab, &id, 0, long).await.problem(413, "a part has at most 8388608 bytes");
}

#[tokio::test]
async fn an_upload_is_one_search_whatever_is_asked_for() {
    let lab = Lab::new().await;
    let id = begin(&lab).await;
    part(&lab, &id, 0, two_queries()).await;
    let (usual, strict) = (format!("upload={id}&parts=1"), format!("upload={id}&parts=1&evalue=1e-3"));
    let (first, second) = tokio::join!(submit(&lab, &usual), submit(&lab, &strict));
    let statuses = [first.status.as_u16(), second.status.as_u16()];
    assert!(statuses.contains(&202), "{statuses:?}");
    for answer in [first, second] {
        if answer.status == 202 {
            assert_eq!(answer.accepted(), id);
        } else {
            assert!([404, 409].contains(&answer.status.as_u16()), "{}", answer.text());
        }
    }
    assert_eq!(lab.complete(&id).await, "completed");
}

/// An upload of `content` that has been submitted.
async fn submitted(lab: &Lab, content: impl Into<Body>) -> String {
    let id = begin(lab).await;
    part(lab, &id, 0, content).await;
    assert_eq!(submit(lab, &format!("upload={id}&parts=1")).await.accepted(), id);
    id
}

#[tokio::test]
async fn queries_that_cannot_be_used_end_the_search_with_the_reason() {
    let lab = Lab::new().await;
    for (content, reason) in [
        (b"\n\n".to_vec(), "the query holds no sequence"),
        (b">a\n>b\n".to_vec(), "none of the 2 records has residues"),
        (b">a\nMKV\n>b\n<html>\n".to_vec(), "record 2, line 4: not a protein sequence"),
        (gzip(PROTEINS)[..200].to_vec(), "query: record"),
    ] {
        let id = submitted(&lab, content).await;
        assert_eq!(lab.complete(&id).await, "failed", "{reason}");
        let status = lab.get(&format!("/api/searches/{id}")).await.json();
        assert!(status["reason"].as_str().unwrap().contains(reason), "{status}");
        lab.get(&format!("/api/searches/{id}/results")).await.problem(409, "failed");
    }
    let left = lab.job_blobs().await;
    assert!(!left.iter().any(|name| name.contains("upload") || name.contains("active")), "{left:?}");
}

#[tokio::test]
async fn an_upload_is_read_again_after_storage_has_failed() {
    let lab = Lab::new().await;
    let id = submitted(&lab, PROTEINS).await;
    let message = serde_json::json!({ "job": id }).to_string();
    // The step fails here, then there.
    for calls in 1..12 {
        let mode = Mode::FailEvery(calls, ErrorKind::Transient);
        let answer = during(&lab.faults, mode, lab.invoke("plan", &message)).await;
        assert_eq!(answer.status, 500, "{calls}: {}", answer.text());
    }
    assert_eq!(lab.complete(&id).await, "completed");
    let direct = lab.submit("database=edge", PROTEINS).await;
    lab.complete(&direct).await;
    assert_eq!(lab.report(&id).await, lab.report(&direct).await);
}

#[tokio::test]
async fn a_message_delivered_twice_reads_an_upload_twice_and_makes_one_search() {
    let lab = Lab::new().await;
    let id = submitted(&lab, PROTEINS.repeat(20)).await;
    let message = serde_json::json!({ "job": id }).to_string();
    let (one, two) = tokio::join!(lab.invoke("plan", &message), lab.invoke("plan", &message));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200), "{} {}", one.text(), two.text());
    assert_eq!(lab.complete(&id).await, "completed");
    let status = lab.get(&format!("/api/searches/{id}")).await.json();
    assert_eq!(status["queries"], 20 * 60, "{status}");
}

#[tokio::test]
async fn sweep_announces_an_upload_whose_message_was_lost() {
    let lab = Lab::new().await;
    let id = submitted(&lab, two_queries()).await;
    let queue = lab.queue("plans");
    for delivery in queue.receive(32, std::time::Duration::from_secs(60)).await.unwrap() {
        queue.delete(&delivery).await.unwrap();
    }
    let swept = lab.pipeline.sweep(jiff::Timestamp::now()).await.unwrap();
    assert_eq!((swept.active, swept.announced, swept.discarded), (1, 1, 0));
    // The volumes that it will be compared with are needed, though its database is removed.
    lab.pipeline.catalog().remove("edge").await.unwrap();
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 30);
    let garbage = lab.pipeline.collect_garbage(later, skyblast::jobs::GRACE, false).await.unwrap();
    assert_eq!((garbage.needed, garbage.deleted, garbage.postponed_by), (3, 0, None));
    assert_eq!(lab.complete(&id).await, "completed");
}

#[tokio::test]
async fn an_upload_that_is_given_up_or_cancelled_leaves_nothing_to_read() {
    let lab = Lab::new().await;
    let (given_up, cancelled) = (submitted(&lab, PROTEINS).await, submitted(&lab, PROTEINS).await);
    let message = serde_json::json!({ "job": given_up }).to_string();
    assert_eq!(lab.invoke("plan_poison", &message).await.status, 200);
    assert_eq!(lab.delete(&format!("/api/searches/{cancelled}")).await.status, 200);
    for (id, state) in [(given_up, "failed"), (cancelled, "cancelled")] {
        assert_eq!(lab.get(&format!("/api/searches/{id}")).await.json()["state"], state);
    }
    let left = lab.job_blobs().await;
    assert!(!left.iter().any(|name| name.contains("upload") || name.contains("active")), "{left:?}");
    lab.deliver_all().await;
    assert!(!lab.job_blobs().await.iter().any(|name| name.contains("queries")));
}

#[tokio::test]
async fn an_upload_nobody_submits_is_swept_away() {
    let lab = Lab::with(Limits::default(), settings()).await;
    let id = begin(&lab).await;
    part(&lab, &id, 0, two_queries()).await;
    lab.pipeline.sweep(jiff::Timestamp::now()).await.unwrap();
    assert_eq!(lab.job_blobs().await.len(), 2, "it is young");
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(49);
    lab.pipeline.sweep(later).await.unwrap();
    assert_eq!(lab.job_blobs().await, Vec::<String>::new());
}
