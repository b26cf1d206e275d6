//! Pages of other sites that the operator trusts (CORS, <https://fetch.spec.whatwg.org>): they may do what the
//! page that comes with the server may do.

use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    IF_NONE_MATCH, IF_RANGE, LOCATION, ORIGIN, RANGE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use tower_http::cors::CorsLayer;

use super::results::{MISSING_SHARDS, PARTIAL_QUERIES};
use super::submit::IDEMPOTENCY_KEY;

/// The site that a page comes from, as browsers name it in `Origin`: scheme, host, and port unless it is the
/// scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site(HeaderValue);

impl FromStr for Site {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usage =
            || format!("{text:?} is no origin; write it like https://lab.example or http://localhost:3000");
        let uri: Uri = text.parse().map_err(|_| usage())?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.authority().filter(|authority| is_web && !authority.as_str().contains('@'));
        let name =
            host.map(|host| format!("{}://{host}", uri.scheme_str().unwrap_or_default()).to_lowercase());
        // Neither a path nor a slash, which no browser sends.
        let name = name.filter(|name| name.eq_ignore_ascii_case(text)).ok_or_else(usage)?;
        HeaderValue::try_from(name).map(Self).map_err(|_| usage())
    }
}

/// Whether one of `trusted` sends this.
pub(super) fn is_trusted(headers: &HeaderMap, trusted: &[Site]) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| trusted.iter().any(|site| site.0 == *origin))
}

/// How long a browser may remember what it was allowed.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// Tells browsers that pages of these sites may call the API, and read its answers. They send no cookies, as
/// there are none.
pub(super) fn layer(trusted: &[Site]) -> CorsLayer {
    let of = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(trusted.iter().map(|site| site.0.clone()).collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_NONE_MATCH,
            IF_RANGE,
            RANGE,
            of(IDEMPOTENCY_KEY),
            of("traceparent"),
            of("x-functions-key"),
        ])
        .expose_headers([
            ACCEPT_RANGES,
            CONTENT_DISPOSITION,
            CONTENT_RANGE,
            ETAG,
            LOCATION,
            RETRY_AFTER,
            WWW_AUTHENTICATE,
            of(MISSING_SHARDS),
            of(PARTIAL_QUERIES),
        ])
        .max_age(REMEMBERED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_written_as_browsers_name_it() {
        for text in ["https://lab.example", "http://localhost:3000", "https://Lab.Example", "http://[::1]:80"]
        {
            let site: Site = text.parse().expect("a site");
            assert_eq!(site.0.to_str().expect("text"), text.to_lowercase());
        }
        for text in [
            "",
            "*",
            "null",
            "lab.example",
            "https://lab.example/",
            "https://lab.example/x",
            "ftp://x",
            "https://a@b",
        ] {
            assert!(text.parse::<Site>().expect_err(text).contains("https://lab.example"), "{text}");
        }
    }
}
