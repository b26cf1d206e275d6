//! Two places: own workers first, and the cloud with what they will not have done in time, within a budget.

use std::io::{BufReader, Cursor};
use std::sync::Arc;
use std::time::Duration;

use skyblast::engine::SearchOptions;
use skyblast::jobs::{
    InCloud, Instances, JobId, Place, Placement, Request, Settings, Stage, State, Submitter,
};
use skyblast::sequence::fasta::Reader;
use skyblast::store::Queue;

use super::recovery::{FORMAT, assert_complete, small};
use crate::common::local_pipeline::Fixture;

const SHARDS: usize = 12;

async fn submit(fixture: &Fixture, queries: &[u8], placement: Placement) -> JobId {
    let outfmt = FORMAT.parse().unwrap();
    let request =
        Request { database: "database".to_owned(), options: SearchOptions::default(), outfmt, taxa: None };
    let submitter = Submitter { placement: Some(placement), ..Submitter::default() };
    let input = BufReader::new(Cursor::new(queries.to_vec()));
    let open = move || Ok(Reader::new("queries", input));
    let id = fixture.pipeline.submit_by(&submitter, &request, open).await.unwrap().id;
    fixture.drain(Stage::Plan).await;
    id
}

/// A job in both places whose own workers get as good as no time.
async fn in_both(fixture: &Fixture, queries: &[u8], budget: Option<f64>) -> JobId {
    let placement = Placement { place: Place::Burst, burst_after: Some(1), budget, ..Placement::default() };
    submit(fixture, queries, placement).await
}

/// Takes what waits in a queue.
async fn take(queue: &Arc<dyn Queue>) -> Vec<String> {
    let mut bodies = Vec::new();
    for delivery in queue.receive(32, Duration::from_secs(60)).await.unwrap() {
        queue.delete(&delivery).await.unwrap();
        bodies.push(delivery.body);
    }
    bodies
}

async fn for_own(fixture: &Fixture) -> Vec<String> {
    take(fixture.pipeline.own_shards()).await
}

async fn for_cloud(fixture: &Fixture) -> Vec<String> {
    take(fixture.pipeline.queue(Stage::Search)).await
}

/// Puts messages back that own workers have not got round to.
async fn leave(fixture: &Fixture, messages: &[String]) {
    for body in messages {
        fixture.pipeline.own_shards().send(body, Duration::ZERO).await.unwrap();
    }
}

async fn compare(fixture: &Fixture, messages: &[String]) {
    for body in messages {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
    }
}

async fn in_cloud(fixture: &Fixture, id: JobId) -> InCloud {
    fixture.pipeline.status(id).await.unwrap().in_cloud.unwrap()
}

#[tokio::test]
async fn the_app_is_not_told_of_shards_for_own_workers() {
    let (fixture, queries) = small().await;
    let id = submit(&fixture, &queries, Placement { place: Place::Own, ..Placement::default() }).await;
    assert!(for_cloud(&fixture).await.is_empty());
    assert_eq!(fixture.sweep_after(24).await.announced, 0, "they wait for their turn");
    let status = fixture.work(2, 1, id).await;
    assert_eq!((status.state, status.place, status.in_cloud), (State::Completed, Place::Own, None));
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn what_own_workers_will_not_have_done_goes_to_the_cloud_from_the_end_on() {
    let (fixture, queries) = small().await;
    let placement = Placement { place: Place::Burst, deadline: Some(3_600), ..Placement::default() };
    let id = submit(&fixture, &queries, placement).await;
    let own = for_own(&fixture).await;
    assert_eq!((own.len(), for_cloud(&fixture).await.len()), (SHARDS, 0));
    leave(&fixture, &own).await;
    assert_eq!(fixture.sweep_after_seconds(30).await.announced, 0, "they have not shown how fast they are");
    for_own(&fixture).await;
    // Some of those at the end as well: the cloud is not told of what is done.
    let (done, left): (Vec<_>, Vec<_>) = own.into_iter().enumerate().partition(|(place, _)| place % 2 == 0);
    let [done, left] =
        [done, left].map(|messages| messages.into_iter().map(|(_, body)| body).collect::<Vec<_>>());
    compare(&fixture, &done).await;
    leave(&fixture, &left).await;
    // Six in twenty minutes are twelve more in the forty that are left; in 46 they are one more in fourteen.
    assert_eq!(fixture.sweep_after_seconds(1_200).await.announced, 0);
    assert_eq!(fixture.sweep_after_seconds(3_600 - 840).await.announced, 5);
    assert_eq!(for_cloud(&fixture).await.len(), 5);
    assert_eq!(fixture.sweep_after_seconds(3_600 - 840).await.announced, 0, "it has been told");
    assert_eq!(in_cloud(&fixture, id).await.shards, 5);
}

#[tokio::test]
async fn whoever_is_first_writes_the_hits_and_the_other_finds_them() {
    let (fixture, queries) = small().await;
    let id = in_both(&fixture, &queries, None).await;
    let own = for_own(&fixture).await;
    assert_eq!(fixture.sweep_after_seconds(120).await.announced, SHARDS as u64, "nobody has done anything");
    let cloud = for_cloud(&fixture).await;
    compare(&fixture, &cloud).await;
    let compared = fixture.pipeline.tally().shards();
    compare(&fixture, &own).await;
    assert_eq!((compared, fixture.pipeline.tally().shards()), (SHARDS as u64, SHARDS as u64));
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
    let in_cloud = in_cloud(&fixture, id).await;
    assert_eq!(
        (in_cloud.shards, in_cloud.settled, in_cloud.out_of_budget),
        (SHARDS as u64, SHARDS as u64, false)
    );
}

#[tokio::test]
async fn the_cloud_is_told_of_no_more_than_the_budget_pays_and_own_workers_do_the_rest() {
    let (fixture, queries) = small().await;
    // Of shards of which nothing is known two minutes each are set aside: 0.0125 dollars.
    let id = in_both(&fixture, &queries, Some(0.04)).await;
    let own = for_own(&fixture).await;
    leave(&fixture, &own).await;
    assert_eq!(fixture.sweep_after_seconds(120).await.announced, 3);
    let first = for_cloud(&fixture).await;
    assert_eq!(first.len(), 3);
    let told = in_cloud(&fixture, id).await;
    assert_eq!((told.shards, told.out_of_budget, told.spent.amount.likely), (3, true, 0.0));
    assert_eq!(fixture.sweep_after_seconds(240).await.announced, 0, "so much is set aside");
    // They took as long as the shortest that is charged, so there is money left.
    compare(&fixture, &first).await;
    assert!(fixture.sweep_after_seconds(86_400).await.announced > 0);
    let told = in_cloud(&fixture, id).await;
    assert!(!told.out_of_budget && told.spent.amount.likely < 0.001, "{told:?}");
    compare(&fixture, &own).await;
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;

    let id = in_both(&fixture, &queries, Some(0.0)).await;
    assert_eq!(fixture.sweep_after(24).await.announced, 0, "nothing is free");
    assert!(in_cloud(&fixture, id).await.out_of_budget);
    let status = fixture.work(2, 2, id).await;
    assert_eq!(status.state, State::Completed);
}

#[tokio::test]
async fn the_cloud_has_no_more_at_a_time_than_its_instances_take_up() {
    let (mut fixture, queries) = small().await;
    let instances = Instances { most: 2, ..Instances::default() };
    fixture.set(Settings { instances, ..fixture.settings() });
    let id = in_both(&fixture, &queries, None).await;
    assert_eq!(fixture.sweep_after_seconds(120).await.announced, 4);
    assert_eq!(fixture.sweep_after_seconds(150).await.announced, 0);
    compare(&fixture, &for_cloud(&fixture).await[..3]).await;
    assert_eq!(fixture.sweep_after_seconds(86_400).await.announced, 3);
    assert_eq!(in_cloud(&fixture, id).await.shards, 7);
}

#[tokio::test]
async fn a_shard_that_was_taken_up_in_the_cloud_goes_on_there() {
    let (mut fixture, queries) = small().await;
    fixture.set(Settings { turn: Duration::ZERO, ..fixture.settings() });
    let id = in_both(&fixture, &queries, None).await;
    for_own(&fixture).await;
    fixture.sweep_after_seconds(120).await;
    for _ in 0..2_000 {
        let taken_up = for_cloud(&fixture).await;
        if taken_up.is_empty() {
            break;
        }
        compare(&fixture, &taken_up).await;
        assert!(for_own(&fixture).await.is_empty(), "own workers may not exist");
    }
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn messages_that_were_lost_are_announced_again_where_they_were() {
    let (fixture, queries) = small().await;
    let id = in_both(&fixture, &queries, Some(0.04)).await;
    for_own(&fixture).await;
    assert_eq!(fixture.sweep_after_seconds(120).await.announced, 3);
    assert_eq!(for_cloud(&fixture).await.len(), 3);
    fixture.sweep_after(1).await;
    let (own, cloud) = (for_own(&fixture).await, for_cloud(&fixture).await);
    assert_eq!((own.len(), cloud.len()), (SHARDS, 3), "those that are paid for, and no others");
    compare(&fixture, &own).await;
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}
