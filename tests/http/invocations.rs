//! The host's triggers: what it sends, and what it makes of the answers.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use azure_core::base64;
use serde_json::json;
use skyblast::jobs::Stage;
use skyblast::store::ErrorKind;

use super::lab::{Answer, Lab, PROTEINS, during, two_queries};
use crate::common::faulty::Mode;
use crate::recorded::requests;

async fn tick(lab: &Lab) -> Answer {
    let timer = json!({
        "Data": { "timer": { "Schedule": { "AdjustForDST": true }, "ScheduleStatus": null, "IsPastDue": false } },
        "Metadata": { "sys": { "MethodName": "sweep" } },
    });
    let request = Request::post("/sweep").header("content-type", "application/json");
    lab.send(request.body(Body::from(timer.to_string())).unwrap()).await
}

/// Takes a message out of a queue for good.
async fn take(lab: &Lab, queue: &str) -> String {
    let queue = lab.queue(queue);
    let delivery = queue.receive(1, Duration::from_secs(600)).await.unwrap().remove(0);
    queue.delete(&delivery).await.unwrap();
    delivery.body
}

#[tokio::test]
async fn a_search_is_completed_by_the_hosts_calls_alone() {
    let lab = Lab::new().await;
    let by_host = lab.submit("database=edge", PROTEINS).await;
    lab.deliver_all().await;
    assert_eq!(lab.get(&format!("/api/searches/{by_host}")).await.json()["state"], "completed");
    let by_worker = lab.submit("database=edge", PROTEINS).await;
    lab.complete(&by_worker).await;
    assert_eq!(lab.report(&by_host).await, lab.report(&by_worker).await);
}

#[tokio::test]
async fn a_call_that_succeeds_is_answered_with_an_object() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let answer = lab.invoke("plan", &json!({ "job": id }).to_string()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.text(), "{}");
    let answer = tick(&lab).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "{}"));
}

#[tokio::test]
async fn messages_that_nobody_sends_fail_until_they_are_given_up() {
    let lab = Lab::new().await;
    for stage in Stage::ALL {
        for message in ["", "hello", "{}", "[1]", "{\"job\":\"../x\"}"] {
            let answer = lab.invoke(stage.function(), message).await;
            assert_eq!(answer.status, 500, "{} {message:?}", stage.function());
            assert!(answer.json()["error"].is_string());
            let answer = lab.invoke(stage.poison_function(), message).await;
            assert_eq!(answer.status, 200, "{} {message:?}", stage.poison_function());
        }
    }
}

#[tokio::test]
async fn payloads_that_are_not_the_hosts_fail() {
    let lab = Lab::new().await;
    for payload in ["", "null", "{}", "{\"Data\":{}}"] {
        let answer = lab.send(Request::post("/search").body(Body::from(payload)).unwrap()).await;
        assert_eq!(answer.status, 500, "{payload}");
        assert!(answer.json()["error"].as_str().unwrap().contains("the payload"), "{payload}");
    }
}

#[tokio::test]
async fn a_message_fails_while_storage_is_down() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let message = json!({ "job": id }).to_string();
    let down = Mode::FailAll(ErrorKind::Transient);
    for function in ["plan", "search_poison", "plan_poison"] {
        let message = json!({ "job": id, "chunk": 0, "volume": 0 }).to_string();
        assert_eq!(during(&lab.faults, down, lab.invoke(function, &message)).await.status, 500, "{function}");
    }
    assert_eq!(during(&lab.faults, down, tick(&lab)).await.status, 500);
    assert_eq!(lab.invoke("plan", &message).await.status, 200);
}

#[tokio::test]
async fn a_shard_that_was_given_up_is_named_in_the_end() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let plan = take(&lab, "plans").await;
    lab.invoke("plan", &plan).await;
    let given_up = take(&lab, "shards").await;
    assert_eq!(lab.invoke("search_poison", &given_up).await.text(), "{}");
    lab.deliver_all().await;
    let status = lab.get(&format!("/api/searches/{id}")).await.json();
    assert_eq!(status["state"], "completed_with_failed_shards");
    assert_eq!(status["shards"], json!({ "total": 3, "done": 2, "failed": 1 }));
    assert!(status["failed_shards"][0]["reason"].as_str().unwrap().contains("given up after 5"));
}

#[tokio::test]
async fn a_plan_that_was_given_up_ends_the_search() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.invoke("plan_poison", &json!({ "job": id }).to_string()).await;
    let status = lab.get(&format!("/api/searches/{id}")).await.json();
    assert_eq!(status["state"], "failed");
    assert!(status["reason"].as_str().unwrap().contains("\"plan\""));
    lab.get(&format!("/api/searches/{id}/results")).await.problem(409, "failed");
}

#[tokio::test]
async fn the_timer_brings_back_lost_messages() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    take(&lab, "plans").await;
    lab.deliver_all().await;
    assert_eq!(lab.get(&format!("/api/searches/{id}")).await.json()["state"], "queued");
    assert_eq!(tick(&lab).await.text(), "{}");
    lab.deliver_all().await;
    assert_eq!(lab.get(&format!("/api/searches/{id}")).await.json()["state"], "completed");
}

#[tokio::test]
async fn one_shard_is_compared_at_a_time() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.invoke("plan", &json!({ "job": id }).to_string()).await;
    let shard = |volume: u32| json!({ "job": id, "chunk": 0, "volume": volume }).to_string();
    let (first, second, third) = (shard(0), shard(1), shard(2));
    // The storage calls of one shard follow each other; those of two would overlap.
    let before = lab.faults.most_running();
    let calls = futures::future::join3(
        lab.invoke("search", &first),
        lab.invoke("search", &second),
        lab.invoke("search", &third),
    );
    let (first, second, third) = during(&lab.faults, Mode::Delay(Duration::from_millis(5)), calls).await;
    assert_eq!([first.status, second.status, third.status].map(|status| status.as_u16()), [200; 3]);
    assert_eq!(lab.faults.most_running(), before.max(1));
}

#[tokio::test]
async fn requests_as_the_real_host_has_sent_them_are_answered_by_its_rules() {
    let lab = Lab::new().await;
    for recorded in requests() {
        let mut request = Request::builder().method(recorded.method.as_str()).uri(&recorded.path);
        for (name, value) in &recorded.headers {
            request = request.header(name, value);
        }
        let answer = lab.send(request.body(Body::from(recorded.body)).unwrap()).await;
        let expected = match recorded.path.split('?').next().unwrap() {
            "/" | "/api/health" | "/sweep" | "/plan_poison" | "/merge_poison" => 200,
            // Its message names no job that can be.
            "/plan" => 500,
            "/api/uploads" => 201,
            // A name that no database has; an id that no job has.
            "/api/searches" => 400,
            "/api/searches/a%2Fb%20c+dA" => 404,
            other => panic!("{other}"),
        };
        assert_eq!(answer.status, expected, "{} {}: {}", recorded.method, recorded.path, answer.text());
    }
}

#[tokio::test]
async fn what_an_earlier_version_sent_as_base64_is_handled() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let plan = take(&lab, "plans").await;
    assert!(plan.starts_with('{'), "messages are JSON as it is: {plan}");
    assert_eq!(lab.invoke("plan", &base64::encode(&plan)).await.text(), "{}");
    lab.deliver_all().await;
    assert_eq!(lab.get(&format!("/api/searches/{id}")).await.json()["state"], "completed");
}
