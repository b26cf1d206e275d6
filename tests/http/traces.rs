//! One trace per job, from the request through every message.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use skyblast::jobs::Stage;

use super::lab::{Lab, two_queries};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Delivers all messages and returns the trace and span of each.
async fn deliver(lab: &Lab) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    loop {
        let before = seen.len();
        for stage in Stage::ALL {
            let queue = lab.queue(stage.queue());
            for delivery in queue.receive(32, Duration::from_secs(600)).await.unwrap() {
                let body: Value = serde_json::from_str(&delivery.body).unwrap();
                let fields: Vec<_> = body["traceparent"].as_str().unwrap().split('-').collect();
                seen.push((fields[1].to_owned(), fields[2].to_owned()));
                assert_eq!(lab.invoke(stage.function(), &delivery.body).await.status, 200);
                queue.delete(&delivery).await.unwrap();
            }
        }
        if seen.len() == before {
            return seen;
        }
    }
}

#[tokio::test]
async fn every_message_of_a_job_belongs_to_the_trace_of_its_request() {
    let lab = Lab::new().await;
    let request = Request::post("/api/searches?database=edge").header("traceparent", CALLER);
    let id = lab.send(request.body(Body::from(two_queries())).unwrap()).await.accepted();
    let seen = deliver(&lab).await;
    // A plan, three shards, a merge for each time a row is found complete, a finish.
    assert!(seen.len() >= 6, "{seen:?}");
    assert!(seen.iter().all(|(trace, _)| trace == "4bf92f3577b34da6a3ce929d0e0e4736"), "{seen:?}");
    assert!(seen.iter().all(|(_, span)| span != "00f067aa0ba902b7"), "steps have spans of their own");
    let status = lab.get(&format!("/api/searches/{id}")).await.json();
    assert_eq!(status["state"], "completed");
    assert!(status["instance_seconds"].as_f64().unwrap() > 0.0, "{status}");
}

#[tokio::test]
async fn a_job_without_a_callers_trace_has_its_own_and_keeps_it_when_it_is_revived() {
    let lab = Lab::new().await;
    for header in ["", "nonsense"] {
        let request = Request::post("/api/searches?database=edge").header("traceparent", header);
        let id = lab.send(request.body(Body::from(two_queries())).unwrap()).await.accepted();
        lab.invoke("plan", &format!("{{\"job\":\"{id}\"}}")).await;
        for stage in [Stage::Plan, Stage::Search] {
            let queue = lab.queue(stage.queue());
            for delivery in queue.receive(32, Duration::from_secs(600)).await.unwrap() {
                queue.delete(&delivery).await.unwrap();
            }
        }
        lab.pipeline.sweep(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).await.unwrap();
        let seen = deliver(&lab).await;
        assert!(seen.len() >= 5, "{seen:?}");
        assert!(seen.iter().all(|(trace, _)| *trace == id), "{seen:?}");
    }
}
