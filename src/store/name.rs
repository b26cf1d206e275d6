//! Names of blobs.

use std::fmt;

use super::{Error, ErrorKind};

/// Name of a blob inside its container: `/`-separated segments of ASCII letters, digits, `-`, `_`
/// and `.`, none of them empty, `.` or `..`; at most 512 bytes.
///
/// The narrow alphabet means that a name is the same in a folder, in a URL and in a listing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(String);

impl BlobName {
    /// Parses a name; [`ErrorKind::Permanent`] if it breaks the rules.
    pub fn parse(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let well_formed = name.len() <= 512
            && name.split('/').all(|segment| {
                !matches!(segment, "" | "." | "..")
                    && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            });
        if well_formed {
            Ok(Self(name))
        } else {
            Err(Error::new(ErrorKind::Permanent, "name", format!("{name:?}"), "not a valid blob name"))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
