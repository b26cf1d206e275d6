//! The page in a browser, on real searches: `tests/page/*.test.mjs`, which need what `tests/run` installs.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::command::{run, run_with_input};
use common::examples;
use common::in_process::project_file;
use common::process::Server;
use serde_json::Value;

/// Queries of the large search, and hits of each.
const QUERIES: usize = 10_000;
const HITS: usize = 100;
/// Name of the database that it is in.
const FEW: &str = "few";

/// Proteins of the database that the large search is in.
const PROTEINS: usize = 120;

/// The first few example proteins, as FASTA.
fn proteins() -> String {
    let file = std::fs::File::open(project_file("examples/database.fa.gz")).unwrap();
    let fasta = std::io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap();
    let end = fasta.match_indices('>').nth(PROTEINS).unwrap().0;
    fasta[..end].to_owned()
}

/// Pieces of these proteins as queries.
fn queries(proteins: &str) -> String {
    let residues = |record: &str| record.split_once('\n').unwrap().1.replace('\n', "");
    let proteins: Vec<String> = proteins.split('>').skip(1).map(residues).collect();
    let mut text = String::new();
    for number in 1..=QUERIES {
        let protein = &proteins[number % proteins.len()];
        let length = protein.len().min(30 + number % 20);
        let start = number * 7 % (protein.len() - length + 1);
        let piece = &protein[start..start + length];
        writeln!(text, ">q{number} piece {start} of protein {}\n{piece}", number % proteins.len()).unwrap();
    }
    text
}

#[test]
fn the_page_works_in_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page");
    assert!(
        folder.join("node_modules/playwright-core").exists() && Path::new("/usr/bin/chromium").exists(),
        "the browser is not installed; tests/run installs it"
    );
    let storage = tempfile::tempdir().unwrap();
    examples::publish(examples::database(), storage.path().to_str().unwrap());
    let proteins = proteins();
    publish_few(&proteins, storage.path());
    let server = Server::start(storage.path(), &[]);
    let id = large_search(&server, &queries(&proteins));
    let tests = ["docs", "look", "mine", "read", "submit", "watch"].map(|name| format!("{name}.test.mjs"));
    // One after the other: what they measure is of a page that has the machine to itself.
    let node = Command::new("node")
        .current_dir(&folder)
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .args(tests)
        .env("PAGE_URL", &server.url)
        .env("PAGE_LARGE", id)
        .env("PAGE_ROWS", (QUERIES * (HITS - 1)).to_string())
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&node.stdout));
    assert!(node.status.success(), "{}", String::from_utf8_lossy(&node.stderr));
}

/// Puts a small database into the storage.
fn publish_few(proteins: &str, storage: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("few.fa");
    std::fs::write(&file, proteins).unwrap();
    let (file, storage) = (file.to_str().unwrap(), storage.to_str().unwrap());
    run(["databases", "add", FEW, "--in", file, "--volume-size", "10KiB", "--storage", storage]).ok();
}

/// The id of a search with a million hits, when it has ended. Its options find everything, with little work.
fn large_search(server: &Server, queries: &str) -> String {
    let to_server = ["--server", &server.url];
    let hits = HITS.to_string();
    let choices = ["--max-target-seqs", &hits, "--max-hsps", "1", "--evalue", "1e9"];
    let cheap = ["--comp-based-stats", "0", "--ungapped", "--window-size", "0"];
    let submit = ["submit", "--query", "-", "--database", FEW];
    let submit = [&submit[..], &choices, &cheap, &to_server].concat();
    let id = String::from_utf8(run_with_input(&submit, queries.as_bytes()).ok()).unwrap();
    let id = id.trim().to_owned();
    let (started, patience) = (Instant::now(), Duration::from_secs(900));
    loop {
        let status = run(["status", &id, "--json"].iter().chain(&to_server)).stdout;
        let status: Value = serde_json::from_slice(&status).unwrap();
        match status["state"].as_str().unwrap() {
            "completed" => return id,
            "queued" | "running" => std::thread::sleep(Duration::from_millis(500)),
            other => panic!("{other}: {status}"),
        }
        assert!(started.elapsed() < patience, "{status}");
    }
}
