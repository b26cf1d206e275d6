//! `serve` and the commands that talk to it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::common::command::{Ended, end, run, run_with_input, skyblast};
use crate::common::examples::{self, CHUNK_RESIDUES, DATABASE, SHARDS};
use crate::common::in_process::assert_same_report;
use crate::common::process::{Server, wait_for};

/// A server on a folder of its own with the example database.
pub(crate) struct Lab {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) server: Server,
}

impl Lab {
    pub(crate) fn start(more: &[&str]) -> Self {
        Self::of(examples::database(), more)
    }

    pub(crate) fn of(database: &Path, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        examples::publish(database, folder.path().to_str().unwrap());
        let server = Server::start(folder.path(), more);
        Self { folder, server }
    }

    /// Runs a command that talks to the server.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        run(arguments.iter().chain(&["--server", &self.server.url]))
    }

    /// Submits `queries` and returns the job's id.
    pub(crate) fn submit(&self, queries: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), queries).unwrap();
        let query = file.path().to_str().unwrap();
        let id = self.run(&["submit", "--query", query, "--database", DATABASE]).ok();
        String::from_utf8(id).unwrap().trim().to_owned()
    }

    pub(crate) fn status(&self, id: &str) -> Value {
        let ended = self.run(&["status", id, "--json"]);
        let status: Value = serde_json::from_slice(&ended.stdout).expect(&ended.stderr);
        let code = match status["state"].as_str().unwrap() {
            "failed" | "cancelled" => 4,
            "completed_with_failed_shards" => 3,
            _ => 0,
        };
        assert_eq!(ended.code, Some(code), "{status:#}");
        status
    }

    /// Waits until `count` shards are done.
    pub(crate) fn wait_for_shards(&self, id: &str, count: u64) -> Value {
        wait_for("the first shards", || {
            let status = self.status(id);
            (status["shards"]["done"].as_u64().unwrap() >= count).then_some(status)
        })
    }

    /// Waits until the job has ended without any failure, and compares its report.
    #[track_caller]
    pub(crate) fn completes(&self, id: &str, expected: &[u8]) {
        let status = wait_for("the end of the job", || {
            let status = self.status(id);
            status["finished"].is_string().then_some(status)
        });
        assert_eq!(status["state"], "completed", "{status:#}");
        assert_same_report("results", &self.run(&["results", id]).ok(), expected);
    }
}

fn queries() -> String {
    examples::queries().to_str().unwrap().to_owned()
}

#[test]
fn a_search_on_a_server_is_a_search() {
    let lab = Lab::start(&["--chunk-residues", &CHUNK_RESIDUES.to_string()]);
    assert!(
        lab.server.process.stdout().contains("\ndatabases: examples\n"),
        "{}",
        lab.server.process.stdout()
    );
    let submit = ["submit", "--query", &queries(), "--database", DATABASE];

    let waited = lab.run(&[&submit[..], &["--wait"]].concat());
    assert!(waited.stderr.contains("22 queries, 32,780 comparisons"), "{}", waited.stderr);
    assert!(waited.stderr.contains(&format!("completed: {SHARDS} shards")), "{}", waited.stderr);
    assert_same_report("--wait", &waited.ok(), examples::report());

    let out = lab.folder.path().join("hits.txt");
    let options = ["--wait", "--out", out.to_str().unwrap(), "--outfmt", "7 std qlen", "--evalue", "1e-3"];
    assert_eq!(lab.run(&[&submit[..], &options[..]].concat()).ok(), b"");
    let expected = examples::search(&examples::queries(), &["--outfmt", "7 std qlen", "--evalue", "1e-3"]);
    assert_same_report("--out", &fs::read(&out).unwrap(), &expected);

    let accepted = lab.run(&submit);
    assert!(accepted.stderr.contains("next: skyblast status "), "{}", accepted.stderr);
    let id = String::from_utf8(accepted.ok()).unwrap();
    let id = id.trim();
    let watched = String::from_utf8(lab.run(&["status", id, "--watch"]).ok()).unwrap();
    for line in
        ["state        completed\n", "merged       6 of 6 chunks\n", "comparisons  32,780 of 32,780\n"]
    {
        assert!(watched.contains(line), "{watched}");
    }
    let status = lab.status(id);
    assert_eq!((&status["state"], &status["shards"]["done"]), (&"completed".into(), &SHARDS.into()));
    assert_eq!(status["database"]["name"], DATABASE);

    let columns = ["--outfmt", "6 qseqid sseqid"];
    lab.run(&[&["results", id, "--out", out.to_str().unwrap()][..], &columns].concat()).ok();
    let expected = examples::search(&examples::queries(), &columns);
    assert_same_report("another format", &fs::read(&out).unwrap(), &expected);
    assert_eq!(lab.run(&["cancel", id]).ok(), b"completed\n");
}

#[test]
fn queries_may_come_from_standard_input_and_compressed() {
    let lab = Lab::start(&[]);
    let fasta = fs::read(queries()).unwrap();
    let submit = ["submit", "--query", "-", "--database", DATABASE, "--wait", "--server", &lab.server.url];
    assert_same_report("standard input", &run_with_input(&submit, &fasta).ok(), examples::report());
    let zstd = zstd::encode_all(&fasta[..], 1).unwrap();
    assert_same_report("zstd", &run_with_input(&submit, &zstd).ok(), examples::report());
    let program = skyblast::<&str>([]);
    let script = format!("\"$0\" \"$@\" --query <(cat '{}')", examples::queries().display());
    let mut piped = std::process::Command::new("bash");
    piped.arg("-c").arg(script).arg(program.get_program()).args(["submit", "--database", DATABASE, "--wait"]);
    piped.args(["--server", &lab.server.url]);
    assert_same_report("a pipe", &end(&mut piped).ok(), examples::report());
    let odd = run_with_input(&submit, &[b">dna\n", &b"ACGT".repeat(20)[..]].concat());
    assert!(odd.stderr.contains("warning: record 1 (dna): looks like nucleotides"), "{}", odd.stderr);
    odd.ok();
}

#[test]
fn databases_are_listed_and_a_new_version_takes_over() {
    let lab = Lab::start(&[]);
    let list = || String::from_utf8(lab.run(&["databases", "list"]).ok()).unwrap();
    let first = list();
    assert!(
        first.starts_with("examples@") && first.contains("\t1,490 sequences\t574,078 residues\t"),
        "{first}"
    );
    let version = first.split('\t').next().unwrap().to_owned();
    let storage = lab.folder.path().to_str().unwrap();
    let input = queries();
    let add = ["databases", "add", DATABASE, "--in", &input, "--storage", storage];
    let added = String::from_utf8(run(add).ok()).unwrap();
    assert_ne!(added.trim(), version);
    assert!(list().starts_with(&format!("{}\t22 sequences\t", added.trim())));
    // The old version can still be asked for.
    let old = lab.run(&["submit", "--query", &queries(), "--database", &version, "--wait"]);
    assert_same_report("old version", &old.ok(), examples::report());
    for bad in ["../x", "volumes", ""] {
        let error = run(["databases", "add", bad, "--in", &input, "--storage", storage]).failed(2);
        assert!(error.contains("cannot name a database"), "{error}");
    }
}

#[test]
fn what_a_server_refuses_is_said_in_a_line() {
    let lab = Lab::start(&["--body-limit", "5000"]);
    let nobody = "0123456789abcdef0123456789abcdef";
    let small = lab.folder.path().join("small.fa");
    let small = small.to_str().unwrap();
    let refused = |arguments: &[&str], text: &str| {
        let ended = lab.run(arguments);
        assert_eq!(ended.stdout, b"");
        let error = ended.failed(1);
        assert!(error.starts_with("skyblast: ") && error.lines().count() == 1, "{error}");
        assert!(error.contains(text), "{arguments:?}: {error}");
    };
    fs::write(small, ">q\nMKVLAAGIVALLLAACSSA\n").unwrap();
    refused(&["submit", "--query", small, "--database", "nr"], "known databases: examples");
    refused(&["submit", "--query", small, "--database", "../x"], "cannot name a database");
    refused(&["submit", "--query", "nowhere.fa", "--database", DATABASE], "could not open nowhere.fa");
    for command in ["status", "results", "cancel"] {
        refused(&[command, nobody], nobody);
    }
    fs::write(small, "").unwrap();
    refused(&["submit", "--query", small, "--database", DATABASE], "the query holds no sequence");
    fs::write(small, ">nothing here\n>nor here\n").unwrap();
    refused(&["submit", "--query", small, "--database", DATABASE], "none of the 2 records has residues");
    assert_eq!(fs::read_dir(lab.folder.path().join("jobs")).map_or(0, Iterator::count), 0, "nothing is left");
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    // Nobody listens here: the port was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    for arguments in [
        &["submit", "--query", &queries(), "--database", "x"][..],
        &["status", "0123456789abcdef0123456789abcdef"],
        &["databases", "list"],
    ] {
        let error = run(arguments.iter().chain(&["--server", &url])).failed(1);
        assert!(
            error.starts_with(&format!(
                "skyblast: could not reach {url} (start a server there with `skyblast serve`"
            )),
            "{error}"
        );
        assert!(error.contains("Connection refused"), "{error}");
    }
    for wrong in ["not a url", "lab.example.org:port", "ftp://lab.example.org"] {
        let error = run(["databases", "list", "--server", wrong]).failed(2);
        assert!(error.contains(wrong) && error.contains("http://127.0.0.1:8765"), "{error}");
    }
}

#[test]
fn a_port_in_use_and_a_folder_that_cannot_be_are_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let storage = folder.path().to_str().unwrap();
    let error = run(["serve", "--listen", &address, "--storage", storage]).failed(1);
    assert!(error.contains(&format!("could not listen on {address}")), "{error}");
    let error = run(["serve", "--listen", "127.0.0.1:0", "--storage", "/proc/nowhere"]).failed(1);
    assert!(error.contains("/proc/nowhere"), "{error}");
    let error =
        run(["serve", "--listen", "127.0.0.1:0", "--storage", "https://x.blob.core.windows.net"]).failed(2);
    assert!(error.contains("is an address"), "{error}");
    let error = run(["worker"]).failed(2);
    assert!(error.contains("no storage was named"), "{error}");
}

#[test]
fn a_report_that_lacks_shards_is_fetched_only_if_that_is_asked_for() {
    let lab = Lab::start(&[]);
    let volumes = lab.folder.path().join("blobs/databases/volumes");
    let volume = fs::read_dir(volumes).unwrap().next().unwrap().unwrap();
    fs::remove_file(volume.path()).unwrap();
    let out = lab.folder.path().join("hits.tsv");
    let query = queries();
    let submit =
        ["submit", "--query", &query, "--database", DATABASE, "--wait", "--out", out.to_str().unwrap()];
    let error = lab.run(&submit).failed(3);
    assert!(error.contains("lacks 1 of 6 shards") && error.contains("--partial"), "{error}");
    assert!(!out.exists(), "nothing is written");

    let id = lab.submit(&fs::read(examples::queries()).unwrap());
    let watched = lab.run(&["status", &id, "--watch"]);
    assert!(String::from_utf8_lossy(&watched.stdout).contains("5 of 6 done, 1 failed"));
    watched.failed(3);
    let results = lab.run(&["results", &id]);
    assert_eq!(results.stdout, b"");
    results.failed(3);
    let partial = lab.run(&["results", &id, "--partial"]);
    let rows = partial.stdout.clone();
    let error = partial.failed(3);
    assert!(!rows.is_empty() && error.contains("lacks 1 of 6 shards"), "{error}");
    lab.run(&[&submit[..], &["--partial"]].concat()).failed(3);
    assert_same_report("--out", &fs::read(&out).unwrap(), &rows);
    let link = String::from_utf8(lab.run(&["share", &id]).ok()).unwrap();
    run(["results", link.trim()]).failed(3);
    assert_eq!(run(["results", link.trim(), "--partial"]).stdout, rows);
}

#[test]
fn jobs_are_listed_and_removed_by_the_server_or_where_the_storage_is() {
    let lab = Lab::start(&["--keep-jobs", "30d"]);
    let storage = ["--storage", lab.folder.path().to_str().unwrap()];
    let query = queries();
    let submit = ["submit", "--query", &query, "--database", DATABASE];
    lab.run(&[&submit[..], &["--wait"]].concat()).ok();
    let id = String::from_utf8(lab.run(&submit).ok()).unwrap().trim().to_owned();
    assert_eq!(String::from_utf8(lab.run(&["cancel", &id]).ok()).unwrap(), "cancelled\n");
    let listed = String::from_utf8(lab.run(&["jobs", "list"]).ok()).unwrap();
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.iter().map(|line| line[1]).collect::<Vec<_>>(), ["cancelled", "completed"]);
    assert_eq!(lines[0][0], id);
    assert!(lines[0][3].starts_with("examples@") && lines[0][4].starts_with("20"), "{listed}");
    let list = ["jobs", "list", "--state", "cancelled"];
    let of_storage = String::from_utf8(run(list.iter().chain(&storage)).ok()).unwrap();
    assert_eq!(of_storage.lines().count(), 1);
    assert!(of_storage.starts_with(&id), "{of_storage}");
    let json = lab.run(&["jobs", "list", "--state", "completed", "--json"]).ok();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["state"], "completed");

    lab.run(&["jobs", "remove", &id]).ok();
    assert!(lab.run(&["status", &id]).failed(1).contains(&id));
    run(["jobs", "remove", lines[1][0]].iter().chain(&storage)).ok();
    assert_eq!(lab.run(&["jobs", "list"]).ok(), b"");
    assert!(run(["serve", "--keep-jobs", "a while"]).failed(2).contains("a while"));
}

#[test]
fn a_job_can_be_cancelled_while_it_runs() {
    let lab = Lab::start(&["--chunk-residues", "400", "--threads", "1"]);
    let id = lab.submit(&examples::many_queries(20));
    let status = lab.wait_for_shards(&id, 1);
    assert_eq!(status["state"], "running");
    assert_eq!(lab.run(&["cancel", &id]).ok(), b"cancelled\n");
    let again = lab.run(&["cancel", &id]);
    assert!(again.stderr.contains("had ended before"), "{}", again.stderr);
    assert_eq!(again.ok(), b"cancelled\n");
    assert_eq!(lab.status(&id)["state"], "cancelled");
    lab.run(&["status", &id, "--watch"]).failed(4);
    let error = lab.run(&["results", &id]).failed(4);
    assert!(error.contains("the search is cancelled, so it has no report"), "{error}");
}

#[test]
fn a_server_told_to_stop_ends_with_success_and_what_waits_for_a_job_can_wait_for_the_next_server() {
    let mut lab = Lab::start(&["--chunk-residues", "800"]);
    let id = lab.submit(&examples::many_queries(8));
    lab.wait_for_shards(&id, 2);
    lab.server.process.terminate();
    assert_eq!(lab.server.process.wait().code(), Some(0), "{}", lab.server.process.stderr());
    lab.server = Server::start(lab.folder.path(), &[]);
    let watching = skyblast(["status", &id, "--watch", "--server", &lab.server.url])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    lab.completes(&id, &examples::search_many(8));
    let watched = String::from_utf8(watching.wait_with_output().unwrap().stdout).unwrap();
    assert!(watched.contains("state        completed\n"), "{watched}");
}

#[test]
fn names_of_taxa_are_imported_for_a_server_and_taxa_are_submitted_from_a_list() {
    let lab = Lab::start(&[]);
    let folder = lab.folder.path();
    let storage = folder.to_str().unwrap();
    let fasta = ">a one OS=Mus musculus OX=10090\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ\n\
                 >b two OS=Homo sapiens OX=9606\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ\n";
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (query, list) = (file("q.fa", fasta), file("taxa.txt", "mus musculus\n\n5\n"));
    run(["databases", "add", "two", "--in", &query, "--storage", storage]).ok();
    let submit = ["submit", "--query", &query, "--database", "two", "--outfmt", "6 qseqid sseqid ssciname"];
    let submit = |more: &[&str]| lab.run(&[&submit[..], &["--wait"], more].concat());
    let error = submit(&["--taxidlist", &list]).failed(1);
    assert!(
        error.contains("\"mus musculus\" is no number, and this server knows no names of taxa"),
        "{error}"
    );

    let dump = folder.join("dump");
    fs::create_dir(&dump).unwrap();
    let names = "10090|Mus musculus||scientific name|\n9606|Homo sapiens||scientific name|\n";
    fs::write(dump.join("names.dmp"), names.replace('|', "\t|\t")).unwrap();
    fs::write(dump.join("nodes.dmp"), "10090|1|species|\n9606|1|species|\n".replace('|', "\t|\t")).unwrap();
    let import = ["taxonomy", "import", dump.to_str().unwrap()];
    let imported = run(import.iter().chain(&["--storage", storage])).ok();
    assert!(String::from_utf8(imported).unwrap().starts_with("2 taxa, as taxonomy "));
    let both = run(import.iter().chain(&["--storage", storage, "--out", "names"])).failed(2);
    assert!(both.contains("cannot be used with"), "{both}");

    let mouse = submit(&["--taxidlist", &list]);
    assert!(mouse.stderr.contains("warning: two has no sequences of these taxids: 5"), "{}", mouse.stderr);
    assert_eq!(String::from_utf8(mouse.ok()).unwrap(), "a\ta\tMus musculus\nb\ta\tMus musculus\n");
    let others = submit(&["--negative-taxids", "10090"]).ok();
    assert_eq!(String::from_utf8(others).unwrap(), "a\tb\tHomo sapiens\nb\tb\tHomo sapiens\n");
    let long = file("long.txt", &"1234567\n".repeat(1_000));
    let error = submit(&["--taxidlist", &long]).failed(2);
    assert!(error.contains("a command sends up to 6000"), "{error}");
}
