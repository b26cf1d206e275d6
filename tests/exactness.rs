//! The report of a search does not depend on how the work was cut.
//!
//! The database is the family of the golden tests (`tests/golden/blastp/family.py`): so many
//! members that the list limits act, and forty sequences six times each, whose ranks tie. What is
//! reported for it is blastp's own report (`tests/golden.rs`); here every way of cutting the work
//! must report the same bytes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use skyblast::database::VolumeLimit;
use skyblast::engine::{CompositionMode, Hit, Masking, SearchOptions, Seg};
use skyblast::jobs::ROOM;
use skyblast::report::OutputFormat;
use tempfile::TempDir;

mod common;

use common::in_process::{OpenDatabase, assert_same_report, build_database, chunks, chunks_of, project_file};

const FAMILY: &str = "tests/golden/blastp/family.fa.gz";

/// Numbers of volumes that the work is cut into.
const VOLUMES: [u64; 4] = [1, 2, 7, 64];

fn queries() -> PathBuf {
    project_file("tests/golden/blastp/family_queries.fa")
}

/// The family in each number of [`VOLUMES`].
static DATABASES: LazyLock<Vec<OpenDatabase>> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let inputs = [project_file(FAMILY)];
    let sequences = {
        let whole = build_database(folder.path(), &inputs, VolumeLimit::Bytes(u64::MAX));
        whole.manifest().sequences
    };
    let cut = |&volumes: &u64| {
        let limit = VolumeLimit::Sequences(sequences.div_ceil(volumes));
        let database = OpenDatabase::new(&build_database(folder.path(), &inputs, limit));
        assert_eq!(database.volumes() as u64, volumes);
        database
    };
    VOLUMES.iter().map(cut).collect()
});

/// Without composition adjustment, where the list limit acts for few subjects.
fn options(max_target_seqs: usize) -> SearchOptions {
    SearchOptions { max_target_seqs, composition: CompositionMode::Off, ..SearchOptions::default() }
}

/// With blastp's default composition adjustment, where weak subjects may be left out early.
fn adjusted(max_target_seqs: usize) -> SearchOptions {
    SearchOptions { max_target_seqs, ..SearchOptions::default() }
}

/// With masked queries, hard and soft, and without gaps.
fn in_other_ways() -> [SearchOptions; 3] {
    let masked =
        |soft| Masking { seg: Some(Seg { low: 2.9, high: 3.2, ..Seg::SUBJECT }), soft, lower_case: false };
    [
        SearchOptions { masking: masked(false), ..adjusted(50) },
        SearchOptions { masking: masked(true), search_space: Some(100_000_000), ..adjusted(50) },
        SearchOptions { ungapped: true, ..options(50) },
    ]
}

fn format() -> OutputFormat {
    "7 std score qcovs btop".parse().unwrap()
}

/// The report of the uncut work: one volume, one chunk, one thread.
fn whole_report(options: SearchOptions) -> Vec<u8> {
    let chunks = chunks(&queries(), chunks_of(u64::MAX));
    assert_eq!(chunks.len(), 1);
    DATABASES[0].report(&chunks, options, &format(), 1, &mut |order| order)
}

/// The reports of the uncut work for the options that are tried.
static WHOLE: LazyLock<Vec<(SearchOptions, Vec<u8>)>> = LazyLock::new(|| {
    let tried = [options(5), options(50), options(500), adjusted(5), adjusted(50), adjusted(500)];
    tried.into_iter().chain(in_other_ways()).map(|options| (options, whole_report(options))).collect()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Volumes, chunks, threads, the order in which shards are joined, repeats, and how much of the hits is
    /// held in memory change nothing.
    #[test]
    fn the_report_does_not_depend_on_the_cut(
        volumes in 0..VOLUMES.len(),
        chunk_residues in select(vec![1u64, 30, 250, 400, 10_000]),
        threads in 1usize..=5,
        tried in 0usize..9,
        room in select(vec![10_000usize, 100_000, 1_000_000, ROOM]),
        order in any::<u64>(),
    ) {
        let (options, expected) = &WHOLE[tried];
        let chunks = chunks(&queries(), chunks_of(chunk_residues));
        let mut chance = order;
        let report = DATABASES[volumes].report_within(
            room,
            &chunks,
            *options,
            &format(),
            threads,
            &mut |volumes| shuffled_with_repeats(volumes, &mut chance),
        );
        assert_same_report("the cut report", &report, expected);
    }
}

/// All volumes in an order by chance, some of them twice.
fn shuffled_with_repeats(mut volumes: Vec<usize>, chance: &mut u64) -> Vec<usize> {
    let mut below = |limit: usize| {
        *chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*chance >> 33) as usize % limit
    };
    for _ in 0..volumes.len().div_ceil(8) {
        let repeated = volumes[below(volumes.len())];
        volumes.push(repeated);
    }
    for last in (1..volumes.len()).rev() {
        volumes.swap(last, below(last + 1));
    }
    volumes
}

/// The best 500 of the hits of a query.
fn best(hits: &[Hit]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = hits.iter().filter(|hit| !hit.hsps.is_empty()).cloned().collect();
    hits.sort_by(Hit::compare_final);
    hits.truncate(500);
    hits
}

/// Without this the property above would not touch the list limits.
#[test]
fn the_family_is_larger_than_every_preliminary_limit() {
    let chunk = &chunks(&queries(), chunks_of(u64::MAX))[0];
    let hits = |max_target_seqs| {
        let shard = DATABASES[0].shard(chunk, 0, options(max_target_seqs), 2);
        shard.into_iter().map(|hits| hits.len()).collect::<Vec<_>>()
    };
    let unlimited = hits(100_000);
    assert!(unlimited[0] > 1_050, "only {} preliminary subjects", unlimited[0]);
    assert_eq!(hits(500)[0], 550, "the limit for 500 subjects");
    assert_eq!(hits(5)[0], 10, "the limit for 5 subjects");

    let chunk_hits = DATABASES[0].shard(chunk, 0, adjusted(500), 2)[0].len();
    assert_eq!(chunk_hits, 1_050, "the limit with composition adjustment");

    // The limit decides what is reported: the best of all are not the best of the limited.
    let shard = DATABASES[0].shard(chunk, 0, options(100_000), 2);
    let reported = |limit| best(&shard[0][..options(limit).preliminary_limit().min(shard[0].len())]);
    let (unlimited, limited) = (reported(100_000), reported(500));
    assert_ne!(unlimited, limited, "the limit leaves out subjects that would be reported");
}

/// Without this the property above would not touch ties across volumes.
#[test]
fn equal_subjects_lie_in_different_volumes_and_the_later_ones_come_first() {
    let chunk = &chunks(&queries(), chunks_of(u64::MAX))[0];
    let database = &DATABASES[2];
    let mut volume_of = std::collections::HashMap::new();
    for volume in 0..database.volumes() {
        for hit in &database.shard(chunk, volume, options(500), 1)[0] {
            volume_of.insert(hit.ordinal(), volume);
        }
    }
    let shard = DATABASES[0].shard(chunk, 0, options(500), 2);
    let reported = best(&shard[0]);
    let mut ties_across_volumes = 0;
    for pair in reported.windows(2) {
        let (a, b) = (pair[0].rank().unwrap(), pair[1].rank().unwrap());
        if (a.evalue, a.score) == (b.evalue, b.score) {
            assert!(a.ordinal > b.ordinal, "{} before {}", a.ordinal, b.ordinal);
            ties_across_volumes += usize::from(volume_of[&a.ordinal] != volume_of[&b.ordinal]);
        }
    }
    assert!(ties_across_volumes > 20, "only {ties_across_volumes} ties across volumes");
}
