//! Shards that fail for good, and blobs that are lost or damaged.

use bytes::Bytes;
use futures::TryStreamExt;
use skyblast::database::VolumeInfo;
use skyblast::engine::SearchOptions;
use skyblast::jobs::{DATABASES, FailedShard, JOBS, JobId, Report, Stage, State, Wanted};
use skyblast::store::BlobName;

use super::recovery::{FORMAT, assert_complete, small};
use crate::common::in_process::assert_same_report;
use crate::common::local_pipeline::Fixture;

#[tokio::test]
async fn a_shard_given_up_by_its_queue_is_named_and_the_rest_is_reported() {
    let (fixture, queries) = small().await;
    let queries = &queries[..queries[1..].iter().position(|&b| b == b'>').unwrap() + 1];
    let id = fixture.submit(queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    for body in fixture.lose(Stage::Search).await {
        if body.contains(r#""volume":2"#) {
            fixture.pipeline.handle_poison(Stage::Search, &body).await.unwrap();
        } else {
            fixture.pipeline.handle(Stage::Search, &body).await.unwrap();
        }
    }
    fixture.drain_all().await;
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.state, State::CompletedWithFailedShards);
    assert_eq!((status.shards.done, status.shards.failed), (3, 1));
    let failed = &status.failed_shards[0];
    assert_eq!((failed.chunk, failed.volume), (0, 2));
    assert!(failed.reason.contains("given up after 5 attempts"), "{}", failed.reason);
    let expected = fixture.expected_without(queries, SearchOptions::default(), FORMAT, &[2]);
    assert_same_report("without volume 2", &fixture.report(id, None).await, &expected);
}

#[tokio::test]
async fn any_other_step_given_up_ends_the_job_with_its_reason() {
    for (stage, before) in [(Stage::Plan, 0), (Stage::Merge, 2), (Stage::Finish, 3)] {
        let (fixture, queries) = small().await;
        let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
        for stage in &[Stage::Plan, Stage::Search, Stage::Merge][..before] {
            fixture.drain(*stage).await;
        }
        let body = &fixture.lose(stage).await[0];
        fixture.pipeline.handle_poison(stage, body).await.unwrap();
        let status = fixture.pipeline.status(id).await.unwrap();
        assert_eq!(status.state, State::Failed, "{stage:?}");
        assert!(status.reason.as_ref().unwrap().contains(stage.function()), "{:?}", status.reason);
        fixture.drain_all().await;
        assert_eq!(fixture.pipeline.status(id).await.unwrap(), status, "{stage:?}: it stays so");
    }
}

fn volume_blob(volume: &VolumeInfo) -> BlobName {
    BlobName::parse(format!("volumes/{}", volume.digest)).unwrap()
}

/// Runs a job after something happened to volume 1; it must fail the shards of that volume and
/// give `reason`.
async fn check_lost_volume(fixture: &mut Fixture, queries: &[u8], reason: &str) {
    fixture.restart();
    let digest = fixture.database.manifest().volumes[1].digest.to_string();
    let id = fixture.submit(queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.state, State::CompletedWithFailedShards);
    let failed: Vec<_> = status.failed_shards.iter().map(|shard| (shard.chunk, shard.volume)).collect();
    assert_eq!(failed, [(0, 1), (1, 1), (2, 1)]);
    for shard in &status.failed_shards {
        assert!(shard.reason.contains(reason) && shard.reason.contains(&digest), "{}", shard.reason);
    }
    let expected = fixture.expected_without(queries, SearchOptions::default(), FORMAT, &[1]);
    assert_same_report("without volume 1", &fixture.report(id, None).await, &expected);
}

#[tokio::test]
async fn a_deleted_volume_fails_its_shards_and_is_named() {
    let (mut fixture, queries) = small().await;
    let blob = volume_blob(&fixture.database.manifest().volumes[1]);
    assert!(fixture.blobs(DATABASES).delete(&blob).await.unwrap());
    check_lost_volume(&mut fixture, &queries, "is missing").await;
}

#[tokio::test]
async fn a_volume_with_a_flipped_byte_fails_its_shards_and_is_named() {
    let (mut fixture, queries) = small().await;
    let blob = volume_blob(&fixture.database.manifest().volumes[1]);
    let mut bytes = fixture.blobs(DATABASES).get(&blob).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fixture.blobs(DATABASES).put(&blob, bytes.into()).await.unwrap();
    check_lost_volume(&mut fixture, &queries, "damaged").await;
}

#[tokio::test]
async fn a_truncated_volume_fails_its_shards_and_is_named() {
    let (mut fixture, queries) = small().await;
    let blob = volume_blob(&fixture.database.manifest().volumes[1]);
    let bytes = fixture.blobs(DATABASES).get(&blob).await.unwrap();
    fixture.blobs(DATABASES).put(&blob, bytes.slice(..bytes.len() / 2)).await.unwrap();
    check_lost_volume(&mut fixture, &queries, "truncated").await;
}

/// Replaces a blob by half of itself.
async fn halve(fixture: &Fixture, blob: &BlobName) {
    let blobs = fixture.blobs(JOBS);
    let bytes = blobs.get(blob).await.unwrap();
    blobs.put(blob, bytes.slice(..bytes.len() / 2)).await.unwrap();
}

#[tokio::test]
async fn damaged_hits_are_compared_again() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    fixture.drain(Stage::Search).await;
    let hits = fixture.job_blobs(id, "hits/").await;
    assert_eq!(hits.len(), 12);
    halve(&fixture, &hits[3]).await;
    fixture.blobs(JOBS).put(&hits[7], Bytes::new()).await.unwrap();
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

#[tokio::test]
async fn a_damaged_part_is_merged_again_while_the_job_runs() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    for stage in [Stage::Plan, Stage::Search, Stage::Merge] {
        fixture.drain(stage).await;
    }
    fixture.lose(Stage::Finish).await;
    // As if the merge had died after the part, and the part had been damaged since.
    halve(&fixture, &fixture.job_blobs(id, "parts/").await[1]).await;
    assert!(fixture.blobs(JOBS).delete(&fixture.job_blobs(id, "text/").await[1]).await.unwrap());
    fixture.sweep_after(1).await;
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
}

/// Removes all blobs of a job whose names start so.
async fn remove(fixture: &Fixture, id: JobId, prefix: &str) {
    let blobs = fixture.job_blobs(id, prefix).await;
    assert!(!blobs.is_empty(), "there is no {prefix}");
    for blob in blobs {
        assert!(fixture.blobs(JOBS).delete(&blob).await.unwrap());
    }
}

#[tokio::test]
async fn what_is_lost_of_a_report_is_made_again_from_what_is_left() {
    for format in [FORMAT, "17"] {
        let (fixture, queries) = small().await;
        let id = fixture.submit(&queries, SearchOptions::default(), format).await;
        fixture.drain_all().await;
        let expected = fixture.expected(&queries, SearchOptions::default(), format);
        assert_same_report("whole", &fixture.report(id, None).await, &expected);
        for lost in [
            &["report."][..],
            &["report.", "text/000001"],
            &["report.", "text/", "parts/000001"],
            &["report.", "text/", "parts/"],
            &["report.", "text/", "parts/", "plan.json"],
        ] {
            for prefix in lost {
                remove(&fixture, id, prefix).await;
            }
            assert_same_report(&format!("{lost:?}"), &fixture.report(id, None).await, &expected);
        }
    }
}

#[tokio::test]
async fn a_report_made_again_lacks_what_it_lacked_before() {
    let (mut fixture, queries) = small().await;
    let blob = volume_blob(&fixture.database.manifest().volumes[1]);
    let volume = fixture.blobs(DATABASES).get(&blob).await.unwrap();
    assert!(fixture.blobs(DATABASES).delete(&blob).await.unwrap());
    fixture.restart();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let shards = fixture.lose(Stage::Search).await;
    for body in &shards {
        fixture.pipeline.handle(Stage::Search, body).await.unwrap();
    }
    fixture.drain_all().await;
    let before = fixture.report(id, None).await;
    // A late success, of a message that had been taken before the end.
    fixture.blobs(DATABASES).put(&blob, volume).await.unwrap();
    let hits = fixture.job_blobs(id, "hits/").await[0].clone();
    let late = BlobName::parse(hits.as_str().replace("/00000", "/00001")).unwrap();
    let content = fixture.blobs(JOBS).get(&hits).await.unwrap();
    fixture.blobs(JOBS).put(&late, content).await.unwrap();
    for prefix in ["report.", "text/", "parts/"] {
        remove(&fixture, id, prefix).await;
    }
    assert_same_report("again", &fixture.report(id, None).await, &before);
}

#[tokio::test]
async fn a_part_lost_or_damaged_after_the_end_is_joined_again_as_long_as_there_are_hits() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    let part = fixture.job_blobs(id, "parts/").await[1].clone();
    let expected = fixture.expected(&queries, SearchOptions::default(), "7");
    halve(&fixture, &part).await;
    assert_same_report("damaged", &fixture.report(id, Some("7")).await, &expected);
    assert!(fixture.blobs(JOBS).delete(&part).await.unwrap());
    assert_same_report("lost", &fixture.report(id, Some("7")).await, &expected);

    assert!(fixture.blobs(JOBS).delete(&part).await.unwrap());
    remove(&fixture, id, "hits/000001/00002").await;
    assert_complete(&fixture, id, &queries).await;
    let wanted = Wanted { format: Some("7".parse().unwrap()), ..Wanted::default() };
    let Report::Ready { content, .. } = fixture.pipeline.results(id, wanted).await.unwrap() else {
        panic!("a finished job has a report");
    };
    let error = content.try_collect::<Vec<_>>().await.unwrap_err().to_string();
    assert!(error.contains(part.as_str()) && error.contains("missing"), "{error}");
}

#[tokio::test]
async fn reasons_do_not_say_where_the_server_keeps_its_volumes() {
    let (mut fixture, queries) = small().await;
    let blob = volume_blob(&fixture.database.manifest().volumes[1]);
    let bytes = fixture.blobs(DATABASES).get(&blob).await.unwrap();
    fixture.blobs(DATABASES).put(&blob, bytes.slice(..bytes.len() / 2)).await.unwrap();
    fixture.restart();
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain_all().await;
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.failed_shards.len(), 3);
    for FailedShard { reason, .. } in &status.failed_shards {
        assert!(reason.contains(blob.as_str()), "{reason}");
        assert!(!reason.contains(fixture.folder.path().to_str().unwrap()), "{reason}");
    }
}

#[tokio::test]
async fn damaged_queries_end_the_job_and_are_named() {
    let (fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    let chunk = fixture.job_blobs(id, "queries/").await[1].clone();
    halve(&fixture, &chunk).await;
    fixture.drain_all().await;
    let status = fixture.pipeline.status(id).await.unwrap();
    assert_eq!(status.state, State::Failed, "{status:?}");
    let reason = status.reason.unwrap();
    assert!(reason.contains(chunk.as_str()) && reason.contains("damaged"), "{reason}");
}

/// A job that an earlier version has planned goes on.
#[tokio::test]
async fn a_plan_under_its_earlier_name_is_read() {
    let (mut fixture, queries) = small().await;
    let id = fixture.submit(&queries, SearchOptions::default(), FORMAT).await;
    fixture.drain(Stage::Plan).await;
    let (jobs, named) = (fixture.blobs(JOBS), |leaf| BlobName::parse(format!("{id}/{leaf}")).unwrap());
    jobs.put(&named("manifest.json"), jobs.get(&named("plan.json")).await.unwrap()).await.unwrap();
    assert!(jobs.delete(&named("plan.json")).await.unwrap());
    fixture.restart();
    fixture.drain_all().await;
    assert_complete(&fixture, id, &queries).await;
    assert!(fixture.job_blobs(id, "plan.json").await.is_empty(), "there is one plan");
}
