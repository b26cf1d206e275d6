//! Readers that go away, as `head` does: success, and nothing on standard error. Standard streams that
//! were closed from the start are an error.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::common::command::{end, skyblast};
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

#[test]
fn a_standard_output_that_is_closed_from_the_start_is_an_error_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (query, db, out) = (examples::queries(), examples::database(), folder.path().join("db"));
    let (query, db, out) = (query.display(), db.display(), out.display());
    let id = "0123456789abcdef0123456789abcdef";
    for command in [
        format!("search --query {query} --db {db}"),
        format!("search --query {query} --db {db} --out -"),
        format!("search --query {query} --db {db} --out /dev/stdout"),
        format!("makedb --in {query} --out {out}"),
        format!("submit --query {query} --database x"),
        format!("submit --query {query} --database x --wait"),
        format!("status {id}"),
        format!("results {id}"),
        format!("cancel {id}"),
        format!("share {id}"),
        "databases list".to_owned(),
        "doctor".to_owned(),
        "--help".to_owned(),
        "search --help".to_owned(),
        "--version".to_owned(),
        "search -version".to_owned(),
    ] {
        for closed in [">&-", "1<&0"] {
            let ended = end(&mut shell(&format!("exec \"$0\" {command} {closed}")));
            assert_eq!(
                ended.failed(1),
                "skyblast: standard output is closed, so the result would be lost; send it to a file or a pipe\n",
                "{command} {closed}"
            );
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
    // Nothing is printed.
    let file = folder.path().join("hits");
    let search = format!("exec \"$0\" search --query {query} --db {db} --out {} >&-", file.display());
    end(&mut shell(&search)).ok();
    assert!(std::fs::read(&file).unwrap() == examples::report());
}

#[test]
fn a_standard_input_that_is_closed_from_the_start_holds_no_queries() {
    let folder = tempfile::tempdir().unwrap();
    let (db, out) = (examples::database().display(), folder.path().join("db"));
    for command in [
        format!("search --query - --db {db}"),
        "submit --query - --database x".to_owned(),
        format!("makedb --in - --out {}", out.display()),
    ] {
        let error = end(&mut shell(&format!("exec \"$0\" {command} <&-"))).failed(1);
        assert!(error.starts_with("skyblast: standard input is closed"), "{command}: {error}");
    }
}

/// A script in which `$0` is the program.
fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    let program = skyblast::<&str>([]);
    command.arg("-c").arg(script).arg(program.get_program()).stdin(Stdio::null());
    command
}
