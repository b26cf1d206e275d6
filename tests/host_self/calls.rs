//! What a call looks like, and how its answer is judged (rules 2 to 5 and 9).

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::host::journal::Outcome;
use crate::host::payload::{self, Call, Message};
use crate::host::process::State;
use crate::host::recorded::requests;

/// The payload for a message, with the facts of the documented example.
fn payload_of(body: &str) -> Value {
    let message = Message {
        id: "4c0f6a52-7f0c-4c89-8a56-3e0a35d7c0f5".into(),
        receipt: "MjJOb3YyMDI2".into(),
        dequeue_count: 1,
        inserted: "2026-11-22T07:58:31.9Z".parse().unwrap(),
        next_visible: "2026-11-22T08:08:32Z".parse().unwrap(),
        body: body.into(),
    };
    let now: Timestamp = "2026-11-22T07:58:32.1234567Z".parse().unwrap();
    payload::queue("item", &message, &Call { function: "shard", now, guid: "6f0d" })
}

#[test]
fn a_message_is_wrapped_as_in_the_documented_example() {
    let expected = r#"{"Data":{"item":"\"{\\\"job\\\":\\\"j-7\\\",\\\"shard\\\":3}\""},
        "Metadata":{"DequeueCount":"1","ExpirationTime":"2026-11-29T07:58:31+00:00",
        "Id":"\"4c0f6a52-7f0c-4c89-8a56-3e0a35d7c0f5\"","InsertionTime":"2026-11-22T07:58:31+00:00",
        "NextVisibleTime":"2026-11-22T08:08:32+00:00","PopReceipt":"\"MjJOb3YyMDI2\"",
        "job":"\"j-7\"","shard":"\"3\"",
        "sys":{"MethodName":"shard","UtcNow":"2026-11-22T07:58:32.1234567Z","RandGuid":"6f0d"}}}"#;
    let expected: Value = serde_json::from_str(expected).unwrap();
    assert_eq!(payload_of(r#"{"job":"j-7","shard":3}"#), expected);
}

#[test]
fn a_message_that_is_not_json_is_quoted_twice_and_adds_nothing() {
    let payload = payload_of("hello");
    assert_eq!(payload["Data"]["item"], r#""hello""#);
    assert_eq!(payload["Metadata"].as_object().unwrap().len(), 7);
}

#[test]
fn members_of_a_message_overwrite_the_metadata_whatever_their_case() {
    let body = r#"{"id":"mine","yes":true,"half":0.5,"none":null,"list":[1],"QueueTrigger":"x"}"#;
    let metadata = &payload_of(body)["Metadata"];
    assert_eq!(metadata["Id"], r#""mine""#);
    assert_eq!(metadata["yes"], r#""True""#);
    assert_eq!(metadata["half"], r#""0.5""#);
    for absent in ["id", "none", "list", "QueueTrigger"] {
        assert_eq!(metadata.get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn a_call_is_a_chunked_post_to_the_name_of_the_function() {
    let bench = Bench::start(|options| options).await;
    bench.send(&json!({ "n": 1 })).await;
    bench.calls(1).await;
    let call = &bench.seen_calls()[0];
    assert_eq!((&call["method"], &call["uri"]), (&json!("POST"), &json!("/work")));
    let headers = &call["headers"];
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(headers["transfer-encoding"], "chunked");
    assert_eq!(headers.get("content-length"), None);
    assert_eq!(headers["x-azure-functions-invocationid"].as_str().unwrap().len(), 36);
    assert!(headers["user-agent"].as_str().unwrap().starts_with("Azure-Functions-Host/4."));
    let body: Value = serde_json::from_str(call["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["Data"]["message"], r#""{\"n\":1}""#);
    assert_eq!(body["Metadata"]["sys"]["MethodName"], "work");
}

#[tokio::test]
async fn a_timer_is_an_object_and_its_call_is_not_for_a_message() {
    let bench = Bench::start(|options| options.instances(2)).await;
    let outcomes = bench.host.fire_timer().await.unwrap();
    assert_eq!(outcomes, [Outcome::Succeeded { logs: vec![] }]);
    let calls = bench.seen_calls();
    assert_eq!(calls.len(), 1, "one instance runs it");
    assert_eq!(calls[0]["uri"], "/tick");
    let body: Value = serde_json::from_str(calls[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["Data"]["timer"]["IsPastDue"], false);
    assert_eq!(body["Data"]["timer"]["Schedule"]["AdjustForDST"], true);
    assert!(body["Data"]["timer"]["ScheduleStatus"]["Next"].is_string());
    assert_eq!(bench.host.history().of("tick")[0].message, None);
}

#[tokio::test]
async fn log_lines_of_an_answer_are_taken_whatever_the_case_of_their_name() {
    let bench = Bench::start(|options| options).await;
    bench.send(&json!({ "do": "answer logs" })).await;
    let logs = vec!["one".to_owned(), "two".to_owned()];
    assert_eq!(bench.calls(1).await[0].outcome, Outcome::Succeeded { logs });
}

#[tokio::test]
async fn an_answer_that_is_not_a_json_object_is_a_failure() {
    let bench = Bench::start(|options| options.host_json("extensions__queues__maxDequeueCount", "1")).await;
    for (answer, reason) in [
        ("answer 500", "status 500"),
        ("answer a redirect", "status 307"),
        ("answer text", "media type \"text/plain\""),
        ("answer a problem", "media type \"application/problem+json\""),
        ("answer half", "not JSON"),
        ("answer a list", "not an object"),
        ("answer wrong logs", "Logs"),
        ("answer wrong outputs", "Outputs"),
    ] {
        let before = bench.host.history().of("work").len();
        bench.send(&json!({ "do": answer })).await;
        let outcome = bench.calls(before + 1).await[before].outcome.clone();
        assert!(matches!(&outcome, Outcome::Failed(text) if text.contains(reason)), "{answer}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_empty_or_null_answer_hangs_until_the_timeout_and_costs_the_handler() {
    let bench = Bench::start(|options| {
        options
            .host_json("functionTimeout", "00:00:00.3")
            .host_json("extensions__queues__batchSize", "3")
            .host_json("extensions__queues__maxDequeueCount", "1")
    })
    .await;
    bench.host.ready(0).await.unwrap();
    for answer in ["answer nothing", "answer no content", "answer null"] {
        bench.send(&json!({ "do": answer })).await;
    }
    for call in bench.calls(3).await {
        assert_eq!(call.outcome, Outcome::TimedOut);
        assert!(call.duration.as_millis() >= 300);
    }
    crate::bench::eventually(|| bench.host.state(0) == Some(State::Ready(2))).await;
    bench.send(&json!({})).await;
    assert!(bench.calls(4).await[3].outcome.is_success());
}

/// A value inside any number of JSON texts, as text.
fn unquoted(value: &Value) -> String {
    let mut text = value.as_str().unwrap().to_owned();
    while let Ok(inner) = serde_json::from_str::<String>(&text) {
        text = inner;
    }
    text
}

/// The times and ids of a call, which differ each time, and the rest.
fn without_what_changes(mut payload: Value) -> Value {
    let metadata = payload["Metadata"].as_object_mut().unwrap();
    for name in ["ExpirationTime", "InsertionTime", "NextVisibleTime", "PopReceipt"] {
        let value = metadata.insert(name.to_owned(), Value::Null);
        assert!(value.is_some_and(|value| value.is_string()), "{name}");
    }
    let system = metadata["sys"].as_object_mut().unwrap();
    for name in ["UtcNow", "RandGuid"] {
        assert!(system.insert(name.to_owned(), Value::Null).is_some(), "{name}");
    }
    payload
}

#[test]
fn messages_are_wrapped_as_the_real_host_has_wrapped_them() {
    let recorded = requests().into_iter().filter(|request| request.body.contains("PopReceipt"));
    let mut compared = 0;
    for request in recorded {
        let real: Value = serde_json::from_str(&request.body).unwrap();
        let function = request.path.trim_start_matches('/');
        let metadata = &real["Metadata"];
        let message = payload::Message {
            id: unquoted(&metadata["Id"]),
            receipt: "receipt".to_owned(),
            dequeue_count: unquoted(&metadata["DequeueCount"]).parse().unwrap(),
            inserted: Timestamp::now(),
            next_visible: Timestamp::now(),
            body: unquoted(&real["Data"]["message"]),
        };
        let call = payload::Call { function, now: Timestamp::now(), guid: "guid" };
        let ours = payload::queue("message", &message, &call);
        assert_eq!(without_what_changes(ours), without_what_changes(real.clone()), "{function}");
        let headers: Vec<_> = request.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
        assert!(headers.contains(&"transfer-encoding".to_owned()), "{headers:?}");
        compared += 1;
    }
    assert_eq!(compared, 4);
}

#[test]
fn a_timer_call_has_the_members_of_the_real_one() {
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let call = payload::Call { function: "sweep", now: Timestamp::now(), guid: "guid" };
    let ours = payload::timer("timer", &call);
    let mut compared = 0;
    for request in requests().iter().filter(|request| request.path == "/sweep") {
        let real: Value = serde_json::from_str(&request.body).unwrap();
        for place in
            ["/Data", "/Data/timer", "/Data/timer/Schedule", "/Data/timer/ScheduleStatus", "/Metadata/sys"]
        {
            assert_eq!(
                members(ours.pointer(place).unwrap()),
                members(real.pointer(place).unwrap()),
                "{place}"
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 2);
}
