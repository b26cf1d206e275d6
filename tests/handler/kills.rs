//! Handlers and instances that die in the middle of a job.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::{Method, StatusCode};

use crate::bench::{Account, BEGUN, Bench, LONG, eventually, one_chunk};
use crate::common::azurite::Azurite;
use crate::common::examples::{self, DATABASE, SHARDS};
use crate::common::process::PATIENCE;
use crate::host::faults::Faults;
use crate::host::journal::Outcome;

/// How many calls of queue functions have failed, as they do when their handler dies.
fn broken_calls(bench: &Bench) -> usize {
    let history = bench.host.history();
    history.invocations.iter().filter(|call| matches!(call.outcome, Outcome::Failed(_))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_handler_killed_at_several_moments_gives_the_same_report() {
    // The third kill takes the host with it; what it was doing comes back when the leases end.
    let bench = Account::with_database().host(|options| options.lease(Duration::from_secs(3))).await;
    let id = bench.submit_examples().await;
    let calls =
        |wanted: usize| bench.host.wait_for(PATIENCE, move |history| history.of("search").len() >= wanted);
    // The first shard, the middle, and near the end.
    for moment in [1, SHARDS as usize / 2, SHARDS as usize - 2] {
        calls(moment).await.unwrap();
        // The third kill stops an instance; the platform brings a new one.
        bench.host.kill_handler(0).await;
        if moment > SHARDS as usize / 2 {
            bench.host.restart_instance(0).await.unwrap();
        }
    }
    bench.completes(&id, examples::report()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_handlers_killed_again_and_again_give_the_same_report() {
    let kills = BTreeSet::from([1, 7, 13, 19, 25, 31]);
    let faults = Faults { kills: kills.clone(), ..Faults::default() };
    let account = Account::with_database();
    let bench =
        account.host(|options| options.instances(3).lease(Duration::from_secs(3)).faults(faults)).await;
    let id = bench.submit_examples().await;
    bench.calls("search", SHARDS as usize).await;
    assert!(broken_calls(&bench) >= kills.len());
    // A third kill stops an instance; the platform brings a new one.
    for instance in 0..3 {
        bench.host.restart_instance(instance).await.unwrap();
    }
    bench.completes(&id, examples::report()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_taken_away_is_replaced_by_the_others_when_its_leases_end() {
    let account = Account::with_database();
    let bench = account.host(|options| options.instances(2).lease(Duration::from_secs(2))).await;
    let id = bench.submit_examples().await;
    bench.calls("search", 4).await;
    bench.host.stop_instance(0).await;
    bench.completes(&id, examples::report()).await;
    let history = bench.host.history();
    assert!(history.of("search").iter().any(|call| call.instance == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_ends_in_the_middle_leaves_the_job_to_the_next_one() {
    let account = Account::with_database();
    let bench = account.host(|options| options.lease(Duration::from_secs(2))).await;
    let id = bench.submit_examples().await;
    bench.calls("search", 5).await;
    drop(bench);
    let bench = account.host(|options| options).await;
    bench.completes(&id, examples::report()).await;
    assert!((bench.host.history().of("search").len() as u64) < SHARDS, "the first host had done some");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_killed_while_it_reads_an_upload_is_followed_by_one_that_reads_it_again() {
    let bench = Account::with_database().host(|options| options).await;
    let ticket = bench.send(bench.request(Method::POST, "uploads")).await.json();
    let (id, url) = (ticket["id"].as_str().unwrap(), ticket["url"].as_str().unwrap());
    // Empty lines before the first record take their time, and next to no room.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let lines = vec![b'\n'; 1 << 20];
    (0..1_000).for_each(|_| encoder.write_all(&lines).unwrap());
    encoder.write_all(&std::fs::read(examples::queries()).unwrap()).unwrap();
    let client = skyblast::store::http_client().no_proxy().build().unwrap();
    let put = client.put(url).header("x-ms-blob-type", "BlockBlob").header("x-ms-version", "2022-11-02");
    let sent = put.body(encoder.finish().unwrap()).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);

    let submission = bench.request(Method::POST, &format!("searches?database={DATABASE}&upload={id}"));
    let accepted = bench.send(submission).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&accepted.body));
    tokio::time::sleep(Duration::from_millis(500)).await;
    bench.host.kill_handler(0).await;
    bench.completes(id, examples::report()).await;
    let plans: Vec<bool> =
        bench.host.history().of("plan").iter().map(|call| call.outcome.is_success()).collect();
    assert!(plans.len() > 1 && !plans[0] && plans.ends_with(&[true]), "{plans:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_shard_of_an_instance_taken_away_does_not_wait_for_the_end_of_its_lease() {
    let account = Account::publish_one_volume(Azurite::shared().spare_account());
    // The host's own lease, of ten minutes, which a test does not wait for.
    let bench = account.host(|options| one_chunk(options).instances(2)).await;
    let id = bench.submit(examples::many_queries(LONG)).await;
    let begun_by = || bench.host.consoles().into_iter().find(|(_, line)| line.text.contains(BEGUN));
    eventually("a shard being compared", async || begun_by().is_some()).await;
    bench.host.stop_instance(begun_by().unwrap().0).await;
    eventually("the end of the job", async || {
        let fired = bench.host.fire_timer().await.unwrap();
        assert!(fired.iter().all(|outcome| outcome.is_success()), "{fired:?}");
        bench.get(&format!("searches/{id}")).await.json()["finished"].is_string()
    })
    .await;
    bench.completes(&id, &examples::search_many(LONG)).await;
}
