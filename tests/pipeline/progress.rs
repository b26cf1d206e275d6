//! Progress: what waits, what runs, what it has cost, and how long it will take, from blobs.

use bytes::Bytes;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{JOBS, JobId, Stage, State, Underway};
use skyblast::store::BlobName;

use super::recovery::{FORMAT, small};
use crate::common::local_pipeline::Fixture;

async fn underway(fixture: &Fixture, id: JobId) -> Underway {
    fixture.pipeline.status(id).await.unwrap().underway.unwrap()
}

#[tokio::test]
async fn a_queued_search_says_how_many_are_before_it() {
    let (fixture, queries) = small().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(fixture.submit(&queries, SearchOptions::default(), FORMAT).await);
    }
    let before = async |id: JobId| {
        let Underway { searches_before, waiting, seconds_left, .. } = underway(&fixture, id).await;
        assert_eq!((waiting, seconds_left), (0, None), "its queries have not been laid out");
        searches_before
    };
    // Marks of one second are in any order.
    let mut places = Vec::new();
    for &id in &ids {
        places.push((before(id).await, id));
    }
    places.sort_unstable();
    let ids: Vec<JobId> = places.iter().map(|&(_, id)| id).collect();
    assert_eq!(places, [(Some(0), ids[0]), (Some(1), ids[1]), (Some(2), ids[2])]);
    fixture.pipeline.cancel(ids[0]).await.unwrap();
    assert_eq!((before(ids[1]).await, before(ids[2]).await), (Some(0), Some(1)));
    assert_eq!(fixture.pipeline.status(ids[0]).await.unwrap().underway, None);
}

#[tokio::test]
async fn shards_wait_until_somebody_says_to_compare_them() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let expected = Underway { searches_before: Some(0), waiting: 12, ..Underway::default() };
    assert_eq!(underway(&fixture, id).await, expected);
    for taken in ["taken/000000/00001", "taken/000000/00002.cloud", "taken/000001/00000.cloud"] {
        let blob = BlobName::parse(format!("{id}/{taken}")).unwrap();
        fixture.blobs(JOBS).put(&blob, Bytes::new()).await.unwrap();
    }
    let shards = fixture.lose(Stage::Search).await;
    let of = |chunk: u32, volume: u32| {
        let wanted = format!(r#""chunk":{chunk},"volume":{volume}"#);
        shards.iter().find(|body| body.contains(&wanted)).unwrap()
    };
    fixture.pipeline.handle(Stage::Search, of(0, 1)).await.unwrap();
    let Underway { searches_before, waiting, running, running_in_cloud, .. } = underway(&fixture, id).await;
    assert_eq!((searches_before, waiting, running, running_in_cloud), (None, 9, 2, 2));
    fixture.pipeline.handle_poison(Stage::Search, of(0, 2)).await.unwrap();
    let Underway { waiting, running, running_in_cloud, .. } = underway(&fixture, id).await;
    assert_eq!((waiting, running, running_in_cloud), (9, 1, 1));
}

#[tokio::test]
async fn the_time_left_is_not_known_before_a_shard_is_done_and_never_nothing() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.underway.unwrap().seconds_left, None);
    assert_eq!(status.instance_seconds, Some(0.0));
    let shards = fixture.lose(Stage::Search).await;
    let mut spent = 0.0;
    for body in &shards {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
        let status = fixture.pipeline.status(id).await.unwrap();
        assert!(status.underway.unwrap().seconds_left.is_some_and(|seconds| seconds >= 1));
        let (so_far, price) = (status.instance_seconds.unwrap(), status.price.unwrap());
        assert!(so_far > spent && price.amount.likely > 0.0, "{so_far} {price:?}");
        spent = so_far;
    }
    fixture.drain_all().await;
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!((status.state, status.underway), (State::Completed, None));
    assert_eq!(status.instance_seconds, Some(spent));
}
