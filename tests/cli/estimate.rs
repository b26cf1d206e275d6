//! `estimate`, asked of a server and of a database on this machine.

use std::fs;

use serde_json::Value;

use super::server::Lab;
use crate::common::command::run;
use crate::common::examples::{self, DATABASE};
use crate::common::in_process::project_file;

#[test]
fn a_server_and_a_database_here_count_the_same_and_name_time_and_price() {
    let lab = Lab::start(&[]);
    let query = project_file("examples/queries.fa");
    let query = query.to_str().unwrap();
    let of_server = lab.run(&["estimate", "--query", query, "--database", DATABASE, "--json"]).ok();
    let of_server: Value = serde_json::from_slice(&of_server).unwrap();
    let db = examples::database().to_str().unwrap();
    let here = run(["estimate", "--query", query, "--db", db, "--json"]).ok();
    let here: Value = serde_json::from_slice(&here).unwrap();
    for name in ["queries", "residues", "comparisons"] {
        assert_eq!(of_server[name], here[name], "{name}");
    }
    let text = run(["estimate", "--query", query, "--db", db, "--workers", "3"]).ok();
    let text = String::from_utf8(text).unwrap();
    for (line, said) in [
        ("comparisons ", "queries"),
        ("computing ", "measured on a part of this search"),
        ("price ", "USD in Azure"),
        ("time ", "in the cloud"),
        ("time ", "on own machines"),
    ] {
        assert!(
            text.lines().any(|found| found.starts_with(line) && found.contains(said)),
            "{line}{said}: {text}"
        );
    }
    assert!(lab.run(&["jobs", "list"]).stdout.is_empty(), "nothing was submitted");
}

#[test]
fn another_table_of_prices_is_used_and_a_bad_one_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("prices.json");
    let built_in = fs::read_to_string(project_file("src/jobs/estimate/prices.json")).unwrap();
    fs::write(&table, built_in.replace("\"USD\"", "\"EUR\"").replace("East US", "the cellar")).unwrap();
    let query = project_file("examples/queries.fa");
    let estimate = |prices: &str| {
        let db = examples::database().to_str().unwrap();
        run(["estimate", "--query", query.to_str().unwrap(), "--db", db, "--prices", prices])
    };
    let text = String::from_utf8(estimate(table.to_str().unwrap()).ok()).unwrap();
    assert!(text.contains("EUR in Azure") && text.contains("the cellar"), "{text}");
    fs::write(&table, built_in.replace("0.000026", "\"cheap\"")).unwrap();
    let ended = estimate(table.to_str().unwrap());
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("prices.json") && ended.stderr.contains("cheap"), "{}", ended.stderr);
}

#[test]
fn of_some_taxa_only_what_is_searched_of_them_is_reckoned_with_on_a_server_and_here() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let residues = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ";
    let fasta: String =
        (0..8).map(|n| format!(">s{n} it OX={}\n{residues}\n", [9606, 10090][n / 6])).collect();
    let (query, list) = (file("q.fa", &format!(">q\n{residues}\n")), file("taxa.txt", "10090\n"));
    let db = folder.path().join("db").to_str().unwrap().to_owned();
    let proteins = file("proteins.fa", &fasta);
    run(["makedb", "--in", &proteins, "--out", &db, "--volume-size", "200"]).ok();
    let lab = Lab::of(db.as_ref(), &[]);

    let estimate = |more: &[&str]| {
        let of_server =
            lab.run(&[&["estimate", "--query", &query, "--database", DATABASE, "--json"], more].concat());
        let here = run(["estimate", "--query", &query, "--db", &db, "--json"].iter().chain(more));
        [of_server, here].map(|ended| {
            let estimate: Value = serde_json::from_slice(&ended.ok()).unwrap();
            (estimate["comparisons"].as_u64().unwrap(), estimate["shards"].as_u64().unwrap())
        })
    };
    let [all, all_here] = estimate(&[]);
    assert_eq!((all.0, all), (8, all_here));
    let [some, some_here] = estimate(&["--taxids", "10090"]);
    assert_eq!((some.0, some), (2, some_here));
    assert!(some.1 < all.1, "volumes without a sequence of these taxa make no shard: {some:?} of {all:?}");
    assert_eq!(estimate(&["--taxidlist", &list]), [some; 2]);
    assert_eq!(estimate(&["--negative-taxids", "10090"]).map(|(comparisons, _)| comparisons), [6; 2]);
    let none = run(["estimate", "--query", &query, "--db", &db, "--taxids", "5"]).failed(1);
    assert!(none.contains("--taxids: none of its 1 taxid is in "), "{none}");
}
