//! Damaged requests, payloads and messages: each is answered, as what is wrong with it, and never by a panic.

use axum::body::Body;
use axum::http::{Request, Uri};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use skyblast::jobs::Stage;
use tokio::runtime::Runtime;

use super::lab::{Answer, Lab};
use crate::common::mangled::{mangled, mangled_text};

const JOB: &str = "00112233445566778899aabbccddeeff";

/// Gives each of `inputs` to `check` with one lab for all.
#[expect(clippy::needless_pass_by_value, reason = "closures are given as they stand")]
fn check_all<T: std::fmt::Debug>(
    inputs: &impl Strategy<Value = T>,
    check: impl AsyncFn(&Lab, T) -> Result<(), TestCaseError>,
) {
    let runtime = Runtime::new().unwrap();
    let lab = runtime.block_on(Lab::new());
    // The runner's files of failures lie beside unit tests only.
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(inputs, |input| runtime.block_on(check(&lab, input))).unwrap();
}

/// The answer is no bug's: a problem document that is not about the program itself.
fn is_a_plain_refusal(answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert!(answer.status.is_client_error(), "{} {}", answer.status, answer.text());
    prop_assert_eq!(answer.header("content-type"), "application/problem+json");
    Ok(())
}

#[test]
fn damaged_messages_are_answered_with_an_object_and_change_nothing() {
    let messages = [
        json!({ "job": JOB, "first_shard": 0 }),
        json!({ "job": JOB, "chunk": 0, "volume": 4_294_967_295_u32 }),
        json!({ "job": JOB, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }),
    ];
    let messages = prop::sample::select(messages.map(|message| message.to_string()).to_vec());
    let inputs =
        (prop::sample::select(Stage::ALL.to_vec()), messages.prop_flat_map(|text| mangled_text(&text)));
    check_all(&inputs, async |lab, (stage, message)| {
        let answer = lab.invoke(stage.function(), &message).await;
        prop_assert!([200, 500].contains(&answer.status.as_u16()), "{}", answer.status);
        prop_assert!(answer.json().is_object());
        prop_assert!(!answer.text().contains("panic"), "{}", answer.text());
        Ok(())
    });
}

#[test]
fn damaged_payloads_of_the_host_are_answered_with_an_object() {
    let message = json!({ "job": JOB, "chunk": 1, "volume": 2 }).to_string();
    let payload = json!({
        "Data": { "message": json!(message).to_string() },
        "Metadata": { "DequeueCount": "1", "Id": "\"4c0f6a52\"", "sys": { "MethodName": "search" } },
    });
    check_all(&mangled(payload.to_string().as_bytes()), async |lab, payload| {
        let request = Request::post("/search").header("content-type", "application/json");
        let answer = lab.send(request.body(Body::from(payload)).unwrap()).await;
        prop_assert!([200, 500].contains(&answer.status.as_u16()), "{}", answer.status);
        prop_assert!(answer.json().is_object());
        Ok(())
    });
}

#[test]
fn damaged_options_are_refused_by_name_or_accepted() {
    let options =
        "database=edge&evalue=1e-5&max_target_seqs=5&outfmt=7+std+qcovs&matrix=BLOSUM62&word_size=3&seg=yes";
    check_all(&mangled_text(options), async |lab, options| {
        let Ok(uri) = format!("/api/searches?{options}").parse::<Uri>() else { return Ok(()) };
        let request = Request::post(uri).header("content-type", "text/x-fasta");
        // Nothing is accepted: without a query the options are all that can be right.
        let answer = lab.send(request.body(Body::empty()).unwrap()).await;
        is_a_plain_refusal(&answer)
    });
}

#[test]
fn damaged_forms_are_refused_or_accepted() {
    let body =
        json!({ "query": ">a\nMKTAYIAKQRQISFVK\n", "database": "edge", "evalue": 1e-5, "outfmt": "6" });
    check_all(&mangled(body.to_string().as_bytes()), async |lab, body| {
        let answer = lab.post("", "application/json", body).await;
        match answer.status.as_u16() {
            202 => Ok(()),
            _ => is_a_plain_refusal(&answer),
        }
    });
}
