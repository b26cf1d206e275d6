//! Files that commands write: never over what they read, whole or as they were, and with the permissions
//! that anybody expects.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::common::command::{end, run, skyblast};
use crate::common::examples::{self, DATABASE};
use crate::common::in_process::{assert_same_report, project_file};
use crate::common::process::{Process, wait_for};
use crate::server::Lab;

const FASTA: &str = ">s1\nMTNRLVLSGTVCRAPLRKVSPSGIPHCQFVLEHRSVQEEAGFHRQAWCQMPVIVSGHENQAITHSITVGSRITVQGF\n";

/// A folder with small inputs of all kinds.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.file("q.fa", FASTA);
        desk.file("db.fa", FASTA);
        desk.file("ids", "s1\n");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The command in this folder.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = skyblast(arguments);
        command.current_dir(self.0.path());
        command
    }

    /// The same with redirections of a shell.
    fn in_shell(&self, script: &str) -> Command {
        let program = skyblast::<&str>([]);
        let mut command = Command::new("bash");
        command.args(["-c", script]).current_dir(self.0.path()).stdin(Stdio::null());
        command.env("SKYBLAST", program.get_program());
        command
    }

    /// Runs a search that must be refused because of `--out`, and checks that nothing has changed.
    #[track_caller]
    fn refuses_to_replace(&self, kept: &Path, arguments: &[&str]) {
        let (content, names) = (fs::read(kept).unwrap(), self.names());
        let ended = end(&mut self.command(arguments));
        assert_eq!(ended.stdout, b"");
        let error = ended.failed(2);
        assert!(error.contains("which would be overwritten; name another file"), "{arguments:?}: {error}");
        assert!(fs::read(kept).unwrap() == content, "{arguments:?}: {} has changed", kept.display());
        assert_eq!(self.names(), names, "{arguments:?}");
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }
}

#[test]
fn an_output_that_is_an_input_is_refused_by_any_name_of_it() {
    let desk = Desk::new();
    symlink("q.fa", desk.path("link.fa")).unwrap();
    fs::hard_link(desk.path("q.fa"), desk.path("hard.fa")).unwrap();
    let query = desk.path("q.fa");
    for out in ["q.fa", "./q.fa", "link.fa", "hard.fa"] {
        desk.refuses_to_replace(&query, &["search", "--query", "q.fa", "--db", "db.fa", "--out", out]);
    }
    for query_name in ["link.fa", "hard.fa"] {
        let arguments = ["search", "--query", query_name, "--db", "db.fa", "--out", "q.fa"];
        desk.refuses_to_replace(&query, &arguments);
    }
    let search = ["search", "--query", "q.fa", "--out", "db.fa"];
    let subject = desk.path("db.fa");
    desk.refuses_to_replace(&subject, &[&search[..], &["--db", "db.fa"]].concat());
    desk.refuses_to_replace(&subject, &[&search[..], &["--subject", "db.fa"]].concat());
    for list in ["--seqidlist", "--negative-seqidlist"] {
        let arguments = ["search", "--query", "q.fa", "--db", "db.fa", list, "ids", "--out", "ids"];
        desk.refuses_to_replace(&desk.path("ids"), &arguments);
    }
    // No server is asked.
    let submit = ["submit", "--query", "q.fa", "--database", "x", "--wait", "--out", "link.fa"];
    desk.refuses_to_replace(&query, &submit);
}

#[test]
fn an_output_that_is_a_redirected_input_is_refused() {
    let desk = Desk::new();
    for script in [
        "\"$SKYBLAST\" search --query - --db db.fa --out q.fa < q.fa",
        "\"$SKYBLAST\" search --query q.fa --db db.fa >> q.fa",
        "\"$SKYBLAST\" search --query q.fa --db db.fa --out /dev/fd/3 3>> q.fa",
    ] {
        let error = end(&mut desk.in_shell(script)).failed(2);
        assert!(error.contains("is the query"), "{script}: {error}");
        assert_eq!(desk.read("q.fa"), FASTA, "{script}");
    }
}

#[test]
fn an_output_that_is_any_file_of_a_database_is_refused() {
    let desk = Desk::new();
    end(&mut desk.command(&["makedb", "--in", "db.fa", "--out", "own"])).ok();
    let volume = fs::read_dir(desk.path("own/volumes")).unwrap().next().unwrap().unwrap().path();
    for file in [desk.path("own/manifest.json"), volume] {
        let out = file.to_str().unwrap();
        desk.refuses_to_replace(&file, &["search", "--query", "q.fa", "--db", "own", "--out", out]);
    }
    let blast = project_file("tests/golden/blastdb");
    for entry in fs::read_dir(&blast).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), desk.path(entry.file_name().to_str().unwrap())).unwrap();
    }
    let names = desk.names();
    let alias = names.iter().find(|name| name.ends_with(".pal")).unwrap();
    let base = alias.strip_suffix(".pal").unwrap();
    let index = names.iter().find(|name| name.starts_with(base) && name.ends_with(".pin")).unwrap();
    for file in [alias.clone(), index.clone(), index.replace(".pin", ".psq"), index.replace(".pin", ".phr")] {
        let arguments = ["search", "--query", "q.fa", "--db", base, "--out", &file];
        desk.refuses_to_replace(&desk.path(&file), &arguments);
    }
}

#[test]
fn a_file_of_a_report_of_several_files_is_no_input_either() {
    let desk = Desk::new();
    fs::rename(desk.path("q.fa"), desk.path("hits_1.json")).unwrap();
    let arguments =
        ["search", "--query", "hits_1.json", "--db", "db.fa", "--outfmt", "13", "--out", "hits.json"];
    desk.refuses_to_replace(&desk.path("hits_1.json"), &arguments);
}

#[test]
fn a_search_that_fails_leaves_the_old_report_and_nothing_else() {
    let desk = Desk::new();
    desk.file("bad.fa", &format!("{FASTA}>b\n\u{1}\u{2}\u{3}\u{4}\u{5}\n"));
    for format in ["6", "0", "17", "13"] {
        desk.file("old", "an old report");
        desk.file("old_1.json", "an old report");
        let names = desk.names();
        let search = ["search", "--query", "bad.fa", "--db", "db.fa", "--outfmt", format, "--out", "old"];
        let error = end(&mut desk.command(&search)).failed(1);
        assert!(error.contains("bad.fa"), "{error}");
        assert_eq!(
            (desk.read("old"), desk.read("old_1.json")),
            ("an old report".into(), "an old report".into())
        );
        assert_eq!(desk.names(), names, "{format}");
    }
}

#[test]
fn a_report_that_does_not_fit_leaves_the_old_one_and_says_which_file_has_no_room() {
    let desk = Desk::new();
    desk.file("old", "an old report");
    let queries = examples::queries();
    let script = format!(
        "ulimit -f 1; exec \"$SKYBLAST\" search --query {} --db {} --out old",
        queries.display(),
        examples::database().display()
    );
    let error = end(&mut desk.in_shell(&script)).failed(1);
    assert!(error.contains("could not write old: File too large"), "{error}");
    assert_eq!(desk.read("old"), "an old report");
    assert_eq!(desk.names(), ["db.fa", "ids", "old", "q.fa"]);
}

#[test]
fn an_interrupted_search_leaves_the_old_report_and_nothing_else() {
    let desk = Desk::new();
    desk.file("many.fa", std::str::from_utf8(&examples::many_queries(200)).unwrap());
    for (format, signal) in [("6", "INT"), ("17", "TERM"), ("13", "HUP")] {
        desk.file("old", "an old report");
        let names = desk.names();
        let db = examples::database().to_str().unwrap();
        let search = [
            "search",
            "--query",
            "many.fa",
            "--db",
            db,
            "--outfmt",
            format,
            "--out",
            "old",
            "--threads",
            "1",
        ];
        let mut process = Process::start(&mut desk.command(&search));
        wait_for("a report under way", || (desk.names() != names).then_some(()));
        let kill = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", process.id())).status();
        assert!(kill.unwrap().success());
        assert_eq!(process.wait().code(), None, "ends as the signal does");
        assert_eq!(desk.read("old"), "an old report");
        assert_eq!(desk.names(), names, "{signal}");
    }
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let desk = Desk::new();
    desk.file("many.fa", std::str::from_utf8(&examples::many_queries(10)).unwrap());
    let names = desk.names();
    let db = examples::database().display();
    let script =
        format!("trap '' HUP; exec \"$SKYBLAST\" search --query many.fa --db {db} --out new --threads 1");
    let mut process = Process::start(&mut desk.in_shell(&script));
    wait_for("a report under way", || (desk.names() != names).then_some(()));
    let kill = Command::new("sh").arg("-c").arg(format!("kill -HUP {}", process.id())).status();
    assert!(kill.unwrap().success());
    assert_eq!(process.wait().code(), Some(0));
    assert!(desk.path("new").exists());
}

#[test]
fn permissions_follow_the_umask_and_those_of_a_file_that_is_there_are_kept() {
    let desk = Desk::new();
    let mode = |name: &str| fs::metadata(desk.path(name)).unwrap().mode() & 0o7777;
    let search = "\"$SKYBLAST\" search --query q.fa --db db.fa --out";
    for (umask, expected) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let out = format!("hits{umask}");
        end(&mut desk.in_shell(&format!("umask {umask}; {search} {out}"))).ok();
        assert_eq!(mode(&out), expected, "umask {umask}");
        end(&mut desk.in_shell(&format!("umask {umask}; {search} all{umask}.json --outfmt 13"))).ok();
        for file in [format!("all{umask}.json"), format!("all{umask}_1.json")] {
            assert_eq!(mode(&file), expected, "umask {umask}: {file}");
        }
    }
    desk.file("mine", "an old report");
    fs::set_permissions(desk.path("mine"), Permissions::from_mode(0o640)).unwrap();
    end(&mut desk.in_shell(&format!("umask 022; {search} mine"))).ok();
    assert_eq!(mode("mine"), 0o640);
    assert_ne!(desk.read("mine"), "an old report");
}

#[test]
fn a_link_stays_a_link_and_what_it_names_is_written() {
    let desk = Desk::new();
    fs::create_dir(desk.path("far")).unwrap();
    desk.file("far/report", "an old report");
    for (link, target) in [("old", "far/report"), ("new", "far/new")] {
        symlink(target, desk.path(link)).unwrap();
        end(&mut desk.command(&["search", "--query", "q.fa", "--db", "db.fa", "--out", link])).ok();
        assert!(fs::symlink_metadata(desk.path(link)).unwrap().is_symlink());
        assert!(desk.read(target).starts_with("s1\ts1\t"), "{}", desk.read(target));
    }
    let left = fs::read_dir(desk.path("far")).unwrap().count();
    assert_eq!(left, 2, "nothing else is left beside the files");
}

#[test]
fn pipes_devices_and_open_files_are_written_where_they_are() {
    let desk = Desk::new();
    let report = end(&mut desk.command(&["search", "--query", "q.fa", "--db", "db.fa"])).ok();
    let text = std::str::from_utf8(&report).unwrap();
    let search = "\"$SKYBLAST\" search --query q.fa --db db.fa --out";
    for (script, expected) in [
        (format!("{search} /dev/stdout"), text.to_owned()),
        (format!("{search} -"), text.to_owned()),
        (format!("{search} /dev/stdout | cat"), text.to_owned()),
        (format!("{search} /dev/stderr 2>&1"), text.to_owned()),
        (
            format!("(echo head; {search} /dev/stdout; echo tail) > all; cat all"),
            format!("head\n{text}tail\n"),
        ),
        (format!("echo head > all; {search} /dev/stdout >> all; cat all"), format!("head\n{text}")),
        (format!("{search} /dev/fd/3 3> all; cat all"), text.to_owned()),
        (
            format!("{search} >(cat > all; mv all done); until [ -e done ]; do sleep 0.1; done; cat done"),
            text.to_owned(),
        ),
        (format!("mkfifo pipe; {search} pipe & cat pipe; wait"), text.to_owned()),
        (format!("{search} /dev/null && echo fine"), "fine\n".to_owned()),
        (format!("{search} /dev/stdout --outfmt '17 SQ' | grep -vc ^@"), "1\n".to_owned()),
    ] {
        let ended = end(&mut desk.in_shell(&script));
        assert_eq!(ended.stderr, "", "{script}");
        assert_eq!(String::from_utf8(ended.ok()).unwrap(), expected, "{script}");
    }
    let error = end(&mut desk.in_shell(&format!("{search} /dev/full"))).failed(1);
    assert!(error.contains("could not write /dev/full: No space left on device"), "{error}");
}

#[test]
fn an_output_that_cannot_be_is_refused_before_anything_is_searched() {
    let desk = Desk::new();
    fs::create_dir(desk.path("folder")).unwrap();
    for (out, code, text) in [
        ("folder", 2, "--out folder is a directory; name a file in it"),
        ("new/", 2, "--out new/ is a directory; name a file in it"),
        ("nowhere/hits", 1, "could not create nowhere/hits: No such file or directory"),
        ("q.fa/hits", 1, "could not create q.fa/hits: Not a directory"),
    ] {
        // The database would be missed first.
        let search = ["search", "--query", "q.fa", "--db", "none", &format!("--out={out}")];
        let error = end(&mut desk.command(&search)).failed(code);
        assert!(error.contains(text), "{out}: {error}");
    }
    assert_eq!(desk.names(), ["db.fa", "folder", "ids", "q.fa"]);
}

#[test]
fn a_report_of_a_server_is_an_output_like_any_other() {
    let lab = Lab::start(&[]);
    let desk = Desk::new();
    let id = lab.submit(&fs::read(examples::queries()).unwrap());
    lab.completes(&id, examples::report());
    let fetch = |out: &str| {
        let mut command = desk.command(&["results", &id, "--server", &lab.server.url, "--out", out]);
        end(&mut command)
    };
    let mode = |name: &str| fs::metadata(desk.path(name)).unwrap().mode() & 0o777;
    let usual = mode("q.fa");
    fetch("hits").ok();
    assert_same_report("results", &fs::read(desk.path("hits")).unwrap(), examples::report());
    assert_eq!(mode("hits"), usual);
    fs::set_permissions(desk.path("hits"), Permissions::from_mode(0o640)).unwrap();
    symlink("hits", desk.path("link")).unwrap();
    fetch("link").ok();
    assert!(fs::symlink_metadata(desk.path("link")).unwrap().is_symlink());
    assert_eq!(mode("hits"), 0o640);
    assert_same_report("/dev/stdout", &fetch("/dev/stdout").ok(), examples::report());
    let query = examples::queries();
    let submit = ["submit", "--query", query.to_str().unwrap(), "--database", DATABASE, "--wait"];
    let more = ["--server", &lab.server.url, "--out", "waited"];
    end(&mut desk.command(&[&submit[..], &more[..]].concat())).ok();
    assert_eq!(mode("waited"), usual);
    // A report that there is not.
    let error = run(["results", "0123456789abcdef0123456789abcdef", "--server", &lab.server.url, "--out"]
        .iter()
        .map(|text| (*text).to_owned())
        .chain([desk.path("hits").to_str().unwrap().to_owned()]));
    error.failed(1);
    assert_same_report("kept", &fs::read(desk.path("hits")).unwrap(), examples::report());
}

#[test]
fn a_demo_does_not_write_over_files_of_others() {
    let desk = Desk::new();
    fs::rename(desk.path("q.fa"), desk.path("queries.fa")).unwrap();
    let names = desk.names();
    let error = end(&mut desk.command(&["demo", "--dir", "."])).failed(1);
    assert!(error.contains("holds other things") && error.contains("--dir"), "{error}");
    assert_eq!((desk.read("queries.fa"), desk.names()), (FASTA.to_owned(), names));
}

#[test]
fn a_full_device_is_said_on_standard_output_too() {
    let desk = Desk::new();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for arguments in [&["search", "--query", "q.fa", "--db", "db.fa"][..], &["--help"], &["--version"]] {
        let ended = end(desk.command(arguments).stdout(full()).stderr(Stdio::piped()));
        let error = ended.failed(1);
        assert!(error.contains("No space left on device"), "{arguments:?}: {error}");
    }
}
