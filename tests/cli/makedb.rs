//! `skyblast makedb` as a process; what it accepts is tested with the library.

use crate::common::command::{run, run_with_input};
use crate::common::in_process::project_file;

#[test]
fn the_summary_says_what_was_made_and_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("small.db");
    let fasta = b">a one\nMKVLAAGIV\n>b two\nACDEFGHIKLMNPQRSTVWY\n";
    let made = run_with_input(&["makedb", "--in", "-", "--out", out.to_str().unwrap()], fasta);
    assert_eq!(made.stderr, "");
    let summary = String::from_utf8(made.ok()).unwrap();
    assert!(summary.starts_with("small: database in "), "{summary}");
    assert!(summary.contains("sequences  2\n") && summary.contains("residues   29 (9 to 20 "), "{summary}");
    assert!(summary.ends_with(&format!("Next: skyblast search --query QUERIES.fa --db {}\n", out.display())));
}

#[test]
fn bad_input_leaves_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("db");
    let (out, query) = (out.to_str().unwrap(), project_file("examples/queries.fa"));
    let query = query.to_str().unwrap();
    for (arguments, code, text) in [
        (&["--in", "nowhere.fa"][..], 1, "could not open nowhere.fa"),
        (&["--in", query, "--in", "nowhere.fa"], 1, "could not open nowhere.fa"),
        (&["--in", query, "--volume-size", "0"], 2, "--volume-size must be more than 0"),
        (&["--in", query, "--volume-size", "large"], 2, "--volume-size"),
        (&[], 2, "--in <FASTA>"),
    ] {
        let error = run(["makedb", "--out", out].iter().chain(arguments)).failed(code);
        assert!(error.contains(text), "{arguments:?}: {error}");
    }
    for (fasta, text) in [
        (&b""[..], "no sequence"),
        (b">only a name\n", "no sequence"),
        (b"MKVLAAGIV\n", "residues before the first '>' line"),
    ] {
        let error = run_with_input(&["makedb", "--in", "-", "--out", out], fasta).failed(1);
        assert!(error.contains(text), "{}: {error}", fasta.escape_ascii());
    }
    assert!(!std::path::Path::new(out).join("manifest.json").exists());
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let query = project_file("examples/queries.fa");
    let out = folder.path().to_str().unwrap();
    let error = run(["makedb", "--in", query.to_str().unwrap(), "--out", out]).failed(1);
    assert!(error.contains(out), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
