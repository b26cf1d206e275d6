//! What strangers tried, against what NCBI's blastp 2.12.0 prints.
//!
//! Each folder in `tests/golden/strangers` is a case: a command line of the shell, its inputs and the
//! standard output that it must have; the README there says how these were made.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

mod common;

use common::folder::copy_folder;
use common::in_process::{assert_same_report, project_file};
use common::made_alike::made_alike;

const FOLDER: &str = "tests/golden/strangers";

#[track_caller]
fn check(case: &str) {
    let source = project_file(FOLDER).join(case);
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&source, folder.path());
    let program = env!("CARGO_BIN_EXE_skyblast");
    let mut shell = Command::new("bash");
    shell.arg("cmd").current_dir(folder.path());
    shell.env("SKYBLAST", program).env("BLASTP", format!("{program} blastp"));
    let found = shell.output().unwrap();
    let expected = fs::read(source.join("expected")).unwrap();
    assert!(!expected.is_empty(), "{case} expects nothing");
    assert_same_report(case, &made_alike(&found.stdout), &made_alike(&expected));
}

macro_rules! cases {
    ($($test:ident $case:literal;)*) => {
        const CASES: &[&str] = &[$($case,)*];

        $(
            #[test]
            fn $test() {
                check($case);
            }
        )*
    };
}

cases! {
    binary_lists_of_identifiers_are_read "binary-seqidlist";
    the_first_letter_says_how_composition_counts "comp-based-stats-spellings";
    a_database_may_come_out_of_a_pipe "db-from-process-substitution";
    identifiers_are_first_words_of_tidied_titles "db-id-entities-and-punctuation";
    options_at_their_limits_are_taken "extreme-options";
    a_failed_search_leaves_the_old_report "failed-search-empties-old-report";
    pairwise_reports_end_as_those_of_blastp "footers";
    identifiers_in_lists_mean_what_they_mean_to_blastp "identifier-lists";
    any_number_of_subjects_may_be_asked_for "max-target-seqs-above-a-million";
    an_entry_leaves_out_its_chains "negative-seqidlist-pdb-entry";
    alignments_are_subjects_in_other_formats "num-alignments-tabular";
    odd_lines_in_fasta_are_read_as_by_blastp "odd-lines-in-fasta";
    values_of_options_are_spelled_as_for_blastp "option-spellings";
    an_output_that_is_the_database_is_refused "out-is-database-fasta";
    an_output_that_is_the_query_is_refused "out-is-query";
    parsed_identifiers_without_a_title_get_one "parsed-db-without-title";
    search_space_0_takes_off_the_correction "searchsp-zero";
    entities_at_the_end_of_titles_stay "title-ends-in-entity";
    titles_of_given_subjects_are_tidied "titles-of-given-subjects";
    titles_beside_parsed_identifiers_stand_as_in_blastp "titles-with-parsed-ids";
    titles_without_parsed_identifiers_stand_as_in_blastp "titles-without-parsed-ids";
    several_databases_are_described_each "two-databases-footer";
}

#[test]
fn every_case_is_run() {
    let folders = fs::read_dir(project_file(FOLDER)).unwrap().map(Result::unwrap);
    let names: BTreeSet<String> = folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, CASES.iter().map(|case| (*case).to_owned()).collect());
}

/// A refusal of `skyblast` with these arguments, in the folder of a case.
fn refused(case: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skyblast"));
    let output = command.args(arguments).current_dir(project_file(FOLDER).join(case)).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
    format!("{} {}", output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// blastp searches everything then.
#[test]
fn a_negative_list_of_which_nothing_is_known_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    for ids in ["gi|129295\nPLAIN1\n", "nothing"] {
        fs::write(&list, ids).unwrap();
        let list = list.to_str().unwrap();
        let line = ["blastp", "-query", "q.fa", "-db", "bdb", "-negative_seqidlist", list];
        let error = refused("identifier-lists", &line);
        assert!(error.starts_with("1 ") && error.contains("is in bdb, so it leaves nothing out"), "{error}");
    }
}

#[test]
fn what_is_meant_for_another_program_gets_a_hint() {
    for (arguments, text) in [
        (
            &["blastn", "-query", "q.fa"][..],
            "2 error: skyblast compares proteins with proteins, as blastp does",
        ),
        (
            &["makedb", "-in", "db.fa", "-dbtype", "nucl"],
            "2 error: -dbtype nucl: skyblast searches proteins only",
        ),
        (&["search", "-query", "q.fa", "-db", "db.fa", "-num_threads", "0"], "2 error: invalid value '0'"),
        (&["search", "-query", "q.fa", "-db", "db.fa", "-mt_mode", "1"], "needs -num_threads too"),
        (
            &["search", "-query", "q.fa", "-db", "db.fa", "-word_size", "7"],
            "2 skyblast: word_size 7 is not possible: must be 2 to 5 unless threshold is given too, 16 or more",
        ),
    ] {
        let error = refused("searchsp-zero", arguments);
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn a_command_line_of_makeblastdb_makes_a_database() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&project_file(FOLDER).join("searchsp-zero"), folder.path());
    let run = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skyblast"));
        let output = command.args(line.split(' ')).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    run("makeblastdb -in db.fa -input_type fasta -dbtype prot -title Three -blastdb_version 5 -out made");
    let found = run("blastp -query q.fa -db made -outfmt 6 -searchsp 0");
    let expected = fs::read(folder.path().join("expected")).unwrap();
    assert_same_report("made", &found, &expected);
    assert!(String::from_utf8(run("blastp -query q.fa -db made")).unwrap().contains("Database: Three\n"));
}
