//! Retry: failed shards are compared again, whatever dies in between and whoever is late.

use futures::TryStreamExt;
use skyblast::database::VolumeInfo;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{
    Cancellation, DATABASES, Error, JOBS, JobId, Label, Report, Retry, Stage, State, Wanted,
};
use skyblast::store::BlobName;

use super::recovery::{FORMAT, assert_complete, small};
use crate::common::in_process::assert_same_report;
use crate::common::local_pipeline::Fixture;

/// All that went through the queues for a job.
type Messages = Vec<(Stage, String)>;

/// A job that has ended without the shard of chunk 1 and volume 2, and its messages.
async fn lacking_a_shard(fixture: &Fixture, queries: &[u8]) -> (JobId, Messages) {
    let id = fixture.submit(queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let mut all = Messages::new();
    for stage in [Stage::Search, Stage::Merge, Stage::Finish] {
        for body in fixture.lose(stage).await {
            if body.contains(r#""chunk":1,"volume":2"#) {
                fixture.pipeline.handle_poison(stage, &body).await.unwrap();
            } else {
                fixture.pipeline.handle(stage, &body).await.unwrap();
            }
            all.push((stage, body));
        }
    }
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!((status.state, status.shards.failed), (State::CompletedWithFailedShards, 1));
    (id, all)
}

async fn tag(fixture: &Fixture, id: JobId) -> (u32, String) {
    let wanted = Wanted { partial: true, ..Wanted::default() };
    match fixture.pipeline.results(id, wanted).await.unwrap() {
        Report::Ready { stored: Some(stored), .. } => (stored.edition, stored.tag.0),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn failed_shards_alone_are_tried_again_and_the_report_is_made_anew() {
    let (fixture, queries) = small().await;
    let (id, _) = lacking_a_shard(&fixture, &queries).await;
    let label: Label = "mine".parse().unwrap();
    fixture.pipeline.label(id, &label).await.unwrap();
    let (edition, before) = tag(&fixture, id).await;
    let compared = fixture.pipeline.tally().shards();

    assert_eq!(fixture.pipeline.retry(id).await.unwrap(), Retry::Begun(State::Running));
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!((status.state, status.shards.done, status.shards.failed), (State::Running, 11, 0));
    assert_eq!((status.chunks.done, status.expires), (2, None), "the others stay merged");
    assert!(status.retried.is_some() && status.failed_shards.is_empty(), "{status:?}");
    let report = fixture.pipeline.results(id, Wanted::default()).await.unwrap();
    assert!(matches!(report, Report::NotReady(State::Running)), "{report:?}");

    fixture.drain_all().await;
    assert_eq!(fixture.pipeline.tally().shards(), compared + 1);
    assert_complete(&fixture, id, &queries).await;
    let (again, after) = tag(&fixture, id).await;
    assert_eq!((edition, again), (0, 1));
    assert_ne!(before, after, "it is another report");
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!((status.label.as_deref(), status.shards.done), (Some("mine"), 12));
    let expected = fixture.expected(&queries, SearchOptions::default(), "7");
    assert_same_report("in another format", &fixture.report(id, Some("7")).await, &expected);
    assert_eq!(fixture.sweep_after(1).await.active, 0);
}

#[tokio::test]
async fn late_messages_of_the_first_attempt_change_nothing() {
    let (fixture, queries) = small().await;
    let (id, late) = lacking_a_shard(&fixture, &queries).await;
    fixture.pipeline.retry(id).await.unwrap();
    let arrive = async || {
        for (stage, body) in &late {
            fixture.pipeline.deliver(skyblast::jobs::Inbox::Work(*stage), body, 2).await.unwrap();
            fixture.pipeline.handle_poison(*stage, body).await.unwrap();
        }
    };
    let before = fixture.job_blobs(id, "").await;
    arrive().await;
    assert_eq!(fixture.job_blobs(id, "").await, before);
    assert_eq!(fixture.sweep_after(0).await.active, 1, "the retried job is not closed by them");
    for stage in [Stage::Plan, Stage::Search, Stage::Merge] {
        fixture.drain(stage).await;
        arrive().await;
        assert_eq!(fixture.state(id).await, State::Running);
    }
    fixture.drain_all().await;
    arrive().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn a_retry_that_lost_its_messages_at_any_stage_is_revived() {
    let stages = [Stage::Plan, Stage::Search, Stage::Merge, Stage::Finish];
    for (reached, &lost) in stages.iter().enumerate() {
        let (fixture, queries) = small().await;
        let (id, _) = lacking_a_shard(&fixture, &queries).await;
        fixture.pipeline.retry(id).await.unwrap();
        for &stage in &stages[..reached] {
            assert!(fixture.drain(stage).await > 0, "{stage:?}");
        }
        assert!(!fixture.lose(lost).await.is_empty(), "{lost:?}");
        assert!(!fixture.state(id).await.is_final(), "{lost:?}");
        assert!(fixture.sweep_after(1).await.announced > 0, "{lost:?}");
        fixture.drain_all().await;
        assert_complete(&fixture, id, &queries).await;
    }
}

#[tokio::test]
async fn a_retry_that_died_before_it_was_written_down_leaves_the_job_as_it_was() {
    let (fixture, queries) = small().await;
    let (id, _) = lacking_a_shard(&fixture, &queries).await;
    let report = fixture.report(id, None).await;
    let marker = BlobName::parse(format!("active/{id}.1")).unwrap();
    fixture.blobs(JOBS).put(&marker, bytes::Bytes::new()).await.unwrap();
    assert_eq!(fixture.sweep_after(0).await.discarded, 0, "it may be about to");
    assert_eq!(fixture.sweep_after(1).await.discarded, 1);
    assert_eq!(fixture.sweep_after(2).await.active, 0);
    assert_eq!(fixture.state(id).await, State::CompletedWithFailedShards);
    assert_eq!(fixture.report(id, None).await, report);
    fixture.pipeline.retry(id).await.unwrap();
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn a_retry_that_is_sent_twice_is_one() {
    let (fixture, queries) = small().await;
    let (id, _) = lacking_a_shard(&fixture, &queries).await;
    let (one, other) = tokio::join!(fixture.pipeline.retry(id), fixture.pipeline.retry(id));
    for retried in [one.unwrap(), other.unwrap()] {
        assert!(matches!(retried, Retry::Begun(_) | Retry::NotEnded(State::Running)), "{retried:?}");
    }
    assert_eq!(fixture.job_blobs(id, "retries/").await.len(), 1);
    // Whoever was first has died before it told.
    fixture.lose(Stage::Plan).await;
    assert_eq!(fixture.pipeline.retry(id).await.unwrap(), Retry::NotEnded(State::Running));
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
    assert_eq!(fixture.job_blobs(id, "retries/").await.len(), 1);
}

#[tokio::test]
async fn a_volume_that_is_added_again_is_found_by_the_second_retry() {
    let (mut fixture, queries) = small().await;
    let VolumeInfo { digest, .. } = &fixture.database.manifest().volumes[1];
    let blob = BlobName::parse(format!("volumes/{digest}")).unwrap();
    assert!(fixture.blobs(DATABASES).delete(&blob).await.unwrap());
    fixture.restart();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    for retries in 1..=2 {
        let status = fixture.pipeline.status(id).await.unwrap();
        assert_eq!((status.state, status.shards.failed), (State::CompletedWithFailedShards, 3));
        assert!(status.failed_shards[0].reason.contains("is missing"), "{:?}", status.failed_shards[0]);
        let expected = fixture.expected_without(&queries, SearchOptions::default(), FORMAT, &[1]);
        assert_same_report("without volume 1", &fixture.report(id, None).await, &expected);
        if retries == 2 {
            fixture.pipeline.catalog().publish("database", &fixture.database, &|_| ()).await.unwrap();
        }
        fixture.pipeline.retry(id).await.unwrap();
        fixture.drain_all().await;
    }
    assert_complete(&fixture, id, &queries).await;
    assert_eq!(fixture.job_blobs(id, "retries/").await.len(), 2);
}

#[tokio::test]
async fn a_job_without_a_report_is_made_from_what_has_been_compared() {
    for (stage, before, again) in [(Stage::Plan, 0, 12), (Stage::Merge, 2, 0), (Stage::Finish, 3, 0)] {
        let (fixture, queries) = small().await;
        let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
        for stage in &[Stage::Plan, Stage::Search, Stage::Merge][..before] {
            fixture.drain(*stage).await;
        }
        fixture.pipeline.handle_poison(stage, &fixture.lose(stage).await[0]).await.unwrap();
        assert_eq!(fixture.state(id).await, State::Failed, "{stage:?}");
        let compared = fixture.pipeline.tally().shards();
        assert!(matches!(fixture.pipeline.retry(id).await.unwrap(), Retry::Begun(_)), "{stage:?}");
        fixture.drain_all().await;
        assert_eq!(fixture.pipeline.tally().shards() - compared, again, "{stage:?}");
        assert_complete(&fixture, id, &queries).await;
    }
}

#[tokio::test]
async fn where_nothing_failed_nothing_is_tried_again() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    assert_eq!(fixture.pipeline.retry(id).await.unwrap(), Retry::NotEnded(State::Queued));
    fixture.drain_all().await;
    assert_eq!(fixture.pipeline.retry(id).await.unwrap(), Retry::NothingFailed(State::Completed));
    let cancelled = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.pipeline.cancel(cancelled).await.unwrap();
    assert_eq!(fixture.pipeline.retry(cancelled).await.unwrap(), Retry::NothingFailed(State::Cancelled));
    let unknown = fixture.pipeline.retry(JobId::random().unwrap()).await;
    assert!(matches!(unknown, Err(Error::UnknownJob(_))), "{unknown:?}");
    assert!(fixture.lose(Stage::Plan).await.len() == 1, "of the job that was cancelled");
}

#[tokio::test]
async fn a_retry_can_be_cancelled_and_the_job_removed() {
    let (fixture, queries) = small().await;
    let (id, _) = lacking_a_shard(&fixture, &queries).await;
    fixture.pipeline.retry(id).await.unwrap();
    let Cancellation { outcome, ended_before } = fixture.pipeline.cancel(id).await.unwrap();
    assert_eq!((outcome.state, ended_before), (State::Cancelled, false));
    fixture.drain_all().await;
    assert_eq!(fixture.state(id).await, State::Cancelled);
    fixture.pipeline.remove(id).await.unwrap();
    let left: Vec<_> = fixture.blobs(JOBS).list("").try_collect().await.unwrap();
    let left: Vec<_> = left.iter().filter(|blob| blob.name.as_str().contains(&id.to_string())).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_retry_in_a_storm_ends_with_the_same_report() {
    let (fixture, queries) = small().await;
    let (id, late) = lacking_a_shard(&fixture, &queries).await;
    fixture.pipeline.retry(id).await.unwrap();
    for (stage, body) in &late {
        fixture.pipeline.queue(*stage).send(body, std::time::Duration::ZERO).await.unwrap();
    }
    let status = fixture.work(3, 7, id).await;
    assert_eq!(status.state, State::Completed, "{status:?}");
    assert_complete(&fixture, id, &queries).await;
}
