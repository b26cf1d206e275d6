//! Requests that are no HTTP, or too much of it: no function sees them, but who sent them learns why.

use axum::http::StatusCode;

use super::kind::Kind;
use super::problem::Problem;

/// The document of the problem that HTTP itself refuses a request with; `None` of a status that it never does.
pub fn unreadable_request(status: StatusCode) -> Option<String> {
    let (kind, detail) = match status {
        StatusCode::BAD_REQUEST => (
            Kind::UnreadableRequest,
            "this is no request of HTTP/1.1; blanks in an address are to be sent as %20",
        ),
        StatusCode::URI_TOO_LONG => (
            Kind::AddressTooLong,
            "the address is longer than 65,534 bytes; queries and options can be sent in the body of a POST",
        ),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
            Kind::HeadTooLarge,
            "the request has more than 100 headers, or they are too long together; send fewer",
        ),
        _ => return None,
    };
    Some(Problem::new(status, kind, detail).document())
}
