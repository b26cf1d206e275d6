//! What users of other programs are used to: completion, manual pages, JSON for scripts.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::common::command::{end, run};
use crate::common::examples::{self, DATABASE};
use crate::common::process::Server;

#[test]
fn bash_completes_commands_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("skyblast.bash");
    fs::write(&script, run(["completions", "bash"]).ok()).unwrap();
    let complete = |words: &[&str]| {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c"]).arg(
            "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
             _skyblast skyblast \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"; \
             printf '%s\\n' \"${COMPREPLY[@]}\"",
        );
        let printed = end(bash.arg("bash").arg(&script).args(words)).ok();
        String::from_utf8(printed).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete(&["skyblast", "sea"]), ["search"]);
    assert_eq!(complete(&["skyblast", "search", "--max-t"]), ["--max-target-seqs"]);
    assert_eq!(complete(&["skyblast", "databases", "g"]), ["gc"]);
}

#[test]
fn other_shells_get_a_script_too() {
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = String::from_utf8(run(["completions", shell]).ok()).unwrap();
        assert!(script.contains("max-target-seqs"), "{shell}");
    }
    let error = run(["completions", "tcsh"]).failed(2);
    assert!(error.contains("bash") && error.contains("zsh"), "{error}");
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man/man1");
    run(["manual", "--out", out.to_str().unwrap()]).ok();
    for (page, text) in [
        ("skyblast.1", "Exact protein search"),
        ("skyblast-search.1", "\\-\\-max\\-target\\-seqs"),
        ("skyblast-databases-add.1", "Examples:"),
    ] {
        let written = fs::read_to_string(out.join(page)).unwrap();
        assert!(written.contains(".TH ") && written.contains(text), "{page}: {written}");
    }
    // Nobody calls it.
    assert!(!out.join("skyblast-apart.1").exists());
}

#[test]
fn databases_and_submissions_are_told_as_json() {
    let storage = tempfile::tempdir().unwrap();
    let folder = storage.path().to_str().unwrap();
    examples::publish(examples::database(), folder);
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let printed = String::from_utf8(run(arguments).ok()).unwrap();
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let server = Server::start(storage.path(), &[]);
    let here = lines(&["databases", "list", "--json", "--storage", folder]);
    let there = lines(&["databases", "list", "--json", "--server", &server.url]);
    assert_eq!(here, there);
    let [database] = &here[..] else { panic!("{here:?}") };
    assert_eq!((&database["name"], &database["current"]), (&DATABASE.into(), &true.into()));
    assert_eq!(database["volumes"], examples::VOLUMES);

    let queries = examples::queries();
    let submit = ["submit", "--query", queries.to_str().unwrap(), "--database", DATABASE];
    let accepted = run(submit.iter().chain(&["--json", "--server", &server.url])).ok();
    let accepted: Value = serde_json::from_slice(&accepted).unwrap();
    let id = accepted["id"].as_str().unwrap();
    assert!(accepted["queries"].as_u64().unwrap() > 0, "{accepted}");
    run(["status", id, "--watch", "--server", &server.url]).ok();
}
