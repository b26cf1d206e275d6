//! Shards that take long: compared turn by turn, stopped in the middle, and booked all the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use skyblast::database::VolumeLimit;
use skyblast::engine::{OptionChoices, SearchOptions};
use skyblast::jobs::worker::{self, WorkerSettings};
use skyblast::jobs::{JOBS, JobId, Settings, Stage, State};
use skyblast::store::BlobName;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::recovery::{FORMAT, assert_complete, small};
use crate::common::in_process::project_file;
use crate::common::local_pipeline::Fixture;
use crate::common::process::PATIENCE;

const FAMILY: &str = "tests/golden/blastp/family.fa.gz";

/// A turn so short that a shard stops as soon as it has got any further.
fn tiny_turns(fixture: &mut Fixture) {
    fixture.set(Settings { turn: Duration::ZERO, ..fixture.settings() });
}

/// The same as [`small`] with queries of twice the length, whose shards take several turns.
async fn small_of_long_queries() -> (Fixture, Vec<u8>) {
    let (fixture, queries) = small().await;
    let queries = String::from_utf8(queries).unwrap();
    let twice = queries.split_inclusive('>').map(|record| {
        let (text, next) = record.strip_suffix('>').map_or((record, ""), |text| (text, ">"));
        let (defline, residues) = text.split_once('\n').unwrap_or((text, ""));
        if residues.is_empty() { record.to_owned() } else { format!("{defline}\n{residues}{residues}{next}") }
    });
    let twice: String = twice.collect();
    (fixture, twice.into_bytes())
}

/// The hits of each shard of a job, by the shard's part of the names.
async fn hits(fixture: &Fixture, id: JobId) -> BTreeMap<String, Bytes> {
    let mut hits = BTreeMap::new();
    for blob in fixture.job_blobs(id, "hits/").await {
        let (_, shard) = blob.as_str().split_once("hits/").unwrap();
        hits.insert(shard.to_owned(), fixture.blobs(JOBS).get(&blob).await.unwrap());
    }
    hits
}

/// What was put aside without the hits, by number.
async fn put_aside(fixture: &Fixture, id: JobId) -> Vec<String> {
    let blobs = fixture.job_blobs(id, "turns/").await.into_iter();
    blobs
        .map(|blob| blob.to_string())
        .filter(|name| !name.rsplit('/').next().unwrap().contains('-'))
        .collect()
}

#[tokio::test]
async fn a_shard_of_many_turns_has_the_hits_of_one() {
    let (mut fixture, queries) = small().await;
    let at_once = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    let expected = hits(&fixture, at_once).await;

    tiny_turns(&mut fixture);
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    assert_eq!(fixture.drain(Stage::Search).await, 12);
    let done = hits(&fixture, id).await.len();
    assert!(done < 6, "{done} are done in one turn");
    assert_eq!(put_aside(&fixture, id).await.len(), 12 - done);
    let mut turns = 12;
    while let more @ 1.. = fixture.drain(Stage::Search).await {
        turns += more as u64;
    }
    assert_eq!(hits(&fixture, id).await, expected, "to the byte");
    assert_eq!(fixture.job_blobs(id, "turns/").await, [], "nothing is left of them");
    let spent = fixture.job_blobs(id, "spent/").await.len() as u64;
    assert!(spent + 12 >= turns, "each turn is booked: {spent} of {turns}");
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

/// Handles each message twice, by processes that have just started, and loses what was sent every other time.
#[tokio::test]
async fn turns_survive_duplicates_kills_and_lost_messages() {
    let (mut fixture, queries) = small_of_long_queries().await;
    tiny_turns(&mut fixture);
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    fixture.set(Settings { stall: Duration::ZERO, ..fixture.settings() });
    let (mut rounds, mut furthest) = (0, 0);
    while hits(&fixture, id).await.len() < 12 {
        rounds += 1;
        assert!(rounds < 200, "the job does not come to an end");
        let mut messages = fixture.lose(Stage::Search).await;
        if rounds % 2 == 0 {
            sleep(Duration::from_millis(50)).await;
            fixture.sweep_after(0).await;
            messages = fixture.lose(Stage::Search).await;
        }
        for body in &messages {
            fixture.restart();
            let handle = || fixture.pipeline.handle(Stage::Search, body);
            for handled in futures::future::join_all([handle(), handle()]).await {
                handled.unwrap();
            }
        }
        let mut by_shard: BTreeMap<String, usize> = BTreeMap::new();
        for name in put_aside(&fixture, id).await {
            *by_shard.entry(name.rsplit_once('/').unwrap().0.to_owned()).or_default() += 1;
        }
        furthest = furthest.max(by_shard.into_values().max().unwrap_or(0));
    }
    assert!(furthest > 1, "no shard has put anything aside twice");
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn copies_of_a_message_at_the_same_time_go_on_as_one() {
    let (mut fixture, queries) = small().await;
    tiny_turns(&mut fixture);
    fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let message = fixture.lose(Stage::Search).await.remove(0);
    let copies = (0..4).map(|_| fixture.pipeline.handle(Stage::Search, &message));
    for handled in futures::future::join_all(copies).await {
        handled.unwrap();
    }
    assert_eq!(fixture.lose(Stage::Search).await.len(), 1);
}

#[tokio::test]
async fn what_was_put_aside_and_is_damaged_is_compared_again() {
    for lost in [false, true] {
        let (mut fixture, queries) = small_of_long_queries().await;
        tiny_turns(&mut fixture);
        let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
        fixture.drain(Stage::Plan).await;
        let has_hits = |blobs: &[BlobName]| blobs.iter().any(|blob| blob.as_str().contains('-'));
        let mut blobs = Vec::new();
        while !has_hits(&blobs) {
            assert!(fixture.drain(Stage::Search).await > 0, "no shard has put hits aside: {blobs:?}");
            blobs = fixture.job_blobs(id, "turns/").await;
        }
        for blob in blobs.iter().filter(|blob| !lost || blob.as_str().contains('-')) {
            fixture.blobs(JOBS).put(blob, Bytes::from_static(b"half")).await.unwrap();
            if lost {
                fixture.blobs(JOBS).delete(blob).await.unwrap();
            }
        }
        fixture.drain_all().await;
        assert_complete(&fixture, id, &queries).await;
    }
}

/// One query and a volume of 1,600 relatives, which can be aligned one per turn.
async fn long_shard(options: SearchOptions) -> (Fixture, JobId) {
    let mut fixture = Fixture::new(&[project_file(FAMILY)], VolumeLimit::Bytes(u64::MAX), 1_000_000).await;
    tiny_turns(&mut fixture);
    let queries = std::fs::read(project_file("tests/golden/blastp/family_queries.fa")).unwrap();
    let id = fixture.submit(&queries, options, FORMAT).await;
    fixture.drain(Stage::Plan).await;
    (fixture, id)
}

#[tokio::test]
async fn a_shard_that_takes_too_many_turns_is_given_up_with_the_reason() {
    let (fixture, id) = long_shard(SearchOptions::default()).await;
    fixture.drain_all().await;
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.state, State::CompletedWithFailedShards);
    assert_eq!(status.failed_shards.len(), 1);
    let reason = &status.failed_shards[0].reason;
    assert!(reason.contains("48 turns of 0 s") && reason.contains("SKYBLAST_SHARD_SECONDS"), "{reason}");
    assert_eq!(fixture.job_blobs(id, "spent/").await.len(), 48);
    assert!(status.instance_seconds.unwrap() > 0.0, "{status:?}");
}

#[tokio::test]
async fn a_shard_that_gets_further_is_not_given_up_by_sweep() {
    let (mut fixture, id) = long_shard(SearchOptions::default()).await;
    fixture.set(Settings { stall: Duration::ZERO, ..fixture.settings() });
    for turn in 1..=12 {
        fixture.lose(Stage::Search).await;
        while fixture.sweep_after(0).await.announced == 0 {
            sleep(Duration::from_millis(20)).await;
        }
        let messages = fixture.lose(Stage::Search).await;
        fixture.pipeline.handle(Stage::Search, &messages[0]).await.unwrap();
        assert!(put_aside(&fixture, id).await.len() >= turn, "it goes on from where it was");
    }
    assert_eq!(fixture.job_blobs(id, "failed/").await, []);
}

/// A shard that keeps a core busy for minutes: locally optimal alignments, as many as there are.
async fn slow_shard() -> (Fixture, JobId) {
    let choices = OptionChoices {
        evalue: Some(1e6),
        use_sw_tback: Some("true".parse().unwrap()),
        ..OptionChoices::default()
    };
    let (mut fixture, id) = long_shard(choices.resolve().unwrap()).await;
    fixture.set(Settings { turn: Settings::default().turn, ..fixture.settings() });
    (fixture, id)
}

/// Waits until it is so, and a little longer.
async fn eventually(mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
        sleep(Duration::from_millis(300)).await;
    };
    timeout(PATIENCE, waiting).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_job_stops_the_shard_that_is_being_compared_and_has_its_cost() {
    let (fixture, id) = slow_shard().await;
    let message = fixture.lose(Stage::Search).await.remove(0);
    let pipeline = fixture.pipeline.clone();
    let comparing = tokio::spawn(async move { pipeline.handle(Stage::Search, &message).await });
    eventually(async || !fixture.job_blobs(id, "begun").await.is_empty()).await;
    assert_eq!(fixture.pipeline.cancel(id).await.unwrap().outcome.state, State::Cancelled);
    timeout(PATIENCE, comparing).await.unwrap().unwrap().unwrap();
    assert_eq!(fixture.job_blobs(id, "hits/").await, [], "it was not compared to its end");
    assert_eq!(fixture.lose(Stage::Search).await, [""; 0]);
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.state, State::Cancelled);
    assert!(status.instance_seconds.unwrap() > 1.0, "{status:?}");
    assert_eq!(fixture.job_blobs(id, "turns/").await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_told_to_stop_leaves_its_shard_to_others_at_once() {
    let (mut fixture, id) = slow_shard().await;
    let turn = fixture.settings().turn;
    tiny_turns(&mut fixture);
    assert_eq!(fixture.drain(Stage::Search).await, 1);
    assert_eq!(put_aside(&fixture, id).await.len(), 1);
    fixture.set(Settings { turn, ..fixture.settings() });

    let stop = CancellationToken::new();
    let settings = WorkerSettings {
        lease: Duration::from_secs(3_600),
        grace: Duration::from_secs(3_600),
        sweep: None,
        ..WorkerSettings::default()
    };
    let working = tokio::spawn(worker::run(Arc::clone(&fixture.pipeline), settings, stop.clone()));
    let queue = fixture.pipeline.queue(Stage::Search).clone();
    eventually(async || queue.waiting_since().await.unwrap().is_none()).await;
    stop.cancel();
    timeout(PATIENCE, working).await.unwrap().unwrap();
    assert_eq!(fixture.job_blobs(id, "hits/").await, []);
    assert!(!put_aside(&fixture, id).await.is_empty());
    let messages = fixture.lose(Stage::Search).await;
    assert_eq!(messages.len(), 1, "no lease is waited for");

    // Nobody else who is about to end begins with it.
    fixture.restart();
    fixture.pipeline.leave();
    fixture.pipeline.handle(Stage::Search, &messages[0]).await.unwrap();
    assert_eq!(fixture.lose(Stage::Search).await.len(), 1);
}
