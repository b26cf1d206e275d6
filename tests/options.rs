//! Command lines of blastp, given to `skyblast search`, against the reports of NCBI's blastp 2.12.0.
//!
//! The cases are the lines of `tests/golden/blastp-options/cases.tsv`; the README beside it says how
//! the expected reports were made. Every case is searched in shards: four volumes, small chunks.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use flate2::read::GzDecoder;
use skyblast::database::VolumeLimit;
use skyblast::sequence::fasta::Reader;
use skyblast::sequence::input::Input;

mod common;

use common::in_process::{assert_same_report, build_database, project_file};
use common::made_alike::made_alike;

const FOLDER: &str = "tests/golden/blastp-options";

/// One line of `cases.tsv`.
struct Case {
    name: String,
    query: Vec<PathBuf>,
    database: Vec<PathBuf>,
    arguments: Vec<String>,
}

impl Case {
    fn parse(line: &str) -> Self {
        let [name, query, database, arguments] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let file = |name: &str| project_file(FOLDER).join(name);
        Self {
            name: name.to_owned(),
            query: query.split('+').map(file).collect(),
            database: database.split('+').map(file).collect(),
            arguments: words(arguments),
        }
    }

    fn expected(&self) -> Vec<u8> {
        let path = project_file(FOLDER).join(format!("{}.gz", self.name));
        let mut report = Vec::new();
        GzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut report).unwrap();
        made_alike(&report)
    }

    /// The report of skyblast for a database of volumes within `limit`, and chunks of so many residues; and
    /// once more with hardly any memory for hits.
    fn check(&self, limit: VolumeLimit, chunk_residues: &str) {
        for room in ["64MiB", "30kB"] {
            let report = self.report(limit, chunk_residues, room);
            assert_same_report(&format!("{}, room {room}", self.name), &report, &self.expected());
        }
    }

    fn report(&self, limit: VolumeLimit, chunk_residues: &str, room: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        write_joined(&self.query, &folder.path().join("query.fa"));
        for list in ["listed.txt", "others.txt"] {
            fs::copy(project_file(FOLDER).join(list), folder.path().join(list)).unwrap();
        }
        let mut arguments = self.arguments.clone();
        if arguments.iter().any(|argument| argument == "-subject") {
            write_joined(&self.database, &folder.path().join("given.fa"));
        } else {
            build_database(&folder.path().join("database"), &self.database, limit);
            arguments.extend(["-db".to_owned(), "database".to_owned()]);
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_skyblast"));
        command.env("SKYBLAST_ROOM", room).current_dir(folder.path()).args([
            "search",
            "-query",
            "query.fa",
            "--chunk-residues",
            chunk_residues,
        ]);
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        made_alike(&output.stdout)
    }
}

/// Words of a shell line; double quotes hold blanks together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// All files in one, decompressed.
fn write_joined(files: &[PathBuf], path: &Path) {
    let mut text = Vec::new();
    for file in files {
        Input::open(file).unwrap().read_to_end(&mut text).unwrap();
    }
    fs::write(path, text).unwrap();
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(project_file(FOLDER).join("cases.tsv")).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(Case::parse).collect()
}

/// Runs the cases whose name starts with `group`.
fn check(group: &str) {
    let cases: Vec<_> = cases().into_iter().filter(|case| case.name.starts_with(group)).collect();
    assert!(!cases.is_empty(), "no case is called {group}…");
    for case in cases {
        case.check(VolumeLimit::Sequences(4), "300");
    }
}

#[test]
fn masked_queries() {
    check("masks.");
}

#[test]
fn parts_of_queries() {
    check("part.");
}

#[test]
fn given_subjects() {
    check("given.");
}

#[test]
fn search_spaces_that_are_asked_for() {
    check("space.");
}

#[test]
fn alignments_without_gaps() {
    check("ungapped.");
}

#[test]
fn lines_of_any_length() {
    check("lines.");
}

#[test]
fn subjects_and_hsps_in_other_orders() {
    check("order.");
}

#[test]
fn listed_subjects_and_all_others() {
    check("listed.");
}

#[test]
fn parts_of_given_subjects() {
    check("subject_part.");
}

#[test]
fn hits_that_compete() {
    check("contest.");
}

#[test]
fn locally_optimal_alignments() {
    check("optimal");
}

#[test]
fn subjects_that_are_too_long_to_be_looked_at_as_a_whole() {
    check("reach");
}

#[test]
fn alignments_of_one_or_two_residues() {
    check("tiny");
}

/// Where a query is cut depends on its whole batch, so chunks hold batches here.
#[test]
fn long_queries_and_batches_that_are_searched_in_pieces() {
    let cases = cases().into_iter().filter(|case| case.name.starts_with("long."));
    for case in cases {
        for limit in [VolumeLimit::Bytes(u64::MAX), VolumeLimit::Sequences(4)] {
            case.check(limit, "10000");
        }
    }
}

#[test]
fn columns_named_twice() {
    check("columns.");
}

#[test]
fn every_case_is_run_and_every_report_belongs_to_a_case() {
    let names: BTreeSet<String> = cases().into_iter().map(|case| case.name).collect();
    for name in &names {
        let group = name.split('.').next().unwrap();
        let groups = [
            "masks",
            "part",
            "given",
            "space",
            "ungapped",
            "columns",
            "lines",
            "order",
            "listed",
            "subject_part",
            "contest",
            "optimal",
            "long",
            "reach",
            "tiny",
        ];
        assert!(groups.contains(&group), "{name} is in no group");
    }
    let files = fs::read_dir(project_file(FOLDER)).unwrap().map(|entry| entry.unwrap().file_name());
    let unpacked = files.filter_map(|file| file.to_str().unwrap().strip_suffix(".gz").map(str::to_owned));
    // Inputs that are large are packed too.
    let reports: BTreeSet<String> = unpacked.filter(|name| !name.ends_with(".fa")).collect();
    assert_eq!(reports, names);
}

/// Output and error of `skyblast search` with arguments that it refuses.
fn refused(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skyblast"));
    let output = command.current_dir(project_file(FOLDER)).arg("search").args(arguments).output().unwrap();
    assert!(output.stdout.is_empty(), "{arguments:?} printed something");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    for (arguments, code, text) in [
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-remote"][..], 2, "option -remote of blastp"),
        (
            &[
                "-query",
                "masked.fa",
                "-db",
                "masked_db.fa",
                "-use_sw_tback",
                "-ungapped",
                "-comp_based_stats",
                "0",
            ],
            2,
            "use_sw_tback true is not possible",
        ),
        (
            &[
                "-query",
                "masked.fa",
                "-db",
                "masked_db.fa",
                "-culling_limit",
                "1",
                "-best_hit_overhang",
                "0.1",
            ],
            2,
            "culling_limit 1 is not possible: must be left out with best_hit_overhang",
        ),
        (
            &["-query", "masked.fa", "-db", "masked_db.fa", "-best_hit_overhang", "0.5"],
            2,
            "best_hit_overhang 0.5 is not possible",
        ),
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-culling_limit", "-1"], 2, "'-1' for '--culling"),
        (
            &["-query", "masked.fa", "-db", "masked_db.fa", "-taxids", "9606"],
            1,
            "--taxids: none of its 1 taxid is in masked_db.fa",
        ),
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-bogus"], 2, "blastp has no option -bogus"),
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-subject", "given.fa"], 2, "--subject"),
        (
            &["-query", "masked.fa", "-db", "masked_db.fa", "-ungapped"],
            2,
            "comp_based_stats 2 is not possible",
        ),
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-query_loc", "9-3"], 2, "'9-3' for '--query-loc"),
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-query_loc", "900-903"], 1, "no query reaches"),
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-subject_loc", "2-9"], 2, "cannot be used with"),
        (
            &["-query", "masked.fa", "-subject", "given.fa", "-subject_loc", "900-903"],
            1,
            "--subject-loc 900-903 is not in it",
        ),
        (
            &["-query", "masked.fa", "-subject", "given.fa", "-seqidlist", "listed.txt"],
            2,
            "cannot be used with",
        ),
        (
            &["-query", "masked.fa", "-db", "masked_db.fa", "-seqidlist", "listed.txt"],
            1,
            "leaves no sequence of masked_db.fa",
        ),
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-sorthits", "5"], 2, "4 (query coverage)"),
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-line_length", "0"], 2, "--line-length"),
        (&["-query", "masked.fa", "-db", "masked_db.fa", "-seg", "maybe"], 2, "'maybe' for '--seg"),
        (&["-query", "masked.fa", "-subject", "masked.fa", "-lcase_masking"], 1, "lower case in subjects"),
    ] {
        let (status, error) = refused(arguments);
        assert_eq!(status, code, "{arguments:?}: {error}");
        assert!(error.contains(text), "{arguments:?}: {error}");
    }
}

/// The files of this folder hold what the cases are named for.
#[test]
fn the_queries_are_masked_in_many_ways() {
    let input = Input::open(&project_file(FOLDER).join("masked.fa")).unwrap();
    let records: Vec<_> = Reader::new("masked.fa", input).collect::<Result<_, _>>().unwrap();
    assert!(records.iter().any(|record| record.lower_case.len() > 2));
    let whole = |length: usize| 0..length as u32;
    assert!(records.iter().any(|record| record.lower_case.first() == Some(&whole(record.residues.len()))));
    // A gap and a dropped hyphen do not end lower case.
    assert!(records.iter().any(|record| record.lower_case.last() == Some(&(29..43))));
    assert!(records.iter().any(|record| record.lower_case.first() == Some(&(0..5))));
}
