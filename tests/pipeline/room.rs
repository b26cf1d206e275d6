//! With hardly any memory for hits, what is found, merged and written goes through temporary files, and the
//! report has the same bytes.

use skyblast::database::VolumeLimit;
use skyblast::engine::{CompositionMode, OptionChoices, SearchOptions};
use skyblast::jobs::{Settings, State};

use crate::common::in_process::{assert_same_report, project_file};
use crate::common::local_pipeline::Fixture;

/// Formats that read the hits of a query in different ways.
const FORMATS: [&str; 10] = [
    "7 std score qcovs",
    "6 std btop",
    "0",
    "0 num_descriptions=7 num_alignments=3 sorthits=2 sorthsps=1",
    "0 num_descriptions=2000 num_alignments=2000 sorthits=3",
    "0 sorthits=4",
    "5",
    "15",
    "16",
    "17 SQ",
];

async fn check(queries: &str, database: &str, volume: VolumeLimit, options: SearchOptions) {
    let mut fixture = Fixture::new(&[project_file(database)], volume, 10_000).await;
    fixture.set(Settings { room: 30_000, ..fixture.settings() });
    let queries = std::fs::read(project_file(queries)).unwrap();
    let id = fixture.submit(&queries, options, FORMATS[0]).await;
    fixture.drain_all().await;
    assert_eq!(fixture.state(id).await, State::Completed);
    for format in FORMATS {
        let expected = fixture.expected(&queries, options, format);
        let asked = (format != FORMATS[0]).then_some(format);
        let report = fixture.report(id, asked).await;
        assert_same_report(format, &undated(&report), &undated(&expected));
    }
}

/// A report without what its head and end say of the database, which jobs know more of.
fn undated(report: &[u8]) -> Vec<u8> {
    let said = |line: &&[u8]| {
        let line = String::from_utf8_lossy(line);
        !line.contains("Database: ") && !line.contains("Posted date: ")
    };
    report.split_inclusive(|&byte| byte == b'\n').filter(said).collect::<Vec<_>>().concat()
}

const FAMILY: (&str, &str) = ("tests/golden/blastp/family_queries.fa", "tests/golden/blastp/family.fa.gz");

async fn check_family(choices: OptionChoices) {
    let options = choices.resolve().unwrap();
    check(FAMILY.0, FAMILY.1, VolumeLimit::Sequences(400), options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hits_that_the_list_limits_choose_from() {
    check_family(OptionChoices { max_target_seqs: Some(40), ..OptionChoices::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_hits() {
    let options = SearchOptions {
        evalue: 1e300,
        max_target_seqs: 1_000_000,
        composition: CompositionMode::Off,
        ..SearchOptions::default()
    };
    check(FAMILY.0, "tests/golden/edge/edge_db.fa", VolumeLimit::Sequences(10), options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hits_that_are_culled() {
    check_family(OptionChoices { culling_limit: Some(30), ..OptionChoices::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn best_hits() {
    check_family(OptionChoices { best_hit_overhang: Some(0.1), ..OptionChoices::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locally_optimal_alignments_of_queries_that_have_no_room_for_all() {
    check_family(OptionChoices {
        use_sw_tback: Some("true".parse().unwrap()),
        comp_based_stats: Some(CompositionMode::Off),
        max_target_seqs: Some(20),
        ..OptionChoices::default()
    })
    .await;
}
