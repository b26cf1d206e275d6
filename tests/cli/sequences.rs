//! Sequences as FASTA: of a database, and the subjects of a job's hits.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::common::command::{Ended, end, run, run_with_input, skyblast};
use crate::common::examples::{self, DATABASE};
use crate::common::in_process::project_file;
use crate::common::process::Server;

/// Records: heading and residues.
fn records(fasta: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8(fasta.to_vec()).unwrap();
    let record = |record: &str| {
        let (heading, residues) = record.split_once('\n').unwrap();
        (heading.to_owned(), residues.replace('\n', ""))
    };
    text.strip_prefix('>').map(|text| text.split("\n>").map(record).collect()).unwrap_or_default()
}

fn sequences(more: &[&str]) -> Ended {
    run(["sequences", "--db", examples::database().to_str().unwrap()].iter().chain(more))
}

fn id(heading: &str) -> &str {
    heading.split([' ', ':']).next().unwrap()
}

#[test]
fn all_sequences_are_those_that_the_database_was_made_of() {
    let all = sequences(&[]).ok();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.fa");
    fs::write(&file, &all).unwrap();
    // Volumes are named by their digest.
    for (input, out) in [(project_file("examples/database.fa.gz"), "a"), (file, "b")] {
        let mut makedb = skyblast(["makedb", "--title", "same", "--out", out, "--in"]);
        end(makedb.arg(input).current_dir(folder.path())).ok();
    }
    let version = |name: &str| -> String {
        let manifest = fs::read(folder.path().join(name).join("manifest.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&manifest).unwrap()["version"].to_string()
    };
    assert_eq!(version("a"), version("b"));
    assert!(all.split(|&byte| byte == b'\n').all(|line| line.starts_with(b">") || line.len() <= 80));
}

#[test]
fn sequences_are_chosen_by_identifier_and_range() {
    let all = records(&sequences(&[]).ok());
    let (heading, residues) = &all[70];
    let name = id(heading);
    assert_eq!(records(&sequences(&[name]).ok()), [(heading.clone(), residues.clone())]);

    let part = records(&sequences(&[&format!("{name}:3-12")]).ok());
    let title = heading.split_once(' ').map_or("", |(_, title)| title);
    assert_eq!(part, [(format!("{name}:3-12 {title}").trim_end().to_owned(), residues[2..12].to_owned())]);

    let (other, list) = (id(&all[5].0), format!("{name}\t1\t4\n\n{} 2-3\n{name}\n", id(&all[5].0)));
    let database = examples::database().to_str().unwrap();
    let listed = run_with_input(&["sequences", "--db", database, "--ids", "-"], list.as_bytes()).ok();
    let listed: Vec<_> =
        records(&listed).into_iter().map(|(heading, residues)| (heading, residues.len())).collect();
    let ids: Vec<&str> = listed.iter().map(|(heading, _)| heading.split(' ').next().unwrap()).collect();
    assert_eq!(ids, [&format!("{other}:2-3"), &format!("{name}:1-4"), name]);
    assert_eq!(listed.iter().map(|(_, length)| *length).collect::<Vec<_>>(), [2, 4, residues.len()]);
}

#[test]
fn what_is_not_there_is_named_and_the_rest_is_printed() {
    let all = records(&sequences(&[]).ok());
    let name = id(&all[0].0);
    let ended = sequences(&[name, "nobody", "no_one"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(records(&ended.stdout).len(), 1);
    assert!(
        ended.stderr.contains("2 identifiers are not in") && ended.stderr.contains("\"nobody\""),
        "{}",
        ended.stderr
    );
    let error = sequences(&[&format!("{name}:1-100000")]).failed(1);
    assert!(error.contains(name) && error.contains("1-100000 is not in it"), "{error}");
    let error = sequences(&[&format!("{name}:9-3")]).failed(2);
    assert!(error.contains("9-3 is no range"), "{error}");
    let database = examples::database().to_str().unwrap();
    let error = run_with_input(&["sequences", "--db", database, "--ids", "-"], b"a\nb 3 x\n").failed(1);
    assert!(error.contains("line 2"), "{error}");
}

/// Identifiers that were parsed are written in full, so that they can be parsed again; of all names.
#[test]
fn headings_of_a_blast_database_have_all_names() {
    let database = project_file("tests/golden/blastdb/parsed.v4");
    let printed = records(&run(["sequences", "--db", database.to_str().unwrap()]).ok());
    let headings: Vec<&str> = printed.iter().map(|(heading, _)| heading.as_str()).collect();
    for heading in [
        "sp|P01013|OVALX_CHICK Gene X protein",
        "notitle",
        "multi1 first >multi2 second >multi3",
        "sp|P11111.2|A_B t1 >gi|99|ref|NP_111111.1| t2 with   tab >gb|AAB11111.1| t3",
    ] {
        assert!(headings.contains(&heading), "{heading}: {headings:#?}");
    }
    // Any of the names will do, as in a list of identifiers.
    let one = run(["sequences", "--db", database.to_str().unwrap(), "NP_111111"]).ok();
    assert_eq!(
        records(&one),
        [printed.iter().find(|(heading, _)| heading.contains("NP_111111.1")).unwrap().clone()]
    );
}

#[test]
fn the_subjects_of_a_job_come_whole_or_as_they_are_aligned() {
    let storage = tempfile::tempdir().unwrap();
    examples::publish(examples::database(), storage.path().to_str().unwrap());
    let server = Server::start(storage.path(), &[]);
    let to_server = ["--server", server.url.as_str()];
    let queries = examples::queries();
    let submit = ["submit", "--query", queries.to_str().unwrap(), "--database", DATABASE, "--outfmt"];
    let columns = "6 qseqid sseqid sstart send evalue sseq";
    let job = run(submit.iter().chain(&[columns]).chain(&to_server)).ok();
    let job = String::from_utf8(job).unwrap().trim().to_owned();
    run(["status", &job, "--watch"].iter().chain(&to_server)).ok();
    let results = |more: &[&str]| run(["results", &job].iter().chain(more).chain(&to_server)).ok();
    let report = String::from_utf8(results(&[])).unwrap();
    let rows: Vec<Vec<&str>> = report.lines().map(|line| line.split('\t').collect()).collect();

    let all: BTreeMap<String, String> = records(&sequences(&[]).ok())
        .into_iter()
        .map(|(heading, residues)| (id(&heading).to_owned(), residues))
        .collect();
    let whole = records(&results(&["--fasta"]));
    let reported: BTreeSet<&str> = rows.iter().map(|row| row[1]).collect();
    assert_eq!(whole.iter().map(|(heading, _)| id(heading)).collect::<BTreeSet<_>>(), reported);
    assert_eq!(whole.len(), reported.len(), "each once");
    for (heading, residues) in &whole {
        assert_eq!(residues, &all[id(heading)], "{heading}");
    }

    let aligned = records(&results(&["--fasta=aligned"]));
    let expected: Vec<(String, String)> = rows
        .iter()
        .map(|row| (format!("{}:{}-{}", row[1], row[2], row[3]), row[5].replace('-', "")))
        .collect();
    let found: Vec<(String, String)> = aligned
        .into_iter()
        .map(|(heading, residues)| (heading.split(' ').next().unwrap().to_owned(), residues))
        .collect();
    assert_eq!(found, expected);

    let is_strong = |row: &&Vec<&str>| row[4].parse::<f64>().unwrap() <= 1e-20;
    let first = rows.iter().find(is_strong).unwrap()[0];
    let strong = |row: &&Vec<&str>| row[0] == first && is_strong(row);
    let strong: BTreeSet<&str> = rows.iter().filter(strong).map(|row| row[1]).collect();
    let place = records(&fs::read(&queries).unwrap()).iter().position(|(heading, _)| id(heading) == first);
    let place = (place.unwrap() + 1).to_string();
    let chosen = records(&results(&["--fasta", "--of-query", &place, "--evalue", "1e-20"]));
    assert_eq!(chosen.iter().map(|(heading, _)| id(heading)).collect::<BTreeSet<_>>(), strong);
    assert!(!strong.is_empty() && strong.len() < reported.len());
}
