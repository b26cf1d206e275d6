//! Reading a report query by query: what is listed is what the report says.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::lab::{Lab, PROTEINS};

/// A search of all sixty proteins with themselves, which has ended.
async fn searched(lab: &Lab) -> String {
    let id = lab.submit("database=edge&evalue=1000&label=all+of+them", PROTEINS.to_vec()).await;
    assert_eq!(lab.complete(&id).await, "completed");
    id
}

/// The rows of the report by query, in order.
async fn rows(lab: &Lab, id: &str) -> Vec<(String, Vec<Vec<String>>)> {
    let columns = "6+qaccver+saccver+evalue+bitscore+pident+qcovs+slen+stitle";
    let report = lab.get(&format!("/api/searches/{id}/results?outfmt={columns}")).await;
    let mut rows: Vec<(String, Vec<Vec<String>>)> = Vec::new();
    for line in report.text().lines() {
        let row: Vec<String> = line.split('\t').map(str::to_owned).collect();
        match rows.last_mut() {
            Some((query, of_query)) if *query == row[0] => of_query.push(row),
            _ => rows.push((row[0].clone(), vec![row])),
        }
    }
    rows
}

fn listed(page: &Value) -> &Vec<Value> {
    page["queries"].as_array().unwrap()
}

#[tokio::test]
async fn queries_are_listed_with_their_hits_page_by_page() {
    let lab = Lab::new().await;
    let id = searched(&lab).await;
    let queries = format!("/api/searches/{id}/queries");
    let all = lab.get(&format!("{queries}?limit=1000")).await.json();
    assert_eq!((&all["total"], all.get("next")), (&json!(60), None));
    let expected = rows(&lab, &id).await;
    assert_eq!(listed(&all).iter().filter(|query| query["hits"] != 0).count(), expected.len());
    let by_id: BTreeMap<&str, &Value> =
        listed(&all).iter().map(|query| (query["id"].as_str().unwrap(), query)).collect();
    for (query, rows) in &expected {
        let found = by_id[query.as_str()];
        assert_eq!(found["hsps"], rows.len(), "{query}");
        assert_eq!(found["best"]["subject"], *rows[0][1], "{query}");
    }
    let (mut from, mut paged) = (Some(1), Vec::new());
    while let Some(place) = from {
        let page = lab.get(&format!("{queries}?limit=7&from={place}")).await.json();
        paged.extend(listed(&page).clone());
        from = page["next"].as_u64();
    }
    assert_eq!(&paged, listed(&all));

    let second = listed(&all)[1]["id"].as_str().unwrap().to_lowercase();
    let found = lab.get(&format!("{queries}?text={second}")).await.json();
    assert!(listed(&found).iter().any(|query| query["place"] == 2), "{found}");
    let without = lab.get(&format!("{queries}?with_hits=false")).await.json();
    assert!(listed(&without).iter().all(|query| query["hits"] == 0), "{without}");
}

#[tokio::test]
async fn counts_are_made_again_where_they_are_missing_or_damaged() {
    let lab = Lab::new().await;
    let id = searched(&lab).await;
    let queries = format!("/api/searches/{id}/queries?limit=1000");
    let before = lab.get(&queries).await.json();
    let blobs = lab.job_blobs().await;
    let counts: Vec<_> = blobs.iter().filter(|name| name.contains("/counts/")).collect();
    assert!(counts.len() > 2, "they are written when chunks are merged: {blobs:?}");
    for (place, name) in counts.iter().enumerate() {
        let name = skyblast::store::BlobName::parse(name.to_string()).unwrap();
        if place % 2 == 0 {
            lab.blobs().delete(&name).await.unwrap();
        } else {
            lab.blobs().put(&name, "skyblast, but damaged".into()).await.unwrap();
        }
    }
    assert_eq!(lab.get(&queries).await.json(), before);
    assert!(lab.job_blob(counts[0]).await.is_some(), "and kept");
}

#[tokio::test]
async fn hits_are_those_of_the_report_in_its_numbers() {
    let lab = Lab::new().await;
    let id = searched(&lab).await;
    let all = lab.get(&format!("/api/searches/{id}/queries?limit=1000")).await.json();
    for (query, rows) in rows(&lab, &id).await {
        let place =
            listed(&all).iter().find(|found| found["id"] == *query).unwrap()["place"].as_u64().unwrap();
        let page = lab.get(&format!("/api/searches/{id}/queries/{place}/hits?limit=1000")).await.json();
        let mut first_rows = rows.clone();
        first_rows.dedup_by(|a, b| a[1] == b[1]);
        let hits = page["hits"].as_array().unwrap();
        assert_eq!(hits.len(), first_rows.len(), "{query}");
        for ((rank, hit), row) in (1..).zip(hits).zip(first_rows) {
            assert_eq!(hit["rank"], rank);
            let text = |name: &str| hit[name].as_str().unwrap().to_owned();
            let found = [text("subject"), text("evalue_text"), text("bit_score_text"), text("title")];
            assert_eq!(found, [&*row[1], &*row[2], &*row[3], &*row[7]].map(str::to_owned));
            assert_eq!(format!("{:.3}", hit["identity"].as_f64().unwrap()), row[4]);
            assert_eq!(
                (hit["coverage"].to_string(), hit["length"].to_string()),
                (row[5].clone(), row[6].clone())
            );
        }
    }
}

#[tokio::test]
async fn hits_are_ordered_filtered_and_counted_by_the_server() {
    let lab = Lab::new().await;
    let id = searched(&lab).await;
    let hits = format!("/api/searches/{id}/queries/1/hits");
    let all = lab.get(&format!("{hits}?plots=true&limit=1000")).await.json();
    let found = all["hits"].as_array().unwrap();
    assert!(found.len() > 5 && all["matching"] == found.len(), "{all}");
    let sum = |name: &str| {
        all["plots"][name].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>()
    };
    for plot in ["evalues", "lengths", "identities"] {
        assert_eq!(sum(plot), found.len() as u64, "{plot}");
    }
    assert!(all["plots"]["depth"].as_array().unwrap().iter().any(|depth| depth.as_u64() > Some(0)));

    let ordered = lab.get(&format!("{hits}?sort=length&descending=true&limit=1000")).await.json();
    let lengths = |page: &Value| -> Vec<u64> {
        page["hits"].as_array().unwrap().iter().map(|hit| hit["length"].as_u64().unwrap()).collect()
    };
    let mut expected = lengths(&all);
    expected.sort_by(|a, b| b.cmp(a));
    assert_eq!(lengths(&ordered), expected);
    let second = lab.get(&format!("{hits}?sort=length&descending=true&limit=2&from=2")).await.json();
    assert_eq!(lengths(&second), expected[2..4]);

    let strict = lab.get(&format!("{hits}?evalue=1e-10")).await.json();
    assert_eq!((&strict["matching"], &strict["query"]["hits"]), (&json!(1), &json!(found.len())));
    let named = found[2]["subject"].as_str().unwrap();
    let by_name = lab.get(&format!("{hits}?text={}", named.to_lowercase())).await.json();
    assert_eq!(by_name["hits"][0]["rank"], 3);
    let best = lab.get(&format!("{hits}?identity=99&coverage=99")).await.json();
    assert_eq!(best["matching"], 1);
}

/// The species of the report's hits by the titles in it: hits, first hits and queries of each.
fn species_of(rows: &[(String, Vec<Vec<String>>)]) -> BTreeMap<Option<String>, [u64; 3]> {
    let mut found: BTreeMap<Option<String>, [u64; 3]> = BTreeMap::new();
    for (_, rows) in rows {
        let mut hits = rows.clone();
        hits.dedup_by(|a, b| a[1] == b[1]);
        let mut seen = std::collections::BTreeSet::new();
        for (place, hit) in hits.iter().enumerate() {
            let species = skyblast::report::species_of(&hit[7]).map(str::to_owned);
            let [hits, best, queries] = found.entry(species.clone()).or_default();
            *hits += 1;
            *best += u64::from(place == 0);
            *queries += u64::from(seen.insert(species));
        }
    }
    found
}

#[tokio::test]
async fn species_are_counted_over_the_whole_report() {
    let lab = Lab::new().await;
    let id = searched(&lab).await;
    let expected = species_of(&rows(&lab, &id).await);
    assert!(expected.len() > 2, "{expected:?}");
    let path = format!("/api/searches/{id}/species");
    let page = lab.get(&format!("{path}?limit=1000")).await.json();
    let numbers = |found: &Value| ["hits", "best_hits", "queries"].map(|name| found[name].as_u64().unwrap());
    let species = page["species"].as_array().unwrap();
    assert_eq!((page["total"].as_u64(), species.len()), (Some(species.len() as u64), expected.len() - 1));
    for found in species {
        let name = found["species"].as_str().unwrap().to_owned();
        assert_eq!(numbers(found), expected[&Some(name)], "{found}");
    }
    assert_eq!(numbers(&page["without_species"]), expected[&None]);
    assert_eq!(numbers(&page["other_species"]), [0; 3]);
    let hits: Vec<u64> = species.iter().map(|found| numbers(found)[0]).collect();
    assert!(hits.is_sorted_by(|a, b| a >= b), "{hits:?}");
    let second = lab.get(&format!("{path}?limit=1&from=1")).await.json();
    assert_eq!(second["species"].as_array().unwrap()[..], species[1..2]);

    let blobs = lab.job_blobs().await;
    let counted: Vec<_> = blobs.iter().filter(|name| name.contains("/species/")).collect();
    assert!(counted.len() > 2, "they are written when chunks are merged: {blobs:?}");
    for (place, name) in counted.iter().enumerate() {
        let name = skyblast::store::BlobName::parse(name.to_string()).unwrap();
        if place % 2 == 0 {
            lab.blobs().delete(&name).await.unwrap();
        } else {
            lab.blobs().put(&name, "skyblast, but damaged".into()).await.unwrap();
        }
    }
    assert_eq!(lab.get(&format!("{path}?limit=1000")).await.json(), page);
    assert!(lab.job_blob(counted[0]).await.is_some(), "and kept");
}

#[tokio::test]
async fn alignments_are_those_of_the_report() {
    let lab = Lab::new().await;
    let id = searched(&lab).await;
    let query = format!("/api/searches/{id}/queries/1");
    let hits = lab.get(&format!("{query}/hits?limit=3")).await.json();
    let ordinals: Vec<String> =
        hits["hits"].as_array().unwrap().iter().map(|hit| hit["ordinal"].to_string()).collect();
    let page = lab.get(&format!("{query}/alignments?subjects={}", ordinals.join(","))).await.json();
    let columns = "6+qaccver+saccver+qseq+sseq+qstart+qend+sstart+send+nident+positive+gaps";
    let report = lab.get(&format!("/api/searches/{id}/results?outfmt={columns}")).await;
    let expected: Vec<Vec<&str>> = report.text().lines().map(|line| line.split('\t').collect()).collect();
    let mut rows = expected.iter();
    for hit in page["hits"].as_array().unwrap() {
        for alignment in hit["alignments"].as_array().unwrap() {
            let row = rows.next().unwrap();
            assert_eq!(hit["subject"], row[1]);
            assert_eq!(alignment["query"].as_str().unwrap().to_uppercase(), row[2]);
            assert_eq!(alignment["subject"], row[3]);
            let ranges = [&alignment["query_range"], &alignment["subject_range"]];
            let ranges: Vec<String> =
                ranges.iter().flat_map(|r| [r[0].to_string(), r[1].to_string()]).collect();
            assert_eq!(ranges, row[4..8]);
            let counts = ["identities", "positives", "gaps"].map(|name| alignment[name].to_string());
            assert_eq!(counts.to_vec(), row[8..11]);
            let midline = alignment["midline"].as_str().unwrap();
            let letters = midline.chars().filter(char::is_ascii_alphabetic).count();
            assert_eq!(letters.to_string(), row[8]);
        }
    }
    assert_eq!(page["cut"], false);
}

#[tokio::test]
async fn what_there_is_not_is_said() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", super::lab::two_queries()).await;
    for path in ["queries", "queries/1/hits", "queries/1/alignments?subjects=0", "species"] {
        let answer = lab.get(&format!("/api/searches/{id}/{path}")).await;
        assert_eq!(answer.problem(409, "queued")["state"], "queued", "{path}");
    }
    lab.complete(&id).await;
    let query = format!("/api/searches/{id}/queries");
    for (path, status, part) in [
        ("/3/hits", 404, "no such query"),
        ("/0/hits", 404, "no such query"),
        ("/x/hits", 404, "place in the report"),
        ("/3/alignments?subjects=1", 404, "no such query"),
        ("?limit=0", 400, "\"limit\""),
        ("?limit=1001", 400, "\"limit\""),
        ("?from=0", 400, "\"from\""),
        ("?page=1", 400, "\"page\""),
        ("/1/hits?sort=colour", 400, "bit_score"),
        ("/1/hits?sort=evalue&from=10000", 400, "\"from\""),
        ("/1/hits?evalue=small", 400, "\"evalue\""),
        ("/1/hits?identity=101", 400, "percentage"),
        ("/1/alignments", 400, "\"subjects\""),
        ("/1/alignments?subjects=1,x", 400, "\"subjects\""),
    ] {
        lab.get(&format!("{query}{path}")).await.problem(status, part);
    }
    for (wish, part) in [("limit=1001", "\"limit\""), ("from=-1", "\"from\""), ("sort=hits", "\"sort\"")] {
        lab.get(&format!("/api/searches/{id}/species?{wish}")).await.problem(400, part);
    }
    let nobody = "0123456789abcdef0123456789abcdef";
    lab.get(&format!("/api/searches/{nobody}/species")).await.problem(404, nobody);
    lab.get(&format!("/api/searches/{nobody}/queries")).await.problem(404, nobody);
}

async fn patch(lab: &Lab, id: &str, body: &str) -> super::lab::Answer {
    let request = Request::patch(format!("/api/searches/{id}")).header("content-type", "application/json");
    lab.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_search_is_called_something_when_it_is_sent_and_later() {
    let lab = Lab::new().await;
    let id = searched(&lab).await;
    let search = format!("/api/searches/{id}");
    assert_eq!(lab.get(&search).await.json()["label"], "all of them");
    assert_eq!(patch(&lab, &id, r#"{"label":" Kinasen für März "}"#).await.status, 200);
    assert_eq!(lab.get(&search).await.json()["label"], "Kinasen für März");
    assert_eq!(patch(&lab, &id, r#"{"label":""}"#).await.status, 200);
    assert_eq!(lab.get(&search).await.json().get("label"), None);
    patch(&lab, &id, r#"{"label":"a\nb"}"#).await.problem(400, "one line");
    patch(&lab, &id, r#"{"name":"x"}"#).await.problem(400, "label");
    patch(&lab, "0123456789abcdef0123456789abcdef", r#"{"label":"x"}"#).await.problem(404, "0123");
    lab.post("database=edge&label=a%0Ab", "text/plain", PROTEINS.to_vec()).await.problem(400, "one line");
    let results = format!("{search}/results?label=x");
    lab.get(&results).await.problem(400, "\"label\"");
}

#[tokio::test]
async fn a_status_shows_which_shards_are_done() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", super::lab::two_queries()).await;
    let search = format!("/api/searches/{id}?map=true");
    assert_eq!(lab.get(&search).await.json().get("map"), None, "there is no grid yet");
    lab.complete(&id).await;
    assert_eq!(lab.get(&search).await.json()["map"]["rows"], json!(["###"]));
    assert_eq!(lab.get(&format!("/api/searches/{id}")).await.json().get("map"), None);
    let status = lab.get(&search).await.json();
    assert_eq!(
        (&status["program"], &status["engine"]),
        (&json!("blastp"), &json!(env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(status["database_title"], "Sixty proteins");
}
