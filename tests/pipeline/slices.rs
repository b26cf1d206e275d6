//! Slices: a job is announced as fast as it is taken up, whatever happens to who calls for more.

use std::collections::BTreeSet;
use std::time::Duration;

use skyblast::database::VolumeLimit;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{Instances, JobId, Settings, ShardPlanned, ShardsLeft, Stage};
use skyblast::store::BlobName;

use super::recovery::{DATABASE, FORMAT, QUERIES, assert_complete};
use crate::common::in_process::project_file;
use crate::common::local_pipeline::Fixture;

/// Three chunks against fifteen volumes.
const SHARDS: usize = 45;
/// The first slice of a deployment of few instances, and the next where workers wait.
const FIRST: usize = 4;
const SECOND: usize = 8;

async fn laid_out() -> (Fixture, Vec<u8>, JobId) {
    let mut fixture = Fixture::in_memory(&[project_file(DATABASE)], VolumeLimit::Sequences(4), 1).await;
    let instances = Instances { most: FIRST as u64, ..Instances::default() };
    fixture.set(Settings { instances, ..fixture.settings() });
    let queries = std::fs::read(project_file(QUERIES)).unwrap();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    (fixture, queries, id)
}

async fn handle(fixture: &Fixture, messages: &[String]) {
    for body in messages {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
    }
}

/// Takes up what is announced, and what is announced for it; returns all shards that were.
async fn handle_all(fixture: &Fixture) -> Vec<ShardPlanned> {
    let mut shards = Vec::new();
    loop {
        let messages = fixture.lose(Stage::Search).await;
        if messages.is_empty() {
            return shards;
        }
        shards.extend(messages.iter().map(|body| serde_json::from_str::<ShardPlanned>(body).unwrap()));
        handle(fixture, &messages).await;
    }
}

fn assert_each_once(shards: &[ShardPlanned]) {
    let all: BTreeSet<_> = shards.iter().map(|shard| (shard.chunk, shard.volume)).collect();
    assert_eq!((shards.len(), all.len()), (SHARDS, SHARDS));
}

#[tokio::test(start_paused = true)]
async fn the_next_slice_is_announced_when_half_of_one_is_taken_up() {
    let (fixture, queries, id) = laid_out().await;
    let first = fixture.lose(Stage::Search).await;
    assert_eq!(first.len(), FIRST);
    handle(&fixture, &first[..2]).await;
    assert!(fixture.lose(Stage::Search).await.is_empty(), "half of it waits still");
    handle(&fixture, &first[2..3]).await;
    let second = fixture.lose(Stage::Search).await;
    assert_eq!(second.len(), SECOND, "workers wait, so it is larger");
    handle(&fixture, &first[3..]).await;
    assert!(fixture.lose(Stage::Search).await.is_empty(), "who takes up the last finds it announced");
    handle(&fixture, &second).await;
    handle_all(&fixture).await;
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test(start_paused = true)]
async fn copies_of_who_calls_announce_no_shard_twice() {
    let (fixture, queries, id) = laid_out().await;
    let mut shards = Vec::new();
    loop {
        let messages = fixture.lose(Stage::Search).await;
        if messages.is_empty() {
            break;
        }
        shards.extend(messages.iter().map(|body| serde_json::from_str::<ShardPlanned>(body).unwrap()));
        let twice = messages.iter().chain(&messages).map(|body| fixture.pipeline.handle(Stage::Search, body));
        for handled in futures::future::join_all(twice).await {
            handled.unwrap();
        }
        handle(&fixture, &messages).await;
    }
    assert_each_once(&shards);
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_of_a_slice_calls_where_the_one_in_the_middle_is_lost() {
    let (fixture, _, _) = laid_out().await;
    let first = fixture.lose(Stage::Search).await;
    handle(&fixture, &first[3..]).await;
    assert_eq!(fixture.lose(Stage::Search).await.len(), SECOND);
}

/// Sweep announces the next slice when all are gone that should have called for it, and in the end what is lost.
#[tokio::test(start_paused = true)]
async fn a_lost_slice_does_not_keep_the_others_from_being_announced() {
    let (fixture, queries, id) = laid_out().await;
    assert_eq!(fixture.lose(Stage::Search).await.len(), FIRST);
    let swept = fixture.sweep_after_seconds(61).await;
    assert_eq!(swept.announced as usize, SECOND);
    assert_eq!(handle_all(&fixture).await.len(), SHARDS - FIRST);
    assert_eq!(fixture.sweep_after_seconds(0).await.announced, 0, "the job moves");
    assert_eq!(fixture.sweep_after(1).await.announced as usize, FIRST);
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

/// Its blob says how large it was to be.
#[tokio::test(start_paused = true)]
async fn a_slice_that_was_begun_is_finished_by_who_comes_back_or_by_the_sweep() {
    for comes_back in [true, false] {
        let (fixture, queries, id) = laid_out().await;
        let first = fixture.lose(Stage::Search).await;
        // Its announcer has died between claiming it and sending.
        let slice = BlobName::parse(format!("{id}/announced/{FIRST:010}.json")).unwrap();
        let begun = bytes::Bytes::from(r#"{"end":9,"announced":false}"#);
        fixture.blobs(skyblast::jobs::JOBS).put(&slice, begun).await.unwrap();
        handle(&fixture, &first).await;
        assert!(fixture.lose(Stage::Search).await.is_empty(), "it is somebody else's");
        let announced = if comes_back {
            let inbox = skyblast::jobs::Inbox::Work(Stage::Search);
            fixture.pipeline.deliver(inbox, &first[2], 2).await.unwrap();
            fixture.lose(Stage::Search).await
        } else {
            assert_eq!(fixture.sweep_after_seconds(30).await.announced, 0, "it may be about to");
            assert_eq!(fixture.sweep_after_seconds(90).await.announced, 5);
            fixture.lose(Stage::Search).await
        };
        assert_eq!(announced.len(), 5);
        handle(&fixture, &announced).await;
        assert_eq!(handle_all(&fixture).await.len(), SHARDS - FIRST - 5);
        fixture.drain_all().await;
        assert_complete(&fixture, id, &queries).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_more_is_announced_of_a_job_that_has_ended() {
    let (fixture, _, id) = laid_out().await;
    let first = fixture.lose(Stage::Search).await;
    fixture.pipeline.cancel(id).await.unwrap();
    handle(&fixture, &first).await;
    assert!(fixture.lose(Stage::Search).await.is_empty());
    assert_eq!(fixture.sweep_after(1).await.announced, 0);
}

/// Who starts workers asks for it: a queue is short whatever the size of a job.
#[tokio::test(start_paused = true)]
async fn what_has_not_been_announced_is_left_to_compare() {
    let (fixture, _, id) = laid_out().await;
    let left = async || fixture.pipeline.shards_left().await.unwrap();
    assert_eq!(left().await, ShardsLeft { own: 0, cloud: SHARDS as u64 });
    let first = fixture.lose(Stage::Search).await;
    handle(&fixture, &first).await;
    assert_eq!(left().await, ShardsLeft { own: 0, cloud: (SHARDS - FIRST) as u64 });
    fixture.pipeline.cancel(id).await.unwrap();
    fixture.lose(Stage::Search).await;
    assert_eq!(left().await, ShardsLeft::default());
}

/// Its slice is so old that it should have ended, as its siblings show; the job moves all the same.
#[tokio::test(start_paused = true)]
async fn a_late_shard_is_announced_once_more_and_no_more_often() {
    let (fixture, queries, id) = laid_out().await;
    let first = fixture.lose(Stage::Search).await;
    let (late, last) = (&first[0], &first[1]);
    handle(&fixture, &first[2..]).await;
    assert_eq!(handle_all(&fixture).await.len(), SHARDS - FIRST);
    assert_eq!(fixture.sweep_after_seconds(0).await.announced, 0, "none is late yet");
    tokio::time::advance(Duration::from_secs(50)).await;
    handle(&fixture, std::slice::from_ref(last)).await;
    assert_eq!(fixture.sweep_after_seconds(0).await.announced, 1);
    let again: Vec<ShardPlanned> =
        fixture.lose(Stage::Search).await.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(again, [serde_json::from_str::<ShardPlanned>(late).unwrap()]);
    assert_eq!(fixture.sweep_after_seconds(1).await.announced, 0, "once is enough");
    assert_eq!(fixture.sweep_after(1).await.announced, 1, "unless the job stands still");
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}
