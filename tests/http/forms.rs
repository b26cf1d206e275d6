//! The forms in which a search can be sent.

use axum::body::Body;
use serde_json::json;

use super::lab::{Lab, gzip, two_queries};

const BOUNDARY: &str = "multipart/form-data; boundary=cut";

/// A form of fields and, last, the end.
pub(crate) fn multipart(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in fields {
        let file = if *name == "query" { "; filename=\"q.fa\"" } else { "" };
        body.extend(
            format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes(),
        );
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(b"--cut--\r\n");
    body
}

#[tokio::test]
async fn an_accepted_search_has_an_address_and_counts() {
    let lab = Lab::new().await;
    let answer = lab.post("database=edge", "text/x-fasta", two_queries()).await;
    let id = answer.accepted();
    assert_eq!(answer.header("location"), format!("/api/searches/{id}"));
    let accepted = answer.json();
    assert_eq!(accepted["state"], "queued");
    assert_eq!(accepted["queries"], 2);
    assert_eq!(accepted["residues"], 140 + 197);
    assert_eq!(accepted["comparisons"], 2 * 60);
    assert_eq!(accepted["warnings"], json!([]));
    assert_eq!(accepted["further_warnings"], 0);
    assert_eq!(
        accepted["links"],
        json!({
            "status": format!("/api/searches/{id}"),
            "results": format!("/api/searches/{id}/results"),
            "cancel": format!("/api/searches/{id}"),
        })
    );
}

#[tokio::test]
async fn all_forms_of_the_same_search_give_the_same_report() {
    let lab = Lab::new().await;
    let fasta = two_queries();
    let (bytes, zipped) = (fasta.as_bytes(), gzip(fasta.as_bytes()));
    let options = "database=edge&evalue=1e-3&max_target_seqs=3&outfmt=6+std+qlen&comp_based_stats=0";
    let fields: [(&str, &[u8]); 4] =
        [("db", b"edge"), ("evalue", b"0.001"), ("max-target-seqs", b"3"), ("comp-based-stats", b"0")];
    let mut form = fields.to_vec();
    form.push(("query", bytes));
    form.push(("outfmt", b"6 std qlen\r\n"));
    let mut zipped_form = fields.to_vec();
    zipped_form.insert(0, ("query", &zipped));
    let json = json!({
        "query": fasta, "database": "edge", "evalue": 1e-3, "max_target_seqs": 3,
        "outfmt": "6 std qlen", "comp_based_stats": 0, "program": "blastp",
    })
    .to_string();
    let query_only = json!({ "query": fasta }).to_string();
    let curl = "application/x-www-form-urlencoded";
    let encoded = fasta.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let encoded_form = format!(
        "query={encoded}&db=edge&evalue=0.001&max-target-seqs=3&comp-based-stats=0&outfmt=6+std+qlen"
    );
    let encoded_query = format!("query={encoded}");
    let requests: [(&str, &str, Body); 12] = [
        (options, "text/plain; charset=utf-8", fasta.clone().into()),
        (options, "application/octet-stream", zipped.clone().into()),
        (options, "", zstd::encode_all(bytes, 1).unwrap().into()),
        (options, curl, fasta.clone().into()),
        (options, curl, zipped.clone().into()),
        ("", curl, encoded_form.into()),
        (options, curl, encoded_query.into()),
        ("", BOUNDARY, multipart(&form).into()),
        ("outfmt=6+std+qlen", BOUNDARY, multipart(&zipped_form).into()),
        ("", "application/json", json.clone().into()),
        ("", "application/json; charset=utf-8", gzip(json.as_bytes()).into()),
        (options, "application/json", query_only.into()),
    ];
    let mut ids = Vec::new();
    for (query, media_type, body) in requests {
        ids.push(lab.post(query, media_type, body).await.accepted());
    }
    let mut reports = Vec::new();
    for id in ids {
        assert_eq!(lab.complete(&id).await, "completed");
        reports.push(lab.report(&id).await);
    }
    assert!(reports[0].lines().all(|row| row.split('\t').count() == 13));
    // The queries are from the database, so each finds itself first.
    let row = reports[0].lines().next().unwrap();
    assert!(row.starts_with("Q820S4\tQ820S4\t100.000\t140\t0\t0\t1\t140\t1\t140\t"), "{row}");
    for (form, report) in reports.iter().enumerate() {
        assert_eq!(report, &reports[0], "form {form}");
    }
}

#[tokio::test]
async fn keys_of_the_host_are_no_options() {
    let lab = Lab::new().await;
    lab.submit("database=edge&code=secret&clientId=default", two_queries()).await;
}

#[tokio::test]
async fn nucleotides_are_accepted_with_a_warning_that_names_the_record() {
    let lab = Lab::new().await;
    let fasta = format!(">protein\nMKTAYIAKQRQISFVKSHFSRQ\n>dna x\n{}\n", "ACGTTGCAAC".repeat(10));
    let answer = lab.post("database=edge", "text/plain", fasta).await;
    answer.accepted();
    let warnings = answer.json()["warnings"].clone();
    assert_eq!(warnings.as_array().map(Vec::len), Some(1), "{warnings}");
    assert_eq!((&warnings[0]["record"], &warnings[0]["id"]), (&json!(2), &json!("dna")));
    assert!(warnings[0]["message"].as_str().unwrap().contains("nucleotides"));
}

#[tokio::test]
async fn a_record_of_titins_length_is_accepted() {
    let lab = Lab::new().await;
    let fasta =
        format!(">titin\n{}\n", "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQW".repeat(1036)[..35_213].to_owned());
    let answer = lab.post("database=edge", "text/plain", fasta).await;
    answer.accepted();
    assert_eq!(answer.json()["residues"], 35_213);
}
