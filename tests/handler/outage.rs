//! Storage that is away, at the start and in the middle, or not set up.

use std::time::Duration;

use crate::bench::{Account, BEGUN, Bench, LONG, eventually, one_chunk};
use crate::common::azurite::Azurite;
use crate::common::examples::{self, SHARDS};
use crate::host::process::State;

/// Whether the handler has logged `text`.
fn has_logged(bench: &Bench, text: &str) -> bool {
    bench.host.console(0).iter().any(|line| line.text.contains(text))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_when_storage_comes_back() {
    let mut azurite = Azurite::persistent();
    let account = Account::publish(azurite.connection_string());
    let bench = account.host(|options| options.lease(Duration::from_secs(4))).await;
    let id = bench.submit_examples().await;
    bench.calls("search", 3).await;
    azurite.stop();
    let answer = bench.get(&format!("searches/{id}")).await;
    assert!(answer.problem(503, "storage-unavailable").contains("could not"));
    assert_eq!(answer.headers["retry-after"], "5");
    assert!((bench.host.history().of("search").len() as u64) < SHARDS);
    azurite.restart();
    bench.completes(&id, examples::report()).await;
    assert_eq!(bench.host.state(0), Some(State::Ready(1)), "the handler has lived through it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_is_done_while_storage_is_away_waits_to_be_stored() {
    let mut azurite = Azurite::persistent();
    let account = Account::publish_one_volume(azurite.connection_string());
    let bench = account.host(one_chunk).await;
    let id = bench.submit(examples::many_queries(LONG)).await;
    eventually("a shard being compared", async || has_logged(&bench, BEGUN)).await;
    azurite.stop();
    eventually("a step that waits for storage", async || has_logged(&bench, "storage failed, will retry"))
        .await;
    azurite.restart();
    bench.completes(&id, &examples::search_many(LONG)).await;
    let history = bench.host.history();
    assert!(history.invocations.iter().all(|call| call.outcome.is_success()), "{history:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_starts_before_its_storage_answers_and_works_when_it_is_there() {
    let mut azurite = Azurite::persistent();
    let account = Account::publish(azurite.connection_string());
    azurite.stop();
    let bench = account.host(|options| options).await;
    bench.host.ready(0).await.unwrap();
    let refused = bench.post(examples::many_queries(1)).await;
    refused.problem(503, "storage-unavailable");
    let health = bench.get("health").await;
    assert_eq!((health.status.as_u16(), &health.json()["status"]), (503, &"unavailable".into()));
    azurite.restart();
    assert_eq!(bench.get("health").await.json()["status"], "ok");
    let id = bench.submit_examples().await;
    bench.completes(&id, examples::report()).await;
    assert_eq!(bench.host.state(0), Some(State::Ready(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_storage_setting_is_what_every_answer_names() {
    let account = Account::open(Azurite::shared().spare_account());
    for (setting, named) in [
        ("AccountName=lab;AccountKey=not base64!;EndpointSuffix=core.windows.net", "AccountKey"),
        ("https://lab.blob.core.windows.net", "is an address"),
        ("  ", "no storage was named"),
    ] {
        let bench = account.host(|options| options.setting("AzureWebJobsStorage", setting)).await;
        bench.host.ready(0).await.unwrap();
        let detail = bench.post(examples::many_queries(1)).await.problem(503, "storage-not-set-up");
        assert!(detail.contains(named), "{setting}: {detail}");
        assert!(!detail.contains("not base64!"), "a key is secret: {detail}");
        bench.get("databases").await.problem(503, "storage-not-set-up");
        assert_eq!(bench.get("health").await.status.as_u16(), 503);
        let timer = bench.host.fire_timer().await.unwrap();
        assert!(timer.iter().all(|outcome| !outcome.is_success()));
        assert_eq!(bench.host.state(0), Some(State::Ready(1)));
    }
}
