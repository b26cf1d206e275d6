//! Searches of some taxa, and names of taxa, on a server: to the byte what the command line and blastp say.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use flate2::read::GzDecoder;
use futures::TryStreamExt;
use serde_json::json;
use skyblast::database::Database;
use skyblast::functions::Limits;
use skyblast::jobs::Settings;
use skyblast::store::BlobName;
use skyblast::taxonomy::{Taxon, Taxonomy};

use super::forms::multipart;
use super::lab::{Lab, PROTEINS, settings, two_queries};
use crate::common::in_process::{assert_same_report, project_file};
use crate::common::made_alike::made_alike;

const GOLDEN: &str = "tests/golden/taxonomy";

/// A lab that has some databases of `tests/golden/taxonomy` too, in several volumes.
async fn lab(databases: &[&str]) -> Lab {
    let lab = Lab::with(Limits::default(), Settings { chunk_residues: Some(8_000), ..settings() }).await;
    for name in databases {
        let folder = lab.folder().join(name);
        let line = ["makedb", "--volume-size", "1KB", "--title", "database", "--from-blastdb"];
        run(Path::new(GOLDEN), &[&line[..], &[name, "--out", folder.to_str().unwrap()]].concat());
        let database = Database::open(&folder).unwrap();
        assert!(database.manifest().volumes.len() > 2);
        lab.pipeline.catalog().publish(name, &database, &|_| ()).await.unwrap();
    }
    lab
}

/// What the program prints in a folder.
fn run(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skyblast"));
    let output = command.current_dir(project_file("").join(folder)).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn golden_names() -> Taxonomy {
    Taxonomy::read(&project_file(GOLDEN)).unwrap().unwrap()
}

/// Options of blastp as fields of a form; what an option names a file for is in that.
fn fields(arguments: &str) -> Vec<(String, String)> {
    let mut words = Vec::new();
    for (place, part) in arguments.split('"').enumerate() {
        match place % 2 {
            1 => words.push(part.to_owned()),
            _ => words.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    let pairs = words.chunks(2).map(|pair| match pair[0].trim_start_matches('-') {
        option @ ("taxidlist" | "negative_taxidlist") => {
            let list = fs::read_to_string(project_file(GOLDEN).join(&pair[1])).unwrap();
            (option.replace("list", "s"), list)
        }
        option => (option.to_owned(), pair[1].clone()),
    });
    pairs.collect()
}

/// Every case of the golden set: names in reports, and searches of some taxa.
#[tokio::test]
async fn a_server_reports_what_blastp_reports_of_taxa() {
    let lab = lab(&["parsed", "known", "whole", "none"]).await;
    let cases = fs::read_to_string(project_file(GOLDEN).join("cases.tsv")).unwrap();
    let mut submitted = Vec::new();
    for has_names in ["no", "yes"] {
        if has_names == "yes" {
            lab.pipeline.catalog().put_taxonomy(golden_names()).await.unwrap();
        }
        for line in cases.lines().filter(|line| !line.starts_with('#')) {
            let [name, database, names, arguments] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            if names != has_names {
                continue;
            }
            let mut form = fields(arguments);
            form.extend(
                [("db", database), ("evalue", "100")].map(|(name, value)| (name.into(), value.into())),
            );
            let mut form: Vec<_> = form.iter().map(|(name, value)| (&name[..], value.as_bytes())).collect();
            form.push(("query", PROTEINS));
            let answer = lab.post("", "multipart/form-data; boundary=cut", multipart(&form)).await;
            submitted.push((name.to_owned(), answer.accepted()));
        }
    }
    for (name, id) in submitted {
        assert_eq!(lab.complete(&id).await, "completed", "{name}");
        let mut expected = Vec::new();
        let file = fs::File::open(project_file(GOLDEN).join(format!("{name}.gz"))).unwrap();
        GzDecoder::new(file).read_to_end(&mut expected).unwrap();
        assert_same_report(&name, &made_alike(lab.report(&id).await.as_bytes()), &made_alike(&expected));
    }
}

#[tokio::test]
async fn an_estimate_reckons_what_is_searched_of_the_taxa() {
    let lab = lab(&["parsed"]).await;
    for taxa in ["", "&taxids=9606", "&negative_taxids=9606"] {
        let query = format!("database=parsed{taxa}");
        let estimate = lab.post(&format!("{query}&dry_run=true"), "text/plain", two_queries()).await.json();
        let id = lab.submit(&query, two_queries()).await;
        assert_eq!(lab.complete(&id).await, "completed");
        let status = lab.get(&format!("/api/searches/{id}")).await.json();
        assert_eq!(estimate["comparisons"], status["comparisons"]["total"], "{taxa}");
        assert_eq!(estimate["shards"], status["shards"]["total"], "{taxa}");
    }
}

/// Hits that compete, pieces and limits, which the merge settles, refer to what is searched.
#[tokio::test]
async fn the_options_that_merging_settles_hold_for_some_taxa() {
    let lab = lab(&["parsed"]).await;
    fs::write(lab.folder().join("q.fa"), PROTEINS).unwrap();
    for options in [
        "culling_limit=1",
        "best_hit_overhang=0.1&best_hit_score_edge=0.1",
        "max_target_seqs=2&outfmt=6+sseqid+qseqid+evalue+bitscore+staxids",
        "subject_besthit=true&mode=fast",
        "comp_based_stats=3&use_sw_tback=true",
        "searchsp=1000000&outfmt=5",
    ] {
        let all = format!("database=parsed&evalue=100&negative_taxids=562,9606&{options}");
        let id = lab.submit(&all, PROTEINS).await;
        assert_eq!(lab.complete(&id).await, "completed");
        let mut line = vec!["search".to_owned(), "--query".to_owned(), "q.fa".to_owned()];
        for pair in all.split('&') {
            let (name, value) = pair.split_once('=').unwrap();
            let name = if name == "database" { "db".to_owned() } else { name.replace('_', "-") };
            line.push(format!("--{name}"));
            line.extend(Some(value.replace('+', " ")).filter(|value| value != "true"));
        }
        let line: Vec<_> = line.iter().map(String::as_str).collect();
        let printed = String::from_utf8(run(lab.folder(), &line)).unwrap();
        // A folder is called by its title.
        let printed = printed.replace("<BlastOutput_db>database<", "<BlastOutput_db>parsed<");
        assert!(printed.lines().count() > 5, "{options} finds something");
        assert_same_report(
            options,
            &made_alike(lab.report(&id).await.as_bytes()),
            &made_alike(printed.as_bytes()),
        );
    }
}

#[tokio::test]
async fn all_forms_say_the_same_and_the_status_can_be_sent_again() {
    let lab = lab(&["parsed"]).await;
    lab.pipeline.catalog().put_taxonomy(golden_names()).await.unwrap();
    let query = two_queries();
    let members = |taxids| json!({ "database": "parsed", "query": query, "taxids": taxids }).to_string();
    let json = "application/json";
    let by_list = lab.post("", json, members(json!([9606, "Mus musculus", 5]))).await;
    assert_eq!(by_list.json()["absent_taxids"], json!([5]));
    let by_list = by_list.accepted();
    let status = lab.get(&format!("/api/searches/{by_list}")).await.json();
    assert_eq!(status["options"]["taxids"], "5,9606,10090");
    assert_eq!(status["absent_taxids"], json!([5]));
    let (searched, whole) = (&status["searched"], &status["database_size"]);
    assert!(
        searched["residues"].as_u64() > Some(0) && searched["residues"].as_u64() < whole["residues"].as_u64()
    );
    let pairs = 2 * searched["sequences"].as_u64().unwrap();
    assert_eq!(status["comparisons"]["total"], pairs);
    let again = lab.post("", json, members(status["options"]["taxids"].clone())).await.accepted();
    let lines = lab.submit("database=parsed&taxids=mus+musculus%0A%0a9606%0d%0A", query.clone()).await;
    let encoded = "database=parsed&taxids=9606%2C10090&query=".to_owned()
        + &query.replace('>', "%3E").replace('\n', "%0A");
    let encoded = lab.post("", "application/x-www-form-urlencoded", encoded).await.accepted();
    let mut reports = Vec::new();
    for id in [by_list, again, lines, encoded] {
        assert_eq!(lab.complete(&id).await, "completed");
        let status = lab.get(&format!("/api/searches/{id}")).await.json();
        assert_eq!(status["comparisons"]["done"], pairs);
        reports.push(lab.report(&id).await);
    }
    assert!(!reports[0].is_empty());
    assert!(reports.iter().all(|report| *report == reports[0]));
}

#[tokio::test]
async fn taxa_that_cannot_be_searched_are_refused_in_place() {
    let lab = lab(&["parsed"]).await;
    let refused = async |query: &str, part: &str| {
        let answer = lab.post(query, "text/plain", two_queries()).await;
        let problem = answer.problem(400, part);
        assert_eq!(problem["type"], "urn:skyblast:problem:invalid-option");
        problem["option"]["name"].as_str().unwrap().to_owned()
    };
    let nameless = "\"human\" is no number, and this server knows no names of taxa";
    assert_eq!(refused("db=parsed&taxids=human", nameless).await, "taxids");
    lab.pipeline.catalog().put_taxonomy(golden_names()).await.unwrap();
    let nearest = "\"Mus musculu\" is the name of no taxon; the nearest: Mus musculus";
    assert_eq!(refused("db=parsed&negative_taxids=Mus+musculu", nearest).await, "negative_taxids");
    let alone = "none of its 2 taxids is in parsed";
    for (query, part) in [
        ("db=parsed&taxids=5,6", alone),
        ("db=parsed&taxids=-5", "\"-5\" is no taxid (a number up to 2147483647)"),
        ("db=parsed&taxids=", "names no taxid"),
        ("db=parsed&taxids=,%0A", "names no taxid"),
        ("db=parsed&negative_taxids=0,77,562,9606,10090,10116,78,79,80,81", "leaves no sequence of parsed"),
        ("db=parsed&negative_taxids=1&taxids=2", "cannot be given together with taxids"),
        ("db=edge&taxids=9606", "has no taxids; add it again"),
    ] {
        refused(query, part).await;
    }
    let object = json!({ "database": "parsed", "query": two_queries(), "taxids": [{}] }).to_string();
    lab.post("", "application/json", object).await.problem(400, "is the name of no taxon");
    assert_eq!(lab.job_blobs().await, [""; 0], "nothing of it is kept");
}

/// Databases of earlier versions have no censuses, and a census may be damaged.
#[tokio::test]
async fn a_census_that_is_missing_or_damaged_is_made_again() {
    let lab = lab(&["parsed"]).await;
    let databases = lab.databases();
    let censuses: Vec<_> = databases.list("taxa/").try_collect().await.unwrap();
    assert!(!censuses.is_empty());
    let of = |id: String| {
        let lab = &lab;
        async move { lab.get(&format!("/api/searches/{id}")).await.json()["searched"].clone() }
    };
    let query = "database=parsed&taxids=9606";
    let expected = of(lab.submit(query, two_queries()).await).await;
    for (place, census) in censuses.iter().enumerate() {
        let whole = databases.get(&census.name).await.unwrap();
        if place % 2 == 0 {
            databases.delete(&census.name).await.unwrap();
        } else {
            databases.put(&census.name, whole.slice(..whole.len() - 3)).await.unwrap();
        }
        assert_eq!(of(lab.submit(query, two_queries()).await).await, expected);
        // Another database may have damaged ones that this search does not look at.
        databases.put(&census.name, whole).await.unwrap();
    }
}

/// A report does not change when names of taxa are imported that differ.
#[tokio::test]
async fn a_search_keeps_the_names_of_taxa_that_it_began_with() {
    let lab = lab(&["parsed"]).await;
    let submit = async || {
        let id = lab.submit("database=parsed&outfmt=6+staxid+ssciname&evalue=1e-9", PROTEINS).await;
        assert_eq!(lab.complete(&id).await, "completed");
        id
    };
    let nameless = submit().await;
    lab.pipeline.catalog().put_taxonomy(golden_names()).await.unwrap();
    let named = submit().await;
    let renamed = Taxon {
        taxid: 9606,
        scientific: "Homo novus".into(),
        common: "human".into(),
        blast: "primates".into(),
        superkingdom: "Eukaryota".into(),
    };
    let imported = lab.pipeline.catalog().put_taxonomy(Taxonomy::of([renamed]).unwrap()).await.unwrap();
    assert_eq!(lab.pipeline.catalog().current_taxonomy().await.unwrap(), Some(imported));
    let later = submit().await;
    for (id, name) in [(nameless, "N/A"), (named, "Homo sapiens"), (later, "Homo novus")] {
        let row = format!("9606\t{name}\n");
        assert!(lab.report(&id).await.contains(&row), "{name}");
        let made_again = lab.get(&format!("/api/searches/{id}/results?outfmt=7+staxid+ssciname")).await;
        assert!(made_again.text().contains(&row), "{name}");
        let page = lab.get(&format!("/api/searches/{id}/species")).await.json();
        let species: Vec<_> =
            page["species"].as_array().unwrap().iter().map(|found| found["species"].clone()).collect();
        let expected = if name == "N/A" { "taxid 9606" } else { name };
        assert!(species.contains(&json!(expected)), "{species:?}");
    }
}

#[tokio::test]
async fn names_of_taxa_that_are_lost_or_damaged_are_asked_for_again() {
    let lab = lab(&["parsed"]).await;
    let imported = lab.pipeline.catalog().put_taxonomy(golden_names()).await.unwrap();
    let id = lab.submit("database=parsed&evalue=1e-9", PROTEINS).await;
    assert_eq!(lab.complete(&id).await, "completed");
    let results = format!("/api/searches/{id}/results?outfmt=6+staxid+ssciname");
    let whole = lab.get(&results).await.text().to_owned();
    let (databases, blob) =
        (lab.databases(), BlobName::parse(format!("taxonomies/{}", imported.digest)).unwrap());
    lab.pipeline.catalog().put_taxonomy(Taxonomy::of([]).unwrap()).await.unwrap();
    let other = lab.submit("database=parsed&outfmt=6+ssciname", two_queries()).await;
    assert_eq!(lab.complete(&other).await, "completed", "others are kept in memory now");
    let content = databases.get(&blob).await.unwrap();
    databases.put(&blob, content.slice(..content.len() - 1)).await.unwrap();
    lab.get(&results).await.problem(500, "damaged");
    databases.delete(&blob).await.unwrap();
    lab.get(&results).await.problem(500, "import the same names of taxa again");
    lab.pipeline.catalog().put_taxonomy(golden_names()).await.unwrap();
    assert_eq!(lab.get(&results).await.text(), whole);
}
