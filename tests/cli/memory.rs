//! Little memory: hits that do not fit into it go to temporary files. A limit on the memory of a process
//! stands for a small instance.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use skyblast::database::VolumeLimit;

use crate::common::command::{Ended, end, skyblast, under};
use crate::common::in_process::{assert_same_report, build_database};
use crate::common::process::Server;
use crate::server::Lab;

/// Memory that a process may have, KiB: two fifths of what the hits take.
const LIMIT: &str = "ulimit -d 98304";
/// What it holds of hits in one place.
const ROOM: &str = "4MiB";
/// More than the hits take.
const ALL: &str = "1GiB";

/// Four queries that are like each of 500 subjects, whose long titles make hits large: a quarter of a gigabyte.
fn write_inputs(folder: &Path) {
    let protein = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV";
    let mut queries = String::new();
    (0..4).for_each(|number| writeln!(queries, ">q{number}\n{protein}").unwrap());
    fs::write(folder.join("queries.fa"), queries).unwrap();
    let title = "a long title ".repeat(10_000);
    let mut subjects = String::new();
    (0..500).for_each(|number| writeln!(subjects, ">s{number} {title}\n{protein}").unwrap());
    let fasta = folder.join("subjects.fa");
    fs::write(&fasta, subjects).unwrap();
    build_database(&folder.join("database"), &[fasta], VolumeLimit::Sequences(125));
}

const OPTIONS: [&str; 6] = ["--max-target-seqs", "1000", "--comp-based-stats", "0", "--outfmt", "7"];

fn search(folder: &Path, limit: &str, room: &str) -> Ended {
    let [query, db] = ["queries.fa", "database"].map(|name| folder.join(name).to_str().unwrap().to_owned());
    let inputs = ["search", "--query", &query, "--db", &db, "--threads", "1"];
    let mut command = skyblast(inputs.iter().chain(&OPTIONS));
    end(under(limit, command.env("SKYBLAST_ROOM", room)).current_dir(folder))
}

#[test]
fn a_search_and_a_server_need_little_memory_for_many_hits() {
    let folder = tempfile::tempdir().unwrap();
    write_inputs(folder.path());
    let expected = search(folder.path(), ":", ALL).ok();
    assert_eq!(expected.iter().filter(|&&byte| byte == b'\n').count(), 4 * 505 + 1);
    let ended = search(folder.path(), LIMIT, ALL);
    assert!(ended.code != Some(0) && ended.stderr.contains("memory allocation"), "{ended:?}");
    assert_same_report("search", &search(folder.path(), LIMIT, ROOM).ok(), &expected);

    let mut lab = Lab::of(&folder.path().join("database"), &[]);
    lab.server.process.kill();
    let limited = |mut command: std::process::Command| under(LIMIT, command.env("SKYBLAST_ROOM", ROOM));
    lab.server = Server::start_by(limited, lab.folder.path(), &["--threads", "1"]);
    let query = folder.path().join("queries.fa").to_str().unwrap().to_owned();
    let database = crate::common::examples::DATABASE;
    let submit = ["submit", "--wait", "--query", &query, "--database", database];
    let report = lab.run(&[&submit[..], &OPTIONS].concat()).ok();
    assert_same_report("submit", &named_alike(&report), &named_alike(&expected));
}

/// A report without the name of the database, which a server and a folder have their own of.
fn named_alike(report: &[u8]) -> Vec<u8> {
    let lines = report.split_inclusive(|&byte| byte == b'\n');
    lines.filter(|line| !line.starts_with(b"# Database: ")).collect::<Vec<_>>().concat()
}
