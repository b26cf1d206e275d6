//! package.sh: what is in the zip, with which modes, for which glibc; the same every time.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// A small program that is there; what matters is that it is one.
const PROGRAM: &str = "/usr/bin/env";
/// Newer than any machine's.
const ANY_GLIBC: &str = "2.999";

fn package(arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/package.sh");
    Command::new(script).args(arguments).output().unwrap()
}

/// Packages [`PROGRAM`] and returns the zip.
fn zip_in(folder: &Path) -> Vec<u8> {
    let out = folder.to_str().unwrap();
    let output = package(&["--binary", PROGRAM, "--glibc", ANY_GLIBC, "--out", out]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(folder.join("app.zip")).unwrap()
}

/// Name and external attributes of every entry, from the directory at the end of a zip
/// (PKWARE's APPNOTE, sections 4.3.12 and 4.3.16).
fn directory(zip: &[u8]) -> BTreeMap<String, u32> {
    let number = |at: usize, bytes: usize| {
        zip[at..at + bytes].iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let end = zip.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let mut at = number(end + 16, 4);
    let mut entries = BTreeMap::new();
    for _ in 0..number(end + 10, 2) {
        assert_eq!(&zip[at..at + 4], b"PK\x01\x02");
        let (name, extra, comment) = (number(at + 28, 2), number(at + 30, 2), number(at + 32, 2));
        let text = String::from_utf8(zip[at + 46..at + 46 + name].to_vec()).unwrap();
        entries.insert(text, u32::try_from(number(at + 38, 4)).unwrap());
        at += 46 + name + extra + comment;
    }
    entries
}

#[test]
fn the_zip_holds_the_script_root_with_its_modes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let entries = directory(&zip_in(folder.path()));
    let functions = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("functions")).unwrap();
    let functions = functions.map(|f| format!("{}/function.json", f.unwrap().file_name().to_str().unwrap()));
    let mut expected: BTreeMap<String, u32> =
        functions.chain(["host.json".to_owned()]).map(|name| (name, 0o100_644 << 16)).collect();
    expected.insert("skyblast".to_owned(), 0o100_755 << 16);
    assert_eq!(entries, expected);
    let app = folder.path().join("app");
    assert_eq!(app.join("skyblast").metadata().unwrap().permissions().mode(), 0o100_755);
    assert!(app.join("host.json").is_file());
}

#[test]
fn the_same_files_give_the_same_zip() {
    let [one, two] = [(); 2].map(|()| {
        let folder = tempfile::tempdir().unwrap();
        let zip = zip_in(folder.path());
        // A zip counts in steps of two seconds.
        std::thread::sleep(std::time::Duration::from_millis(2100));
        zip
    });
    assert!(one == two);
}

#[test]
fn packaging_again_leaves_nothing_of_the_first_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = zip_in(folder.path());
    std::fs::create_dir(folder.path().join("app/old")).unwrap();
    std::fs::write(folder.path().join("app/old/function.json"), "{}").unwrap();
    assert!(first == zip_in(folder.path()));
}

#[test]
fn a_binary_for_a_newer_glibc_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let output = package(&["--binary", PROGRAM, "--glibc", "2.1", "--out", out]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("/env asks for glibc 2.") && text.contains("newer than 2.1:"), "{text}");
    assert!(!folder.path().join("app.zip").exists());
}

#[test]
fn what_is_no_program_is_refused() {
    let output = package(&["--binary", "host.json", "--out", "/nowhere"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("host.json is no Linux program"), "{text}");
}

#[test]
fn wrong_options_are_named() {
    for (arguments, expected) in [
        (&["--binray", "x"] as &[&str], "there is no option --binray"),
        (&["--binary"], "--binary needs a value"),
        (&["--glibc", "musl"], "--glibc musl is no version"),
        (&["--binary", "missing"], "there is no binary"),
    ] {
        let output = package(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(expected), "{arguments:?}: {text}");
    }
    assert!(String::from_utf8_lossy(&package(&["--help"]).stdout).starts_with("Usage: infra/package.sh"));
}
