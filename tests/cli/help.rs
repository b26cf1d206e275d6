//! `--help` of every command, and the command line itself.

use skyblast::cli::Exit;

use crate::common::command::run;

const COMMANDS: [&[&str]; 25] = [
    &[],
    &["makedb"],
    &["search"],
    &["demo"],
    &["serve"],
    &["worker"],
    &["cluster", "slurm"],
    &["handler"],
    &["submit"],
    &["status"],
    &["results"],
    &["cancel"],
    &["retry"],
    &["share"],
    &["compare"],
    &["doctor"],
    &["jobs", "list"],
    &["jobs", "remove"],
    &["databases", "add"],
    &["databases", "list"],
    &["databases", "show"],
    &["databases", "use"],
    &["databases", "remove"],
    &["databases", "gc"],
    &["taxonomy", "import"],
];

#[test]
fn the_help_of_every_command_has_an_example() {
    for command in COMMANDS {
        let line = format!("skyblast {}", command.join(" "));
        for flag in ["--help", "-h"] {
            let help = String::from_utf8(run(command.iter().chain(&[flag])).ok()).unwrap();
            let (_, after_options) = help.rsplit_once("\nOptions:").unwrap();
            assert!(after_options.contains(line.trim()), "{line} {flag}: no example in\n{help}");
        }
    }
}

#[test]
fn every_command_is_in_the_list_of_commands_with_a_line_of_its_own() {
    let help = String::from_utf8(run(["--help"]).ok()).unwrap();
    for command in COMMANDS.iter().filter_map(|command| command.first()) {
        let mut lines = help.lines().filter_map(|line| line.strip_prefix(&format!("  {command} ")));
        assert!(lines.any(|about| about.trim().len() > 10), "{command} is not explained in\n{help}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = String::from_utf8(run(["--version"]).ok()).unwrap();
    assert_eq!(version, format!("skyblast {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_help_has_the_exit_statuses() {
    let help = String::from_utf8(run(["--help"]).ok()).unwrap();
    for exit in Exit::ALL {
        let line = format!("  {}  {}", exit as u8, exit.meaning());
        assert!(help.contains(&line), "{line} is not in\n{help}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_code_2_and_says_what_is_meant() {
    for (arguments, text) in [
        (&["serach"][..], "'search'"),
        (&["search", "--query", "q.fa"], "--db <DB>"),
        (&["search", "--query", "q.fa", "--db", "x", "--treads", "2"], "'--threads'"),
        (&["status", "not-an-id"], "not-an-id"),
        (&["serve", "--listen", "nowhere"], "--listen"),
        (&["databases", "add", "x"], "--dir"),
        (&["submit", "--query", "q.fa", "--database", "x", "--out", "y"], "--wait"),
    ] {
        let error = run(arguments).failed(2);
        assert!(error.contains(text), "{arguments:?}: {error}");
    }
}
