//! Reports against those of NCBI's blastp 2.12.0, byte by byte.
//!
//! The cases are the lines of `tests/golden/blastp/cases.tsv`; the README beside it says how the
//! expected reports were made. Every case is searched in shards: four volumes, small chunks, two
//! threads. One thing is normalised: format 7 names the program, and skyblast adds its own name.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use skyblast::database::VolumeLimit;
use skyblast::engine::SearchOptions;
use skyblast::report::OutputFormat;

mod common;

use common::in_process::{OpenDatabase, assert_same_report, build_database, chunks, chunks_of, project_file};

const FOLDER: &str = "tests/golden/blastp";

/// One line of `cases.tsv`.
struct Case {
    name: String,
    query: PathBuf,
    database: Vec<PathBuf>,
    options: SearchOptions,
    format: OutputFormat,
}

impl Case {
    fn parse(line: &str) -> Self {
        let [name, query, database, options] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let (others, format) = options.split_once("-outfmt ").expect("a case has a format");
        let mut options = SearchOptions::default();
        for option in others.split_whitespace().collect::<Vec<_>>().chunks(2) {
            match option {
                ["-evalue", value] => options.evalue = value.parse().unwrap(),
                ["-max_target_seqs", value] => options.max_target_seqs = value.parse().unwrap(),
                ["-comp_based_stats", value] => options.composition = value.parse().unwrap(),
                other => panic!("{name}: unknown option {other:?}"),
            }
        }
        Self {
            name: name.to_owned(),
            query: project_file(query),
            database: database.split('+').map(project_file).collect(),
            options,
            format: format.parse().unwrap(),
        }
    }

    /// The report of blastp.
    fn expected(&self) -> Vec<u8> {
        let path = project_file(&format!("{FOLDER}/{}.txt.gz", self.name));
        let mut report = Vec::new();
        GzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut report).unwrap();
        report
    }

    /// The report of skyblast, searched in shards.
    fn report(&self) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let whole = build_database(folder.path(), &self.database, VolumeLimit::Bytes(u64::MAX));
        let quarter = whole.manifest().sequences.div_ceil(4);
        let database = build_database(folder.path(), &self.database, VolumeLimit::Sequences(quarter));
        let chunks = chunks(&self.query, chunks_of(1_000));
        let database = OpenDatabase::new(&database);
        without_our_name(&database.report(&chunks, self.options, &self.format, 2, &mut |order| order))
    }
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(project_file(&format!("{FOLDER}/cases.tsv"))).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(Case::parse).collect()
}

/// Turns `# BLASTP 2.12.0+ (skyblast 1.2.3)` into `# BLASTP 2.12.0+`.
fn without_our_name(report: &[u8]) -> Vec<u8> {
    let named = format!("# BLASTP 2.12.0+ (skyblast {})\n", env!("CARGO_PKG_VERSION"));
    let lines = report.split_inclusive(|&byte| byte == b'\n');
    lines
        .flat_map(|line| if line == named.as_bytes() { b"# BLASTP 2.12.0+\n" } else { line })
        .copied()
        .collect()
}

/// Runs the cases whose name starts with `group`.
fn check(group: &str) {
    let cases: Vec<_> = cases().into_iter().filter(|case| case.name.starts_with(group)).collect();
    assert!(!cases.is_empty(), "no case is called {group}…");
    for case in cases {
        assert_same_report(&case.name, &case.report(), &case.expected());
    }
}

#[test]
fn real_proteins_in_every_format_and_with_every_limit() {
    check("examples.");
}

#[test]
fn odd_queries() {
    check("query.");
}

#[test]
fn odd_subjects_and_one_of_35213_residues() {
    check("subject.");
}

#[test]
fn families_beyond_the_list_limits_and_with_many_ties() {
    check("family.");
}

#[test]
fn every_case_is_run_and_every_report_belongs_to_a_case() {
    let names: BTreeSet<String> = cases().into_iter().map(|case| case.name).collect();
    for name in &names {
        let group = name.split('.').next().unwrap();
        assert!(["examples", "query", "subject", "family"].contains(&group), "{name} is in no group");
    }
    let files = fs::read_dir(project_file(FOLDER)).unwrap().map(|entry| entry.unwrap().file_name());
    let reports: BTreeSet<String> =
        files.filter_map(|file| file.to_str().unwrap().strip_suffix(".txt.gz").map(str::to_owned)).collect();
    assert_eq!(reports, names);
}
