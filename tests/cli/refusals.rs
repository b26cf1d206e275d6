//! Bad input of `skyblast search`, one by one: nothing on standard output, one clear line on
//! standard error, and a code that is not 0.

use std::fs;
use std::path::PathBuf;

use skyblast::database::Database;
use tempfile::TempDir;

use crate::common::command::{run, run_with_input};
use crate::common::examples;
use crate::common::folder::copy_folder;
use crate::common::in_process::project_file;

/// The error of a search that must fail with `code`.
#[track_caller]
fn refused(code: i32, query: &str, db: &str, more: &[&str]) -> String {
    let ended = run(["search", "--query", query, "--db", db].iter().chain(more));
    assert_eq!(ended.stdout, b"");
    let error = ended.failed(code);
    assert!(!error.contains("panicked"), "{error}");
    error
}

fn query() -> String {
    examples::queries().to_str().unwrap().to_owned()
}

fn db() -> &'static str {
    examples::database().to_str().unwrap()
}

/// A copy of the database, to be spoilt.
fn copy_of_the_database() -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(examples::database(), folder.path());
    let database = Database::open(folder.path()).unwrap();
    (folder, database)
}

fn volume(database: &Database, index: usize) -> PathBuf {
    database.volume_path(&database.manifest().volumes[index])
}

#[test]
fn missing_files_are_named() {
    let error = refused(1, "nowhere/q.fa", db(), &[]);
    assert_eq!(error, "skyblast: could not open nowhere/q.fa: No such file or directory (os error 2)\n");
    let error = refused(1, &query(), "nowhere.db", &[]);
    assert!(error.starts_with("skyblast: no database nowhere.db: looked for"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let error = refused(1, &query(), folder.path().to_str().unwrap(), &[]);
    assert!(error.contains("is not a skyblast database (it has no manifest.json)"), "{error}");
    let error = refused(1, "/", db(), &[]);
    assert!(error.contains("/"), "{error}");
    let error = refused(1, &query(), db(), &["--out", "nowhere/hits.tsv"]);
    assert!(error.contains("could not create nowhere/hits.tsv"), "{error}");
}

#[test]
fn a_damaged_database_is_named_by_its_volume() {
    let (folder, database) = copy_of_the_database();
    let folder = folder.path().to_str().unwrap();
    let flipped = volume(&database, 2);
    let good = fs::read(&flipped).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 3] ^= 4;
    fs::write(&flipped, &bad).unwrap();
    let error = refused(1, &query(), folder, &[]);
    assert!(error.contains(flipped.to_str().unwrap()) && error.contains("digest"), "{error}");

    fs::write(&flipped, &good[..good.len() - 1]).unwrap();
    let error = refused(1, &query(), folder, &[]);
    assert!(error.contains(flipped.to_str().unwrap()) && error.contains("truncated"), "{error}");

    fs::write(&flipped, &good).unwrap();
    let deleted = volume(&database, 4);
    fs::remove_file(&deleted).unwrap();
    let error = refused(1, &query(), folder, &[]);
    assert!(error.contains(deleted.to_str().unwrap()) && error.contains("No such file"), "{error}");
}

#[test]
fn options_out_of_range_are_named_with_what_is_allowed() {
    for value in ["0", "-1", "nan", "inf", "-inf", "1e999", "0x0"] {
        let ended = run(["search", "--query", &query(), "--db", db(), &format!("--evalue={value}")]);
        assert_eq!(ended.code, Some(2), "{value}");
        let expected = if value.ends_with("nan") || value.ends_with("inf") {
            "for '--evalue <E>': expected a number"
        } else {
            "must be a finite number above 0"
        };
        assert!(ended.stderr.contains(expected), "{value}: {}", ended.stderr);
    }
    let error = refused(2, &query(), db(), &["--evalue", "-1"]);
    assert_eq!(error, "skyblast: evalue -1 is not possible: must be a finite number above 0\n");
    for (option, value, text) in [
        ("--evalue", "small", "--evalue"),
        ("--max-target-seqs", "-1", "--max-target-seqs"),
        ("--threads", "0", "--threads"),
        ("--comp-based-stats", "2u", "1 (scaled), 2 (conditional, the default) or 3 (always)"),
        ("--matrix", "BLOSUM61", "BLOSUM62"),
        ("--task", "blastx", "blastp-short"),
        ("--outfmt", "11", "--outfmt"),
        ("--outfmt", "", "--outfmt"),
        ("--outfmt", "6 qseqid nonsense", "nonsense"),
    ] {
        let error = refused(2, &query(), db(), &[&format!("{option}={value}")]);
        assert!(error.contains(text), "{option} {value}: {error}");
    }
    for (options, text) in [
        (&["--max-target-seqs=0"][..], "max_target_seqs 0 is not possible: must be 1 or more"),
        (&["--gapopen=5", "--gapextend=5"], "gapopen/gapextend 5/5 is not possible: must be one of 11/2"),
        (
            &["--word-size=6"],
            "word_size 6 is not possible: must be 2 to 5 unless threshold is given too, 16 or more",
        ),
        (
            &["--word-size=6", "--threshold=9"],
            "threshold 9 is not possible: must be 16 or more with word_size 6",
        ),
        (&["--num-alignments=0"], "num_alignments 0 leaves nothing to report"),
        (&["--matrix=IDENTITY"], "comp_based_stats 2 is not possible: must be 0 with the matrix IDENTITY"),
    ] {
        let error = refused(2, &query(), db(), options);
        assert!(error.contains(text), "{options:?}: {error}");
    }
}

#[test]
fn malformed_queries_are_named_by_file_record_and_line() {
    let cut = tempfile::Builder::new().suffix(".fa.gz").tempfile().unwrap();
    let whole = fs::read(project_file("examples/database.fa.gz")).unwrap();
    fs::write(cut.path(), &whole[..5_000]).unwrap();
    // The rows of what came before may have been printed.
    let ended = run(["search", "--query", cut.path().to_str().unwrap(), "--db", db()]);
    let error = ended.failed(1);
    assert!(error.contains(".fa.gz: record ") && error.contains("ends too early"), "{error}");
}

#[test]
fn binary_input_is_refused_or_read_but_never_a_crash() {
    let mut noise = Vec::new();
    let mut state = 1_u64;
    for _ in 0..20_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        noise.push((state >> 33) as u8);
    }
    for prefix in [&b""[..], b">q\n", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"\0\0\0"] {
        let ended = run_with_input(&["search", "--query", "-", "--db", db()], &[prefix, &noise].concat());
        assert!(matches!(ended.code, Some(0 | 1)), "{prefix:?}: {:?} {}", ended.code, ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{prefix:?}: {}", ended.stderr);
    }
}
