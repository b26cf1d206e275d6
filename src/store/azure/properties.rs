//! What headers and listings say of a blob.

use std::collections::HashMap;

use azure_core::http::headers::{HeaderName, Headers};
use azure_core::time::OffsetDateTime;
use azure_storage_blob::models::BlobItem;
use jiff::Timestamp;

use crate::store::{BlobInfo, BlobName, ETag};

/// The metadata that holds the number a blob was written with.
pub(super) const NOTE: &str = "note";

/// What a listing knows of a blob; `None` for one that skyblast could not have written.
pub(super) fn info_of(item: BlobItem) -> Option<BlobInfo> {
    let name = BlobName::parse(item.name?).ok()?;
    let properties = item.properties?;
    let etag = quoted(properties.etag?.as_ref());
    let modified = timestamp(properties.last_modified?)?;
    let note = item.metadata.and_then(|metadata| note_of(&metadata.values?));
    Some(BlobInfo { name, length: properties.content_length?, modified, etag, note })
}

/// The number that a blob with this metadata was written with.
pub(super) fn note_of(metadata: &HashMap<String, String>) -> Option<u64> {
    metadata.get(NOTE)?.parse().ok()
}

/// Listings give tags without the quotes that headers have and conditions need.
fn quoted(tag: &str) -> ETag {
    ETag(if tag.starts_with('"') { tag.to_owned() } else { format!("\"{tag}\"") })
}

/// The tag in the headers of an answer, with its quotes.
pub(super) fn tag_of(headers: &Headers) -> Option<ETag> {
    headers.get_optional_str(&HeaderName::from_static("etag")).map(quoted)
}

/// The blob's length, from `Content-Range: bytes 0-9/123`.
pub(super) fn total_length(headers: &Headers) -> Option<u64> {
    let range = headers.get_optional_str(&HeaderName::from_static("content-range"))?;
    range.rsplit_once('/')?.1.parse().ok()
}

/// The time as this crate knows it; the service gives whole seconds.
pub(super) fn timestamp(time: OffsetDateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_quotes_wherever_they_come_from() {
        assert_eq!(quoted("0x8D"), quoted("\"0x8D\""));
    }

    #[test]
    fn the_length_is_that_of_the_whole_blob() {
        let mut headers = Headers::new();
        assert_eq!(total_length(&headers), None);
        headers.insert(HeaderName::from_static("content-range"), "bytes 0-9/123");
        assert_eq!(total_length(&headers), Some(123));
    }
}
