//! Large queries and reports, which do not pass through the server where storage can do without.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;

use crate::common::azurite::Azurite;
use crate::common::command::{run, run_with_input};
use crate::common::examples::{self, DATABASE};
use crate::common::in_process::assert_same_report;
use crate::common::process::Server;
use crate::server::Lab;

/// A request may not hold the queries, and any report is a large one.
const SMALL: [&str; 4] = ["--body-limit", "5000", "--redirect-bytes", "1"];

fn submit_large(url: &str) {
    let query = examples::queries();
    let query = query.to_str().unwrap();
    let submit = ["submit", "--database", DATABASE, "--wait", "--server", url, "--query"];
    let report = run(submit.iter().chain(&[query])).ok();
    assert_same_report("from a file", &report, examples::report());
    let arguments = [&submit[..], &["-"]].concat();
    let report = run_with_input(&arguments, &std::fs::read(query).unwrap()).ok();
    assert_same_report("from standard input", &report, examples::report());
    let nothing = run_with_input(&arguments, &b"\n".repeat(6_000));
    assert!(nothing.failed(4).contains("the query holds no sequence"));
}

#[test]
fn a_server_says_beforehand_how_much_it_takes() {
    let lab = Lab::start(&["--body-limit", "1500000"]);
    let submit = ["submit", "--database", DATABASE, "--wait", "--server", &lab.server.url, "--query", "-"];
    let padded = |blanks: usize| {
        let queries = std::fs::read(examples::queries()).unwrap();
        [vec![b'\n'; blanks], queries].concat()
    };
    assert_same_report("that fits", &run_with_input(&submit, &padded(1_200_000)).ok(), examples::report());
    assert!(!lab.server.process.stderr().contains("/api/uploads"));
    assert_same_report("too long", &run_with_input(&submit, &padded(2_000_000)).ok(), examples::report());
    let log = lab.server.process.stderr();
    assert!(log.contains("/api/uploads") && !log.contains("status=413"), "{log}");
}

#[test]
fn a_folder_takes_large_queries_in_parts() {
    let lab = Lab::start(&SMALL);
    submit_large(&lab.server.url);
    let (jobs, empty) = (lab.folder.path().join("blobs/jobs"), |folder: &str| {
        std::fs::read_dir(lab.folder.path().join("blobs/jobs").join(folder)).map_or(0, Iterator::count) == 0
    });
    assert!(jobs.is_dir() && empty("uploads") && empty("active"), "nothing is left");
}

#[test]
fn azure_storage_takes_large_queries_and_gives_large_reports_by_itself() {
    let storage = Azurite::shared().spare_account();
    examples::publish(examples::database(), &storage);
    let server = Server::start(Path::new(&storage), &SMALL);
    submit_large(&server.url);
    let log = server.process.stderr();
    assert!(log.contains("path=\"/api/uploads\" status=201"), "{log}");
    assert!(!log.contains("/parts/"), "nothing went through the server: {log}");
    assert!(log.contains("/results\" status=302"), "{log}");
    assert!(!log.contains("sig="), "an address was logged: {log}");
}

/// Stands in front of a server and loses its first answer about an upload that was submitted. Returns its
/// address.
fn forgetful_front(server: String) -> String {
    let (address, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
            let client = skyblast::store::http_client().no_proxy().build().unwrap();
            let lost = Arc::new(AtomicBool::new(false));
            let router = Router::new().fallback(pass_but_one).with_state((client, server, lost));
            axum::serve(listener, router).await.unwrap();
        });
    });
    told.recv().unwrap()
}

async fn pass_but_one(
    State((client, server, lost)): State<(reqwest::Client, String, Arc<AtomicBool>)>,
    request: Request,
) -> (StatusCode, Bytes) {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let request = client.request(parts.method, format!("{server}{}", parts.uri)).body(body);
    let answer = request.send().await.unwrap();
    let (status, body) = (answer.status(), answer.bytes().await.unwrap());
    let submitted = parts.uri.query().is_some_and(|query| query.contains("upload="));
    match submitted && !lost.swap(true, Ordering::Relaxed) {
        true => (StatusCode::GATEWAY_TIMEOUT, Bytes::new()),
        false => (status, body),
    }
}

#[test]
fn an_upload_is_submitted_again_when_the_answer_is_lost_and_stays_one_search() {
    let lab = Lab::start(&SMALL);
    let front = forgetful_front(lab.server.url.clone());
    let query = examples::queries();
    let submit = ["submit", "--database", DATABASE, "--wait", "--server", &front, "--query"];
    let report = run(submit.iter().chain(&[query.to_str().unwrap()])).ok();
    assert_same_report("after a lost answer", &report, examples::report());
    let log = lab.server.process.stderr();
    assert_eq!(log.matches("path=\"/api/searches\" status=202").count(), 2, "{log}");
    assert_eq!(log.matches("accepted a job").count(), 1, "{log}");
}
