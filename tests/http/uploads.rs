//! Queries sent before they are submitted, in parts through the server.

use axum::body::Body;
use axum::http::Request;
use skyblast::functions::Limits;

use super::lab::{Answer, Lab, PROTEINS, gzip, settings, two_queries};

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
    assert!(!lab.job_blobs().await.iter().any(|name| name.contains("upload")), "nothing is left");
    lab.complete(&id).await;
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
    assert!(!problem.status.is_success(), "{}", problem.text());
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
