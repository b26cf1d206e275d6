//! A custom handler that behaves well or badly on command, and writes down all that it sees.
//!
//! It runs in a process of its own: the test binary started again by the host under test. Messages
//! are objects whose member `do` says what to do; anything else is simply done.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};

/// App setting with the file that the handler writes to, one JSON object per line.
pub(crate) const SEEN: &str = "FAKE_SEEN";
/// App setting with the time before the handler listens, in milliseconds.
pub(crate) const START_DELAY: &str = "FAKE_START_DELAY";

/// Serves on the port that the host names, for ever.
pub(crate) async fn serve() {
    write_down(&json!({
        "start": std::env::vars().collect::<BTreeMap<_, _>>(),
        "folder": std::env::current_dir().unwrap(),
    }));
    eprintln!("this is a warning");
    eprintln!("this is a failure");
    println!("this is information");
    if let Ok(delay) = std::env::var(START_DELAY) {
        tokio::time::sleep(Duration::from_millis(delay.parse().unwrap())).await;
    }
    let port: u16 = std::env::var("FUNCTIONS_CUSTOMHANDLER_PORT").unwrap().parse().unwrap();
    let socket = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let app = Router::new()
        .route("/", get(|| async {}))
        .route("/api/echo/{status}", any(echo))
        .route("/{function}", post(call));
    axum::serve(socket, app).await.unwrap();
}

/// What the handler has seen, in order.
pub(crate) fn read(file: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write_down(seen: &Value) {
    let file = std::env::var(SEEN).unwrap();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    // One write per line, so that lines of two handlers do not mix.
    file.write_all(format!("{seen}\n").as_bytes()).unwrap();
}

fn request(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Value {
    let headers: BTreeMap<_, _> =
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    json!({
        "method": method.as_str(),
        "uri": uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(body),
    })
}

/// Answers with what it was sent, under the status in the path.
async fn echo(
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    Path(status): Path<u16>,
    body: Bytes,
) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let seen = request(&method, &uri, &headers, &body);
    if status == StatusCode::IM_A_TEAPOT {
        std::process::exit(3);
    }
    (status, [("x-fake", "yes"), ("location", "/elsewhere")], axum::Json(seen)).into_response()
}

async fn call(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    write_down(&request(&method, &uri, &headers, &body));
    let body: Value = serde_json::from_slice(&body).unwrap();
    let message = unwrap(body["Data"]["message"].clone());
    let tries = unwrap(body["Metadata"]["DequeueCount"].clone()).as_u64().unwrap_or(1);
    match message["do"].as_str().unwrap_or("succeed") {
        "answer nothing" => StatusCode::OK.into_response(),
        "answer no content" => StatusCode::NO_CONTENT.into_response(),
        "answer null" => answer("application/json", "null"),
        "answer 500" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "answer a redirect" => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, "/other")]).into_response(),
        "answer text" => answer("text/plain", "{}"),
        "answer a problem" => answer("application/problem+json", "{}"),
        "answer half" => answer("application/json", "{"),
        "answer a list" => answer("application/json", "[]"),
        "answer wrong logs" => answer("application/json", r#"{"Logs":[1]}"#),
        "answer wrong outputs" => answer("application/json", r#"{"outputs":[]}"#),
        "answer logs" => answer("text/json; charset=utf-8", r#"{"lOgS":["one","two"],"Other":1}"#),
        "fail once" if tries == 1 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "exit" => std::process::exit(i32::try_from(message["code"].as_i64().unwrap()).unwrap()),
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(message["ms"].as_u64().unwrap())).await;
            answer("application/json", "{}")
        }
        _ => answer("application/json", "{}"),
    }
}

fn answer(content_type: &'static str, body: &'static str) -> Response {
    ([(CONTENT_TYPE, content_type)], body).into_response()
}

/// Takes off the layers of quotes (rule 3).
fn unwrap(mut value: Value) -> Value {
    while let Some(inner) = value.as_str().and_then(|text| serde_json::from_str(text).ok()) {
        value = inner;
    }
    value
}
