//! From the answers of the service to [`ErrorKind`].

use std::time::Duration;

use azure_core::error::ErrorKind as Azure;
use azure_core::http::headers::HeaderName;

use super::{Error, ErrorKind};

const BROKEN_OFF: &str = "the service's answer broke off";

/// A failed request.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: ErrorKind,
    /// The service's own name of the error, such as `BlobNotFound`.
    code: Option<String>,
    reason: String,
}

impl Fault {
    /// There was no answer in time.
    pub(super) fn timeout(limit: Duration) -> Self {
        Self { kind: ErrorKind::Transient, code: None, reason: format!("no answer within {limit:?}") }
    }

    /// The service answered something that it should not.
    pub(super) fn unexpected(reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Transient, code: None, reason: reason.into() }
    }

    /// Whether the service gave one of these codes.
    pub(super) fn is(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// Whether an answer began to arrive, but not all of it did.
    pub(super) fn is_broken_off(&self) -> bool {
        self.kind == ErrorKind::Transient && self.code.is_none() && self.reason.starts_with(BROKEN_OFF)
    }

    /// The error for the caller: this happened while doing `action` to `object`.
    pub(super) fn while_doing(self, action: &'static str, object: impl Into<String>) -> Error {
        Error::new(self.kind, action, object, self.reason)
    }
}

impl From<azure_core::Error> for Fault {
    fn from(error: azure_core::Error) -> Self {
        match error.kind() {
            Azure::HttpResponse { status, error_code, raw_response } => {
                let status = u16::from(*status);
                let code = error_code.clone();
                let kind = kind_of(status, code.as_deref().unwrap_or_default());
                let request = raw_response
                    .as_ref()
                    .and_then(|response| {
                        response.headers().get_optional_string(&HeaderName::from_static("x-ms-request-id"))
                    })
                    .map_or_else(String::new, |id| format!(", request {id}"));
                let name = code.as_deref().unwrap_or("no error code");
                let reason = format!("the service answered {status} {name}{request}{}", advice(kind));
                Self { kind, code, reason }
            }
            Azure::Connection | Azure::Io => {
                let reason = format!("no connection to the service: {}", root_cause(&error));
                Self { kind: ErrorKind::Transient, code: None, reason }
            }
            Azure::Credential => {
                let reason = format!("no token for the identity: {}", root_cause(&error));
                Self { kind: ErrorKind::Denied, code: None, reason }
            }
            // What is written by a service and can be read in full can be understood.
            Azure::DataConversion => {
                let reason = format!("{BROKEN_OFF}: {}", root_cause(&error));
                Self { kind: ErrorKind::Transient, code: None, reason }
            }
            _ => Self { kind: ErrorKind::Permanent, code: None, reason: root_cause(&error) },
        }
    }
}

/// What a caller can do about status and error code (learn.microsoft.com, "Status and error codes"
/// of Blob and Queue Storage).
fn kind_of(status: u16, code: &str) -> ErrorKind {
    match (status, code) {
        (404, _) => ErrorKind::NotFound,
        (_, "ContainerBeingDeleted" | "QueueBeingDeleted") => ErrorKind::Transient,
        (409 | 412, _) | (400, "PopReceiptMismatch") => ErrorKind::Conflict,
        (429, _) | (503, "ServerBusy") => ErrorKind::Throttled,
        (401 | 403, _) => ErrorKind::Denied,
        (501, _) => ErrorKind::Permanent,
        (408 | 500.., _) => ErrorKind::Transient,
        _ => ErrorKind::Permanent,
    }
}

fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Denied => {
            "; check the key or signature and its expiry, or that the identity has the roles \
             Storage Blob Data Contributor and Storage Queue Data Contributor"
        }
        _ => "",
    }
}

/// The innermost message. The outer ones may hold the whole URL, and with it a signature.
fn root_cause(error: &azure_core::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    redact(&cause.to_string())
}

/// Hides the query of every URL in `text`.
fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut in_query = false;
    for c in text.chars() {
        let ends_url = c.is_whitespace() || matches!(c, ')' | '"' | '\'' | '>');
        if c == '?' && !in_query {
            in_query = true;
            shown.push_str("?…");
        } else if ends_url {
            in_query = false;
        }
        if !in_query {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_says_what_a_caller_can_do() {
        let cases = [
            (404, "BlobNotFound", ErrorKind::NotFound),
            (404, "MessageNotFound", ErrorKind::NotFound),
            (409, "BlobAlreadyExists", ErrorKind::Conflict),
            (409, "ContainerBeingDeleted", ErrorKind::Transient),
            (412, "ConditionNotMet", ErrorKind::Conflict),
            (400, "PopReceiptMismatch", ErrorKind::Conflict),
            (400, "InvalidHeaderValue", ErrorKind::Permanent),
            (401, "", ErrorKind::Denied),
            (403, "AuthorizationPermissionMismatch", ErrorKind::Denied),
            (408, "", ErrorKind::Transient),
            (413, "RequestBodyTooLarge", ErrorKind::Permanent),
            (429, "", ErrorKind::Throttled),
            (500, "OperationTimedOut", ErrorKind::Transient),
            (501, "NotImplemented", ErrorKind::Permanent),
            (503, "ServerBusy", ErrorKind::Throttled),
            (503, "", ErrorKind::Transient),
        ];
        for (status, code, kind) in cases {
            assert_eq!(kind_of(status, code), kind, "{status} {code}");
        }
    }

    #[test]
    fn queries_are_hidden_from_texts() {
        assert_eq!(
            redact("error sending request (https://a.example/c?sv=1&sig=abc): why? it failed"),
            "error sending request (https://a.example/c?…): why?… it failed"
        );
    }
}
