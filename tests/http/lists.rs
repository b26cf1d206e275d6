//! Lists of searches, and their removal.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use skyblast::functions::Limits;

use super::lab::{Lab, settings, two_queries};
use super::sign_in::{call, lab, submit};

fn ids(page: &Value) -> Vec<&str> {
    page["searches"].as_array().unwrap().iter().map(|search| search["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_user_lists_own_searches_newest_first_page_by_page() {
    let lab = lab().await;
    let mut own = Vec::new();
    for _ in 0..5 {
        own.insert(0, submit(&lab, "ada").await);
        submit(&lab, "eve").await;
        // Entries are in order by the millisecond.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let get = async |path: &str| call(&lab, "GET", path, Some("ada"), String::new()).await;
    let all = get("/api/searches").await.json();
    assert_eq!(ids(&all), own);
    assert_eq!(all.get("next"), None);
    let first = &all["searches"][0];
    assert_eq!((&first["state"], &first["database"]["name"]), (&json!("queued"), &json!("edge")));
    assert_eq!(first["links"]["status"], format!("/api/searches/{}", own[0]));

    let (mut address, mut pages) = ("/api/searches?limit=2".to_owned(), Vec::new());
    loop {
        let page = get(&address).await.json();
        pages.push(ids(&page).into_iter().map(str::to_owned).collect::<Vec<_>>());
        let Some(next) = page["next"].as_str() else { break };
        address = format!("/api/searches?limit=2&after={next}");
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(pages.concat(), own);
    let nothing = call(&lab, "GET", "/api/searches", Some("bob"), String::new()).await.json();
    assert_eq!(nothing, json!({ "searches": [] }));
    call(&lab, "GET", "/api/searches", None, String::new()).await.problem(401, "az login");
}

#[tokio::test]
async fn a_list_may_be_of_one_state() {
    let lab = lab().await;
    let [completed, cancelled, queued] =
        [submit(&lab, "ada").await, submit(&lab, "ada").await, submit(&lab, "ada").await];
    let search = format!("/api/searches/{cancelled}");
    assert_eq!(call(&lab, "DELETE", &search, Some("ada"), String::new()).await.status, 200);
    lab.complete(&completed).await;
    lab.complete(&queued).await;
    for (state, expected) in [("cancelled", vec![&*cancelled]), ("running", vec![]), ("queued", vec![])] {
        let address = format!("/api/searches?state={state}");
        assert_eq!(ids(&call(&lab, "GET", &address, Some("ada"), String::new()).await.json()), expected);
    }
    let address = "/api/searches?state=completed&limit=1";
    let page = call(&lab, "GET", address, Some("ada"), String::new()).await.json();
    assert_eq!(ids(&page).len(), 1);
    assert!(page["searches"][0]["expires"].is_string() && page["next"].is_string(), "{page}");
}

#[tokio::test]
async fn without_sign_in_ids_are_given_out_on_the_own_machine_only() {
    let lab = Lab::new().await;
    lab.submit("database=edge", two_queries()).await;
    lab.get("/api/searches").await.problem(403, "ids are not given out");
    let limits = Limits { anybody_lists: true, ..Limits::default() };
    let lab = Lab::with(limits, settings()).await;
    let id = lab.submit("database=edge", two_queries()).await;
    assert_eq!(ids(&lab.get("/api/searches").await.json()), [&*id]);
    let proxied = Request::get("/api/searches").header("x-forwarded-for", "192.0.2.7");
    lab.send(proxied.body(Body::empty()).unwrap()).await.problem(403, "ids are not given out");
}

#[tokio::test]
async fn options_of_lists_are_checked() {
    let lab = Lab::with(Limits { anybody_lists: true, ..Limits::default() }, settings()).await;
    for (query, text) in [
        ("state=done", "one of queued, running, completed"),
        ("limit=0", "1 to 200"),
        ("limit=many", "1 to 200"),
        ("after=../../secrets", "is no place in the list"),
        ("owner=ada", "the options are state, limit and after"),
    ] {
        lab.get(&format!("/api/searches?{query}")).await.problem(400, text);
    }
    assert_eq!(lab.get("/api/searches?code=secret").await.status, 200);
}

#[tokio::test]
async fn a_search_that_has_ended_can_be_removed_by_its_owner() {
    let lab = lab().await;
    let id = submit(&lab, "ada").await;
    let purge = format!("/api/searches/{id}?purge=true");
    let delete = |user: &'static str| call(&lab, "DELETE", &purge, Some(user), String::new());
    delete("ada").await.problem(409, "cancel it first");
    lab.complete(&id).await;
    delete("eve").await.problem(404, &id);
    assert_eq!(delete("ada").await.status, 204);
    delete("ada").await.problem(404, &id);
    let search = format!("/api/searches/{id}");
    call(&lab, "GET", &search, Some("ada"), String::new()).await.problem(404, &id);
    assert_eq!(
        call(&lab, "GET", "/api/searches", Some("ada"), String::new()).await.json(),
        json!({ "searches": [] })
    );
    assert!(!lab.job_blobs().await.iter().any(|blob| blob.contains(&id)));
    call(&lab, "DELETE", &format!("{search}?evalue=1"), Some("ada"), String::new())
        .await
        .problem(400, "evalue");
}
