//! From the errors of the file system and of SQLite to [`ErrorKind`].

use std::io;

use rusqlite::ErrorCode;

use super::{Error, ErrorKind};

/// A file-system error while doing `action` to `object`.
pub(super) fn from_io(error: &io::Error, action: &'static str, object: impl Into<String>) -> Error {
    use io::ErrorKind as Io;
    let kind = match error.kind() {
        Io::NotFound => ErrorKind::NotFound,
        // A file-size limit (`ulimit -f`) is a full disk for this process.
        Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::NoSpace,
        Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::Denied,
        Io::NotADirectory | Io::IsADirectory | Io::InvalidFilename | Io::InvalidInput | Io::AlreadyExists => {
            ErrorKind::Permanent
        }
        _ => ErrorKind::Transient,
    };
    Error::new(kind, action, object, error.to_string())
}

/// A database error while doing `action` to `object`.
pub(super) fn from_sqlite(error: &rusqlite::Error, action: &'static str, object: impl Into<String>) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ErrorKind::NoSpace,
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => ErrorKind::Denied,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OutOfMemory,
        ) => ErrorKind::Transient,
        _ => ErrorKind::Permanent,
    };
    Error::new(kind, action, object, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_device_is_no_space() {
        use std::io::Write;
        let full =
            std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap().write_all(b"x").unwrap_err();
        assert_eq!(from_io(&full, "write", "blob a").kind(), ErrorKind::NoSpace);
    }

    #[test]
    fn the_text_names_action_object_and_reason() {
        let missing = std::fs::read("/nonexistent/file").unwrap_err();
        let error = from_io(&missing, "read", "blob jobs/a");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "could not read blob jobs/a: No such file or directory (os error 2)");
    }
}
