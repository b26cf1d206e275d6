//! Signing in with the login of `az`, through something that does what App Service authentication does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::common::command::{Ended, end, run, skyblast};
use crate::common::examples::{self, DATABASE};
use crate::common::in_process::assert_same_report;
use crate::server::Lab;

/// Stands in front of a server: a token `for-<user>` says who calls; what a client says itself is
/// removed. Returns its address.
fn front(server: String) -> String {
    let (address, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
            let client = skyblast::store::http_client().no_proxy().build().unwrap();
            let router = Router::new().fallback(pass).with_state((client, server));
            axum::serve(listener, router).await.unwrap();
        });
    });
    told.recv().unwrap()
}

async fn pass(State((client, server)): State<(reqwest::Client, String)>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove("host");
    parts.headers.remove("x-ms-client-principal-id");
    let token = parts.headers.remove("authorization");
    if let Some(user) = token.as_ref().and_then(|token| token.to_str().ok()?.strip_prefix("Bearer for-")) {
        parts.headers.insert("x-ms-client-principal-id", user.parse().unwrap());
    }
    let request = client.request(parts.method, format!("{server}{}", parts.uri)).headers(parts.headers);
    let answer = request.body(reqwest::Body::wrap_stream(body.into_data_stream())).send().await;
    let Ok(answer) = answer else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove("transfer-encoding");
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

/// An `az` that says what `script` prints.
fn fake_az(folder: &Path, script: &str) -> String {
    fs::create_dir_all(folder).unwrap();
    let az = folder.join("az");
    fs::write(&az, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

#[test]
fn users_sign_in_see_their_own_jobs_and_share_them() {
    let lab = Lab::start(&["--sign-in", "entra", "--audience", "api://lab"]);
    let server = front(lab.server.url.clone());
    let says = |user: &str| {
        fake_az(&lab.folder.path().join(user), &format!("test \"$4\" = api://lab && echo for-{user}"))
    };
    let (ada, eve) = (says("ada"), says("eve"));
    let as_user = |path: &str, arguments: &[&str]| -> Ended {
        let server = ["--server", &server, "--audience", "api://lab"];
        end(skyblast(arguments.iter().chain(&server)).env("PATH", path))
    };
    let query = examples::queries();
    let submit = ["submit", "--query", query.to_str().unwrap(), "--database", DATABASE];
    let id = String::from_utf8(as_user(&ada, &submit).ok()).unwrap();
    let id = id.trim();
    let watched = as_user(&ada, &["status", id, "--watch"]).ok();
    assert!(String::from_utf8(watched).unwrap().contains("state        completed"));
    assert_same_report("the owner's", &as_user(&ada, &["results", id]).ok(), examples::report());
    for command in ["status", "results", "cancel", "share"] {
        let error = as_user(&eve, &[command, id]).failed(1);
        assert!(error.contains(&format!("no job has the id {id}")), "{command}: {error}");
    }
    let unsigned = run(["status", id, "--server", &server]).failed(1);
    assert!(unsigned.contains("az login"), "{unsigned}");

    let link = String::from_utf8(as_user(&ada, &["share", id, "--for", "1h"]).ok()).unwrap();
    assert_same_report("by link", &run(["results", link.trim()]).ok(), examples::report());
    let error = run(["results", &format!("{}0", link.trim())]).failed(1);
    assert!(error.contains("the link is not valid"), "{error}");
    assert!(
        !lab.server.process.stderr().contains(link.trim().rsplit('/').next().unwrap()),
        "a link was logged"
    );
}

#[test]
fn an_az_that_is_missing_or_gives_nothing_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let list = ["databases", "list", "--server", "http://127.0.0.1:1", "--audience", "api://lab"];
    let with = |path: &str| end(skyblast(list).env("PATH", path)).failed(1);
    let missing = with(folder.path().to_str().unwrap());
    assert!(missing.contains("https://aka.ms/azure-cli") && missing.contains("az login"), "{missing}");
    let refused = with(&fake_az(folder.path(), "echo 'ERROR: Please run az login' >&2; exit 1"));
    assert!(refused.contains("no token for api://lab: ERROR: Please run"), "{refused}");
    let empty = with(&fake_az(folder.path(), "exit 0"));
    assert!(empty.contains("an empty token"), "{empty}");
}
