//! Lost messages, lost submitters, cancelled and unknown jobs.

use bytes::Bytes;
use skyblast::database::VolumeLimit;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{Cancellation, Error, JOBS, JobId, Report, ShardPlanned, Stage, State, Wanted};
use skyblast::store::BlobName;

use crate::common::in_process::{assert_same_report, project_file};
use crate::common::local_pipeline::Fixture;

pub(crate) const DATABASE: &str = "tests/golden/edge/edge_db.fa";
pub(crate) const QUERIES: &str = "tests/golden/edge/dup_ids.fa";
pub(crate) const FORMAT: &str = "6 std score";

/// Three queries against sixty proteins in four volumes, each query a chunk.
pub(crate) async fn small() -> (Fixture, Vec<u8>) {
    let fixture = Fixture::new(&[project_file(DATABASE)], VolumeLimit::Sequences(15), 1).await;
    assert_eq!(fixture.database.manifest().volumes.len(), 4);
    (fixture, std::fs::read(project_file(QUERIES)).unwrap())
}

pub(crate) async fn assert_complete(fixture: &Fixture, id: JobId, queries: &[u8]) {
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.state, State::Completed, "{status:?}");
    let expected = fixture.expected(queries, SearchOptions::default(), FORMAT);
    assert!(!expected.is_empty());
    assert_same_report("the report", &fixture.report(id, None).await, &expected);
}

#[tokio::test]
async fn sweep_revives_a_job_that_lost_its_messages_at_any_stage() {
    let stages = [Stage::Plan, Stage::Search, Stage::Merge, Stage::Finish];
    for (reached, &lost) in stages.iter().enumerate() {
        let (fixture, queries) = small().await;
        let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
        for &stage in &stages[..reached] {
            assert!(fixture.drain(stage).await > 0, "{stage:?}");
        }
        assert!(!fixture.lose(lost).await.is_empty(), "{lost:?}");
        fixture.drain_all().await;
        assert!(!fixture.state(id).await.is_final(), "{lost:?}");

        let early = fixture.sweep_after(0).await;
        assert_eq!((early.active, early.announced), (1, 0), "{lost:?}: a job that moves is left alone");
        let swept = fixture.sweep_after(1).await;
        assert!(swept.announced > 0, "{lost:?}: {swept:?}");
        fixture.drain_all().await;
        assert_complete(&fixture, id, &queries).await;
        assert_eq!(fixture.sweep_after(2).await.active, 0, "{lost:?}: a finished job is not active");
    }
}

/// The shards that messages are about, in order; their places in the trace differ.
fn shards_in(messages: &[String]) -> Vec<ShardPlanned> {
    let mut shards: Vec<ShardPlanned> =
        messages.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    shards.sort_by_key(|shard| (shard.job, shard.chunk, shard.volume));
    shards
}

#[tokio::test]
async fn half_of_the_shards_lost_are_announced_again_and_no_others() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let shards = fixture.lose(Stage::Search).await;
    assert_eq!(shards.len(), 12);
    for body in &shards[..6] {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
    }
    fixture.lose(Stage::Merge).await;
    let swept = fixture.sweep_after(1).await;
    let again = fixture.lose(Stage::Search).await;
    assert_eq!(shards_in(&again), shards_in(&shards[6..]));
    assert!(swept.announced >= 6);
    for body in &again {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
    }
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn shards_that_never_answer_are_given_up_in_the_end() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let mut rounds = 0;
    while fixture.job_blobs(id, "failed/").await.is_empty() {
        rounds += 1;
        assert!(rounds < 20, "no shard was given up");
        fixture.lose(Stage::Search).await;
        fixture.sweep_after(rounds).await;
    }
    fixture.drain_all().await;
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.state, State::CompletedWithFailedShards);
    assert_eq!((status.shards.failed, status.failed_shards.len()), (12, 12));
    assert!(status.failed_shards[0].reason.contains("without an answer"), "{:?}", status.failed_shards[0]);
}

#[tokio::test]
async fn a_request_whose_submitter_died_is_discarded() {
    let (fixture, _) = small().await;
    let id = JobId::random().unwrap();
    let blobs = fixture.blobs(JOBS);
    for name in [format!("active/{id}"), format!("{id}/queries/000000")] {
        blobs.put(&BlobName::parse(name).unwrap(), Bytes::from_static(b"half")).await.unwrap();
    }
    assert_eq!(fixture.sweep_after(0).await.discarded, 0, "it may still be reading");
    assert_eq!(fixture.sweep_after(1).await.discarded, 1);
    assert!(fixture.job_blobs(id, "").await.is_empty());
    assert_eq!(fixture.sweep_after(2).await.active, 0);
}

#[tokio::test]
async fn a_job_cancelled_in_the_middle_stays_cancelled() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let shards = fixture.lose(Stage::Search).await;
    fixture.pipeline.handle(Stage::Search, &shards[0]).await.unwrap();
    let Cancellation { outcome, ended_before } = fixture.pipeline.cancel(id).await.unwrap();
    assert_eq!((outcome.state, ended_before), (State::Cancelled, false));
    for body in &shards {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
    }
    fixture.drain_all().await;
    assert_eq!(fixture.job_blobs(id, "hits/").await.len(), 1, "nothing is compared after the cancellation");
    let report = fixture.pipeline.results(id, Wanted::default()).await.unwrap();
    assert!(matches!(report, Report::NotReady(State::Cancelled)), "{report:?}");
    let again = fixture.pipeline.cancel(id).await.unwrap();
    assert_eq!(again, Cancellation { outcome, ended_before: true });
    let swept = fixture.sweep_after(1).await;
    assert_eq!((swept.active, swept.announced), (0, 0));
}

#[tokio::test]
async fn a_job_is_queued_until_a_shard_is_taken_up() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    assert_eq!(fixture.state(id).await, State::Queued);
    fixture.drain(Stage::Plan).await;
    assert_eq!(fixture.state(id).await, State::Queued, "laid out, and nobody works on it");
    let shards = fixture.lose(Stage::Search).await;
    fixture.pipeline.handle(Stage::Search, &shards[0]).await.unwrap();
    assert_eq!(fixture.state(id).await, State::Running);
    for body in &shards[1..] {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
    }
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn a_finished_job_cannot_be_cancelled() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    let cancelled = fixture.pipeline.cancel(id).await.unwrap();
    assert_eq!((cancelled.outcome.state, cancelled.ended_before), (State::Completed, true));
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn an_unknown_job_is_named_and_its_messages_are_dropped() {
    let (fixture, _) = small().await;
    let id = JobId::random().unwrap();
    assert!(matches!(fixture.pipeline.status(id).await, Err(Error::UnknownJob(unknown)) if unknown == id));
    assert!(matches!(fixture.pipeline.cancel(id).await, Err(Error::UnknownJob(_))));
    assert!(matches!(fixture.pipeline.results(id, Wanted::default()).await, Err(Error::UnknownJob(_))));
    for stage in Stage::ALL {
        let body = format!(r#"{{"job":"{id}","chunk":0,"volume":0}}"#);
        let error = fixture.pipeline.handle(stage, &body).await.unwrap_err();
        assert!(!error.is_retryable(), "{stage:?}: {error}");
        fixture.pipeline.handle_poison(stage, &body).await.unwrap();
    }
    assert!(fixture.job_blobs(id, "").await.is_empty(), "nothing is written for a job that is not there");
}

#[tokio::test]
async fn messages_that_make_no_sense_are_refused_and_dropped() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let nonsense = ["", "{}", "null", r#"{"job":"../../etc"}"#];
    for (stage, body) in Stage::ALL.iter().flat_map(|stage| nonsense.map(|body| (*stage, body))) {
        assert!(matches!(fixture.pipeline.handle(stage, body).await, Err(Error::Message { .. })), "{body}");
        fixture.pipeline.handle_poison(stage, body).await.unwrap();
    }
    let beyond = format!(r#"{{"job":"{id}","chunk":3,"volume":0}}"#);
    let error = fixture.pipeline.handle(Stage::Search, &beyond).await.unwrap_err();
    assert!(error.to_string().contains("no shard 3/0"), "{error}");
    fixture.pipeline.handle_poison(Stage::Search, &beyond).await.unwrap();
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn a_job_without_any_searchable_query_completes_with_an_empty_report() {
    let (fixture, _) = small().await;
    let queries = b">q1 unknown\nXXXXXXXXXXXXXXXX\n>q2\nXXXX\n";
    let id = fixture.submit(queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    assert_eq!(fixture.state(id).await, State::Completed);
    assert_eq!(fixture.report(id, None).await, b"");
    let commented = String::from_utf8(fixture.report(id, Some("7")).await).unwrap();
    assert_eq!(commented.matches("# 0 hits found\n").count(), 2, "{commented}");
    assert!(commented.ends_with("# BLAST processed 2 queries\n"), "{commented}");
}
