//! Large queries and reports, which do not pass through the server where storage can do without.

use std::path::Path;

use crate::common::azurite::Azurite;
use crate::common::command::{run, run_with_input};
use crate::common::examples::{self, DATABASE};
use crate::common::in_process::assert_same_report;
use crate::common::process::Server;
use crate::server::Lab;

/// A request may not hold the queries, and any report is a large one.
const SMALL: [&str; 4] = ["--body-limit", "5000", "--redirect-bytes", "1"];

fn submit_large(url: &str) {
    let query = examples::queries();
    let query = query.to_str().unwrap();
    let submit = ["submit", "--database", DATABASE, "--wait", "--server", url, "--query"];
    let report = run(submit.iter().chain(&[query])).ok();
    assert_same_report("from a file", &report, examples::report());
    let arguments = [&submit[..], &["-"]].concat();
    let report = run_with_input(&arguments, &std::fs::read(query).unwrap()).ok();
    assert_same_report("from standard input", &report, examples::report());
    let nothing = run_with_input(&arguments, &b"\n".repeat(6_000));
    assert!(nothing.failed(1).contains("the query holds no sequence"));
}

#[test]
fn a_server_says_beforehand_how_much_it_takes() {
    let lab = Lab::start(&["--body-limit", "1500000"]);
    let submit = ["submit", "--database", DATABASE, "--wait", "--server", &lab.server.url, "--query", "-"];
    let padded = |blanks: usize| {
        let queries = std::fs::read(examples::queries()).unwrap();
        [vec![b'\n'; blanks], queries].concat()
    };
    assert_same_report("that fits", &run_with_input(&submit, &padded(1_200_000)).ok(), examples::report());
    assert!(!lab.server.process.stderr().contains("/api/uploads"));
    assert_same_report("too long", &run_with_input(&submit, &padded(2_000_000)).ok(), examples::report());
    let log = lab.server.process.stderr();
    assert!(log.contains("/api/uploads") && !log.contains("status=413"), "{log}");
}

#[test]
fn a_folder_takes_large_queries_in_parts() {
    let lab = Lab::start(&SMALL);
    submit_large(&lab.server.url);
    let (jobs, empty) = (lab.folder.path().join("blobs/jobs"), |folder: &str| {
        std::fs::read_dir(lab.folder.path().join("blobs/jobs").join(folder)).map_or(0, Iterator::count) == 0
    });
    assert!(jobs.is_dir() && empty("uploads") && empty("active"), "nothing is left");
}

#[test]
fn azure_storage_takes_large_queries_and_gives_large_reports_by_itself() {
    let storage = Azurite::shared().spare_account();
    examples::publish(examples::database(), &storage);
    let server = Server::start(Path::new(&storage), &SMALL);
    submit_large(&server.url);
    let log = server.process.stderr();
    assert!(log.contains("path=\"/api/uploads\" status=201"), "{log}");
    assert!(!log.contains("/parts/"), "nothing went through the server: {log}");
    assert!(log.contains("/results\" status=302"), "{log}");
    assert!(!log.contains("sig="), "an address was logged: {log}");
}
