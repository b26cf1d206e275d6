//! `GET /` for browsers and `GET /page/{file}`: the page.
//!
//! It is written by hand and embedded as it is: one HTML file, one style sheet and some modules, which call the
//! API like any other client. Nothing of it is from elsewhere or goes elsewhere, and the policy that it is sent
//! with sees to that. Whoever does not ask for HTML, as the host's probe, is told that the program is ready.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::kind::Kind;
use super::problem::Problem;
use super::ready;
use super::validators::Tag;

/// Prefix of the addresses of its files.
pub(super) const FILES: &str = "/page/";

/// What a page may do: run what came with it, and call the server that it came from.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Headers of all of it. Browsers keep files and ask whether they are still the same.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    (VARY, HeaderValue::from_static("accept")),
];

/// A file of the page.
#[derive(Clone, Copy, Debug)]
struct File {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

macro_rules! files {
    ($($name:literal: $media_type:ident;)*) => {
        [$(File { name: $name, media_type: $media_type, content: include_str!($name) },)*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Its files; the first is what `/` gives.
static FILES_BY_NAME: &[File] = &files! {
    "index.html": HTML;
    "style.css": CSS;
    "icon.svg": SVG;
    "access.js": JAVASCRIPT;
    "alignments.js": JAVASCRIPT;
    "api.js": JAVASCRIPT;
    "app.js": JAVASCRIPT;
    "command.js": JAVASCRIPT;
    "compressed.js": JAVASCRIPT;
    "docs.html": HTML;
    "docs.js": JAVASCRIPT;
    "dom.js": JAVASCRIPT;
    "downloads.js": JAVASCRIPT;
    "draft.js": JAVASCRIPT;
    "estimate.js": JAVASCRIPT;
    "fasta.js": JAVASCRIPT;
    "hits.js": JAVASCRIPT;
    "mine.js": JAVASCRIPT;
    "numbers.js": JAVASCRIPT;
    "options.js": JAVASCRIPT;
    "overview.js": JAVASCRIPT;
    "plots.js": JAVASCRIPT;
    "queries.js": JAVASCRIPT;
    "read.js": JAVASCRIPT;
    "remembered.js": JAVASCRIPT;
    "search.js": JAVASCRIPT;
    "species.js": JAVASCRIPT;
    "submit.js": JAVASCRIPT;
    "upload.js": JAVASCRIPT;
    "watch.js": JAVASCRIPT;
};

/// The tag of each file.
static TAGS: LazyLock<Vec<Tag>> =
    LazyLock::new(|| FILES_BY_NAME.iter().map(|file| Tag::of(&[file.content.as_bytes()])).collect());

/// The page for who asks for HTML, else that the program is ready.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "page",
    tag = "page",
    summary = "The page, for browsers; else that the program is ready",
    responses((status = 200, description = "It is", content((ready::Ready = "application/json"), (String = "text/html"))), (status = 304, description = "The client has it")),
)]
pub(super) async fn root(headers: HeaderMap) -> Response {
    if asks_for_html(&headers) {
        return give(0, &headers);
    }
    let mut response = ready::ready().await.into_response();
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

/// The description of the API, to read and to try.
#[utoipa::path(
    get,
    path = "/api/docs",
    operation_id = "docs",
    tag = "server",
    summary = "The description as a page on which requests can be tried",
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 304, description = "The client has it"),
    ),
)]
pub(super) async fn docs(headers: HeaderMap) -> Result<Response, Problem> {
    file(Ok(Path("docs.html".to_owned())), headers).await
}

/// A file of the page.
#[utoipa::path(
    get,
    path = "/page/{file}",
    operation_id = "page_file",
    tag = "page",
    summary = "A file of the page",
    params(("file" = String, Path, description = "Its name")),
    responses((status = 200, description = "The file", body = String, content_type = "text/plain"), (status = 304, description = "The client has it")),
)]
pub(super) async fn file(
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = path.ok().and_then(|Path(name)| FILES_BY_NAME.iter().position(|file| file.name == name));
    let unknown =
        || Problem::new(StatusCode::NOT_FOUND, Kind::Plain, "the page has no such file; it is at /");
    Ok(give(found.ok_or_else(unknown)?, &headers))
}

fn give(number: usize, headers: &HeaderMap) -> Response {
    let (file, tag) = (FILES_BY_NAME[number], &TAGS[number]);
    let mut response = if tag.is_known(headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, file.media_type)], file.content).into_response()
    };
    response.headers_mut().extend(HEADERS);
    response.headers_mut().insert(ETAG, tag.header());
    response
}

/// Whether a browser asks, which names HTML; `*/*` is anybody.
fn asks_for_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_html = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("text/html"));
        // Of no weight means not wanted.
        let refused = |part: &str| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0);
        is_html && !parts.any(refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_names_html_gets_it() {
        let asks = |accept: &str| {
            let value = HeaderValue::try_from(accept).expect("a header");
            asks_for_html(&HeaderMap::from_iter([(ACCEPT, value)]))
        };
        for html in [
            "text/html",
            "application/json;q=0.1, Text/HTML;q=0.9",
            "text/html,application/xhtml+xml,*/*;q=0.8",
        ] {
            assert!(asks(html), "{html}");
        }
        for other in ["", "*/*", "application/json", "text/*", "text/html;q=0", "text/htmlx"] {
            assert!(!asks(other), "{other}");
        }
        assert!(!asks_for_html(&HeaderMap::new()));
    }
}
