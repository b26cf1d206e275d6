//! Requests that a browser makes for a page of somebody else's.
//!
//! A server on this machine, or on a lab's network, has no other lock than its address. A page from
//! anywhere can have a browser post to it, and can have its own name point to it (DNS rebinding) and then
//! read what is answered. So a server that listens on this machine only answers to its own names, and
//! nothing is changed for a page of another site. What is no browser sends none of these headers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::cross_origin;
use super::kind::Kind;
use super::problem::Problem;
use super::services::App;

/// Answers only what is asked of this server, by whoever may ask it.
pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let host = host(request.uri(), request.headers());
    if let (Some(names), Some(host)) = (&app.limits.host_names, &host)
        && !is_ours(host, names)
    {
        let detail = format!(
            "this server does not go by the name {:?}; if it should, start it with --host-name",
            host.host().chars().take(80).collect::<String>()
        );
        return Problem::new(StatusCode::MISDIRECTED_REQUEST, Kind::UnknownHost, detail).into_response();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads && let Err(problem) = refuse_cross_site(&app, request.uri(), request.headers()) {
        return problem.into_response();
    }
    next.run(request).await
}

/// Refuses what would change something for a page of another site.
pub(super) fn refuse_cross_site(app: &App, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let names = app.limits.host_names.as_deref().unwrap_or_default();
    let is_trusted = cross_origin::is_trusted(headers, &app.limits.trusted_sites);
    if is_trusted || !is_cross_site(headers, host(uri, headers).as_ref(), names) {
        return Ok(());
    }
    let detail = "a page of another site asks for this; use skyblast submit, curl or a program of your own, or start the \
                  server with --trusted-site if that page is yours";
    Err(Problem::new(StatusCode::FORBIDDEN, Kind::CrossSite, detail))
}

/// Whom the request is for.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let header = || headers.get(HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(header)
}

/// Whether it is this machine, or one of the names that were given to the server.
fn is_ours(host: &Authority, names: &[String]) -> bool {
    let name = host.host();
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    address.is_ok_and(|address| address.is_loopback())
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

/// Whether a browser says that another site's page sends this.
fn is_cross_site(headers: &HeaderMap, host: Option<&Authority>, names: &[String]) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(ORIGIN.as_str()) else { return false };
    let Some(origin) = origin.split_once("://").and_then(|(_, rest)| rest.parse::<Authority>().ok()) else {
        return true;
    };
    let same = host.is_some_and(|host| host.as_str().eq_ignore_ascii_case(origin.as_str()));
    !same && !names.iter().any(|ours| origin.host().eq_ignore_ascii_case(ours))
}
