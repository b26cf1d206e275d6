//! `skyblast demo`, end to end.

use std::fs;

use crate::common::command::{end, run, skyblast};
use crate::common::in_process::assert_same_report;

#[test]
fn the_demo_runs_a_whole_job_and_its_report_is_that_of_a_search() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    // A proxy for the outer world is none for a server in this process.
    let mut command = skyblast(["demo", "--dir", dir.to_str().unwrap()]);
    let ended = end(command.env("http_proxy", "http://127.0.0.1:9").env("HTTP_PROXY", "http://127.0.0.1:9"));
    let text = String::from_utf8(ended.ok()).unwrap();
    for part in
        ["1. Making a database", "POST http://127.0.0.1:", "completed: ", "Try next:", &path("report.tsv")]
    {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let (query, db) = (path("queries.fa"), path("database"));
    let expected = run(["search", "--query", &query, "--db", &db, "--evalue", "1e-5"]).ok();
    assert!(expected.iter().filter(|&&byte| byte == b'\n').count() > 100);
    assert_same_report("report.tsv", &fs::read(path("report.tsv")).unwrap(), &expected);

    // What the demo says to try next works, and the demo can be run again.
    run(["search", "--query", &query, "--db", &db]).ok();
    run(["demo", "--dir", dir.to_str().unwrap()]).ok();
    assert_same_report("report.tsv", &fs::read(path("report.tsv")).unwrap(), &expected);
}

#[test]
fn a_demo_that_cannot_write_says_where() {
    let error = run(["demo", "--dir", "/proc/skyblast"]).failed(1);
    assert!(error.contains("could not write into /proc/skyblast"), "{error}");
}
