//! Requests with a mistake, one by one.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::forms::multipart;
use super::lab::{Lab, gzip, two_queries};

const CURL: &str = "application/x-www-form-urlencoded";
const FORM: &str = "multipart/form-data; boundary=cut";

/// Posts a body as plain text and expects a problem of status 400; nothing may be left of it.
async fn refused(body: impl Into<Body>, part: &str) -> Value {
    let lab = Lab::new().await;
    let problem = lab.post("database=edge", "text/plain", body).await.problem(400, part);
    assert_eq!(lab.job_blobs().await, Vec::<String>::new());
    problem
}

#[tokio::test]
async fn an_empty_body() {
    refused("", "send FASTA").await;
}

#[tokio::test]
async fn a_body_without_records() {
    refused("\n; a comment\n\n", "no sequence").await;
}

#[tokio::test]
async fn records_without_residues_only() {
    let problem = refused(">first\n>second\n", "none of the 2 records").await;
    assert_eq!(problem["record"], json!({ "number": 1, "id": "first" }));
}

#[tokio::test]
async fn a_record_that_is_not_a_protein_is_named_by_number_and_line() {
    let problem = refused(">a\nMKTAYIAKQR\n>b\n{\"not\": [1, 2, 3]}\n", "record 2, line 4").await;
    assert_eq!(problem["record"], json!({ "number": 2, "line": 4 }));
    assert_eq!(problem["type"], "urn:skyblast:problem:invalid-fasta");
}

#[tokio::test]
async fn a_bad_record_after_stored_chunks() {
    let problem = refused(two_queries().repeat(50) + ">b\n12345 67890\n", "record 101").await;
    assert_eq!(problem["record"]["number"], 101);
}

#[tokio::test]
async fn a_truncated_gzip_body() {
    let zipped = gzip(two_queries().as_bytes());
    refused(zipped[..zipped.len() - 20].to_vec(), "the gzip data ends too early").await;
}

#[tokio::test]
async fn a_damaged_zstd_body() {
    let mut zipped = zstd::encode_all(two_queries().as_bytes(), 1).unwrap();
    let middle = zipped.len() / 2;
    zipped[4..middle].fill(0xFF);
    refused(zipped, "the zstd data is damaged").await;
}

#[tokio::test]
async fn an_unsupported_compression() {
    refused(&b"BZh91AY&SY"[..], "compressed with bzip2").await;
}

#[tokio::test]
async fn line_ends_that_curl_removed() {
    let lab = Lab::new().await;
    let answer = lab.post("database=edge", CURL, ">q1 a proteinMKTAYIAKQR").await;
    answer.problem(400, "--data-binary");
}

#[tokio::test]
async fn a_url_encoded_form() {
    let lab = Lab::new().await;
    for (form, part) in [
        ("database=edge", "\"query\" is missing"),
        ("query=%3Eq1%0AMKTAYIAKQR", "\"database\" is missing"),
        ("query=MKT&query=MKT&database=edge", "given twice"),
        ("query=MKT&database=edge&evalue=few", "\"evalue\""),
        ("query=MKT&database=edge&colour=red", "\"colour\""),
        ("query=MKT&database=%ff", "not UTF-8"),
        ("MKTAYIAKQRQISFVKSHFSRQ", "text/plain"),
    ] {
        lab.post("", CURL, form).await.problem(400, part);
    }
    let long = "MKTAYIAKQR".repeat(200);
    lab.post("", CURL, long).await.problem(400, "text/plain");
    assert_eq!(lab.job_blobs().await, Vec::<String>::new());
}

/// Posts two queries with options and expects a problem of status 400 about `option`.
async fn option_refused(query: &str, option: &str, value: &str, range: &str) -> Value {
    let lab = Lab::new().await;
    let problem = lab.post(query, "text/plain", two_queries()).await.problem(400, option);
    assert_eq!(problem["option"]["name"], option);
    assert_eq!(problem["option"]["value"], value);
    assert!(problem["option"]["range"].as_str().unwrap().contains(range), "{problem}");
    assert_eq!(lab.job_blobs().await, Vec::<String>::new());
    problem
}

#[tokio::test]
async fn no_database() {
    let lab = Lab::new().await;
    let problem = lab.post("", "text/plain", two_queries()).await.problem(400, "/api/databases");
    assert_eq!(problem["option"]["name"], "database");
}

#[tokio::test]
async fn an_unknown_database() {
    let lab = Lab::new().await;
    let problem = lab.post("database=nr", "text/plain", two_queries()).await.problem(404, "\"nr\"");
    assert_eq!(problem["known_databases"], json!(["edge"]));
}

#[tokio::test]
async fn an_unknown_version_of_a_database() {
    let lab = Lab::new().await;
    let problem = lab.post("database=edge@1", "text/plain", two_queries()).await.problem(404, "\"edge@1\"");
    assert_eq!(problem["known_databases"], json!(["edge"]));
}

#[tokio::test]
async fn a_database_name_that_is_a_path() {
    option_refused("database=../jobs", "database", "../jobs", "name@version").await;
}

#[tokio::test]
async fn an_evalue_of_zero() {
    option_refused("database=edge&evalue=0", "evalue", "0", "above 0").await;
}

#[tokio::test]
async fn a_negative_evalue() {
    option_refused("database=edge&evalue=-1", "evalue", "-1", "above 0").await;
}

#[tokio::test]
async fn an_infinite_evalue() {
    option_refused("database=edge&evalue=inf", "evalue", "inf", "finite").await;
}

#[tokio::test]
async fn an_evalue_that_is_no_number() {
    option_refused("database=edge&evalue=NaN", "evalue", "NaN", "number").await;
}

#[tokio::test]
async fn no_subjects_at_all() {
    option_refused("database=edge&max_target_seqs=0", "max_target_seqs", "0", "1 to 1000000").await;
}

#[tokio::test]
async fn too_many_subjects() {
    option_refused("database=edge&max_target_seqs=1000001", "max_target_seqs", "1000001", "1 to").await;
}

#[tokio::test]
async fn half_a_subject() {
    option_refused("database=edge&max-target-seqs=1.5", "max_target_seqs", "1.5", "1 to").await;
}

#[tokio::test]
async fn an_output_format_that_is_not_available() {
    let problem = option_refused("database=edge&outfmt=11", "outfmt", "11", "0, 5, 6, 7").await;
    assert!(problem["detail"].as_str().unwrap().contains("11"));
}

#[tokio::test]
async fn an_unknown_column() {
    option_refused("database=edge&outfmt=6+qsqe", "outfmt", "6 qsqe", "columns").await;
}

#[tokio::test]
async fn an_unknown_mode_of_composition_based_statistics() {
    option_refused("database=edge&comp_based_stats=2u", "comp_based_stats", "2u", "0, 1, 2 or 3").await;
}

#[tokio::test]
async fn gap_costs_without_statistics() {
    let query = "database=edge&gapopen=5&gapextend=5";
    let lab = Lab::new().await;
    let problem = lab.post(query, "text/plain", two_queries()).await.problem(400, "gapopen/gapextend 5/5");
    assert!(problem["option"]["range"].as_str().unwrap().contains("11/1"), "{problem}");
}

#[tokio::test]
async fn another_program() {
    option_refused("database=edge&program=blastn", "program", "blastn", "blastp").await;
}

#[tokio::test]
async fn another_task() {
    option_refused("database=edge&task=blastx", "task", "blastx", "blastp-short").await;
}

#[tokio::test]
async fn an_unknown_option() {
    let lab = Lab::new().await;
    let answer = lab.post("database=edge&db_soft_mask=2", "text/plain", two_queries()).await;
    let problem = answer.problem(400, "max_target_seqs");
    assert_eq!(problem["option"], json!({ "name": "db_soft_mask", "value": "2" }));
}

#[tokio::test]
async fn an_option_given_twice() {
    option_refused("database=edge&evalue=1&evalue=2", "evalue", "2", "number").await;
}

#[tokio::test]
async fn an_option_given_in_both_spellings() {
    option_refused("database=edge&db=edge", "database", "edge", "name").await;
}

#[tokio::test]
async fn an_option_given_in_address_and_form() {
    let lab = Lab::new().await;
    let form = multipart(&[("query", two_queries().as_bytes()), ("database", b"edge")]);
    let problem = lab.post("database=edge", FORM, form).await.problem(400, "given twice");
    assert_eq!(problem["option"]["name"], "database");
}

async fn json_refused(body: &str, part: &str) -> Value {
    Lab::new().await.post("database=edge", "application/json", body.to_owned()).await.problem(400, part)
}

#[tokio::test]
async fn json_with_a_mistake_is_located() {
    json_refused("{\"query\": \">a\\nMK\",\n nonsense}", "line 2").await;
}

#[tokio::test]
async fn json_that_is_no_object() {
    json_refused("[1, 2]", "an object").await;
}

#[tokio::test]
async fn json_without_a_query() {
    json_refused("{\"evalue\": 1}", "\"query\" is missing").await;
}

#[tokio::test]
async fn json_with_a_query_that_is_no_text() {
    json_refused("{\"query\": [\">a\"]}", "must be a string").await;
}

#[tokio::test]
async fn json_with_two_queries() {
    json_refused("{\"query\": \">a\\nMK\", \"query\": \">b\\nMK\"}", "given twice").await;
}

#[tokio::test]
async fn json_with_an_option_given_twice() {
    let problem = json_refused("{\"evalue\": 1, \"evalue\": 2, \"query\": \"\"}", "given twice").await;
    assert_eq!(problem["option"]["name"], "evalue");
}

#[tokio::test]
async fn json_with_an_option_that_is_no_value() {
    let problem = json_refused("{\"evalue\": null, \"query\": \"\"}", "a string or a number").await;
    assert_eq!(problem["option"]["name"], "evalue");
}

#[tokio::test]
async fn json_with_bad_queries_names_the_record() {
    let problem = json_refused("{\"query\": \">a\\nMKTAYIAKQR\\n>b\\n1234567\\n\"}", "record 2").await;
    assert_eq!(problem["record"], json!({ "number": 2, "line": 4 }));
}

#[tokio::test]
async fn a_form_without_boundary() {
    let lab = Lab::new().await;
    lab.post("database=edge", "multipart/form-data", "x").await.problem(400, "boundary");
}

#[tokio::test]
async fn a_form_that_ends_too_early() {
    let lab = Lab::new().await;
    let mut form = multipart(&[("query", two_queries().as_bytes())]);
    form.truncate(form.len() - 20);
    let problem = lab.post("database=edge", FORM, form).await.problem(400, "");
    assert_eq!(problem["type"], "urn:skyblast:problem:invalid-form");
}

#[tokio::test]
async fn a_form_without_a_query() {
    let lab = Lab::new().await;
    lab.post("", FORM, multipart(&[("database", b"edge")])).await.problem(400, "\"query\" is missing");
}

#[tokio::test]
async fn a_form_with_two_queries() {
    let lab = Lab::new().await;
    let form = multipart(&[("query", b">a\nMKTAYIAKQR\n"), ("query", b">b\nMKTAYIAKQR\n")]);
    lab.post("database=edge", FORM, form).await.problem(400, "given twice");
}

#[tokio::test]
async fn a_form_with_an_unknown_field() {
    let lab = Lab::new().await;
    let form = multipart(&[("metrics", b"PAM30"), ("query", b">a\nMKTAYIAKQR\n")]);
    let problem = lab.post("database=edge", FORM, form).await.problem(400, "\"metrics\"");
    assert_eq!(problem["option"]["name"], "metrics");
}

#[tokio::test]
async fn an_unknown_path() {
    Lab::new().await.get("/api/nothing").await.problem(404, "/api/nothing");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let lab = Lab::new().await;
    for (path, allowed) in [("/api/searches", "POST"), ("/api/databases", "GET"), ("/plan", "POST")] {
        let request = Request::put(path).body(Body::empty()).unwrap();
        let answer = lab.send(request).await;
        answer.problem(405, "PUT");
        assert!(answer.header("allow").contains(allowed), "{path}: {:?}", answer.headers);
    }
    let answer = lab.send(Request::put("/api/searches/x").body(Body::empty()).unwrap()).await;
    for allowed in ["GET", "DELETE"] {
        assert!(answer.header("allow").contains(allowed), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn searches_that_do_not_exist() {
    let lab = Lab::new().await;
    let nobody = "0123456789abcdef0123456789abcdef";
    for id in [nobody, "not-an-id", "..%2Factive", "%FF", &nobody.to_uppercase()] {
        let search = format!("/api/searches/{id}");
        lab.get(&search).await.problem(404, "");
        lab.get(&format!("{search}/results")).await.problem(404, "");
        let problem = lab.delete(&search).await.problem(404, "");
        assert_eq!(problem["type"], "urn:skyblast:problem:unknown-search");
    }
}
