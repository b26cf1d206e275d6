//! Who may ask: names of the server, pages of other sites; and what nobody is told.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use jiff::Timestamp;
use skyblast::functions::Limits;
use skyblast::jobs::JobId;
use skyblast::store::BlobName;
use tracing_subscriber::fmt::MakeWriter;

use super::lab::{Answer, Lab, settings, two_queries};

async fn ask(lab: &Lab, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if method == "POST" { Body::from(two_queries()) } else { Body::empty() };
    lab.send(request.body(body).unwrap()).await
}

#[tokio::test]
async fn a_server_on_this_machine_answers_to_its_own_names_only() {
    let host_names = Some(vec!["blast.lab.example".to_owned()]);
    let lab = Lab::with(Limits { host_names, ..Limits::default() }, settings()).await;
    for host in [
        "localhost",
        "LOCALHOST:8765",
        "127.0.0.1:8765",
        "[::1]:8765",
        "blast.lab.example",
        "Blast.Lab.Example:80",
    ] {
        assert_eq!(ask(&lab, "GET", "/api/health", &[("host", host)]).await.status, 200, "{host}");
    }
    for host in ["evil.example", "evil.example:8765", "localhost.evil.example", "10.1.2.3", "[::2]:80"] {
        for (method, path) in
            [("GET", "/api/databases"), ("POST", "/api/searches?database=edge"), ("GET", "/")]
        {
            let answer = ask(&lab, method, path, &[("host", host)]).await;
            answer.problem(421, "--host-name");
        }
    }
    assert_eq!(lab.get("/api/health").await.status, 200, "without the header");
    assert_eq!(ask(&Lab::new().await, "GET", "/", &[("host", "any.example")]).await.status, 200);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    let search = format!("/api/searches/{id}");
    let requests = [
        ("POST", "/api/searches?database=edge".to_owned()),
        ("POST", format!("{search}/shares")),
        ("POST", "/api/uploads".to_owned()),
        ("PUT", format!("/api/uploads/{id}/parts/0")),
        ("DELETE", search.clone()),
    ];
    let host = ("host", "127.0.0.1:8765");
    for (method, path) in &requests {
        for foreign in [
            &[host, ("origin", "https://evil.example")][..],
            &[host, ("origin", "http://127.0.0.1:3000")],
            &[host, ("origin", "null")],
            &[host, ("sec-fetch-site", "cross-site")],
            &[host, ("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:8765")],
        ] {
            ask(&lab, method, path, foreign).await.problem(403, "another site");
        }
    }
    assert_eq!(lab.get(&search).await.json()["state"], "queued");
    // Following a link from elsewhere is reading.
    let followed = ask(&lab, "GET", &search, &[host, ("sec-fetch-site", "cross-site")]).await;
    assert_eq!(followed.status, 200);
    assert!(followed.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    for own in [
        &[host][..],
        &[host, ("origin", "http://127.0.0.1:8765")],
        &[host, ("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8765")],
        &[host, ("sec-fetch-site", "none")],
    ] {
        ask(&lab, "POST", "/api/searches?database=edge", own).await.accepted();
    }
}

#[tokio::test]
async fn every_address_is_read_by_head_and_with_a_slash_at_its_end() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.complete(&id).await;
    let shared = ask(&lab, "POST", &format!("/api/searches/{id}/shares/"), &[]).await;
    let link = shared.json()["link"].as_str().unwrap().to_owned();
    let slashed = link.replace("/shared?", "/shared/?");
    let search = format!("/api/searches/{id}");
    let results = format!("{search}/results");
    for (path, with_slash) in [
        ("/", "/"),
        ("/api/health", "/api/health/"),
        ("/api/databases", "/api/databases/"),
        ("/api/doctor", "/api/doctor/"),
        (&search, &format!("{search}/")),
        (&results, &format!("{results}/")),
        (&format!("{results}?outfmt=7"), &format!("{results}/?outfmt=7")),
        (&link, &slashed),
    ] {
        let read = lab.get(path).await;
        assert_eq!(read.status, 200, "{path}: {}", read.text());
        assert_eq!(lab.get(with_slash).await.status, 200, "{with_slash}");
        for path in [path, with_slash] {
            let head = ask(&lab, "HEAD", path, &[]).await;
            assert_eq!((head.status.as_u16(), head.text()), (200, ""), "{path}");
            assert_eq!(head.header("content-type"), read.header("content-type"), "{path}");
            let length = head.header("content-length");
            assert!(length.is_empty() || length == read.header("content-length"), "{path}: {length}");
        }
    }
    ask(&lab, "POST", "/api/searches/?database=edge", &[]).await.accepted();
    let upload = ask(&lab, "POST", "/api/uploads/", &[]).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(ask(&lab, "PUT", &format!("/api/uploads/{upload}/parts/0/"), &[]).await.status, 204);
    assert_eq!(ask(&lab, "DELETE", &format!("{search}/"), &[]).await.status, 200);
    ask(&lab, "HEAD", "/api/nothing/", &[]).await;
    lab.get("/api/nothing/").await.problem(404, "/api/nothing");
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A token as earlier versions made it, with a key that they left.
async fn earlier_token(lab: &Lab, id: &str, expires: i64) -> String {
    let key = [7; 32];
    let blob = BlobName::parse("secrets/shares").unwrap();
    lab.blobs().put(&blob, key.to_vec().into()).await.unwrap();
    let signed = format!("skyblast link to a report 1\n{id}\n{expires}");
    format!("{id}.{expires}.{}", blake3::keyed_hash(&key, signed.as_bytes()).to_hex())
}

#[tokio::test]
async fn no_key_token_or_signature_is_logged() {
    let kept = Kept::default();
    let everything =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(kept.clone());
    let _logging = tracing::subscriber::set_default(everything.finish());
    let lab = Lab::new().await;
    let id = lab.submit("database=edge&code=a-function-key", two_queries()).await;
    // Other tests' threads may have met what logs for the first time when nobody listened yet, and remember that.
    tracing::callsite::rebuild_interest_cache();
    let shares = format!("/api/searches/{id}/shares");
    let made = ask(&lab, "POST", &shares, &[("x-functions-key", "another-key")]).await;
    let link = made.json()["link"].as_str().unwrap().to_owned();
    let token = link.split_once('=').unwrap().1;
    let earlier = earlier_token(&lab, &id, Timestamp::now().as_second() + 60).await;
    let signature = earlier.rsplit('.').next().unwrap();
    for path in [
        link.clone(),
        format!("/api/shared/{earlier}"),
        format!("/API/Shared/{earlier}"),
        format!("/api/shared/{earlier}/x"),
        format!("/api/shared?token={token}x&code=a-function-key"),
    ] {
        lab.get(&path).await;
    }
    let bearer = [("authorization", "Bearer a-bearer-token")];
    ask(&lab, "GET", &format!("/api/searches/{id}"), &bearer).await;
    let logged = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("answered") && logged.contains("/api/shared"), "{logged}");
    for secret in ["a-function-key", "another-key", "a-bearer-token", token, signature] {
        assert!(!logged.contains(secret), "{secret} is in {logged}");
    }
}

#[tokio::test]
async fn a_link_says_nothing_of_its_search_and_earlier_ones_work_until_they_expire() {
    let lab = Lab::new().await;
    let id = lab.submit("database=edge", two_queries()).await;
    lab.complete(&id).await;
    let made = ask(&lab, "POST", &format!("/api/searches/{id}/shares?seconds=60"), &[]).await;
    let link = made.json()["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("/api/shared?token="), "{link}");
    assert!(!link.contains(&id) && !made.text().contains(&id), "{}", made.text());
    let blobs = lab.job_blobs().await;
    let token = link.split_once('=').unwrap().1;
    assert!(!blobs.iter().any(|blob| blob.contains(token)), "{blobs:?}");
    assert_eq!(lab.get(&link).await.text(), lab.report(&id).await);

    let soon = Timestamp::now().as_second() + 60;
    let earlier = earlier_token(&lab, &id, soon).await;
    assert_eq!(lab.get(&format!("/api/shared/{earlier}")).await.text(), lab.report(&id).await);
    assert_eq!(lab.get(&format!("/api/shared/{earlier}?outfmt=7")).await.status, 200);
    assert_eq!(lab.get(&format!("/api/shared?token={earlier}")).await.status, 200);
    let expired = earlier_token(&lab, &id, soon - 120).await;
    lab.get(&format!("/api/shared/{expired}")).await.problem(404, "expired");
    let other = JobId::random().unwrap().to_string();
    for forged in [earlier.replace(&id, &other), earlier.replace(&soon.to_string(), &(soon + 1).to_string())]
    {
        lab.get(&format!("/api/shared/{forged}")).await.problem(404, "not valid");
    }
}

#[tokio::test]
async fn no_answer_says_where_things_lie_on_the_server() {
    let lab = Lab::on_files().await;
    let id = lab.submit("database=edge", two_queries()).await;
    // Volumes that are damaged are named in the status, by the path that they were read from.
    lab.damage_volumes().await;
    assert_eq!(lab.complete(&id).await, "completed_with_failed_shards");
    let folder = lab.folder().display().to_string();
    let status = lab.get(&format!("/api/searches/{id}")).await;
    assert_eq!(status.json()["failed_shards"].as_array().map(Vec::len), Some(3), "{}", status.text());
    let answers = [
        status,
        lab.delete(&format!("/api/searches/{id}")).await,
        lab.get("/api/doctor").await,
        lab.get("/api/health").await,
        lab.get(&format!("/api/searches/{id}/results")).await,
    ];
    for answer in answers {
        assert!(!answer.text().contains(&folder), "{}", answer.text());
    }
}
