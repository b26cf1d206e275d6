//! `skyblast search`: where queries come from and where reports go.

use std::fs;
use std::io::Write;

use crate::common::command::{run, run_with_input};
use crate::common::examples;
use crate::common::in_process::assert_same_report;

fn paths() -> (String, String) {
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    (text(&examples::queries()), text(examples::database()))
}

#[test]
fn the_report_is_the_same_on_standard_output_in_a_file_and_from_any_input() {
    let (query, db) = paths();
    let folder = tempfile::tempdir().unwrap();
    let fasta = fs::read(&query).unwrap();
    let expected = examples::report();
    assert!(expected.iter().filter(|&&byte| byte == b'\n').count() > 300);

    let standard = run(["search", "--query", &query, "--db", &db]);
    assert_eq!(standard.stderr, "");
    assert_same_report("standard output", &standard.ok(), expected);

    let out = folder.path().join("hits.tsv");
    let silent = run(["search", "--query", &query, "--db", &db, "--out", out.to_str().unwrap()]);
    assert_eq!(silent.ok(), b"");
    assert_same_report("--out", &fs::read(&out).unwrap(), expected);

    let from_stdin = ["search", "--query", "-", "--db", &db];
    assert_same_report("standard input", &run_with_input(&from_stdin, &fasta).ok(), expected);

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&fasta).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_same_report("gzip from a pipe", &run_with_input(&from_stdin, &gzip).ok(), expected);
    // The name does not matter.
    let zstd = folder.path().join("queries.txt");
    fs::write(&zstd, zstd::encode_all(&fasta[..], 1).unwrap()).unwrap();
    let compressed = run(["search", "--query", zstd.to_str().unwrap(), "--db", &db]);
    assert_same_report("zstd", &compressed.ok(), expected);
}

#[test]
fn threads_and_chunks_change_nothing() {
    let (query, db) = paths();
    for more in [
        &["--threads", "1"][..],
        &["--threads", "7"],
        &["--chunk-residues", "1"],
        &["--chunk-residues", "900"],
    ] {
        let report = run(["search", "--query", &query, "--db", &db].iter().chain(more)).ok();
        assert_same_report(&format!("{more:?}"), &report, examples::report());
    }
}

#[test]
fn formats_and_limits_are_kept() {
    let (query, db) = paths();
    let rows = |more: &[&str]| {
        let report = run(["search", "--query", &query, "--db", &db].iter().chain(more)).ok();
        String::from_utf8(report).unwrap()
    };
    let seven = rows(&["--outfmt", "7", "--evalue", "1e-10"]);
    assert!(seven.starts_with("# BLASTP 2.12.0+ (skyblast "), "{}", &seven[..80]);
    assert!(seven.contains("\n# Database: examples\n"));
    assert!(seven.ends_with("# BLAST processed 22 queries\n"));
    let columns = rows(&["--outfmt", "6 qseqid evalue", "--max-target-seqs", "1"]);
    assert!(columns.lines().all(|row| row.split('\t').count() == 2));
    let mut queries: Vec<_> = columns.lines().map(|row| row.split('\t').next().unwrap()).collect();
    queries.dedup();
    let distinct = queries.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(queries.len(), distinct, "the rows of a query follow each other");
    for row in rows(&["--outfmt", "6 evalue", "--evalue", "1e-20"]).lines() {
        assert!(row.parse::<f64>().unwrap() <= 1e-20, "{row}");
    }
}

#[test]
fn queries_without_hits_leave_an_empty_report_and_success() {
    let (_, db) = paths();
    let outcome = run_with_input(&["search", "--query", "-", "--db", &db], b">q\nWWWWWWWWWWW\n");
    assert_eq!((outcome.code, outcome.stdout.len()), (Some(0), 0), "{}", outcome.stderr);
}

#[test]
fn odd_queries_are_warned_of_by_record_and_searched_all_the_same() {
    let (_, db) = paths();
    let nucleotides = "ACGTTGCAAC".repeat(6);
    let fasta = format!(
        ">good\nMKVLAAGIVALLLAACSSAWERTYIPLKHGFDSACVNM\n>dna some gene\n{nucleotides}\n>x\nXXXXXXXXXX\n>none\n>last\nMKV*\n"
    );
    let outcome = run_with_input(&["search", "--query", "-", "--db", &db, "--outfmt", "7"], fasta.as_bytes());
    let (warnings, report) = (outcome.stderr.clone(), String::from_utf8(outcome.ok()).unwrap());
    for warning in [
        "warning: record 2 (dna): looks like nucleotides, but is searched as protein\n",
        "warning: record 3 (x): its scores have no statistics",
        "warning: record 4 (none): no residues, so it is not searched\n",
    ] {
        assert!(warnings.contains(warning), "{warnings}");
    }
    assert!(!warnings.contains("record 1") && !warnings.contains("record 5"), "{warnings}");
    assert!(report.contains("# Query: dna some gene\n") && report.contains("# Query: last\n"), "{report}");
}

#[test]
fn queries_that_hold_nothing_are_success_with_a_warning() {
    let (_, db) = paths();
    for (name, fasta) in [("empty", &b""[..]), ("blank", b"\n\n \n")] {
        let outcome = run_with_input(&["search", "--query", "-", "--db", &db], fasta);
        assert!(outcome.stderr.contains("holds no sequence"), "{name}: {}", outcome.stderr);
        assert_eq!(outcome.ok(), b"", "{name}");
    }
    for (name, fasta) in [("only >", &b">"[..]), ("only a name", b">q1\n")] {
        let outcome = run_with_input(&["search", "--query", "-", "--db", &db], fasta);
        assert!(outcome.stderr.contains("warning: record 1"), "{name}: {}", outcome.stderr);
        assert_eq!(outcome.ok(), b"", "{name}");
    }
}
