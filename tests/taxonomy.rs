//! Taxids and names of taxa: what NCBI's programs print of them is what skyblast prints, in one piece and from
//! shards; what cannot be read is named.
//!
//! The cases are the lines of `tests/golden/taxonomy/cases.tsv`; the README beside it says how the expected
//! reports were made.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use assert_cmd::Command;
use flate2::read::GzDecoder;
use skyblast::database::Database;
use tempfile::TempDir;

mod common;

use common::in_process::{assert_same_report, project_file};
use common::made_alike::made_alike;

const FOLDER: &str = "tests/golden/taxonomy";

/// One line of `cases.tsv`.
struct Case {
    name: String,
    database: String,
    has_names: bool,
    arguments: Vec<String>,
}

impl Case {
    fn parse(line: &str) -> Self {
        let [name, database, names, arguments] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let mut words = Vec::new();
        for (place, part) in arguments.split('"').enumerate() {
            if place % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        Self {
            name: name.to_owned(),
            database: database.to_owned(),
            has_names: names == "yes",
            arguments: words,
        }
    }

    fn expected(&self) -> Vec<u8> {
        let path = project_file(FOLDER).join(format!("{}.gz", self.name));
        let mut report = Vec::new();
        GzDecoder::new(fs::File::open(path).unwrap()).read_to_end(&mut report).unwrap();
        made_alike(&report)
    }

    fn is_pairwise(&self) -> bool {
        self.arguments.ends_with(&["-outfmt".to_owned(), "0".to_owned()])
    }

    /// The report for the database in `folder`; `more` changes how it is made, never what it is.
    fn report(&self, folder: &Folder, more: &[&str]) -> Vec<u8> {
        for file in ["taxdb.bti", "taxdb.btd"] {
            let copy = folder.path(file);
            let _ = fs::remove_file(&copy);
            if self.has_names {
                fs::copy(golden(file), copy).unwrap();
            }
        }
        let mut command = folder.skyblast();
        command.args(["search", "-query", "edge_db.fa", "-db", &self.database, "-evalue", "100"]);
        let output = command.args(&self.arguments).args(more).output().unwrap();
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        made_alike(&output.stdout)
    }
}

fn golden(file: &str) -> std::path::PathBuf {
    project_file(FOLDER).join(file)
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(golden("cases.tsv")).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(Case::parse).collect()
}

/// A folder to run the program in.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::copy(project_file("tests/golden/edge/edge_db.fa"), folder.path("edge_db.fa")).unwrap();
        for file in ["taxidlist.txt", "taxa.fa", "taxids.txt"] {
            fs::copy(golden(file), folder.path(file)).unwrap();
        }
        folder
    }

    fn with_blast_databases() -> Self {
        let folder = Self::new();
        for database in ["parsed", "known", "whole", "none"] {
            for extension in ["pin", "phr", "psq"] {
                let name = format!("{database}.{extension}");
                fs::copy(golden(&name), folder.path(&name)).unwrap();
            }
        }
        folder
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn skyblast(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skyblast"));
        command.current_dir(self.0.path()).env_remove("BLASTDB");
        command
    }

    /// What the program prints.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.skyblast().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Status and error of arguments that are refused.
    fn refusal(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.skyblast().args(arguments).output().unwrap();
        assert!(output.stdout.is_empty(), "{arguments:?} printed something");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// Makes a database of a FASTA file of such text, and gives the columns `sseqid` and `staxid` of what its
    /// sequences hit.
    fn taxids_of(&self, fasta: &str, options: &[&str]) -> String {
        fs::write(self.path("mine.fa"), fasta).unwrap();
        self.run(&[&["makedb", "--in", "mine.fa", "--out", "mine.db"], options].concat());
        let columns = "6 sseqid staxid";
        let line = ["search", "--query", "mine.fa", "--db", "mine.db", "--outfmt", columns];
        different_lines(&self.run(&line))
    }
}

/// The lines of a text in alphabetical order, each once.
fn different_lines(text: &str) -> String {
    let lines: BTreeSet<_> = text.split_inclusive('\n').collect();
    lines.into_iter().collect()
}

/// Runs the cases whose name starts with `group`: in the BLAST database, and in an imported one of many volumes
/// with small chunks of queries and hardly any memory.
fn check(group: &str) {
    let cases: Vec<_> = cases().into_iter().filter(|case| case.name.starts_with(group)).collect();
    assert!(!cases.is_empty(), "no case is called {group}…");
    for case in cases {
        let folder = Folder::with_blast_databases();
        assert_same_report(&case.name, &case.report(&folder, &[]), &case.expected());
        // A folder is called by its title, a BLAST database by its file, but for format 0.
        let title = if case.is_pairwise() { "database" } else { &case.database };
        let import =
            ["makedb", "--from-blastdb", &case.database, "--out", "imported", "--volume-size", "1KB"];
        folder.run(&[&import[..], &["--title", title]].concat());
        assert!(Database::open(&folder.path("imported")).unwrap().manifest().volumes.len() > 4);
        let sharded = Case { database: "imported".to_owned(), ..case };
        let report = sharded.report(&folder, &["--chunk-residues", "300", "--room", "30kB"]);
        assert_same_report(&format!("{}, imported", sharded.name), &report, &sharded.expected());
    }
}

#[test]
fn columns_of_taxa() {
    check("columns.");
}

#[test]
fn reports_with_taxa() {
    check("report.");
}

#[test]
fn searches_of_some_taxa() {
    check("taxids.");
}

#[test]
fn every_case_is_run_and_every_report_belongs_to_a_case() {
    let names: BTreeSet<String> = cases().into_iter().map(|case| case.name).collect();
    for name in &names {
        let group = name.split('.').next().unwrap();
        assert!(["columns", "report", "taxids"].contains(&group), "{name} is in no group");
    }
    let files = fs::read_dir(golden("")).unwrap().map(|entry| entry.unwrap().file_name());
    let reports = files.filter_map(|file| file.to_str().unwrap().strip_suffix(".gz").map(str::to_owned));
    assert_eq!(reports.collect::<BTreeSet<_>>(), names);
}

// Taxids of databases

#[test]
fn fasta_with_one_taxid_gives_the_volumes_that_the_blast_database_gives() {
    let folder = Folder::with_blast_databases();
    // makeblastdb joins the names of a sequence whose identifiers it does not parse.
    let fasta = fs::read_to_string(golden("taxa.fa")).unwrap();
    fs::write(folder.path("taxa.fa"), fasta.replace('\x01', " ")).unwrap();
    let volumes = |name: &str| Database::open(&folder.path(name)).unwrap().manifest().volumes.clone();
    for (database, options) in [("whole", &["-taxid", "9606"][..]), ("none", &[])] {
        let line = ["makeblastdb", "-in", "taxa.fa", "-dbtype", "prot", "-out", "made"];
        folder.run(&[&line[..], options].concat());
        folder.run(&["makedb", "--from-blastdb", database, "--out", "imported"]);
        assert_eq!(volumes("made"), volumes("imported"), "{database}");
    }
}

const SOME: &str = ">sp|P1|A_HUMAN a OS=Homo sapiens OX=9606 PE=1\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ\n\
                    >mine.1 b\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQA\n";

#[test]
fn taxids_come_from_titles_maps_or_the_command_line() {
    let folder = Folder::new();
    assert_eq!(folder.taxids_of(SOME, &[]), "mine.1\tN/A\nsp|P1|A_HUMAN\t9606\n");
    assert_eq!(folder.taxids_of(SOME, &["--ignore-ox"]), "mine.1\tN/A\nsp|P1|A_HUMAN\tN/A\n");
    assert_eq!(folder.taxids_of(SOME, &["--taxid", "5"]), "mine.1\t5\nsp|P1|A_HUMAN\t5\n");
    fs::write(folder.path("map"), "mine 10090\nP1\t7\nother 8\n").unwrap();
    assert_eq!(folder.taxids_of(SOME, &["--taxid-map", "map"]), "mine.1\t10090\nsp|P1|A_HUMAN\t7\n");
}

#[test]
fn a_fasta_file_is_searched_as_the_database_made_of_it() {
    let folder = Folder::new();
    let made = folder.taxids_of(SOME, &[]);
    let searched = ["search", "--query", "mine.fa", "--db", "mine.fa", "--outfmt", "6 sseqid staxid"];
    assert_eq!(different_lines(&folder.run(&searched)), made);
    let human = folder.run(&[&searched[..], &["--taxids", "9606"]].concat());
    assert_eq!(different_lines(&human), "sp|P1|A_HUMAN\t9606\n");
}

#[test]
fn bad_taxids_of_sequences_are_refused() {
    let folder = Folder::new();
    fs::write(folder.path("mine.fa"), SOME).unwrap();
    fs::write(folder.path("bad"), "P1 9606\nmine.1 human\n").unwrap();
    fs::write(folder.path("other"), "Q1 9606\n").unwrap();
    for (options, status, text) in [
        (&["--taxid-map", "nowhere"][..], 1, "nowhere"),
        (&["--taxid-map", "bad"], 1, "bad: line 2: \"human\" is no taxid (a number up to 2147483647)"),
        (&["--taxid-map", "other"], 1, "other: none of its identifiers is that of a sequence"),
        (&["--taxid", "x"], 2, "a taxid is a number from 0 to 2147483647"),
        (&["--taxid", "2147483648"], 2, "a taxid is a number from 0 to 2147483647"),
        (&["--taxid", "5", "--taxid-map", "bad"], 2, "cannot be used with"),
    ] {
        let line = [&["makedb", "--in", "mine.fa", "--out", "mine.db"], options].concat();
        let (found, error) = folder.refusal(&line);
        assert_eq!(found, status, "{options:?}: {error}");
        assert!(error.contains(text), "{options:?}: {error}");
        assert!(!folder.path("mine.db/manifest.json").exists());
    }
}

// Names

#[test]
fn names_are_imported_from_a_taxdump_and_may_be_searched_for() {
    let folder = Folder::with_blast_databases();
    fs::create_dir(folder.path("dump")).unwrap();
    let names = "9606|Homo sapiens||scientific name|\n9606|human||genbank common name|\n10090|Mus musculus||scientific name|\n";
    fs::write(folder.path("dump/names.dmp"), names.replace('|', "\t|\t")).unwrap();
    let nodes = "1|1|no rank|\n9606|1|species|\n10090|1|species|\n";
    fs::write(folder.path("dump/nodes.dmp"), nodes.replace('|', "\t|\t")).unwrap();
    let said = folder.run(&["taxonomy", "import", "dump", "--out", "names"]);
    assert_eq!(said, "2 taxa in taxdb.bti and taxdb.btd of names\n");
    let search = |taxa: &str| {
        let mut command = folder.skyblast();
        command.env("BLASTDB", "nowhere:names").args(["search", "--query", "taxa.fa", "--db", "parsed"]);
        command.args(["--evalue", "1e-9", "--taxids", taxa, "--outfmt", "6 saccver ssciname scomname"]);
        command.output().unwrap()
    };
    let expected = "P00002.1\tMus musculus\tMus musculus\nNP_000012.1\tMus musculus\tMus musculus\n";
    assert_eq!(String::from_utf8(search("mus musculus").stdout).unwrap(), expected);
    let refused = search("Homo sapien");
    assert_eq!(refused.status.code(), Some(2));
    let error = String::from_utf8(refused.stderr).unwrap();
    let nearest = "\"Homo sapien\" is the name of no taxon; the nearest: Homo sapiens, human (9606)";
    assert!(error.contains(&format!("--taxids: {nearest}")), "{error}");
}

#[test]
fn what_is_no_taxdump_is_refused() {
    let folder = Folder::new();
    for (dump, text) in [
        ("nowhere", "nowhere"),
        (".", ". has no names.dmp: is it NCBI's taxdump?"),
        ("edge_db.fa", "edge_db.fa"),
    ] {
        let (status, error) = folder.refusal(&["taxonomy", "import", dump, "--out", "names"]);
        assert_eq!(status, 1, "{error}");
        assert!(error.contains(text), "{dump}: {error}");
        assert!(!folder.path("names").exists());
    }
}

#[test]
fn columns_of_names_without_names_are_said_to_be_so() {
    let folder = Folder::with_blast_databases();
    let line = ["search", "--query", "taxa.fa", "--db", "parsed", "--outfmt"];
    let warning = |format: &str| {
        let output = folder.skyblast().args(line).arg(format).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(warning("6 ssciname").starts_with("warning: columns with names of taxa are N/A: "));
    assert_eq!(warning("6 staxid"), "");
    assert_eq!(warning("15"), "");
}

#[test]
fn taxa_that_cannot_be_searched_are_refused() {
    let folder = Folder::with_blast_databases();
    fs::write(folder.path("bad.txt"), "9606\n562 10090\n").unwrap();
    fs::write(folder.path("empty.txt"), "\n").unwrap();
    let alone = "a taxid stands for itself alone";
    for (options, status, text) in [
        (&["-taxids", "5"][..], 1, alone),
        (&["-negative_taxids", "5"], 1, alone),
        (&["-taxids", "-5"], 2, "--taxids: \"-5\" is no taxid (a number up to 2147483647)"),
        (&["-taxids", "99999999999"], 2, "--taxids: \"99999999999\" is no taxid"),
        (&["-taxids", ""], 2, "--taxids: names no taxid"),
        (
            &["-taxids", "Homo sapiens"],
            2,
            "\"Homo sapiens\" is no number, and names of taxa are not known here",
        ),
        (
            &["-negative_taxids", "0,77,562,9606,10090,10116,78,79,80,81"],
            1,
            "leaves no sequence of parsed to search",
        ),
        (&["-taxidlist", "nowhere.txt"], 1, "could not read nowhere.txt"),
        (&["-taxidlist", "bad.txt"], 1, "bad.txt: line 2: \"562 10090\" is no taxid"),
        (&["-negative_taxidlist", "empty.txt"], 1, "empty.txt holds no taxid"),
        (&["-taxids", "9606", "-taxidlist", "bad.txt"], 2, "cannot be used with"),
        (&["-taxids", "9606", "-negative_taxids", "5"], 2, "cannot be used with"),
        (&["-taxids", "9606", "-seqidlist", "bad.txt"], 2, "cannot be used with"),
        (&["-negative_taxidlist", "bad.txt", "-negative_seqidlist", "bad.txt"], 2, "cannot be used with"),
    ] {
        let (found, error) =
            folder.refusal(&[&["search", "-query", "taxa.fa", "-db", "parsed"], options].concat());
        assert_eq!(found, status, "{options:?}: {error}");
        assert!(error.contains(text), "{options:?}: {error}");
    }
    let (status, error) =
        folder.refusal(&["search", "-query", "taxa.fa", "-subject", "taxa.fa", "-taxids", "9606"]);
    assert!(status == 2 && error.contains("cannot be used with"), "{error}");
}

/// blastp gives up here: no sequence has the mouse's taxid alone.
#[test]
fn taxids_that_only_some_names_have_leave_these_names_out() {
    let folder = Folder::with_blast_databases();
    let line =
        ["search", "-query", "taxa.fa", "-db", "parsed", "-negative_taxids", "10090", "-evalue", "1e-9"];
    let report = folder.run(&[&line[..], &["-outfmt", "6 sallacc staxids"]].concat());
    assert!(
        report.contains("NP_000003\t10116\n") && report.contains("P00010;NP_000011\t0;10116\n"),
        "{report}"
    );
    assert!(!report.contains("10090"), "{report}");
}

#[test]
fn a_list_that_is_read_is_not_written_over() {
    let folder = Folder::with_blast_databases();
    let line = ["search", "-query", "taxa.fa", "-db", "parsed", "-taxidlist", "taxidlist.txt", "-out"];
    let (status, error) = folder.refusal(&[&line[..], &["taxidlist.txt"]].concat());
    assert!(status == 2 && error.contains("is the list of taxids"), "{error}");
    assert!(Path::new(&folder.path("taxidlist.txt")).metadata().unwrap().len() > 0);
}
