//! The page: who gets it, with which policy, and that it is whole.

use axum::body::Body;
use axum::http::Request;

use super::lab::{Answer, Lab};

async fn get(lab: &Lab, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request =
        headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    lab.send(request.body(Body::empty()).unwrap()).await
}

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

#[tokio::test]
async fn browsers_get_the_page_and_everybody_else_what_they_got_before() {
    let lab = Lab::new().await;
    let page = get(&lab, "/", &[BROWSER]).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text().contains("<main"));
    for headers in [&[][..], &[("accept", "*/*")], &[("accept", "application/json")]] {
        let ready = get(&lab, "/", headers).await;
        assert_eq!((ready.status.as_u16(), &ready.json()["name"]), (200, &"skyblast".into()));
        assert_eq!(ready.header("vary"), "accept");
    }
    let head = Request::head("/").header(BROWSER.0, BROWSER.1).body(Body::empty()).unwrap();
    let head = lab.send(head).await;
    assert_eq!((head.status.as_u16(), head.text()), (200, ""));
    lab.get("/page/nothing.js").await.problem(404, "no such file");
    assert_eq!(lab.post_empty("/").await.status, 405);
}

#[tokio::test]
async fn nothing_of_the_page_comes_from_elsewhere() {
    let lab = Lab::new().await;
    let page = get(&lab, "/", &[BROWSER]).await;
    let policy = page.header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    // What the policy would stop is not there in the first place.
    for inline in ["<script>", "style=\"", "onclick", "javascript:", "http://", "https://"] {
        assert!(!page.text().contains(inline), "{inline}");
    }
}

#[tokio::test]
async fn every_file_that_the_page_names_is_there_and_they_are_few_bytes() {
    let lab = Lab::new().await;
    let mut wanted = vec!["/".to_owned(), "/api/docs".to_owned()];
    let (mut seen, mut bytes) = (Vec::<String>::new(), 0);
    while let Some(path) = wanted.pop() {
        if seen.contains(&path) {
            continue;
        }
        let file = get(&lab, &path, &[BROWSER]).await;
        assert_eq!(file.status, 200, "{path}");
        bytes += file.text().len();
        let names = |before: &str, after: char| -> Vec<String> {
            let texts = file.text().split(before).skip(1);
            texts.filter_map(|rest| rest.split(after).next()).map(|name| format!("/page/{name}")).collect()
        };
        wanted.extend(names("\"/page/", '"'));
        wanted.extend(names("from './", '\''));
        seen.push(path);
    }
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/functions/page")).unwrap();
    for file in folder.map(|file| file.unwrap().file_name().into_string().unwrap()) {
        let is_known = ["mod.rs", "index.html", "docs.html"].contains(&&*file)
            || seen.contains(&format!("/page/{file}"));
        assert!(is_known, "{file} lies there and nobody asks for it");
    }
    assert!(seen.len() > 20 && bytes < 150_000, "{} files of {bytes} bytes", seen.len());
}

#[tokio::test]
async fn files_are_kept_by_browsers_and_asked_for_again() {
    let lab = Lab::new().await;
    let file = lab.get("/page/app.js").await;
    assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(file.header("cache-control"), "no-cache");
    let tag = file.header("etag").to_owned();
    for known in [tag.clone(), format!("\"other\", W/{tag}")] {
        let again = get(&lab, "/page/app.js", &[("if-none-match", &known)]).await;
        assert_eq!((again.status.as_u16(), again.text(), again.header("etag")), (304, "", &*tag));
        assert!(again.header("content-security-policy").contains("'self'"));
    }
    assert_eq!(get(&lab, "/page/app.js", &[("if-none-match", "\"other\"")]).await.status, 200);
}
