//! Messages that are lost for good: the timer finds the job and announces again what it waits for.

use crate::bench::{Account, all_but, eventually};
use crate::common::examples::{self, CHUNKS, SHARDS};

/// Lets a job run up to the messages of one queue, clears that queue, and lets a whole host with a
/// timer finish the job.
async fn survives_the_loss_of(function: &str, queue: &str, messages: u64) {
    let account = Account::with_database();
    let bench = account.host(|options| options.only(all_but(&[function]))).await;
    let id = bench.submit_examples().await;
    account.wait_for_messages(queue, messages).await;
    if function == "merge" {
        // The last shards may announce a chunk more than once, after its merge has been counted.
        account.wait_for_messages("shards", 0).await;
    }
    drop(bench);
    assert!(account.purge(queue).await.len() as u64 >= messages);

    let bench = account.host(|options| options.setting("SKYBLAST_STALL_SECONDS", "1")).await;
    bench.host.ready(0).await.unwrap();
    let mut sweeps = 0;
    eventually("the end of the job", async || {
        let fired = bench.host.fire_timer().await.unwrap();
        assert!(fired.iter().all(|outcome| outcome.is_success()), "{fired:?}");
        sweeps += 1;
        bench.get(&format!("searches/{id}")).await.json()["finished"].is_string()
    })
    .await;
    assert!(sweeps > 1, "the queue was not empty");
    bench.completes(&id, examples::report()).await;
    // The timer has nothing left to look at.
    assert_eq!(
        account.blobs_named("jobs").await.iter().filter(|name| name.starts_with("active/")).count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_the_loss_of_its_plan_message() {
    survives_the_loss_of("plan", "plans", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_the_loss_of_all_shard_messages() {
    survives_the_loss_of("search", "shards", SHARDS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_the_loss_of_its_merge_messages() {
    survives_the_loss_of("merge", "merges", CHUNKS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_the_loss_of_its_last_message() {
    survives_the_loss_of("finish", "finishes", 1).await;
}
