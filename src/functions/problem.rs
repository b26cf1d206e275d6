//! Problems: every error under `/api`, in the form of RFC 9457.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::options::range;
use super::paths::without_paths;
use crate::jobs;
use crate::store::{self, ErrorKind};

/// Seconds after which a request may be repeated when storage did not answer.
const STORAGE_RETRY_SECONDS: u32 = 5;

/// An error as the client gets it.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    retry_after: Option<u32>,
    challenge: Option<String>,
}

impl Problem {
    /// A problem of this kind; `detail` says what is wrong and what to do.
    pub(super) fn new(status: StatusCode, kind: Kind, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), members: Map::new(), retry_after: None, challenge: None }
    }

    /// A request with a mistake.
    pub(super) fn bad_request(kind: Kind, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind, detail)
    }

    /// Something is out of order that may be in order again soon.
    pub(super) fn unavailable(kind: Kind, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, detail).retry_after(STORAGE_RETRY_SECONDS)
    }

    /// A bug, or damage that a request cannot be blamed for.
    pub(super) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Kind::Internal, detail)
    }

    /// Adds a member for programs to read.
    pub(super) fn with(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.members.insert(name.to_owned(), json!(value));
        self
    }

    /// Tells the client when to try again.
    pub(super) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Tells the client how to sign in, as `WWW-Authenticate` does.
    pub(super) fn challenge(mut self, challenge: String) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// What kind it is.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// What is wrong and what to do.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The name of the option that it is about.
    pub(super) fn option(&self) -> Option<&str> {
        self.members.get("option")?.get("name")?.as_str()
    }

    /// Its document, as JSON.
    pub(super) fn document(&self) -> String {
        Value::Object(self.members()).to_string()
    }

    /// The members of its document.
    fn members(&self) -> Map<String, Value> {
        // The title of a type never changes; the status's own phrase is as good as any.
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut members = Map::new();
        members.insert("type".to_owned(), json!(self.kind.uri()));
        members.insert("title".to_owned(), json!(title));
        members.insert("status".to_owned(), json!(self.status.as_u16()));
        members.insert("detail".to_owned(), json!(self.detail));
        members.extend(self.members.clone());
        members
    }

    /// Adds a sentence to the detail.
    pub(super) fn hint(mut self, sentence: &str) -> Self {
        self.detail = format!("{}; {sentence}", self.detail);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        if self.status.is_server_error() {
            tracing::error!(status = self.status.as_u16(), problem = self.kind.name(), "{}", self.detail);
            self.detail = without_paths(&self.detail);
        }
        let document = Json(self.members()).into_response();
        let mut response = (self.status, document).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(challenge) = self.challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<jobs::Error> for Problem {
    fn from(error: jobs::Error) -> Self {
        let detail = error.to_string();
        match error {
            jobs::Error::Store(error) => error.into(),
            jobs::Error::UnknownJob(_) => Self::new(StatusCode::NOT_FOUND, Kind::UnknownSearch, detail),
            jobs::Error::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, Kind::KeyReused, detail),
            jobs::Error::InvalidPlace(place) => Self::bad_request(Kind::InvalidOption, detail).with(
                "option",
                json!({ "name": "after", "value": place, "range": "the member next of a page" }),
            ),
            jobs::Error::UnknownUpload(_) => Self::new(StatusCode::NOT_FOUND, Kind::UnknownUpload, detail),
            jobs::Error::InvalidUpload { .. } => Self::new(StatusCode::CONFLICT, Kind::InvalidUpload, detail),
            jobs::Error::InvalidShare | jobs::Error::ExpiredShare => {
                Self::new(StatusCode::NOT_FOUND, Kind::UnknownLink, detail)
            }
            jobs::Error::UnknownDatabase { known, .. } => {
                Self::new(StatusCode::NOT_FOUND, Kind::UnknownDatabase, detail).with("known_databases", known)
            }
            jobs::Error::Taxa { option, value, .. } => Self::bad_request(Kind::InvalidOption, detail)
                .with("option", json!({ "name": option, "value": value, "range": range(option) })),
            jobs::Error::InvalidDatabaseName(name) => Self::bad_request(Kind::InvalidOption, detail).with(
                "option",
                json!({
                    "name": "database",
                    "value": name,
                    "range": "a name of GET /api/databases, or name@version"
                }),
            ),
            _ => Self::internal(detail),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        let detail = error.to_string();
        match error.kind() {
            ErrorKind::Throttled | ErrorKind::Transient => {
                Self::unavailable(Kind::StorageUnavailable, detail)
            }
            ErrorKind::Denied => Self::unavailable(Kind::StorageDenied, detail).hint(
                "an identity needs the roles Storage Blob Data Contributor and Storage Queue Data \
                 Contributor on the account, a key or SAS must be valid for blobs and queues, and a folder \
                 must be writable",
            ),
            ErrorKind::NoSpace => Self::new(StatusCode::INSUFFICIENT_STORAGE, Kind::StorageFull, detail)
                .hint("make room and retry"),
            _ => Self::internal(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(kind: ErrorKind) -> u16 {
        let error = store::Error::new(kind, "read", "x", "a reason");
        Problem::from(jobs::Error::from(error)).into_response().status().as_u16()
    }

    #[test]
    fn storage_errors_say_whether_to_try_again() {
        assert_eq!(status(ErrorKind::Transient), 503);
        assert_eq!(status(ErrorKind::Throttled), 503);
        assert_eq!(status(ErrorKind::Denied), 503);
        assert_eq!(status(ErrorKind::NoSpace), 507);
        assert_eq!(status(ErrorKind::Permanent), 500);
        assert_eq!(status(ErrorKind::NotFound), 500);
    }

    #[test]
    fn a_problem_has_a_media_type_and_a_pause_of_its_own() {
        let response = Problem::unavailable(Kind::Busy, "y").into_response();
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[RETRY_AFTER], "5");
    }
}
