//! Numbers with the thing that is counted, for messages.

/// `1 record`, `2 records`: a count and a noun that takes an `s`.
///
/// ```
/// assert_eq!(skyblast::sequence::counted(2, "record"), "2 records");
/// ```
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
