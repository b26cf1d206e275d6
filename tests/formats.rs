//! Reports in every format against those of NCBI's blastp 2.12.0, byte by byte.
//!
//! The cases are the lines of `tests/golden/blastp-formats/cases.tsv`; the README beside it says how
//! the expected reports were made and which lines are made alike before they are compared. Every
//! case is written in one piece and put together from several chunks.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use flate2::read::GzDecoder;
use skyblast::database::VolumeLimit;
use skyblast::engine::{CompositionMode, OptionChoices, SearchOptions};
use skyblast::jobs::ChunkLimits;
use skyblast::report::{ListLimits, OutputFormat};
use skyblast::sequence::input::Input;

mod common;

use common::in_process::{OpenDatabase, assert_same_report, build_database, chunks, project_file};
use common::made_alike::made_alike;

const FOLDER: &str = "tests/golden/blastp-formats";

/// One line of `cases.tsv`.
struct Case {
    name: String,
    queries: Vec<PathBuf>,
    database: Vec<PathBuf>,
    options: SearchOptions,
    format: OutputFormat,
}

impl Case {
    fn parse(line: &str) -> Self {
        let [name, queries, database, options] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let (others, format) = options.split_once("-outfmt ").expect("a case has a format");
        let mut choices =
            OptionChoices { comp_based_stats: Some(CompositionMode::Off), ..OptionChoices::default() };
        let mut limits = ListLimits::default();
        for option in others.split_whitespace().collect::<Vec<_>>().chunks(2) {
            match option {
                ["-max_target_seqs", value] => limits.max_target_seqs = Some(value.parse().unwrap()),
                ["-num_descriptions", value] => limits.descriptions = Some(value.parse().unwrap()),
                ["-num_alignments", value] => limits.alignments = Some(value.parse().unwrap()),
                [option, value] => choices.set(option.trim_start_matches('-'), value).unwrap(),
                other => panic!("{name}: {other:?} is no option with a value"),
            }
        }
        let mut options = choices.resolve().unwrap();
        let mut format = format.parse().unwrap();
        options.max_target_seqs = limits.settle(&mut format).unwrap();
        let files = |list: &str| list.split('+').map(project_file).collect();
        Self { name: name.to_owned(), queries: files(queries), database: files(database), options, format }
    }

    /// The report of blastp.
    fn expected(&self) -> Vec<u8> {
        let path = project_file(&format!("{FOLDER}/{}.gz", self.name));
        let mut report = Vec::new();
        GzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut report).unwrap();
        made_alike(&report)
    }

    /// All queries in one file, and how many there are.
    fn write_queries(&self, path: &Path) -> usize {
        let mut out = fs::File::create(path).unwrap();
        let mut queries = 0;
        for file in &self.queries {
            let mut text = Vec::new();
            Input::open(file).unwrap().read_to_end(&mut text).unwrap();
            let starts = text.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b">"));
            queries += starts.count();
            out.write_all(&text).unwrap();
        }
        queries
    }
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(project_file(&format!("{FOLDER}/cases.tsv"))).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(Case::parse).collect()
}

/// Runs the cases whose name starts with `group`: in one chunk, in two and in five.
fn check(group: &str) {
    let cases: Vec<_> = cases().into_iter().filter(|case| case.name.starts_with(group)).collect();
    assert!(!cases.is_empty(), "no case is called {group}…");
    for case in cases {
        let folder = tempfile::tempdir().unwrap();
        let queries = folder.path().join("queries.fa");
        let count = case.write_queries(&queries);
        let database =
            build_database(&folder.path().join("db"), &case.database, VolumeLimit::Bytes(u64::MAX));
        let database = OpenDatabase::new(&database);
        let expected = case.expected();
        for parts in [1, 2, 5] {
            let limits = ChunkLimits { residues: u64::MAX, queries: count.div_ceil(parts) };
            let chunks = chunks(&queries, limits);
            let report = database.report(&chunks, case.options, &case.format, 2, &mut |order| order);
            assert_same_report(&format!("{} in {parts} chunks", case.name), &made_alike(&report), &expected);
        }
    }
}

#[test]
fn real_proteins() {
    check("examples.");
}

#[test]
fn adjusted_scores_other_matrices_and_tasks() {
    check("adjusted.");
    check("scoring.");
}

#[test]
fn odd_queries() {
    check("query.");
}

#[test]
fn odd_subjects() {
    check("subject.");
}

#[test]
fn weak_hits_and_rare_letters() {
    check("weak.");
    check("letters.");
}

#[test]
fn long_and_odd_titles() {
    check("titles.");
}

#[test]
fn every_case_is_run_and_every_report_belongs_to_a_case() {
    let names: BTreeSet<String> = cases().into_iter().map(|case| case.name).collect();
    for name in &names {
        let group = name.split('.').next().unwrap();
        let groups =
            ["adjusted", "examples", "scoring", "query", "subject", "weak", "letters", "titles", "files"];
        assert!(groups.contains(&group), "{name} is in no group");
    }
    let files = fs::read_dir(project_file(FOLDER)).unwrap().map(|entry| entry.unwrap().file_name());
    let reports: BTreeSet<String> =
        files.filter_map(|file| file.to_str().unwrap().strip_suffix(".gz").map(str::to_owned)).collect();
    assert_eq!(reports, names);
}

fn skyblast(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skyblast"));
    command.current_dir(folder);
    command
}

/// The index and, in order, the files that it names.
fn files_of(folder: &Path, case: &Case, queries: usize) -> Vec<u8> {
    let mut report = fs::read(folder.join("report")).unwrap();
    for number in 1..=queries {
        let name = format!("report_{number}.{}", case.format.extension());
        report.extend(fs::read(folder.join(name)).unwrap());
    }
    made_alike(&report)
}

#[test]
fn a_file_per_query_and_one_that_names_them() {
    for case in cases().into_iter().filter(|case| case.name.starts_with("files.")) {
        let folder = tempfile::tempdir().unwrap();
        build_database(&folder.path().join("database"), &case.database, VolumeLimit::Bytes(u64::MAX));
        let queries = case.write_queries(&folder.path().join("queries.fa"));
        skyblast(folder.path())
            .args(["search", "--query", "queries.fa", "--db", "database", "--out", "report"])
            .args(["--evalue", &case.options.evalue.to_string(), "--comp-based-stats", "0"])
            .args(["--outfmt", &case.format.to_string()])
            .assert()
            .success();
        assert_same_report(&case.name, &files_of(folder.path(), &case, queries), &case.expected());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), queries + 3);
    }
}

/// blastp's index names files that it does not write if the name of the output ends in `.json`.
#[test]
fn an_ending_that_says_the_format_stays_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let proteins = [project_file("tests/golden/edge/edge_db.fa")];
    build_database(&folder.path().join("database"), &proteins, VolumeLimit::Bytes(u64::MAX));
    let query = project_file("tests/golden/edge/lower.fa");
    skyblast(folder.path())
        .args(["search", "--db", "database", "--outfmt", "13", "--out", "found.json", "--query"])
        .arg(query)
        .assert()
        .success();
    let index = fs::read_to_string(folder.path().join("found.json")).unwrap();
    assert!(index.contains("{\"File\": \"found_1.json\" }"), "{index}");
    assert!(folder.path().join("found_1.json").is_file());
}

#[test]
fn formats_that_cannot_be_written_are_refused_before_the_search() {
    let folder = tempfile::tempdir().unwrap();
    let proteins = [project_file("tests/golden/edge/edge_db.fa")];
    build_database(&folder.path().join("database"), &proteins, VolumeLimit::Bytes(u64::MAX));
    let query = project_file("tests/golden/edge/lower.fa");
    for (options, reason) in [
        (vec!["--outfmt", "13"], "give --out, or use 15"),
        (vec!["--outfmt", "14"], "give --out, or use 16"),
        (vec!["--outfmt", "17 delim=,"], "format 17 takes SQ"),
        (vec!["--outfmt", "parquet delim=,"], "format parquet takes columns"),
        (vec!["--outfmt", "11"], "output format 11 is not available"),
        (vec!["--outfmt", "0", "--max-target-seqs", "3", "--num-alignments", "2"], "cannot be combined"),
        (vec!["--outfmt", "0", "--num-descriptions", "0", "--num-alignments", "0"], "0 of both"),
    ] {
        let assert = skyblast(folder.path())
            .args(["search", "--db", "database", "--query"])
            .arg(&query)
            .args(&options)
            .assert()
            .failure();
        let message = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(message.contains(reason), "{options:?}: {message}");
        assert!(assert.get_output().stdout.is_empty());
    }
}

/// blastp writes nothing at all about an empty file of queries.
#[test]
fn no_queries_make_an_empty_report() {
    let folder = tempfile::tempdir().unwrap();
    let proteins = [project_file("tests/golden/edge/edge_db.fa")];
    build_database(&folder.path().join("database"), &proteins, VolumeLimit::Bytes(u64::MAX));
    for format in ["0", "5", "7", "15", "16", "17"] {
        let assert = skyblast(folder.path())
            .args(["search", "--db", "database", "--query", "-", "--outfmt", format])
            .write_stdin("")
            .assert()
            .success();
        assert!(assert.get_output().stdout.is_empty(), "{format}");
    }
}
