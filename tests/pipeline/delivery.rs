//! Messages delivered twice, late, out of order and at the same time change nothing.

use skyblast::database::VolumeLimit;
use skyblast::engine::{OptionChoices, SearchOptions};
use skyblast::jobs::{Stage, State};

use crate::common::in_process::{assert_same_report, project_file};
use crate::common::local_pipeline::Fixture;

const FAMILY: &str = "tests/golden/blastp/family.fa.gz";
const FAMILY_SEQUENCES: u64 = 1_600;
const FORMAT: &str = "7 std score qcovs";
const OTHER_FORMAT: &str = "6 qaccver saccver btop evalue";

/// Searches the family (list limits act, ranks tie) with several workers on chaotic queues.
async fn check(volumes: u64, chunk_residues: u64, workers: u64, max_target_seqs: usize) {
    let options = SearchOptions { max_target_seqs, ..SearchOptions::default() };
    check_with(volumes, chunk_residues, workers, options).await;
}

async fn check_with(volumes: u64, chunk_residues: u64, workers: u64, options: SearchOptions) {
    let limit = VolumeLimit::Sequences(FAMILY_SEQUENCES.div_ceil(volumes));
    let fixture = Fixture::new(&[project_file(FAMILY)], limit, chunk_residues).await;
    assert_eq!(fixture.database.manifest().volumes.len() as u64, volumes);
    let queries = std::fs::read(project_file("tests/golden/blastp/family_queries.fa")).unwrap();

    let id = fixture.submit(&queries, options, FORMAT).await;
    let status = fixture.work(workers, volumes, id).await;

    assert_eq!(status.state, State::Completed, "{status:?}");
    assert_eq!(status.shards.done, status.shards.total);
    for (format, asked) in [(FORMAT, None), (OTHER_FORMAT, Some(OTHER_FORMAT))] {
        let expected = fixture.expected(&queries, options, format);
        assert_same_report(format, &fixture.report(id, asked).await, &expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_volume_and_one_chunk_per_query() {
    check(1, 1, 2, 500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_volumes_and_one_worker() {
    check(2, 250, 1, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn seven_volumes_and_four_workers() {
    check(7, 200, 4, 500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_volumes_and_three_workers() {
    check(64, 400, 3, 5).await;
}

/// What hits need that compete before they are aligned, or that blastp may have no room for, travels with
/// shards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hits_that_the_merge_aligns() {
    let culling = OptionChoices { culling_limit: Some(30), ..OptionChoices::default() };
    check_with(7, 20_000, 3, culling.resolve().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn locally_optimal_alignments() {
    let choices = OptionChoices {
        use_sw_tback: Some("true".parse().unwrap()),
        max_target_seqs: Some(20),
        ..OptionChoices::default()
    };
    check_with(7, 20_000, 3, choices.resolve().unwrap()).await;
}

/// Lower case, the part that is searched and the numbers of queries that are left out travel with chunks.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn masked_parts_of_queries_are_searched_as_in_one_piece() {
    let folder = "tests/golden/blastp-options";
    let inputs = [project_file(&format!("{folder}/masked_db.fa"))];
    let fixture = Fixture::new(&inputs, VolumeLimit::Sequences(1), 60).await;
    let queries = std::fs::read(project_file(&format!("{folder}/masked.fa"))).unwrap();
    let mut choices = OptionChoices::default();
    for (name, text) in [("lcase_masking", "true"), ("seg", "yes"), ("query_loc", "6-60")] {
        choices.set(name, text).unwrap();
    }
    let options = choices.resolve().unwrap();
    let id = fixture.submit(&queries, options, "15").await;
    assert_eq!(fixture.work(2, 2, id).await.state, State::Completed);
    let report = fixture.report(id, None).await;
    let text = String::from_utf8(report.clone()).unwrap();
    assert!(
        text.contains("\"query_masking\"") && text.contains("\"Query_22\"") && !text.contains("\"Query_20\"")
    );
    for format in ["15", "16", "17 SQ", "6 std qlen qseq"] {
        let expected = fixture.expected(&queries, options, format);
        assert_same_report(format, &fixture.report(id, Some(format)).await, &expected);
    }
}

/// Every message again, after the whole job and in the reverse order, and at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_repeated_after_the_end_change_nothing() {
    let fixture = Fixture::new(&[project_file(FAMILY)], VolumeLimit::Sequences(400), 200).await;
    let queries = std::fs::read(project_file("tests/golden/blastp/family_queries.fa")).unwrap();
    let options = SearchOptions::default();
    let id = fixture.submit(&queries, options, FORMAT).await;
    let mut seen = Vec::new();
    for stage in [Stage::Plan, Stage::Search, Stage::Merge, Stage::Finish] {
        let messages = fixture.lose(stage).await;
        assert!(!messages.is_empty(), "{stage:?}");
        // Both copies at once, on one pipeline.
        let twice = messages.iter().chain(&messages).map(|body| fixture.pipeline.handle(stage, body));
        for handled in futures::future::join_all(twice).await {
            handled.unwrap();
        }
        seen.push((stage, messages));
    }
    assert_eq!(fixture.state(id).await, State::Completed);
    let before = fixture.pipeline.status(id).await.unwrap();
    for (stage, messages) in seen.into_iter().rev() {
        for body in messages.iter().rev() {
            fixture.pipeline.handle(stage, body).await.unwrap();
        }
    }
    fixture.drain_all().await;
    assert_eq!(fixture.pipeline.status(id).await.unwrap(), before);
    assert_same_report(
        "repeated",
        &fixture.report(id, None).await,
        &fixture.expected(&queries, options, FORMAT),
    );
}
