//! How reports travel: lengths, tags, parts, compression; waiting; and pages of trusted sites.

use std::io::Read;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use skyblast::functions::Limits;

use super::lab::{Answer, Lab, settings, two_queries};

async fn ask(lab: &Lab, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    lab.send(request.body(Body::empty()).unwrap()).await
}

/// A lab with a search that has ended, and the address of its report.
async fn reported() -> (Lab, String) {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.complete(&id).await;
    (lab, format!("/api/searches/{id}/results"))
}

fn unzipped(answer: &Answer) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(answer.bytes()).read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_stored_report_has_a_length_a_tag_and_parts() {
    let (lab, results) = reported().await;
    let whole = lab.get(&results).await;
    let (text, tag) = (whole.text(), whole.header("etag"));
    assert_eq!(whole.header("content-length"), text.len().to_string());
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert!(tag.starts_with('"'), "{tag}");

    let head = ask(&lab, "HEAD", &results, &[("range", "bytes=0-9")]).await;
    assert_eq!((head.status.as_u16(), head.text()), (200, ""), "a range has no meaning for HEAD");
    for name in ["content-length", "etag", "accept-ranges", "content-type", "content-disposition"] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }

    let end = text.len() - 1;
    for (range, part) in [
        ("bytes=0-9", 0..10),
        ("bytes=10-", 10..text.len()),
        ("bytes=-7", text.len() - 7..text.len()),
        (&format!("bytes={end}-{end}"), end..text.len()),
    ] {
        let answer = ask(&lab, "GET", &results, &[("range", range), ("accept-encoding", "gzip")]).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (206, &text[part.clone()]), "{range}");
        assert_eq!(answer.header("content-length"), part.len().to_string());
        let said = format!("bytes {}-{}/{}", part.start, part.end - 1, text.len());
        assert_eq!((answer.header("content-range"), answer.header("etag")), (said.as_str(), tag));
        assert_eq!(answer.header("content-encoding"), "", "a part is of the report as it is");
    }
    let beyond = ask(&lab, "GET", &results, &[("range", "bytes=999999-")]).await;
    assert_eq!(beyond.problem(416, "none of those")["type"], "urn:skyblast:problem:no-such-range");
    assert_eq!(beyond.header("content-range"), format!("bytes */{}", text.len()));
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke_off_if_the_report_is_the_same() {
    let (lab, results) = reported().await;
    let whole = lab.get(&results).await;
    let range = ("range", "bytes=10-");
    let same = ask(&lab, "GET", &results, &[range, ("if-range", whole.header("etag"))]).await;
    assert_eq!((same.status.as_u16(), same.text()), (206, &whole.text()[10..]));
    let other = ask(&lab, "GET", &results, &[range, ("if-range", "\"another\"")]).await;
    assert_eq!((other.status.as_u16(), other.text()), (200, whole.text()));
}

#[tokio::test]
async fn a_report_in_another_format_has_a_tag_but_neither_length_nor_parts() {
    let (lab, results) = reported().await;
    let pairwise = format!("{results}?outfmt=0");
    let whole = ask(&lab, "GET", &pairwise, &[("range", "bytes=0-9")]).await;
    assert_eq!((whole.status.as_u16(), whole.header("accept-ranges")), (200, "none"));
    assert!(whole.text().len() > 1_000);
    let head = ask(&lab, "HEAD", &pairwise, &[]).await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, ""));
    assert_eq!(head.header("etag"), whole.header("etag"));
    let tags: Vec<String> = {
        let mut tags = Vec::new();
        for format in ["5", "6", "6+std", "7", "0"] {
            tags.push(lab.get(&format!("{results}?outfmt={format}")).await.header("etag").to_owned());
        }
        tags
    };
    assert_eq!(tags[1], tags[2], "two names of one format");
    assert_eq!(tags.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "{tags:?}");
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let (lab, results) = reported().await;
    for path in [results.clone(), format!("{results}?outfmt=7")] {
        let whole = lab.get(&path).await;
        let tag = whole.header("etag");
        for (method, known) in
            [("GET", tag.to_owned()), ("HEAD", format!("W/{tag}")), ("GET", "*".to_owned())]
        {
            let answer = ask(&lab, method, &path, &[("if-none-match", &known)]).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (304, ""), "{method} {known}");
            assert_eq!(answer.header("etag"), tag);
        }
        let changed = ask(&lab, "GET", &path, &[("if-none-match", "\"another\"")]).await;
        assert_eq!((changed.status.as_u16(), changed.text()), (200, whole.text()));
    }
}

#[tokio::test]
async fn text_that_is_not_short_is_compressed_for_who_accepts_that() {
    let (lab, results) = reported().await;
    let gzip = [("accept-encoding", "gzip, br")];
    for path in [format!("{results}?outfmt=0"), format!("{results}?outfmt=15"), "/page/style.css".to_owned()]
    {
        let plain = lab.get(&path).await;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        let varies = plain.headers.get_all("vary").iter().any(|value| value == "accept-encoding");
        assert!(varies, "{path}: {:?}", plain.headers);
        let zipped = ask(&lab, "GET", &path, &gzip).await;
        assert_eq!(
            (zipped.header("content-encoding"), zipped.header("content-length")),
            ("gzip", ""),
            "{path}"
        );
        assert_eq!(unzipped(&zipped), plain.text(), "{path}");
        assert_eq!(zipped.header("etag"), format!("W/{}", plain.header("etag")), "{path}");
        let known = [gzip[0], ("if-none-match", zipped.header("etag"))];
        assert_eq!(ask(&lab, "GET", &path, &known).await.status, 304, "{path}");
        let head = ask(&lab, "HEAD", &path, &gzip).await;
        assert_eq!((head.header("content-encoding"), head.header("content-length")), ("gzip", ""), "{path}");
    }
    // Too short, and no text.
    for path in ["/api/health", "/"] {
        assert_eq!(ask(&lab, "GET", path, &gzip).await.header("content-encoding"), "", "{path}");
    }
}

#[tokio::test]
async fn a_status_is_waited_for_until_the_search_ends_or_the_time_is_up() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let search = format!("/api/searches/{id}");
    let started = Instant::now();
    let waiting = lab.get(&format!("{search}?wait=1")).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!((&waiting.json()["state"], waiting.header("retry-after")), (&"queued".into(), "2"));
    let ask = format!("{search}?wait=120&map=true");
    let (ended, _) = tokio::join!(lab.get(&ask), lab.complete(&id));
    assert_eq!(ended.json()["state"], "completed");
    assert!(ended.json()["map"].is_object(), "{}", ended.text());
    let started = Instant::now();
    assert_eq!(lab.get(&ask).await.status, 200);
    assert!(started.elapsed() < Duration::from_secs(60), "nothing to wait for");
    for bad in ["-1", "201", "soon", ""] {
        lab.get(&format!("{search}?wait={bad}")).await.problem(400, "0 to 200");
    }
    let unknown = "/api/searches/00112233445566778899aabbccddeeff?wait=100";
    lab.get(unknown).await.problem(404, "");
}

#[tokio::test]
async fn nobody_waits_in_a_process_that_is_about_to_end() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.pipeline.leave();
    let started = Instant::now();
    assert_eq!(lab.get(&format!("/api/searches/{id}?wait=100")).await.json()["state"], "queued");
    assert!(started.elapsed() < Duration::from_secs(50));
}

#[tokio::test]
async fn pages_of_trusted_sites_may_do_what_the_servers_own_may() {
    let site = "https://lab.example";
    let trusted_sites = vec![site.parse().unwrap()];
    let lab = Lab::with(Limits { trusted_sites, ..Limits::default() }, settings()).await;
    let path = "/api/searches?database=edge";
    let wish =
        [("access-control-request-method", "POST"), ("access-control-request-headers", "idempotency-key")];
    let preflight = |origin| [("origin", origin), wish[0], wish[1]];
    let allowed = ask(&lab, "OPTIONS", path, &preflight(site)).await;
    assert_eq!((allowed.status.as_u16(), allowed.header("access-control-allow-origin")), (200, site));
    assert!(allowed.header("access-control-allow-methods").contains("POST"));
    assert!(allowed.header("access-control-allow-headers").contains("idempotency-key"));

    let post = |origin: &'static str| {
        let headers = [("origin", origin), ("sec-fetch-site", "cross-site"), ("content-type", "text/plain")];
        let request =
            headers.iter().fold(Request::post(path), |all, (name, value)| all.header(*name, *value));
        lab.send(request.body(Body::from(two_queries())).unwrap())
    };
    let accepted = post("https://lab.example").await;
    accepted.accepted();
    assert_eq!(accepted.header("access-control-allow-origin"), site);
    assert!(accepted.header("access-control-expose-headers").contains("location"));
    assert!(accepted.header("vary").contains("origin"));

    for other in ["https://evil.example", "http://lab.example", "https://lab.example:8443", "null"] {
        let refused = ask(&lab, "OPTIONS", path, &preflight(other)).await;
        assert_eq!(refused.header("access-control-allow-origin"), "", "{other}");
    }
    post("https://evil.example").await.problem(403, "--trusted-site");
}

#[tokio::test]
async fn no_site_is_trusted_unless_somebody_says_so() {
    let lab = Lab::new().await;
    let headers = [("origin", "https://lab.example"), ("access-control-request-method", "POST")];
    let answer = ask(&lab, "OPTIONS", "/api/searches", &headers).await;
    answer.problem(405, "OPTIONS");
    let read = ask(&lab, "GET", "/api/databases", &headers[..1]).await;
    assert!(read.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}
