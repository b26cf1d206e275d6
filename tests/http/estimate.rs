//! What a search will take, said before it is run, and set against what it took.

use axum::body::Bytes;
use serde_json::{Value, json};
use skyblast::store::BlobName;

use super::lab::{Lab, PROTEINS, two_queries};

const DRY: &str = "database=edge&dry_run=true";

async fn estimate(lab: &Lab, query: &str) -> Value {
    let answer = lab.post(query, "text/plain", two_queries()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Whether two prices are the same, but for how numbers are written.
fn are_alike(a: &Value, b: &Value) -> bool {
    let amounts = ["least", "likely", "most"].map(|name| (&a["amount"][name], &b["amount"][name]));
    let near = |(a, b): (&Value, &Value)| (a.as_f64().unwrap() / b.as_f64().unwrap() - 1.0).abs() < 1e-9;
    amounts.into_iter().all(near) && a["date"] == b["date"]
}

fn is_ordered(bounds: &Value) -> bool {
    let [least, likely, most] = ["least", "likely", "most"].map(|name| bounds[name].as_f64().unwrap());
    0.0 < least && least <= likely && likely <= most
}

async fn put(lab: &Lab, name: &str, value: &Value) {
    let name = BlobName::parse(name).unwrap();
    lab.blobs().put(&name, Bytes::from(value.to_string())).await.unwrap();
}

/// What the latest searches are said to have shown.
fn shown(pairs: f64, milliseconds: u64) -> Value {
    let job = "0123456789abcdef0123456789abcdef";
    json!({ "searches": [{ "job": job, "kind": "exact", "pairs": pairs, "milliseconds": milliseconds }] })
}

#[tokio::test]
async fn an_estimate_counts_measures_and_stores_nothing() {
    let lab = Lab::new().await;
    let found = estimate(&lab, DRY).await;
    let accepted = lab.post("database=edge", "text/plain", two_queries()).await.json();
    for name in ["queries", "residues", "comparisons"] {
        assert_eq!(found[name], accepted[name], "{name}");
    }
    lab.delete(&format!("/api/searches/{}?purge=true", accepted["id"].as_str().unwrap())).await;
    assert_eq!(found["measured_on"], 0, "nothing has been searched");
    for bounds in ["instance_seconds", "price/amount", "cloud/seconds", "own/seconds"] {
        assert!(is_ordered(found.pointer(&format!("/{bounds}")).unwrap()), "{bounds}: {found}");
    }
    assert_eq!((&found["price"]["currency"], &found["price"]["region"]), (&json!("USD"), &json!("East US")));

    let lab = Lab::new().await;
    for (media_type, query, body) in [
        (
            "application/json",
            "",
            json!({ "database": "edge", "dry_run": true, "query": two_queries() }).to_string(),
        ),
        ("application/x-www-form-urlencoded", DRY, format!("query={}", two_queries().replace('\n', "%0A"))),
    ] {
        let answer = lab.post(query, media_type, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["shards"], found["shards"], "{media_type}");
    }
    assert_eq!(lab.job_blobs().await, [""; 0]);
}

#[tokio::test]
async fn the_beginning_of_queries_stands_for_all() {
    let lab = Lab::new().await;
    put(&lab, "rates.json", &shown(1e9, 1_000)).await;
    let few = estimate(&lab, DRY).await;
    let residues = few["residues"].as_u64().unwrap();
    let query = format!("{DRY}&of_queries=2000&of_residues={}&workers=7", residues * 1_000);
    let many = estimate(&lab, &query).await;
    let seconds = |found: &Value| found["instance_seconds"]["likely"].as_f64().unwrap();
    assert_eq!((&many["queries"], &many["residues"]), (&json!(2_000), &json!(residues * 1_000)));
    assert!((seconds(&many) / seconds(&few) - 1_000.0).abs() < 1e-6);
    // Three volumes, and chunks of 2,000 residues.
    assert_eq!(many["shards"], (residues * 1_000).div_ceil(2_000) * 3);
    assert_eq!((&many["own"]["machines"], &many["cloud"]["machines"]), (&json!(7), &json!(100)));
}

#[tokio::test]
async fn earlier_searches_show_the_rate_and_status_sets_it_against_what_was_spent() {
    let lab = Lab::new().await;
    put(&lab, "rates.json", &shown(1e6, 10_000)).await;
    let found = estimate(&lab, DRY).await;
    let database_residues: usize = std::str::from_utf8(PROTEINS)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('>'))
        .map(str::len)
        .sum();
    let pairs = found["residues"].as_f64().unwrap() * database_residues as f64;
    let likely = found["instance_seconds"]["likely"].as_f64().unwrap();
    assert!((likely / (pairs / 1e5) - 1.0).abs() < 0.05, "{likely} s for {pairs} pairs at 1e5 a second");
    assert_eq!(found["measured_on"], 1);
    let other_mode = estimate(&lab, &format!("{DRY}&mode=seeded")).await;
    assert_eq!(other_mode["measured_on"], 0, "that has not been measured");

    let id = lab.submit("database=edge", two_queries()).await;
    let address = format!("/api/searches/{id}");
    let before = lab.get(&address).await.json();
    assert_eq!(before["expected_instance_seconds"]["likely"], found["instance_seconds"]["likely"]);
    assert!(are_alike(&before["expected_price"], &found["price"]) && before["price"].is_null(), "{before}");
    lab.complete(&id).await;
    let after = lab.get(&address).await.json();
    assert!(are_alike(&after["expected_price"], &found["price"]), "{after}");
    let [spent, price] =
        ["/instance_seconds", "/price/amount/likely"].map(|name| after.pointer(name).unwrap());
    assert!(spent.as_f64().unwrap() < likely && price.as_f64() < found["price"]["amount"]["likely"].as_f64());
}

#[tokio::test]
async fn rates_that_are_lost_or_damaged_are_made_again_from_what_jobs_have_spent() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.complete(&id).await;
    let outcome = format!("{id}/done.json");
    let name = BlobName::parse(&outcome).unwrap();
    let mut ended: Value = serde_json::from_slice(&lab.blobs().get(&name).await.unwrap()).unwrap();
    ended["instance_milliseconds"] = json!(60_000);
    put(&lab, &outcome, &ended).await;
    for damaged in [json!(null), json!({ "searches": "none" })] {
        put(&lab, "rates.json", &damaged).await;
        let found = estimate(&lab, DRY).await;
        let likely = found["instance_seconds"]["likely"].as_f64().unwrap();
        assert!(found["measured_on"] == 1 && (likely / 60.0 - 1.0).abs() < 1e-9, "{found}");
    }
}

#[tokio::test]
async fn where_a_search_is_compared_is_asked_for_and_shown() {
    let lab = Lab::new().await;
    let query = "database=edge&place=burst&deadline=7200&burst_after=600&budget=5";
    let id = lab.submit(query, two_queries()).await;
    lab.deliver_all().await;
    let status = lab.get(&format!("/api/searches/{id}")).await.json();
    assert_eq!((&status["place"], &status["in_cloud"]["budget"]), (&json!("burst"), &json!(5.0)));
    assert_eq!((&status["in_cloud"]["shards"], &status["state"]), (&json!(0), &json!("queued")));
    assert_eq!(lab.complete(&id).await, "completed");
    for (query, said) in [
        ("place=here", "own, cloud or burst"),
        ("budget=5", "together with place=burst only"),
        ("place=own&deadline=60", "together with place=burst only"),
        ("place=burst&deadline=0", "1 to 31536000"),
        ("place=burst&burst_after=soon", "0 to 31536000"),
        ("place=burst&budget=-1", "0 to 1000000"),
        ("place=burst&budget=NaN", "0 to 1000000"),
    ] {
        lab.post(&format!("database=edge&{query}"), "text/plain", two_queries()).await.problem(400, said);
    }
}

#[tokio::test]
async fn what_cannot_be_estimated_is_refused_with_what_to_do() {
    let lab = Lab::new().await;
    for (query, said) in [
        ("database=edge&dry_run=perhaps", "must be true or false"),
        ("database=edge&of_queries=3", "together with dry_run=true only"),
        (&format!("{DRY}&of_queries=3"), "goes with of_residues"),
        (&format!("{DRY}&of_residues=3"), "goes with of_queries"),
        (&format!("{DRY}&workers=0"), "1 to 100000"),
        (&format!("{DRY}&workers=some"), "1 to 100000"),
        (&format!("{DRY}&evalue=-1"), "evalue"),
    ] {
        lab.post(query, "text/plain", two_queries()).await.problem(400, said);
    }
    lab.post(DRY, "text/plain", "").await.problem(400, "no sequence");
    lab.post("database=none&dry_run=true", "text/plain", two_queries()).await.problem(404, "none");
    let many = std::str::from_utf8(PROTEINS).unwrap().repeat((1 << 20) / PROTEINS.len() + 1);
    lab.post(DRY, "text/plain", many).await.problem(413, "send the beginning");
    let upload = lab.post_empty("/api/uploads").await.json()["id"].as_str().unwrap().to_owned();
    lab.post(&format!("{DRY}&upload={upload}"), "text/plain", "").await.problem(400, "dry_run");
}
