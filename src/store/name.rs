//! Names of blobs, containers and queues.

use std::fmt;

use super::{Error, ErrorKind};

/// Name of a blob inside its container: `/`-separated segments of ASCII letters, digits, `-`, `_`
/// and `.`, of 1 to 255 bytes each, none of them ending in `.`; at most 512 bytes in all.
///
/// The narrow alphabet means that a name is the same in a folder, in a URL and in a listing. In a
/// folder one name is a file and another its directory, so no blob may be named like the start of
/// another's path (`a` beside `a/b`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobName(String);

impl BlobName {
    /// Parses a name; [`ErrorKind::Permanent`] if it breaks the rules.
    pub fn parse(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let well_formed = name.len() <= 512 && name.split('/').all(is_segment);
        if well_formed {
            Ok(Self(name))
        } else {
            Err(Error::new(
                ErrorKind::Permanent,
                "name",
                format!("a blob {name:?}"),
                "use segments of letters, digits, `-`, `_` and `.`, separated by `/`",
            ))
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

/// Whether `segment` can stand between two slashes of a [`BlobName`].
pub(super) fn is_segment(segment: &str) -> bool {
    (1..=255).contains(&segment.len())
        && !segment.ends_with('.')
        && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Checks the name of a container or queue by Azure Storage's rules: 3 to 63 lower-case letters,
/// digits and single hyphens, with no hyphen at either end.
pub(super) fn check_service_name(kind: &'static str, name: &str) -> Result<(), Error> {
    let well_formed = (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    if well_formed {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::Permanent,
            "name",
            format!("a {kind} {name:?}"),
            "use 3 to 63 lower-case letters, digits and single hyphens",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blob_names_are_ascii_segments() {
        for good in ["a", "jobs/1/hits/00/7", "volumes/9f.d_e-f", "A..b"] {
            assert_eq!(BlobName::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn blob_names_that_could_leave_the_folder_or_change_on_the_way_are_refused() {
        let long_segment = "a".repeat(256);
        let long_name = ["a"; 257].join("/");
        for bad in [
            "",
            ".",
            "..",
            "/a",
            "a/",
            "a//b",
            "a/../b",
            "a.",
            "a./b",
            "a b",
            "ä",
            "a\0",
            "a\\b",
            "~a",
            "a%2F",
            &long_segment,
            &long_name,
        ] {
            assert_eq!(BlobName::parse(bad).unwrap_err().kind(), ErrorKind::Permanent, "{bad:?}");
        }
    }

    #[test]
    fn service_names_follow_azures_rules() {
        for good in ["jobs", "shards-poison", "a1b", &"a".repeat(63)] {
            assert!(check_service_name("queue", good).is_ok(), "{good:?}");
        }
        for bad in ["", "ab", "-jobs", "jobs-", "a--b", "Jobs", "jobs/1", "..", "jöbs", &"a".repeat(64)] {
            assert!(check_service_name("queue", bad).is_err(), "{bad:?}");
        }
    }
}
