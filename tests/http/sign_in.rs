//! Who may see what, where users sign in, and links for everybody else.

use axum::body::Body;
use axum::http::Request;
use jiff::Timestamp;
use skyblast::functions::{Limits, SignIn};

use super::lab::{Answer, Lab, settings, two_queries};

pub(crate) async fn lab() -> Lab {
    let sign_in = Some(SignIn { audience: Some("api://lab".to_owned()) });
    Lab::with(Limits { sign_in, ..Limits::default() }, settings()).await
}

pub(crate) async fn call(lab: &Lab, method: &str, path: &str, user: Option<&str>, body: String) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(user) = user {
        request = request.header("X-MS-CLIENT-PRINCIPAL-ID", user);
    }
    lab.send(request.body(Body::from(body)).unwrap()).await
}

pub(crate) async fn submit(lab: &Lab, user: &str) -> String {
    call(lab, "POST", "/api/searches?database=edge", Some(user), two_queries()).await.accepted()
}

#[tokio::test]
async fn a_search_is_its_owners_and_does_not_exist_for_others() {
    let lab = lab().await;
    let id = submit(&lab, "ada").await;
    let search = format!("/api/searches/{id}");
    let results = format!("{search}/results");
    let shares = format!("{search}/shares");
    for (method, path) in [("GET", &search), ("GET", &results), ("DELETE", &search), ("POST", &shares)] {
        let answer = call(&lab, method, path, Some("eve"), String::new()).await;
        let problem = answer.problem(404, &id);
        assert_eq!(problem["type"], "urn:skyblast:problem:unknown-search", "{method} {path}");
    }
    lab.complete(&id).await;
    for path in [&search, &results] {
        assert_eq!(call(&lab, "GET", path, Some("ada"), String::new()).await.status, 200);
    }
    assert_eq!(call(&lab, "DELETE", &search, Some("ada"), String::new()).await.json()["state"], "completed");
}

#[tokio::test]
async fn who_has_not_signed_in_is_told_how() {
    let lab = lab().await;
    let nobody = "/api/searches/0123456789abcdef0123456789abcdef";
    for (method, path) in [
        ("POST", "/api/searches?database=edge"),
        ("GET", nobody),
        ("GET", "/api/databases"),
        ("POST", "/api/uploads"),
        ("GET", "/api/doctor"),
    ] {
        for user in [None, Some(""), Some("  ")] {
            let answer = call(&lab, method, path, user, two_queries()).await;
            answer.problem(401, "az login");
            assert_eq!(answer.header("www-authenticate"), "Bearer resource_id=\"api://lab\"");
        }
    }
    let health = call(&lab, "GET", "/api/health", None, String::new()).await;
    assert_eq!((health.status.as_u16(), &health.json()["sign_in"]["audience"]), (200, &"api://lab".into()));
}

#[tokio::test]
async fn without_sign_in_the_header_means_nothing() {
    let lab = Lab::new().await;
    let id = submit(&lab, "ada").await;
    let search = format!("/api/searches/{id}");
    assert_eq!(call(&lab, "GET", &search, Some("eve"), String::new()).await.status, 200);
    assert_eq!(call(&lab, "GET", &search, None, String::new()).await.status, 200);
    assert_eq!(lab.get("/api/health").await.json().get("sign_in"), None);
}

#[tokio::test]
async fn an_upload_is_its_owners() {
    let lab = lab().await;
    let begun = call(&lab, "POST", "/api/uploads", Some("ada"), String::new()).await.json();
    let id = begun["id"].as_str().unwrap();
    let part = format!("/api/uploads/{id}/parts/0");
    let submission = format!("/api/searches?database=edge&upload={id}&parts=1");
    call(&lab, "PUT", &part, Some("eve"), two_queries()).await.problem(404, id);
    assert_eq!(call(&lab, "PUT", &part, Some("ada"), two_queries()).await.status, 204);
    call(&lab, "POST", &submission, Some("eve"), String::new()).await.problem(404, id);
    assert_eq!(call(&lab, "POST", &submission, Some("ada"), String::new()).await.accepted(), id);
    call(&lab, "POST", &submission, Some("eve"), String::new()).await.problem(404, id);
}

#[tokio::test]
async fn a_link_reads_the_report_without_signing_in_until_it_expires() {
    let lab = lab().await;
    let id = submit(&lab, "ada").await;
    let shares = format!("/api/searches/{id}/shares?seconds=3600");
    let shared = call(&lab, "POST", &shares, Some("ada"), String::new()).await;
    assert_eq!(shared.status, 201, "{}", shared.text());
    let link = shared.json()["link"].as_str().unwrap().to_owned();
    lab.get(&link).await.problem(409, "its report comes when it is completed");
    lab.complete(&id).await;
    let owners = call(&lab, "GET", &format!("/api/searches/{id}/results"), Some("ada"), String::new()).await;
    assert_eq!(lab.get(&link).await.text(), owners.text());
    assert!(lab.get(&format!("{link}&outfmt=7")).await.text().starts_with("# BLASTP"));

    let token = link.split_once("?token=").unwrap().1;
    let expires: Timestamp = shared.json()["expires"].as_str().unwrap().parse().unwrap();
    let longer = format!("{token}0");
    for forged in [longer.as_str(), "x", "", "a.b.c", &token[..token.len() - 1], &id] {
        let answer = lab.get(&format!("/api/shared?token={forged}")).await;
        assert_eq!(answer.status, 404, "{forged}");
    }
    for path in ["/api/shared".to_owned(), format!("{link}&token={token}")] {
        assert_eq!(lab.get(&path).await.status, 404, "{path}");
    }
    let before = expires - jiff::SignedDuration::from_secs(1);
    assert_eq!(lab.pipeline.shared(token, before).await.unwrap().to_string(), id);
    let error = lab.pipeline.shared(token, expires).await.unwrap_err();
    assert!(error.to_string().contains("the link has expired"), "{error}");
    for bad in ["0", "-1", "soon", "99999999999"] {
        let path = format!("/api/searches/{id}/shares?seconds={bad}");
        call(&lab, "POST", &path, Some("ada"), String::new()).await.problem(400, "seconds");
    }
}

#[tokio::test]
async fn the_key_of_earlier_links_is_kept_from_expiring_with_the_jobs() {
    let lab = lab().await;
    let key = skyblast::store::BlobName::parse("secrets/shares").unwrap();
    lab.blobs().put(&key, vec![1; 32].into()).await.unwrap();
    let before = lab.job_blob("secrets/shares").await.unwrap();
    lab.pipeline.sweep(Timestamp::now()).await.unwrap();
    let kept = lab.job_blob("secrets/shares").await.unwrap();
    assert_ne!(kept.etag, before.etag, "its age is counted anew");
    lab.pipeline.sweep(Timestamp::now()).await.unwrap();
    assert_eq!(lab.job_blob("secrets/shares").await.unwrap().etag, kept.etag, "once a day is enough");
}

#[tokio::test]
async fn links_that_expired_long_ago_are_removed() {
    let lab = lab().await;
    let id = submit(&lab, "ada").await;
    let shares = format!("/api/searches/{id}/shares?seconds=3600");
    call(&lab, "POST", &shares, Some("ada"), String::new()).await;
    let links = async || lab.job_blobs().await.iter().filter(|blob| blob.starts_with("shares/")).count();
    lab.pipeline.sweep(Timestamp::now()).await.unwrap();
    assert_eq!(links().await, 1);
    lab.pipeline.sweep(Timestamp::now() + jiff::SignedDuration::from_hours(32 * 24)).await.unwrap();
    assert_eq!(links().await, 0);
}
