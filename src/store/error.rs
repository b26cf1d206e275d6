//! Storage errors, sorted by what a caller can do about them.

use std::fmt;

/// What a caller can do about a storage error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The blob, message, queue or container does not exist.
    NotFound,
    /// A condition did not hold: the content or the receipt has changed.
    Conflict,
    /// The service asks for a slower pace; retry later.
    Throttled,
    /// The service cannot be reached or failed inside; retry later.
    Transient,
    /// The device or account has no room left; retry after making some.
    NoSpace,
    /// Not allowed: wrong key, expired token, missing role.
    Denied,
    /// Retrying will not help.
    Permanent,
}

/// A failed storage operation: what was done to which object, and why it failed.
///
/// The text never holds a secret (signature, key, token).
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    action: &'static str,
    object: String,
    reason: String,
}

impl Error {
    /// An error of `kind` while doing `action` ("read", "write", "list" …) to `object`.
    pub fn new(
        kind: ErrorKind,
        action: &'static str,
        object: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self { kind, action, object: object.into(), reason: reason.into() }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same operation may succeed later without anybody changing the request.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::NoSpace | ErrorKind::Denied
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {} {}: {}", self.action, self.object, self.reason)
    }
}

impl std::error::Error for Error {}
