//! Commands and a server that is out of order for a while.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use serde_json::json;

use crate::common::command::{Ended, run};

const JOB: &str = "0123456789abcdef0123456789abcdef";

/// What the server does with a connection, one after the other.
#[derive(Clone, Debug)]
enum Does {
    /// Hangs up before it has said anything.
    HangUp,
    /// Answers with this status line, these headers and this body.
    Answer(&'static str, &'static str, String),
    /// Promises this body and sends so many bytes of it.
    BreakOff(String, usize),
}

/// A request as it came.
#[derive(Debug)]
struct Request {
    line: String,
    headers: Vec<String>,
    body: String,
}

impl Request {
    fn read(connection: &TcpStream) -> Self {
        let mut reader = BufReader::new(connection);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut request = Self { line: lines.remove(0), headers: lines, body: String::new() };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        reader.take(length).read_to_string(&mut request.body).unwrap();
        request
    }

    fn header(&self, name: &str) -> Option<&str> {
        let values = self.headers.iter().filter_map(|line| line.split_once(": "));
        values.filter(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// A server that does what it is told, and says what it was asked.
struct Scripted {
    url: String,
    serving: JoinHandle<Vec<Request>>,
}

impl Scripted {
    fn start(script: Vec<Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            script
                .into_iter()
                .map(|does| {
                    let (mut connection, _) = listener.accept().unwrap();
                    let request = Request::read(&connection);
                    let (head, body, sent) = match does {
                        Does::HangUp => return request,
                        Does::Answer(status, headers, body) => {
                            (format!("{status}\r\n{headers}"), body, usize::MAX)
                        }
                        Does::BreakOff(body, sent) => ("200 OK\r\n".to_owned(), body, sent),
                    };
                    let length = body.len();
                    let head =
                        format!("HTTP/1.1 {head}content-length: {length}\r\nconnection: close\r\n\r\n");
                    connection.write_all(head.as_bytes()).unwrap();
                    connection.write_all(&body.as_bytes()[..sent.min(length)]).unwrap();
                    request
                })
                .collect()
        });
        Self { url, serving }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        run(arguments.iter().chain(&["--server", &self.url]))
    }

    /// What it was asked, when it has done all it was told.
    fn asked(self) -> Vec<Request> {
        self.serving.join().unwrap()
    }
}

fn answers(body: &impl ToString) -> Does {
    Does::Answer("200 OK", "", body.to_string())
}

/// Everything that may be over in a while.
fn faults() -> Vec<Does> {
    let storage = json!({
        "type": "urn:skyblast:problem:storage-unavailable", "title": "Service Unavailable", "status": 503,
        "detail": "storage does not answer",
    });
    vec![
        Does::Answer("503 Service Unavailable", "retry-after: 1\r\n", storage.to_string()),
        Does::HangUp,
        Does::Answer("500 Internal Server Error", "", String::new()),
        Does::Answer("502 Bad Gateway", "", "<html>".to_owned()),
        Does::Answer("429 Too Many Requests", "retry-after: 0\r\n", String::new()),
        Does::Answer("504 Gateway Timeout", "", String::new()),
    ]
}

#[test]
fn commands_go_on_when_faults_have_passed_and_say_what_they_wait_for() {
    let cancelled = json!({ "state": "cancelled", "ended_before": false });
    let retried = json!({ "state": "running", "begun": true });
    let link = json!({ "link": "/api/shared/x", "expires": "2030-01-01T00:00:00Z" });
    for (arguments, answer, printed) in [
        (&["databases", "list"][..], "[]".to_owned(), ""),
        (&["cancel", JOB], cancelled.to_string(), "cancelled\n"),
        (&["retry", JOB], retried.to_string(), "running\n"),
        (&["share", JOB], link.to_string(), "/api/shared/x\n"),
        (&["results", JOB], "q\ts\t100\n".to_owned(), "q\ts\t100\n"),
    ] {
        let server = Scripted::start([faults(), vec![answers(&answer)]].concat());
        let ended = server.run(arguments);
        for reason in [
            "waiting: storage does not answer; trying again in 1.0 s",
            "waiting: could not reach http://127.0.0.1",
            "500 Internal Server Error, without a reason",
            "502 Bad Gateway: <html>",
            "429 Too Many Requests, without a reason; trying again in 0.0 s",
            "504 Gateway Timeout",
        ] {
            assert!(ended.stderr.contains(reason), "{arguments:?}: {reason} is not in {}", ended.stderr);
        }
        assert!(String::from_utf8_lossy(&ended.ok()).ends_with(printed), "{arguments:?}");
        let asked = server.asked();
        assert!(asked.iter().all(|request| request.line == asked[0].line), "{asked:?}");
    }
}

#[test]
fn a_submission_is_repeated_as_the_same_submission() {
    let query = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(query.path(), ">q\nMKVLAAGIVALLLAACSSA\n").unwrap();
    let submit = ["submit", "--query", query.path().to_str().unwrap(), "--database", "x"];
    let accepted = json!({ "id": JOB, "queries": 1, "comparisons": 1 });
    let keys: Vec<String> = (0..2)
        .map(|_| {
            let server = Scripted::start([faults(), vec![answers(&accepted)]].concat());
            assert_eq!(String::from_utf8(server.run(&submit).ok()).unwrap().trim(), JOB);
            let asked = server.asked();
            let key = asked[0].header("idempotency-key").unwrap().to_owned();
            for request in &asked {
                assert_eq!(request.header("idempotency-key"), Some(&*key));
                assert_eq!(request.body, ">q\nMKVLAAGIVALLLAACSSA\n");
                assert!(request.line.starts_with("POST /api/searches?database=x&"), "{}", request.line);
            }
            key
        })
        .collect();
    assert_ne!(keys[0], keys[1], "another submission is another search");
}

#[test]
fn a_report_that_breaks_off_is_taken_up_where_it_broke_off() {
    let report = "one\ntwo\nthree\nfour\n".to_owned();
    let broken = |sent| Does::BreakOff(report.clone(), sent);
    let script = || vec![broken(5), broken(0), broken(2), broken(12), answers(&report)];
    let server = Scripted::start(script());
    let ended = server.run(&["results", JOB]);
    assert!(ended.stderr.contains("waiting: the report broke off"), "{}", ended.stderr);
    assert_eq!(String::from_utf8(ended.ok()).unwrap(), report);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("hits.tsv");
    let server = Scripted::start(script());
    server.run(&["results", JOB, "--out", out.to_str().unwrap()]).ok();
    assert_eq!(std::fs::read_to_string(out).unwrap(), report);
}

#[test]
fn what_is_for_good_is_not_repeated() {
    let problem = |status: u16, kind: &str| {
        let kind = format!("urn:skyblast:problem:{kind}");
        json!({ "type": kind, "title": "No", "status": status, "detail": "the reason" }).to_string()
    };
    for (status, body) in [
        ("404 Not Found", problem(404, "unknown-search")),
        ("409 Conflict", problem(409, "invalid-upload")),
        ("500 Internal Server Error", problem(500, "internal")),
        ("507 Insufficient Storage", problem(507, "storage-full")),
    ] {
        let server = Scripted::start(vec![Does::Answer(status, "", body)]);
        let error = server.run(&["cancel", JOB]).failed(1);
        assert_eq!(error, "skyblast: the reason\n", "{status}");
        assert_eq!(server.asked().len(), 1);
    }
    let server = Scripted::start(vec![answers(&"no JSON")]);
    let error = server.run(&["cancel", JOB]).failed(1);
    assert!(error.contains("is not understood") && !error.contains("waiting"), "{error}");
}

#[test]
fn patience_has_an_end() {
    let busy = |retry_after| Does::Answer("503 Service Unavailable", retry_after, String::new());
    let server = Scripted::start(vec![busy("retry-after: 3600\r\n")]);
    let error = server.run(&["cancel", JOB]).failed(1);
    assert!(error.contains("503") && !error.contains("waiting"), "an hour is longer than patience: {error}");
    let server = Scripted::start(vec![busy("retry-after: 1\r\n"); 2]);
    let error = server.run(&["cancel", JOB, "--retry-for", "1500ms"]).failed(1);
    assert_eq!(error.matches("waiting: ").count(), 1, "{error}");
    assert!(error.contains("given up after 1 s"), "{error}");
    assert_eq!(server.asked().len(), 2);
}
