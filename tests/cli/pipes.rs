//! Readers that go away, as `head` does: success, and nothing on standard error.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::common::command::skyblast;
use crate::common::examples::{self, DATABASE};
use crate::common::process::{Server, wait_for};

/// Reads `lines` lines of the command's output, closes it, and asks for success and silence.
#[track_caller]
fn survives_a_reader_of(lines: usize, command: &mut Command) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..lines {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
    }
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{command:?}");
}

#[test]
fn a_report_that_is_not_read_to_its_end_is_no_error() {
    let (query, db) = (examples::queries(), examples::database());
    let search = ["search", "--query", query.to_str().unwrap(), "--db", db.to_str().unwrap()];
    survives_a_reader_of(0, &mut skyblast(search));
    survives_a_reader_of(
        1,
        &mut skyblast(search.iter().chain(&["--outfmt", "6 qseq sseq", "--evalue", "1000"])),
    );
}

#[test]
fn output_that_nobody_reads_is_no_error_of_any_command() {
    let folder = tempfile::tempdir().unwrap();
    examples::publish(examples::database(), folder.path().to_str().unwrap());
    let server = Server::start(folder.path(), &[]);
    let (query, out) = (examples::queries(), folder.path().join("db"));
    let (query, out) = (query.to_str().unwrap(), out.to_str().unwrap());
    let with_server = |arguments: &[&str]| skyblast(arguments.iter().chain(&["--server", &server.url]));
    let submit = ["submit", "--query", query, "--database", DATABASE];
    let output = with_server(&submit).output().unwrap();
    let id = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    wait_for("the end of the job", || {
        let status = with_server(&["status", &id]).output().unwrap();
        String::from_utf8_lossy(&status.stdout).contains("completed").then_some(())
    });
    for arguments in [&["status", &id][..], &["status", &id, "--json"], &["results", &id], &["cancel", &id]] {
        survives_a_reader_of(0, &mut with_server(arguments));
    }
    survives_a_reader_of(0, &mut with_server(&["databases", "list"]));
    survives_a_reader_of(0, &mut skyblast(["makedb", "--in", query, "--out", out]));
    survives_a_reader_of(0, &mut skyblast(["--help"]));
}
