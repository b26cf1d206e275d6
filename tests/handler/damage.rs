//! Volumes that are gone or damaged, hits that rot, and messages that make no sense.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use skyblast::database::Database;
use skyblast::engine::Subjects;
use skyblast::sequence::names::SubjectNames;
use skyblast::store::BlobName;

use crate::bench::{Account, Bench, all_but, eventually};
use crate::common::examples::{self, CHUNKS, SHARDS};
use crate::common::in_process::assert_same_report;
use crate::common::process::PATIENCE;

/// The volumes that [`damaged_account`] has spoilt.
const GONE: usize = 1;
const FLIPPED: usize = 4;

fn volume_blob(volume: usize) -> (BlobName, String) {
    let database = Database::open(examples::database()).unwrap();
    let digest = database.manifest().volumes[volume].digest.to_string();
    (BlobName::parse(format!("volumes/{digest}")).unwrap(), digest)
}

/// An account whose database has lost a volume, and in another one a byte is wrong.
pub(crate) async fn damaged_account() -> Account {
    let account = Account::with_database();
    let blobs = account.blobs("databases");
    assert!(blobs.delete(&volume_blob(GONE).0).await.unwrap());
    let (name, _) = volume_blob(FLIPPED);
    let mut bytes = blobs.get(&name).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    blobs.put(&name, Bytes::from(bytes)).await.unwrap();
    account
}

/// The report without the rows of the subjects in spoilt volumes. No list is cut at these sizes, so
/// the others are the same.
fn report_without(volumes: &[usize]) -> Vec<u8> {
    let database = Database::open(examples::database()).unwrap();
    let mut lost = BTreeSet::new();
    for &volume in volumes {
        let volume = database.volume(volume).unwrap();
        for subject in 0..volume.len() {
            lost.insert(SubjectNames::of(&volume.defline(subject)).seqid().to_vec());
        }
    }
    let rows = examples::report().split_inclusive(|&byte| byte == b'\n');
    rows.filter(|row| !lost.contains(row.split(|&byte| byte == b'\t').nth(1).unwrap()))
        .flatten()
        .copied()
        .collect()
}

/// The reasons of a volume's failed shards, once each, and how many there are.
fn reasons(status: &Value, volume: usize) -> (BTreeSet<String>, u64) {
    let failed = status["failed_shards"].as_array().unwrap().iter();
    let failed: Vec<_> = failed.filter(|shard| shard["volume"] == volume).collect();
    (failed.iter().map(|shard| shard["reason"].as_str().unwrap().to_owned()).collect(), failed.len() as u64)
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_of_spoilt_volumes_fail_by_name_and_the_report_has_all_others() {
    let bench = damaged_account().await.host(|options| options).await;
    let id = bench.submit_examples().await;
    let status = bench.ended(&id).await;
    assert_eq!(status["state"], "completed_with_failed_shards");
    assert_eq!(status["shards"]["failed"], 2 * CHUNKS);
    assert_eq!(status["shards"]["done"], SHARDS - 2 * CHUNKS);
    for (volume, what) in [(GONE, "is missing from storage"), (FLIPPED, "digest")] {
        let (reasons, count) = reasons(&status, volume);
        assert_eq!(count, CHUNKS);
        let digest = volume_blob(volume).1;
        assert!(
            reasons.iter().all(|reason| reason.contains(what) && reason.contains(&digest)),
            "{reasons:?}"
        );
    }
    let expected = report_without(&[GONE, FLIPPED]);
    assert!(!expected.is_empty() && expected.len() < examples::report().len());
    assert_same_report("report", &bench.part_of_report(&id).await, &expected);
    assert_eq!(bench.host.poison_count(), 0, "a permanent failure is no reason to try again");
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_the_database_again_mends_what_was_deleted() {
    let account = Account::with_database();
    account.blobs("databases").delete(&volume_blob(GONE).0).await.unwrap();
    examples::publish(examples::database(), &account.connection);
    let bench = account.host(|options| options).await;
    let id = bench.submit_examples().await;
    bench.completes(&id, examples::report()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_hits_are_compared_again() {
    let account = Account::with_database();
    let bench = account.host(|options| options.only(all_but(&["merge"]))).await;
    let id = bench.submit_examples().await;
    account.wait_for_messages("shards", 0).await;
    bench.calls("search", SHARDS as usize).await;
    let jobs = account.blobs("jobs");
    for (volume, spoil) in [(0, 0_usize), (3, 100)] {
        let name = BlobName::parse(format!("{id}/hits/000002/{volume:05}")).unwrap();
        let mut bytes = jobs.get(&name).await.unwrap().to_vec();
        bytes.truncate(bytes.len().saturating_sub(spoil));
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        jobs.put(&name, Bytes::from(bytes)).await.unwrap();
    }
    let merging = account.host(|options| options.only(["merge"])).await;
    bench.completes(&id, examples::report()).await;
    assert!(merging.host.history().of("merge").len() as u64 > CHUNKS);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_make_no_sense_are_given_up_and_do_no_harm() {
    let account = Account::with_database();
    let at_once = ("extensions__queues__visibilityTimeout", "00:00:00");
    // Messages of a job that has ended are done with, so this one must not end too early.
    let bench =
        account.host(|options| options.only(all_but(&["finish"])).host_json(at_once.0, at_once.1)).await;
    let id = bench.submit_examples().await;
    let nonsense = [
        ("shards", "{".to_owned()),
        ("shards", "\u{fffd} no JSON at all".to_owned()),
        ("shards", format!(r#"{{"job":"{id}","chunk":4000000000,"volume":0}}"#)),
        ("shards", r#"{"job":"0123456789abcdef0123456789abcdef","chunk":0,"volume":0}"#.to_owned()),
        ("merges", format!(r#"{{"job":"{id}"}}"#)),
        ("plans", r#"{"job":"../../databases"}"#.to_owned()),
        ("finishes", "[]".to_owned()),
    ];
    for (queue, body) in &nonsense {
        account.queue(queue).send(body, Duration::ZERO).await.unwrap();
    }
    type History = crate::host::journal::History;
    let others = |history: &History| history.poisoned.len() == nonsense.len() - 1;
    bench.host.wait_for(PATIENCE, others).await.unwrap();
    let finishing = account.host(|options| options.only(["finish"]).host_json(at_once.0, at_once.1)).await;
    bench.completes(&id, examples::report()).await;
    finishing.host.wait_for(PATIENCE, |history: &History| history.poisoned.len() == 1).await.unwrap();
    for queue in ["shards-poison", "merges-poison", "plans-poison", "finishes-poison"] {
        account.wait_for_messages(queue, 0).await;
    }
    assert_eq!(bench.get(&format!("searches/{id}")).await.json()["state"], "completed");
}

/// Submits, waits for messages of `stage`, and gives the first one up as the host does after five
/// vain tries.
async fn give_up_one(account: &Account, function: &str, queue: &str) -> (Bench, String) {
    let bench = account.host(|options| options.only(all_but(&[function]))).await;
    let id = bench.submit_examples().await;
    let queue = account.queue(queue);
    let mut taken = Vec::new();
    eventually("a message", async || {
        taken = queue.receive(1, Duration::from_secs(60)).await.unwrap();
        !taken.is_empty()
    })
    .await;
    let poison = account.queue(&format!("{}-poison", queue.name()));
    poison.send(&taken[0].body, Duration::ZERO).await.unwrap();
    queue.delete(&taken[0]).await.unwrap();
    (bench, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_was_given_up_is_named() {
    let account = Account::with_database();
    let (bench, id) = give_up_one(&account, "search", "shards").await;
    let _searching = account.host(|options| options.only(["search"])).await;
    let status = bench.ended(&id).await;
    assert_eq!(status["state"], "completed_with_failed_shards");
    assert_eq!(status["shards"]["failed"], 1);
    assert!(status["failed_shards"][0]["reason"].as_str().unwrap().contains("given up after 5 attempts"));
    bench.part_of_report(&id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_plan_merge_or_end_was_given_up_has_failed_and_says_so() {
    for (function, queue) in [("plan", "plans"), ("merge", "merges"), ("finish", "finishes")] {
        let account = Account::with_database();
        let (bench, id) = give_up_one(&account, function, queue).await;
        let status = bench.ended(&id).await;
        assert_eq!(status["state"], "failed", "{function}");
        let reason = status["reason"].as_str().unwrap();
        assert!(reason.contains(&format!("step \"{function}\" was given up after 5 attempts")), "{reason}");
        let results = bench.get(&format!("searches/{id}/results")).await;
        assert!(results.problem(409, "no-results").contains("failed"));
    }
}
