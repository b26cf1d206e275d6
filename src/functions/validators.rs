//! Which version of something a client has, and which part of it is wanted (RFC 9110, sections 13 and 14).

use std::ops::Range;

use axum::http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// A strong tag of content: the same for the same bytes only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag(HeaderValue);

impl Tag {
    /// The tag of what follows from `parts` alone.
    pub(super) fn of(parts: &[&[u8]]) -> Self {
        let mut digest = blake3::Hasher::new();
        for part in parts {
            digest.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let text = format!("\"{}\"", &digest.finalize().to_hex()[..32]);
        Self(HeaderValue::try_from(text).expect("hexadecimal digits in quotes"))
    }

    /// As `ETag` has it.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Whether the client has this version, as `If-None-Match` says; then it need not be sent. A compressed copy
    /// is one as well.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        let lists = headers.get_all(IF_NONE_MATCH).iter();
        let mut tags = lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
        tags.any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.trim_start_matches("W/").as_bytes() == self.0.as_bytes()
        })
    }
}

/// What is wanted of content whose length is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// These bytes; at least one.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Beyond,
}

impl Extent {
    /// What a request wants of content with this tag and length, bytes. Several ranges at once are answered as
    /// none, which a server may do; and so is what cannot be read, and a range of another version (`If-Range`).
    pub(super) fn of(headers: &HeaderMap, tag: &Tag, length: u64) -> Self {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let Some(range) = text(RANGE) else { return Self::Whole };
        if text(IF_RANGE).is_some_and(|known| known.as_bytes() != tag.0.as_bytes()) {
            return Self::Whole;
        }
        let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
            return Self::Whole;
        };
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let part = match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..length.min(last.saturating_add(1)),
            (Some(first), None) if last.trim().is_empty() => first..length,
            (None, Some(count)) if first.trim().is_empty() => length.saturating_sub(count)..length,
            _ => return Self::Whole,
        };
        if part.is_empty() { Self::Beyond } else { Self::Part(part) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn parts_of_a_tag_are_told_apart() {
        assert_eq!(Tag::of(&[b"ab", b"c"]), Tag::of(&[b"ab", b"c"]));
        assert_ne!(Tag::of(&[b"ab", b"c"]), Tag::of(&[b"a", b"bc"]));
    }

    #[test]
    fn a_version_is_known_by_its_tag_in_any_of_the_lists() {
        let tag = Tag(HeaderValue::from_static("\"abc\""));
        for known in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(tag.is_known(&headers(&[(IF_NONE_MATCH, known)])), "{known}");
        }
        assert!(tag.is_known(&headers(&[(IF_NONE_MATCH, "\"x\""), (IF_NONE_MATCH, "\"abc\"")])));
        for other in ["", "abc", "\"ab\"", "\"x\", \"y\""] {
            assert!(!tag.is_known(&headers(&[(IF_NONE_MATCH, other)])), "{other}");
        }
    }

    #[test]
    fn one_range_is_given_and_all_else_is_the_whole_or_beyond() {
        let tag = Tag(HeaderValue::from_static("\"abc\""));
        for (range, wanted) in [
            ("bytes=0-0", Extent::Part(0..1)),
            ("bytes=2-5", Extent::Part(2..6)),
            ("bytes=9-", Extent::Part(9..10)),
            ("bytes=8-99", Extent::Part(8..10)),
            ("bytes=-3", Extent::Part(7..10)),
            ("bytes=-99", Extent::Part(0..10)),
            ("bytes=10-", Extent::Beyond),
            ("bytes=-0", Extent::Beyond),
            ("bytes=0-1,4-5", Extent::Whole),
            ("bytes=0-4,4-5", Extent::Whole),
            ("bytes=5-2", Extent::Whole),
            ("lines=0-1", Extent::Whole),
            ("nonsense", Extent::Whole),
        ] {
            assert_eq!(Extent::of(&headers(&[(RANGE, range)]), &tag, 10), wanted, "{range}");
        }
        assert_eq!(Extent::of(&headers(&[]), &tag, 10), Extent::Whole);
        assert_eq!(Extent::of(&headers(&[(RANGE, "bytes=0-")]), &tag, 0), Extent::Beyond);
    }

    #[test]
    fn a_range_of_another_version_is_not_given() {
        let tag = Tag(HeaderValue::from_static("\"abc\""));
        let wanted = |known| Extent::of(&headers(&[(RANGE, "bytes=2-5"), (IF_RANGE, known)]), &tag, 10);
        assert_eq!(wanted("\"abc\""), Extent::Part(2..6));
        for other in ["\"x\"", "W/\"abc\"", "Sat, 28 Nov 2026 01:00:00 GMT"] {
            assert_eq!(wanted(other), Extent::Whole, "{other}");
        }
    }
}
