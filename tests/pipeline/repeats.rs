//! What is announced again, and what is not.

use std::time::Duration;

use bytes::Bytes;
use skyblast::database::VolumeLimit;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{DATABASES, Inbox, JOBS, JobId, MAX_DELIVERIES, Published, ShardPlanned, Stage, State};
use skyblast::store::BlobName;

use super::recovery::{DATABASE, FORMAT, assert_complete, small};
use crate::common::in_process::project_file;
use crate::common::local_pipeline::Fixture;

/// A job, and the message that announces it, taken out of its queue.
async fn with_plan_taken(fixture: &Fixture, queries: &[u8]) -> (JobId, Vec<String>) {
    let id = fixture.submit(queries, SearchOptions::default(), FORMAT).await;
    (id, fixture.lose(Stage::Plan).await)
}

/// A job of three chunks and four volumes, and the messages of its shards, taken out of their queue.
async fn with_shards_taken() -> (Fixture, Vec<u8>, JobId, Vec<String>) {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let shards = fixture.lose(Stage::Search).await;
    (fixture, queries, id, shards)
}

async fn handle_each(fixture: &Fixture, shards: &[String]) {
    for body in shards {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
    }
}

async fn finishes(fixture: &Fixture, id: JobId, queries: &[u8]) {
    fixture.drain_all().await;
    assert_complete(fixture, id, queries).await;
}

#[tokio::test]
async fn a_repeated_plan_message_announces_no_shard_twice() {
    let (fixture, queries) = small().await;
    let (id, plan) = with_plan_taken(&fixture, &queries).await;
    for delivery in [1, 1, 2] {
        fixture.pipeline.deliver(Inbox::Work(Stage::Plan), &plan[0], delivery).await.unwrap();
    }
    assert_eq!(fixture.pipeline.queue(Stage::Search).approximate_count().await.unwrap(), 12);
    finishes(&fixture, id, &queries).await;
}

#[tokio::test]
async fn a_slice_whose_announcer_died_is_announced_when_its_message_comes_back() {
    let (fixture, queries) = small().await;
    let (id, plan) = with_plan_taken(&fixture, &queries).await;
    // As the announcer leaves it that has begun and no more.
    let slice = BlobName::parse(format!("{id}/announced/0000000000.json")).unwrap();
    fixture.blobs(JOBS).put(&slice, Bytes::from_static(br#"{"announced":false}"#)).await.unwrap();
    fixture.pipeline.deliver(Inbox::Work(Stage::Plan), &plan[0], 2).await.unwrap();
    assert_eq!(fixture.pipeline.queue(Stage::Search).approximate_count().await.unwrap(), 12);
    finishes(&fixture, id, &queries).await;
}

#[tokio::test]
async fn a_shard_that_was_settled_is_not_compared_again_and_announces_nothing_once_it_is_merged() {
    let (fixture, queries, id, shards) = with_shards_taken().await;
    handle_each(&fixture, &shards).await;
    assert_eq!(fixture.drain(Stage::Merge).await, 3, "a merge for each chunk");
    let hits = fixture.job_blobs(id, "hits/").await;
    for body in &shards {
        fixture.pipeline.deliver(Inbox::Work(Stage::Search), body, 2).await.unwrap();
    }
    assert_eq!(fixture.pipeline.queue(Stage::Merge).approximate_count().await.unwrap(), 0);
    assert_eq!(fixture.job_blobs(id, "hits/").await, hits);
    finishes(&fixture, id, &queries).await;
}

#[tokio::test]
async fn a_shard_whose_host_died_before_it_told_is_told_of_when_its_message_comes_back() {
    let (fixture, queries, id, shards) = with_shards_taken().await;
    handle_each(&fixture, &shards).await;
    assert_eq!(fixture.lose(Stage::Merge).await.len(), 3);
    // Messages come in any order, as they are sent side by side.
    let chunk_of = |body: &str| serde_json::from_str::<ShardPlanned>(body).unwrap().chunk;
    for chunk in 0..3 {
        let last = shards.iter().rfind(|body| chunk_of(body) == chunk).unwrap();
        fixture.pipeline.deliver(Inbox::Work(Stage::Search), last, 2).await.unwrap();
    }
    finishes(&fixture, id, &queries).await;
}

/// In every order in which four shards can be settled.
#[tokio::test]
async fn the_last_shard_of_a_row_announces_its_merge_whichever_it_is() {
    let (fixture, queries) = small().await;
    let orders: Vec<Vec<u32>> = (0..4_u32.pow(4))
        .map(|number| (0..4).map(|place| number / 4_u32.pow(place) % 4).collect::<Vec<_>>())
        .filter(|order| (0..4).all(|volume| order.contains(&volume)))
        .collect();
    assert_eq!(orders.len(), 24);
    for orders in orders.chunks(3) {
        let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
        fixture.drain(Stage::Plan).await;
        let shards = fixture.lose(Stage::Search).await;
        let merges = fixture.pipeline.queue(Stage::Merge).clone();
        for place in 0..4 {
            assert_eq!(merges.approximate_count().await.unwrap(), 0, "after {place} of {orders:?}");
            for (chunk, order) in (0..).zip(orders) {
                let wanted = ShardPlanned { job: id, edition: 0, chunk, volume: order[place] };
                let is_it = |body: &&String| serde_json::from_str::<ShardPlanned>(body).unwrap() == wanted;
                let body = shards.iter().find(is_it).unwrap();
                fixture.pipeline.handle(Stage::Search, body).await.unwrap();
            }
        }
        assert_eq!(merges.approximate_count().await.unwrap(), 3, "{orders:?}");
        fixture.drain_all().await;
        assert_complete(&fixture, id, &queries).await;
    }
}

/// Its word is there, its hits are not, and its message is gone for good.
#[tokio::test]
async fn a_shard_that_was_left_word_and_lost_is_announced_again() {
    let (fixture, queries, id, shards) = with_shards_taken().await;
    for body in shards {
        if serde_json::from_str::<ShardPlanned>(&body).unwrap().volume != 1 {
            fixture.pipeline.handle(Stage::Search, &body).await.unwrap();
        }
    }
    assert_eq!(fixture.pipeline.queue(Stage::Merge).approximate_count().await.unwrap(), 0);
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.shards.done, 9, "word is no hits");
    assert_eq!(fixture.sweep_after(1).await.announced, 3);
    finishes(&fixture, id, &queries).await;
}

#[tokio::test]
async fn jobs_that_wait_for_their_turn_are_not_announced_again() {
    let (fixture, queries) = small().await;
    for _ in 0..5 {
        fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    }
    fixture.drain(Stage::Plan).await;
    for hours in 1..10 {
        assert_eq!(fixture.sweep_after(hours).await.announced, 0);
    }
    assert_eq!(fixture.pipeline.queue(Stage::Search).approximate_count().await.unwrap(), 60);
}

/// Its message is hidden, as that of a host that was killed is for ten minutes.
#[tokio::test]
async fn a_shard_that_takes_much_longer_than_the_others_is_announced_again_within_a_minute() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let queue = fixture.pipeline.queue(Stage::Search).clone();
    let held = queue.receive(1, Duration::from_secs(600)).await.unwrap();
    fixture.drain_all().await;
    let after = |seconds| fixture.sweep_after_seconds(seconds);
    assert_eq!(after(20).await.announced, 0, "it may take a little longer than the others");
    assert_eq!(after(35).await.announced, 1);
    assert_eq!(after(40).await.announced, 0, "it has just been announced");
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
    fixture.pipeline.deliver(Inbox::Work(Stage::Search), &held[0].body, 2).await.unwrap();
    assert_complete(&fixture, id, &queries).await;
}

/// As if all of 6,000 shards had been announced, a thousand at a time as by earlier versions.
async fn announced_all(fixture: &Fixture, id: JobId) {
    for first in (0..6_000).step_by(1_000) {
        let slice = BlobName::parse(format!("{id}/announced/{first:010}.json")).unwrap();
        fixture.blobs(JOBS).put(&slice, Bytes::from_static(br#"{"announced":true}"#)).await.unwrap();
    }
}

#[tokio::test]
async fn a_sweep_sends_no_more_than_it_may_and_the_next_goes_on_from_there() {
    let fixture = Fixture::new(&[project_file(DATABASE)], VolumeLimit::Sequences(1), 1).await;
    let queries: Vec<u8> =
        (0..100).flat_map(|number| format!(">q{number}\nMKVLAAGIVGLCAKAYW\n").into_bytes()).collect();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    announced_all(&fixture, id).await;
    fixture.lose(Stage::Search).await;
    assert_eq!(fixture.sweep_after(1).await.announced, 5_000);
    assert_eq!(fixture.lose(Stage::Search).await.len(), 5_000);
    assert_eq!(fixture.sweep_after(1).await.announced, 1_000);
}

#[tokio::test]
async fn a_sweep_sends_no_more_for_all_jobs_than_it_may() {
    let fixture = Fixture::in_memory(&[project_file(DATABASE)], VolumeLimit::Sequences(1), 1).await;
    let queries: Vec<u8> =
        (0..100).flat_map(|number| format!(">q{number}\nMKVLAAGIVGLCAKAYW\n").into_bytes()).collect();
    for _ in 0..5 {
        let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
        fixture.drain(Stage::Plan).await;
        announced_all(&fixture, id).await;
    }
    let mut announced = Vec::new();
    for _ in 0..3 {
        fixture.lose(Stage::Search).await;
        announced.push(fixture.sweep_after(1).await.announced);
    }
    assert_eq!(announced[0], 20_000);
    assert_eq!(announced.iter().sum::<u64>(), 30_000, "{announced:?}");
}

#[tokio::test]
async fn a_merge_of_a_chunk_that_is_not_there_harms_no_job() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let beyond = format!(r#"{{"job":"{id}","chunk":3}}"#);
    let error = fixture.pipeline.handle(Stage::Merge, &beyond).await.unwrap_err();
    assert!(error.to_string().contains("no chunk 3"), "{error}");
    fixture.pipeline.handle_poison(Stage::Merge, &beyond).await.unwrap();
    let beyond = format!(r#"{{"job":"{id}","chunk":0,"volume":9}}"#);
    fixture.pipeline.handle_poison(Stage::Search, &beyond).await.unwrap();
    finishes(&fixture, id, &queries).await;
}

/// What the last delivery met with is told, and a message that never ended with an answer says so.
#[tokio::test]
async fn a_message_that_was_given_up_says_what_the_last_attempt_met_with() {
    let (fixture, _, id, shards) = with_shards_taken().await;
    let volume =
        BlobName::parse(format!("volumes/{}", fixture.database.manifest().volumes[0].digest)).unwrap();
    let whole = fixture.blobs(DATABASES).get(&volume).await.unwrap();
    fixture.blobs(DATABASES).put(&volume, whole.slice(..whole.len() / 2)).await.unwrap();
    let of_volume =
        |number| shards.iter().find(|body| body.contains(&format!(r#""volume":{number}"#))).unwrap();
    for delivery in 1..MAX_DELIVERIES {
        let error =
            fixture.pipeline.deliver(Inbox::Work(Stage::Search), of_volume(0), delivery).await.unwrap_err();
        assert!(error.may_pass(), "{error}");
        assert!(fixture.job_blobs(id, "failed/").await.is_empty());
    }
    fixture.pipeline.handle_poison(Stage::Search, of_volume(0)).await.unwrap();
    fixture.pipeline.handle_poison(Stage::Search, of_volume(1)).await.unwrap();
    let mut reasons = Vec::new();
    for blob in fixture.job_blobs(id, "failed/").await {
        reasons.push(String::from_utf8(fixture.blobs(JOBS).get(&blob).await.unwrap().to_vec()).unwrap());
    }
    assert!(reasons[0].contains("attempt 4 failed") && reasons[0].contains("truncated"), "{}", reasons[0]);
    assert!(reasons[1].contains("none ended with an answer"), "{}", reasons[1]);
}

#[tokio::test]
async fn a_volume_found_damaged_at_its_length_is_sent_again_with_its_database() {
    let (mut fixture, queries) = small().await;
    let volume = fixture.database.manifest().volumes[1].clone();
    let blob = BlobName::parse(format!("volumes/{}", volume.digest)).unwrap();
    let mut bytes = fixture.blobs(DATABASES).get(&blob).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fixture.blobs(DATABASES).put(&blob, bytes.into()).await.unwrap();
    fixture.restart();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    assert_eq!(fixture.state(id).await, State::CompletedWithFailedShards);

    let damaged = std::sync::Mutex::new(Vec::new());
    let on_step = |step: Published<'_>| {
        if let Published::Damaged(volume) = step {
            damaged.lock().unwrap().push(volume.digest);
        }
    };
    for _ in 0..2 {
        fixture.pipeline.catalog().publish("database", &fixture.database, &on_step).await.unwrap();
    }
    assert_eq!(*damaged.lock().unwrap(), [volume.digest], "sent once");
    fixture.restart();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    finishes(&fixture, id, &queries).await;
}
