//! How long jobs are kept, and how they are removed.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::TryStreamExt;
use jiff::SignedDuration;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{Error, JOBS, JobId, KEEP_JOBS, Listing, Removal, Settings, Stage, State};
use skyblast::store::BlobName;

use super::recovery::{FORMAT, assert_complete, small};
use crate::common::local_pipeline::Fixture;

/// Hours of a little less and a little more than the time for which jobs are kept.
const BEFORE: i64 = 14 * 24 - 1;
const AFTER: i64 = 14 * 24 + 1;

async fn is_known(fixture: &Fixture, id: JobId) -> bool {
    match fixture.pipeline.status(id).await {
        Ok(_) => true,
        Err(Error::UnknownJob(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

/// Names of all blobs, of jobs and beside them, that start with `prefix`.
async fn blobs(fixture: &Fixture, prefix: &str) -> Vec<String> {
    let listing = fixture.blobs(JOBS).list(prefix);
    listing.map_ok(|blob| blob.name.to_string()).try_collect().await.unwrap()
}

#[tokio::test]
async fn a_job_is_removed_when_its_time_is_over_and_one_that_runs_is_not() {
    let (fixture, queries) = small().await;
    let ended = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    let running = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    let status = fixture.pipeline.status(ended).await.unwrap();
    let kept = SignedDuration::try_from(KEEP_JOBS).unwrap();
    assert_eq!(status.expires, Some(status.finished.unwrap() + kept));
    assert_eq!(fixture.pipeline.status(running).await.unwrap().expires, None);

    assert_eq!(fixture.sweep_after(BEFORE).await.removed, 0);
    assert!(is_known(&fixture, ended).await);
    assert_eq!(fixture.sweep_after(AFTER).await.removed, 1);
    assert!(!is_known(&fixture, ended).await && is_known(&fixture, running).await);
    for prefix in [format!("{ended}/"), "removing/".to_owned(), format!("active/{ended}")] {
        assert_eq!(blobs(&fixture, &prefix).await, Vec::<String>::new());
    }
    let index = blobs(&fixture, "index/").await;
    assert!(index.len() == 1 && index[0].ends_with(&running.to_string()), "{index:?}");
    fixture.drain_all().await;
    assert_complete(&fixture, running, &queries).await;
}

/// As versions without an index left them.
#[tokio::test]
async fn jobs_that_are_in_no_index_are_found_listed_and_removed_when_their_time_is_over() {
    let (fixture, queries) = small().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(fixture.submit(&queries, SearchOptions::default(), FORMAT).await);
    }
    fixture.drain_all().await;
    for entry in blobs(&fixture, "index/").await.into_iter().take(2) {
        assert!(fixture.blobs(JOBS).delete(&BlobName::parse(entry).unwrap()).await.unwrap());
    }
    let listed = || async {
        let page = fixture.pipeline.list(&Listing { limit: 10, ..Listing::default() }).await.unwrap();
        page.searches.into_iter().map(|job| job.id).collect::<BTreeSet<_>>()
    };
    assert_eq!(listed().await.len(), 1);
    // Some of the store in each run.
    for _ in 0..16 {
        fixture.sweep_after(0).await;
    }
    assert_eq!(listed().await, ids.iter().copied().collect());
    assert_eq!(fixture.sweep_after(AFTER).await.removed, 3);
    assert!(listed().await.is_empty() && !is_known(&fixture, ids[0]).await);
}

#[tokio::test]
async fn jobs_that_are_kept_for_ever_are() {
    let (mut fixture, queries) = small().await;
    fixture.set(Settings { keep_jobs: None, ..fixture.settings() });
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    assert_eq!(fixture.pipeline.status(id).await.unwrap().expires, None);
    assert_eq!(fixture.sweep_after(100 * AFTER).await.removed, 0);
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn jobs_are_looked_for_once_in_an_hour_at_most() {
    let (mut fixture, queries) = small().await;
    fixture.set(Settings { keep_jobs: Some(Duration::from_secs(60)), ..fixture.settings() });
    assert_eq!(fixture.sweep_after(2).await.removed, 0);
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    assert_eq!(fixture.sweep_after(2).await.removed, 0);
    assert!(is_known(&fixture, id).await);
    assert_eq!(fixture.sweep_after(4).await.removed, 1);
}

#[tokio::test]
async fn only_a_job_that_has_ended_can_be_removed() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    assert_eq!(fixture.pipeline.remove(id).await.unwrap(), Removal::NotEnded);
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
    assert_eq!(fixture.pipeline.remove(id).await.unwrap(), Removal::Removed);
    assert!(!is_known(&fixture, id).await);
    assert!(matches!(fixture.pipeline.remove(id).await, Err(Error::UnknownJob(_))));
    for prefix in [format!("{id}/"), "removing/".to_owned(), "index/".to_owned()] {
        assert_eq!(blobs(&fixture, &prefix).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_large_job_is_removed_in_several_runs_and_unknown_from_the_first() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    // Blobs of a folder are files.
    let many = fixture.folder.path().join(format!("store/blobs/jobs/{id}/spent/many"));
    std::fs::create_dir_all(&many).unwrap();
    (0..5_000).for_each(|number| std::fs::write(many.join(number.to_string()), "").unwrap());
    assert_eq!(fixture.pipeline.remove(id).await.unwrap(), Removal::Removed);
    assert!(!is_known(&fixture, id).await);
    assert!(!blobs(&fixture, &format!("{id}/")).await.is_empty());
    assert_eq!(fixture.sweep_after(0).await.removed, 1);
    assert_eq!(blobs(&fixture, &format!("{id}/")).await, Vec::<String>::new());
    assert_eq!(blobs(&fixture, "index/").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_job_whose_end_is_lost_ends_again() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    let end = fixture.job_blobs(id, "done.json").await.remove(0);
    assert!(fixture.blobs(JOBS).delete(&end).await.unwrap());
    assert_eq!(fixture.state(id).await, State::Running);
    fixture.sweep_after(1).await;
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}
