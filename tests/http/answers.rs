//! What is answered about searches, databases and health.

use std::time::Duration;

use axum::http::Request;
use serde_json::{Value, json};
use skyblast::functions::{Limits, MISSING_SHARDS, PARTIAL_QUERIES, Services, api_router, host_router};

use super::lab::{Lab, invoke, send, two_queries};
use crate::common::faulty::Mode;

#[tokio::test]
async fn a_search_reports_its_way_from_queued_to_completed() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge&evalue=0.5&max_target_seqs=7&outfmt=7", two_queries()).await;
    let search = format!("/api/searches/{id}");
    let answer = lab.get(&search).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("retry-after"), "2");
    let status = answer.json();
    assert_eq!((&status["state"], &status["id"]), (&json!("queued"), &json!(id)));
    assert_eq!(status["options"], json!({ "evalue": "0.5", "max_target_seqs": "7" }));
    assert_eq!(status["outfmt"], "7");

    lab.complete(&id).await;
    let answer = lab.get(&search).await;
    assert_eq!(answer.header("retry-after"), "");
    let status = answer.json();
    assert_eq!(status["state"], "completed");
    assert_eq!(status["shards"], json!({ "total": 3, "done": 3, "failed": 0 }));
    assert_eq!(status["comparisons"], json!({ "total": 120, "done": 120, "failed": 0 }));
    assert_eq!(status["links"]["results"], format!("{search}/results"));
}

#[tokio::test]
async fn a_report_comes_in_its_own_and_in_other_formats() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.complete(&id).await;
    let results = format!("/api/searches/{id}/results");

    let own = lab.get(&results).await;
    assert_eq!(own.header("content-type"), "text/tab-separated-values; charset=utf-8");
    assert_eq!(own.header("content-disposition"), format!("attachment; filename=\"{id}.tsv\""));
    assert!(own.text().starts_with("Q820S4\tQ820S4\t100.000\t"), "{}", own.text());

    let columns = lab.get(&format!("{results}?outfmt=6+qaccver+saccver+qlen")).await;
    assert_eq!(columns.text().lines().count(), own.text().lines().count());
    assert!(columns.text().starts_with("Q820S4\tQ820S4\t140\n"));

    let commented = lab.get(&format!("{results}?outfmt=7&code=secret")).await;
    assert_eq!(commented.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(commented.header("content-disposition"), format!("attachment; filename=\"{id}.txt\""));
    let rows: String = commented
        .text()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|row| format!("{row}\n"))
        .collect();
    assert_eq!(rows, own.text());

    let sam = lab.get(&format!("{results}?outfmt=17+SQ")).await;
    assert_eq!(sam.header("content-disposition"), format!("attachment; filename=\"{id}.sam\""));
    let text = sam.text();
    let (head, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('@'));
    assert!(head[0].starts_with("@HD") && head[1].starts_with("@SQ\tSN:Q820S4\tLN:140"), "{head:?}");
    assert_eq!(lines.len(), own.text().lines().count());
    assert!(lines[0].starts_with("Q820S4\t0\tQ820S4\t1\t255\t140M\t"), "{lines:?}");
}

#[tokio::test]
async fn a_report_that_lists_its_subjects_is_made_like_any_other() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge&outfmt=17", two_queries()).await;
    lab.complete(&id).await;
    let own = lab.get(&format!("/api/searches/{id}/results")).await;
    assert!(own.text().starts_with("@HD\tVN:1.2\tGO:query\n@SQ\tSN:Q820S4\tLN:140\n"), "{}", own.text());
    let again = lab.submit("database=edge", two_queries()).await;
    lab.complete(&again).await;
    let other = lab.get(&format!("/api/searches/{again}/results?outfmt=17")).await;
    assert_eq!(own.text(), other.text());
}

#[tokio::test]
async fn a_report_that_is_not_there_yet_says_when_to_ask_again() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let answer = lab.get(&format!("/api/searches/{id}/results")).await;
    assert_eq!(answer.problem(409, "queued")["state"], "queued");
    assert_eq!(answer.header("retry-after"), "2");
}

/// A search of two queries in one chunk, the shards of these volumes of three failed.
async fn search_without(lab: &Lab, volumes: &[u64]) -> String {
    let id = lab.submit("database=edge", two_queries()).await;
    for stage in ["plan", "search"] {
        let queue = lab.queue(if stage == "plan" { "plans" } else { "shards" });
        for delivery in queue.receive(32, Duration::from_secs(60)).await.unwrap() {
            let message: Value = serde_json::from_str(&delivery.body).unwrap();
            let fails = message["volume"].as_u64().is_some_and(|volume| volumes.contains(&volume));
            let function = if fails { "search_poison" } else { stage };
            assert_eq!(lab.invoke(function, &delivery.body).await.status, 200);
            queue.delete(&delivery).await.unwrap();
        }
    }
    lab.deliver_all().await;
    assert_eq!(lab.get(&format!("/api/searches/{id}")).await.json()["state"], "completed_with_failed_shards");
    id
}

#[tokio::test]
async fn a_report_that_lacks_shards_is_refused_unless_that_is_asked_for() {
    let lab = Lab::new().await;
    let id = search_without(&lab, &[1]).await;
    let link = lab.post_empty(&format!("/api/searches/{id}/shares?seconds=60")).await.json();
    let link = link["link"].as_str().unwrap().to_owned();
    for address in [format!("/api/searches/{id}/results"), link] {
        let and = if address.contains('?') { '&' } else { '?' };
        let problem = lab.get(&address).await.problem(409, "lacks 1 of 3 shards");
        assert_eq!(problem["type"], "urn:skyblast:problem:incomplete-report");
        assert_eq!((&problem["missing_shards"], &problem["shards"]), (&json!(1), &json!(3)));
        assert!(problem["detail"].as_str().unwrap().contains("partial=true"), "{problem}");
        lab.get(&format!("{address}{and}partial=false")).await.problem(409, "lacks");
        lab.get(&format!("{address}{and}partial=perhaps")).await.problem(400, "\"partial\"");

        let answer = lab.get(&format!("{address}{and}partial=true")).await;
        assert_eq!((answer.status.as_u16(), answer.header(MISSING_SHARDS)), (200, "1/3"));
        for (format, remark) in [
            (
                "7",
                "\n# Incomplete: 1 of 3 volumes of the database failed, hits in them are not here\n# Fields",
            ),
            (
                "0",
                "\n\n***** Incomplete: 1 of 3 volumes of the database failed, hits in them are not here *****\n",
            ),
            ("5", "<Iteration_message>Incomplete: 1 of 3 volumes"),
            ("15", "\"message\": \"Incomplete: 1 of 3 volumes"),
            ("16", "<message>Incomplete: 1 of 3 volumes"),
            ("17", "@CO\tIncomplete: 2 queries were not compared"),
        ] {
            let answer = lab.get(&format!("{address}{and}partial=true&outfmt={format}")).await;
            assert_eq!(answer.header(MISSING_SHARDS), "1/3");
            assert!(answer.text().contains(remark), "{format}: {}", answer.text());
        }
    }
    let problem = lab.post("database=edge&partial=true", "text/plain", two_queries()).await;
    problem.problem(400, "results only");
}

#[tokio::test]
async fn failed_shards_are_tried_again_and_nothing_else_is() {
    let lab = Lab::new().await;
    let id = search_without(&lab, &[1]).await;
    let (search, retry) = (format!("/api/searches/{id}"), format!("/api/searches/{id}/retry"));
    let own = format!("{search}/results?partial=true&outfmt=7");
    let before = lab.get(&own).await;
    lab.post_empty(&format!("{retry}?shards=1")).await.problem(400, "\"shards\"");
    for begun in [true, false] {
        let answer = lab.post_empty(&retry).await;
        assert_eq!(answer.status, 202);
        let answer = answer.json();
        assert_eq!((&answer["state"], &answer["begun"]), (&json!("running"), &json!(begun)));
        assert_eq!(answer["links"]["status"], search);
    }
    let status = lab.get(&search).await.json();
    assert_eq!((&status["state"], &status["underway"]["waiting"]), (&json!("running"), &json!(1)));
    lab.deliver_all().await;
    let status = lab.get(&search).await.json();
    assert_eq!((&status["state"], &status["shards"]["done"]), (&json!("completed"), &json!(3)));
    assert!(status["retried"].is_string(), "{status}");
    let after = lab.get(&own).await;
    assert_eq!(after.header(MISSING_SHARDS), "");
    assert_ne!(before.header("etag"), after.header("etag"));
    let problem = lab.post_empty(&retry).await.problem(409, "none of its shards failed");
    assert_eq!(
        (&problem["type"], &problem["state"]),
        (&json!("urn:skyblast:problem:nothing-to-retry"), &json!("completed"))
    );
    lab.post_empty("/api/searches/0123456789abcdef0123456789abcdef/retry").await.problem(404, "0123");
}

#[tokio::test]
async fn a_search_that_runs_gives_its_report_so_far_and_says_which_queries_it_is_on() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let results = format!("/api/searches/{id}/results");
    lab.get(&format!("{results}?partial=true")).await.problem(409, "queued");
    for stage in ["plan", "search", "merge"] {
        let queue = lab.queue(if stage == "plan" {
            "plans"
        } else if stage == "search" {
            "shards"
        } else {
            "merges"
        });
        for delivery in queue.receive(32, Duration::from_secs(60)).await.unwrap() {
            assert_eq!(lab.invoke(stage, &delivery.body).await.status, 200);
            queue.delete(&delivery).await.unwrap();
        }
    }
    lab.get(&results).await.problem(409, "partial=true gives it so far");
    let partial = lab.get(&format!("{results}?partial=true&outfmt=7")).await;
    assert_eq!((partial.status.as_u16(), partial.header(PARTIAL_QUERIES)), (200, "1-2"));
    assert_eq!((partial.header("etag"), partial.header("cache-control")), ("", "no-store"));
    assert!(partial.text().contains("# Partial report of a search that has not ended"), "{}", partial.text());
    lab.deliver_all().await;
    let whole = lab.get(&format!("{results}?partial=true&outfmt=7")).await;
    assert_eq!(whole.header(PARTIAL_QUERIES), "");
    assert!(!whole.header("etag").is_empty() && !whole.text().contains("Partial"), "{}", whole.text());
}

#[tokio::test]
async fn a_query_that_was_not_searched_is_not_said_to_have_no_hits() {
    let lab = Lab::new().await;
    let id = search_without(&lab, &[0, 1, 2]).await;
    for format in ["0", "5", "7", "15", "16"] {
        let address = format!("/api/searches/{id}/results?partial=true&outfmt={format}");
        let answer = lab.get(&address).await;
        assert_eq!(answer.header(MISSING_SHARDS), "3/3");
        let report = answer.text().to_lowercase();
        assert!(!report.contains("hits found"), "{format}: {report}");
        let remark = "not searched: all 3 volumes of the database failed";
        assert_eq!(report.matches(remark).count(), 2, "{format}: {report}");
    }
}

#[tokio::test]
async fn a_whole_report_says_nothing_of_missing_shards() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.complete(&id).await;
    let answer = lab.get(&format!("/api/searches/{id}/results?partial=true")).await;
    assert_eq!((answer.status.as_u16(), answer.header(MISSING_SHARDS)), (200, ""));
}

#[tokio::test]
async fn options_of_results_other_than_outfmt_and_partial_are_refused() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let results = format!("/api/searches/{id}/results");
    let problem = lab.get(&format!("{results}?evalue=1")).await.problem(400, "\"evalue\"");
    assert_eq!(problem["option"]["name"], "evalue");
    let problem = lab.get(&format!("{results}?outfmt=11")).await.problem(400, "format 11");
    assert_eq!(problem["option"]["value"], "11");
}

#[tokio::test]
async fn a_cancelled_search_ends_without_a_report() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let search = format!("/api/searches/{id}");
    for again in [false, true] {
        let answer = lab.delete(&search).await;
        assert_eq!(answer.status, 200);
        assert_eq!((&answer.json()["state"], &answer.json()["id"]), (&json!("cancelled"), &json!(id)));
        assert_eq!(answer.json()["ended_before"], again);
    }
    assert_eq!(lab.get(&search).await.json()["state"], "cancelled");
    let answer = lab.get(&format!("{search}/results")).await;
    assert_eq!(answer.problem(409, "cancelled")["state"], "cancelled");
    assert_eq!(answer.header("retry-after"), "");
}

#[tokio::test]
async fn cancelling_a_completed_search_changes_nothing() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.complete(&id).await;
    let report = lab.report(&id).await;
    assert_eq!(lab.delete(&format!("/api/searches/{id}")).await.json()["state"], "completed");
    assert_eq!(lab.report(&id).await, report);
}

#[tokio::test]
async fn databases_are_listed_with_their_size() {
    let lab = Lab::new().await;
    let answer = lab.get("/api/databases").await;
    assert_eq!(answer.status, 200);
    let databases = answer.json();
    assert_eq!(databases.as_array().map(Vec::len), Some(1));
    let edge = &databases[0];
    assert_eq!(edge["name"], "edge");
    assert_eq!(edge["title"], "Sixty proteins");
    assert_eq!((&edge["sequences"], &edge["volumes"]), (&json!(60), &json!(3)));
    assert_eq!(edge["created"], "1970-01-01T00:00:00Z");
    // The version can be asked for.
    let version = edge["version"].as_str().unwrap();
    lab.submit(&format!("database=edge@{version}"), two_queries()).await;
}

#[tokio::test]
async fn health_and_readiness() {
    let lab = Lab::new().await;
    let answer = lab.get("/api/health").await;
    assert_eq!(answer.status, 200);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        answer.json(),
        json!({ "status": "ok", "storage": "ok", "version": version, "body_limit_bytes": 100_000_000 })
    );
    assert_eq!(lab.get("/").await.status, 200);
}

#[tokio::test]
async fn without_storage_every_call_is_told_what_to_fix() {
    let reason = "set SKYBLAST_STORAGE to a folder or a connection string";
    let router = host_router(Services::Unavailable(reason.to_owned()), Limits::default());
    let get = |path: &str| Request::get(path).body(axum::body::Body::empty()).unwrap();
    assert_eq!(send(&router, get("/")).await.status, 200);
    let id = "0123456789abcdef0123456789abcdef";
    for path in ["/api/databases", &format!("/api/searches/{id}"), &format!("/api/searches/{id}/results")] {
        let answer = send(&router, get(path)).await;
        answer.problem(503, reason);
        assert_eq!(answer.header("retry-after"), "5");
    }
    let submit = Request::post("/api/searches?database=edge").body(two_queries().into()).unwrap();
    send(&router, submit).await.problem(503, reason);
    let health = send(&router, get("/api/health")).await;
    assert_eq!((health.status.as_u16(), &health.json()["status"]), (503, &json!("unavailable")));
    assert!(health.json()["storage"].as_str().unwrap().contains(reason));
    for function in ["plan", "search", "merge", "finish", "search_poison", "sweep"] {
        let answer = invoke(&router, function, "{}").await;
        assert_eq!(answer.status, 500, "{function}");
        assert!(answer.json()["error"].as_str().unwrap().contains(reason), "{function}");
    }
}

#[tokio::test]
async fn users_of_the_api_cannot_put_messages_into_the_pipeline() {
    let router = api_router(Services::Unavailable("no storage".to_owned()), Limits::default());
    for function in ["plan", "search", "merge", "finish", "search_poison", "sweep"] {
        assert_eq!(invoke(&router, function, "{}").await.status, 404, "{function}");
    }
}

#[tokio::test]
async fn a_bug_is_a_problem_too() {
    let lab = Lab::new().await;
    lab.faults.set(Mode::Panic);
    lab.get("/api/searches/0123456789abcdef0123456789abcdef").await.problem(500, "bug");
    lab.post("database=edge", "text/plain", two_queries()).await.problem(500, "panicked");
}
