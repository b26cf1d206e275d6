//! Modes other than the exact one: what they report of a pair is blastp's wherever blastp has anything, and does not
//! depend on how the work was cut.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use skyblast::database::VolumeLimit;
use skyblast::engine::{Mode, Processor, SearchOptions};
use tempfile::TempDir;

mod common;

use common::in_process::{OpenDatabase, assert_same_report, build_database, chunks, chunks_of, project_file};

/// Of a family and of natural proteins, in these numbers of volumes.
const VOLUMES: [u64; 3] = [1, 3, 17];

const QUERIES: [&str; 2] = ["tests/golden/blastp/family_queries.fa", "examples/queries.fa"];

/// Code for any processor takes long for what the thorough mode does: fewer queries suffice for it.
fn queries(mode: Mode) -> Vec<PathBuf> {
    let files = if mode == Mode::Thorough { &QUERIES[..1] } else { &QUERIES[..] };
    files.iter().map(|file| project_file(file)).collect()
}

static DATABASES: LazyLock<Vec<OpenDatabase>> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let inputs = ["tests/golden/blastp/family.fa.gz", "examples/database.fa.gz"].map(project_file);
    let sequences = build_database(folder.path(), &inputs, VolumeLimit::Bytes(u64::MAX)).manifest().sequences;
    let cut = |&volumes: &u64| {
        let limit = VolumeLimit::Sequences(sequences.div_ceil(volumes));
        OpenDatabase::new(&build_database(folder.path(), &inputs, limit))
    };
    VOLUMES.iter().map(cut).collect()
});

/// So many subjects that no list limit acts.
fn options(mode: Mode) -> SearchOptions {
    SearchOptions { mode, max_target_seqs: 100_000, ..SearchOptions::default() }
}

fn report(volumes: usize, chunk_residues: u64, threads: usize, options: SearchOptions) -> Vec<u8> {
    report_of(queries(options.mode), volumes, chunk_residues, threads, options)
}

fn report_of(
    queries: Vec<PathBuf>,
    volumes: usize,
    chunk_residues: u64,
    threads: usize,
    options: SearchOptions,
) -> Vec<u8> {
    let format = "7 std score btop".parse().unwrap();
    let reports = queries.into_iter().map(|file| {
        let chunks = chunks(&file, chunks_of(chunk_residues));
        DATABASES[volumes].report(&chunks, options, &format, threads, &mut |order| order)
    });
    reports.collect::<Vec<_>>().concat()
}

static WHOLE: LazyLock<Vec<(Mode, Vec<u8>)>> =
    LazyLock::new(|| Mode::ALL.map(|mode| (mode, report(0, u64::MAX, 1, options(mode)))).to_vec());

fn whole(mode: Mode) -> &'static [u8] {
    &WHOLE.iter().find(|(other, _)| *other == mode).unwrap().1
}

fn rows(report: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(report);
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn the_report_of_a_mode_does_not_depend_on_the_cut(
        volumes in 0..VOLUMES.len(),
        chunk_residues in select(vec![1u64, 400, 3_000]),
        threads in 1usize..=3,
        mode in select(vec![Mode::Thorough, Mode::Seeded, Mode::Fast]),
    ) {
        let cut = report(volumes, chunk_residues, threads, options(mode));
        assert_same_report("the cut report", &cut, whole(mode));
    }
}

#[test]
fn every_row_of_a_faster_mode_is_a_row_of_the_exact_one() {
    let all = rows(whole(Mode::Exact));
    for mode in [Mode::Seeded, Mode::Fast] {
        let found = rows(whole(mode));
        let strange: Vec<_> = found.difference(&all).collect();
        assert_eq!(strange, Vec::<&String>::new(), "{mode}");
    }
}

#[test]
fn the_thorough_mode_has_all_rows_of_the_exact_one_and_pairs_besides() {
    let exact = report_of(queries(Mode::Thorough), 0, u64::MAX, 1, options(Mode::Exact));
    let (all, found) = (rows(&exact), rows(whole(Mode::Thorough)));
    let lost: Vec<_> = all.difference(&found).collect();
    assert_eq!(lost, Vec::<&String>::new());
    let pair = |row: &str| row.split('\t').take(2).map(str::to_owned).collect::<Vec<_>>();
    let known: BTreeSet<_> = all.iter().map(|row| pair(row)).collect();
    let mut others = found.difference(&all).map(|row| pair(row)).peekable();
    assert!(others.peek().is_some(), "nothing is found beyond words");
    // A pair that blastp has rows for has no other ones.
    assert_eq!(others.find(|pair| known.contains(pair)), None);
}

#[test]
fn faster_modes_find_nearly_all_that_is_clear() {
    let pairs = |mode: Mode, evalue: f64| -> BTreeSet<(String, String)> {
        let is_clear = |fields: &[&str]| fields[10].parse::<f64>().unwrap() <= evalue;
        let rows = rows(whole(mode));
        let fields = rows.iter().map(|row| row.split('\t').collect::<Vec<_>>());
        fields.filter(|fields| is_clear(fields)).map(|f| (f[0].to_owned(), f[1].to_owned())).collect()
    };
    for (mode, evalue, least) in [
        (Mode::Seeded, 1e-3, 0.98),
        (Mode::Seeded, 1e-10, 0.995),
        (Mode::Fast, 1e-3, 0.85),
        (Mode::Fast, 1e-10, 0.95),
    ] {
        let (all, found) = (pairs(Mode::Exact, evalue), pairs(mode, 1e9));
        assert!(all.len() > 100, "only {} pairs", all.len());
        let share = all.intersection(&found).count() as f64 / all.len() as f64;
        assert!(share >= least, "{mode} finds {share} of {} pairs at {evalue}", all.len());
    }
}

#[test]
fn reports_name_the_mode_they_were_made_in() {
    let says = |mode, line: &str| String::from_utf8_lossy(whole(mode)).lines().any(|other| other == line);
    for mode in [Mode::Thorough, Mode::Seeded, Mode::Fast] {
        assert!(says(mode, &format!("# Mode: {mode}")), "{mode}");
    }
    assert!(!String::from_utf8_lossy(whole(Mode::Exact)).contains("# Mode"));
}

#[test]
fn kernels_for_any_processor_find_the_same() {
    let best = Processor::here();
    for processor in Processor::ALL.into_iter().filter(|processor| *processor <= best) {
        processor.use_kernels().unwrap();
        for mode in [Mode::Thorough, Mode::Fast] {
            let found = report(0, u64::MAX, 2, options(mode));
            assert_same_report(&format!("{mode}, {processor}"), &found, whole(mode));
        }
    }
    best.use_kernels().unwrap();
    for processor in Processor::ALL.into_iter().filter(|processor| *processor > best) {
        assert!(processor.use_kernels().is_err(), "{processor} was asked for and is not there");
    }
}
