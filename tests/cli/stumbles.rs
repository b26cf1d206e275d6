//! What careless users do: each error says what to do, and nothing is left behind.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::common::command::{end, run, run_with_input, skyblast};
use crate::common::examples;
use crate::common::in_process::project_file;
use crate::common::process::{Process, wait_for};
use crate::server::Lab;

const ID: &str = "0123456789abcdef0123456789abcdef";

/// The error of a command in `folder`, which must fail with `code` and leave nothing there.
#[track_caller]
fn error_in(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let before = fs::read_dir(folder).unwrap().count();
    let ended = end(skyblast(arguments).current_dir(folder));
    assert_eq!(ended.stdout, b"", "{arguments:?}");
    let error = ended.failed(code);
    assert!(!error.contains("panicked"), "{arguments:?}: {error}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), before, "{arguments:?} left something");
    error
}

#[test]
fn a_storage_that_is_not_there_is_not_made_by_commands_that_only_use_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("other")).unwrap();
    fs::write(folder.path().join("other/thesis.txt"), "years of work").unwrap();
    let version = format!("x@{ID}");
    for command in [
        &["databases", "list"][..],
        &["databases", "show", "x"],
        &["databases", "use", &version],
        &["databases", "remove", "x"],
        &["databases", "gc"],
        &["worker"],
        &["doctor"],
    ] {
        for (storage, reason) in
            [("skybalst-data", "there is no such folder"), ("other", "it is not a storage of skyblast's")]
        {
            let error = error_in(folder.path(), 1, &[command, &["--storage", storage]].concat());
            for part in [storage, reason, "skyblast databases add", "skyblast serve"] {
                assert!(error.contains(part), "{command:?}: {part:?} is missing in {error}");
            }
        }
    }
    assert_eq!(fs::read_dir(folder.path().join("other")).unwrap().count(), 1);
    for command in [&["databases", "show", "x"][..], &["databases", "gc"], &["worker"]] {
        let error = error_in(folder.path(), 2, command);
        assert!(error.contains("no storage was named") && error.contains("skyblast-data"), "{error}");
    }
}

#[test]
fn the_usual_storage_is_made_by_those_who_put_something_into_it_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let here = |arguments: &[&str]| end(skyblast(arguments).current_dir(folder.path()));
    let query = examples::queries();
    let query = query.to_str().unwrap();
    // Nothing comes of these, so there is no storage either.
    error_in(folder.path(), 1, &["databases", "add", "x", "--in", "nowhere.fa"]);
    error_in(folder.path(), 2, &["databases", "add", "volumes", "--in", query]);
    error_in(folder.path(), 1, &["databases", "add", "x", "--dir", "."]);
    let added = here(&["databases", "add", "examples", "--in", query]);
    assert!(added.stderr.contains("made a new storage in the folder skyblast-data"), "{}", added.stderr);
    let name = String::from_utf8(added.ok()).unwrap();
    assert!(name.starts_with("examples@"), "{name}");
    let again = here(&["databases", "add", "examples", "--in", query]);
    assert!(!again.stderr.contains("made a new storage"), "{}", again.stderr);
    again.ok();
    let shown = String::from_utf8(here(&["databases", "show", "examples"]).ok()).unwrap();
    assert!(shown.contains(name.trim()), "{shown}");
    here(&["databases", "gc", "--dry-run"]).ok();

    let mut serve = skyblast(["serve", "--storage", "lab", "--listen", "localhost:0"]);
    let server = Process::start(serve.current_dir(folder.path()));
    wait_for("the server", || server.stdout().contains("serving http://127.0.0.1:").then_some(()));
    assert!(server.stderr().contains("made a new storage in the folder lab"), "{}", server.stderr());
}

#[test]
fn what_is_wrong_with_a_command_line_is_said_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let query = examples::queries();
    let query = query.to_str().unwrap();
    for (arguments, parts) in [
        (&["databases", "add", "x"][..], &["--dir <DIR>", "--in <FASTA>"][..]),
        (&["databases", "add", "x", "--dir", query], &["is a file", "--in"]),
        (&["databases", "add", "volumes", "--in", query], &["reserved", "take another name"]),
        (&["databases", "add", "../x", "--in", query], &["use letters, digits"]),
        (&["share", ID, "--for", "400d"], &["1s at least and 366d at most"]),
        (&["share", ID, "--for", "0s"], &["1s at least and 366d at most"]),
        (&["share", ID, "--for", "-3d"], &["write it like 90s, 12h or 7d"]),
        (&["worker", "--grace", "-1"], &["write it like 90s, 12h or 7d"]),
        (
            &["makedb", "--in", query, "--out", "db", "--volume-size", "10GX"],
            &["write it like 500KB, 128MiB"],
        ),
        (&["makedb", "--from-blastdb", query, "--out", "db"], &["is a file", "--in"]),
        (&["share", ID, "--for", "7"], &["write it like 90s, 12h or 7d"]),
        (&["databases", "gc", "--grace", "soon"], &["write it like 90s, 12h or 7d"]),
        (&["status", ID, "--server", "ftp://lab"], &["write it like https://HOST"]),
        (&["status", ID, "--server", "lab:port"], &["write it like https://HOST"]),
        (&["status", ID, "--server", ""], &["--server"]),
        (&["serve", "--listen", "8765"], &["localhost:8765"]),
        (&["serve", "--listen", "localhost"], &["localhost:8765"]),
        (&["serve", "--listen", "http://localhost:8765"], &["localhost:8765"]),
        (&["serve", "--storage", "https://x.blob.core.windows.net"], &["is an address"]),
        (&["worker", "--slots", "0"], &["--slots"]),
        (&["worker", "--slots", "many"], &["--slots"]),
        (
            &["makedb", "--in", query, "--out", "db", "--volume-size", "0"],
            &["--volume-size must be more than 0"],
        ),
        (&["results", "hits.tsv"], &["hits.tsv"]),
    ] {
        let error = error_in(folder.path(), 2, arguments);
        for part in parts {
            assert!(error.contains(part), "{arguments:?}: {part:?} is missing in {error}");
        }
    }
}

#[test]
fn the_wrong_kind_of_file_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("folder")).unwrap();
    fs::write(path("q.fa"), ">q\nMKVLAAGIV\n").unwrap();
    let image = project_file("tests/cli.rs");
    let image = image.to_str().unwrap();
    for (arguments, parts) in [
        (
            &["search", "--query", "folder", "--db", "q.fa"][..],
            &["folder: it is a directory; name a file"][..],
        ),
        (&["search", "--query", "q.fa", "--subject", "folder"], &["folder: it is a directory; name a file"]),
        (&["search", "--query", "q.fa", "--db", "q.fa", "--seqidlist", "folder"], &["folder"]),
        (&["makedb", "--in", "folder", "--out", "new"], &["folder: it is a directory; name a file"]),
        (&["makedb", "--in", "q.fa", "--out", "q.fa"], &["q.fa is a file", "--out"]),
        (&["makedb", "--in", image, "--out", "new"], &["residues before the first '>' line"]),
        (&["databases", "add", "x", "--in", "folder"], &["folder: it is a directory; name a file"]),
        (&["databases", "add", "x", "--dir", "folder"], &["is not a skyblast database"]),
        (&["submit", "--query", "folder", "--database", "x"], &["folder is a directory; name a file"]),
        (&["demo", "--dir", "q.fa"], &["q.fa is a file; name a folder with --dir"]),
        (&["serve", "--storage", "q.fa"], &["q.fa", "it is a file"]),
        (&["databases", "list", "--storage", "q.fa"], &["q.fa", "it is a file"]),
    ] {
        let before = fs::read_dir(folder.path()).unwrap().count();
        let ended = end(skyblast(arguments).current_dir(folder.path()));
        let error = ended.stderr.clone();
        assert!(matches!(ended.code, Some(1 | 2)), "{arguments:?}: {error}");
        for part in parts {
            assert!(error.contains(part), "{arguments:?}: {part:?} is missing in {error}");
        }
        // What was begun may be left by makedb, which says so of a directory.
        let left = fs::read_dir(folder.path()).unwrap().count() - before;
        assert!(left == 0 || arguments.contains(&"new"), "{arguments:?} left something");
    }
}

#[test]
fn a_server_is_found_by_host_and_port_and_one_that_does_not_run_is_told_how_to_start() {
    let lab = Lab::start(&[]);
    let port = lab.server.url.rsplit_once(':').unwrap().1.to_owned();
    for server in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("{}/", lab.server.url)] {
        let listed = run(["databases", "list", "--server", &server]).ok();
        assert!(listed.starts_with(b"examples@"), "{server}");
    }
    // Nobody listens here: the port was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = run(["databases", "list", "--server", &free.to_string()]).failed(1);
    for part in [&*format!("http://{free}"), "skyblast serve", "--server", "Connection refused"] {
        assert!(error.contains(part), "{part:?} is missing in {error}");
    }
}

#[test]
fn a_host_that_does_not_exist_cannot_be_listened_on() {
    let folder = tempfile::tempdir().unwrap();
    let storage = folder.path().join("store");
    let storage = storage.to_str().unwrap();
    let error = run(["serve", "--listen", "no-such-host.invalid:80", "--storage", storage]).failed(1);
    assert!(error.contains("could not listen on no-such-host.invalid:80"), "{error}");
}

#[test]
fn a_database_that_does_not_fit_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("db");
    let out = out.to_str().unwrap();
    run_with_input(&["makedb", "--in", "-", "--out", out], b">old\nMKVLAAGIV\n").ok();
    let manifest = fs::read(folder.path().join("db/manifest.json")).unwrap();
    let program = skyblast::<&str>([]);
    let mut limited = std::process::Command::new("sh");
    let script = "ulimit -f 64; exec \"$0\" makedb --in \"$1\" --out \"$2\"";
    limited.args(["-c", script]).arg(program.get_program());
    limited.arg(project_file("examples/database.fa.gz")).arg(out);
    let error = end(&mut limited).failed(1);
    assert!(error.contains("File too large") && error.contains(out), "{error}");
    assert!(fs::read(folder.path().join("db/manifest.json")).unwrap() == manifest);
    run_with_input(&["search", "--query", "-", "--db", out], b">q\nMKVLAAGIV\n").ok();
}
