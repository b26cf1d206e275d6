//! The description of the API: that it is whole, and that the page made from it works without anybody else.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use skyblast::functions::openapi_document;

use super::lab::{Lab, two_queries};

fn document() -> Value {
    serde_json::from_str(openapi_document()).unwrap()
}

#[tokio::test]
async fn the_description_is_given_and_known_again() {
    let lab = Lab::new().await;
    let given = lab.get("/api/openapi.json").await;
    assert_eq!((given.status.as_u16(), given.header("content-type")), (200, "application/json"));
    let document = given.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    let request = Request::get("/api/openapi.json").header("if-none-match", given.header("etag"));
    assert_eq!(lab.send(request.body(Body::empty()).unwrap()).await.status, 304);
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let document = document();
    let text = openapi_document();
    for (at, start) in text.match_indices("\"#/components/schemas/") {
        let name = text[at + start.len()..].split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    let mut names = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            names.push(operation["operationId"].as_str().unwrap().to_owned());
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{operation}");
            for response in operation["responses"].as_object().unwrap().values() {
                assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{operation}");
            }
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn every_kind_of_problem_is_met_by_some_operation() {
    let document = document();
    let kinds = document["components"]["schemas"]["Problem"]["properties"]["type"]["examples"].clone();
    for kind in kinds.as_array().unwrap() {
        let kind = kind.as_str().unwrap();
        assert!(openapi_document().contains(&format!("`{kind}`")), "{kind}");
    }
}

#[tokio::test]
async fn the_page_to_try_it_has_all_it_needs_from_this_server() {
    let lab = Lab::new().await;
    let page = lab.get("/api/docs").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    for part in page.text().split('"').filter(|part| part.starts_with('/')) {
        assert_eq!(lab.get(part).await.status, 200, "{part}");
    }
    for elsewhere in ["http://", "https://", "<script>", "style="] {
        assert!(!page.text().contains(elsewhere), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_search_can_be_sent_again_as_its_status_tells_it() {
    let lab = Lab::new().await;
    for asked in [
        "evalue=1e-300&outfmt=7+std+qlen&searchsp=12345678901234567",
        "evalue=1e300&max_target_seqs=7&comp_based_stats=0&ungapped=true",
        "evalue=123456789012345678901234567890",
        "matrix=BLOSUM80&gapopen=9&gapextend=2&word_size=2&threshold=11.123456789012345&window_size=0&seg=12+2.2+2.5",
        "outfmt=0&num_descriptions=3&num_alignments=2&line_length=50&sorthits=1&sorthsps=2",
        "mode=fast&query_loc=2-60&soft_masking=true&lcase_masking=true&culling_limit=2&use_sw_tback=true",
        "task=blastp-short&best_hit_overhang=0.1&best_hit_score_edge=0.1&dbsize=1000000000000000&qcov_hsp_perc=50",
        "xdrop_ungap=8&xdrop_gap=20&xdrop_gap_final=30.5&max_hsps=1&subject_besthit=true&program=blastp",
    ] {
        let id = lab.submit(&format!("database=edge&{asked}"), two_queries()).await;
        let first = lab.get(&format!("/api/searches/{id}")).await.json();
        let mut again = first["options"].as_object().unwrap().clone();
        let version = first["database"]["version"].as_str().unwrap();
        again.insert("database".to_owned(), json!(format!("edge@{version}")));
        again.insert("outfmt".to_owned(), first["outfmt"].clone());
        again.insert("program".to_owned(), first["program"].clone());
        again.insert("query".to_owned(), json!(two_queries()));
        let id = lab.post("", "application/json", Value::Object(again).to_string()).await.accepted();
        let second = lab.get(&format!("/api/searches/{id}")).await.json();
        for member in ["options", "outfmt", "database", "program", "recall"] {
            assert_eq!(first[member], second[member], "{asked}: {member}");
        }
        assert!(first["options"].as_object().is_some_and(|options| !options.is_empty()), "{asked}");
    }
}
