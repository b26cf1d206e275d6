//! Answers are compressed for who accepts that (`Accept-Encoding: gzip`), where it is worth it.
//!
//! A part of a report is not: its bytes are counted in the report as it is. What is compressed has a weak tag: it
//! tells whether a client's copy is up to date, and cannot be the base of a range.

use axum::body::HttpBody;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use axum::http::{HeaderValue, Response};
use tower_http::CompressionLevel;
use tower_http::compression::{CompressionLayer, Predicate};

/// Shorter answers fit into a packet as they are, bytes.
const LEAST: u64 = 1_024;

/// Compresses what is [`Worthwhile`]. Processors have searches to do, so it is done in the quickest way.
pub(super) fn layer() -> CompressionLayer<Worthwhile> {
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(Worthwhile)
}

/// Answers of text that are not short.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worthwhile;

impl Predicate for Worthwhile {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        // Answers to HEAD have a length, and no body.
        let said = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let length = said.or_else(|| response.body().size_hint().exact());
        length.is_none_or(|length| length >= LEAST) && text(CONTENT_TYPE).is_some_and(is_text)
    }
}

fn is_text(media_type: &str) -> bool {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type.starts_with("text/") || ["json", "xml"].iter().any(|format| media_type.ends_with(format))
}

/// Makes the tag of an answer that was compressed a weak one.
pub(super) async fn with_weak_tag<B>(mut response: Response<B>) -> Response<B> {
    if response.headers().contains_key(CONTENT_ENCODING)
        && let Some(tag) = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok())
        && let Ok(weak) = HeaderValue::try_from(format!("W/{}", tag.trim_start_matches("W/")))
    {
        response.headers_mut().insert(ETAG, weak);
    }
    response
}
