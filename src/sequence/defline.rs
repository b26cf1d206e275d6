//! What a definition line says: the identifier and the title, as NCBI's programs read them.
//!
//! A definition line is bytes, in any encoding. BLAST+ reads the same line in two ways, and prints
//! both, so skyblast keeps the line as it was given and reads it on demand:
//!
//! - as a **query** (or a `-subject` file) the title starts after leading blanks and ends at the
//!   first control byte, a TAB or the Ctrl-A between merged titles included: [`title`];
//! - as a **database** sequence the whole line is kept, and only control bytes are replaced when
//!   it is printed: [`database_title`].
//!
//! The identifier is the first word, [`id`], of the line as a query and of the title as a database
//! sequence: they differ only where a control byte other than TAB and Ctrl-A ends the word of a
//! query. Every rule was checked against blastp and makeblastdb 2.12.0.

use std::borrow::Cow;

/// First word of a definition line: up to a blank or control byte, after leading ones.
///
/// Empty if there is no word; reports then say `Query_N` or `unnamed`.
///
/// ```
/// use skyblast::sequence::defline;
///
/// assert_eq!(defline::id(b" sp|P69905|HBA_HUMAN Hemoglobin"), b"sp|P69905|HBA_HUMAN");
/// ```
pub fn id(defline: &[u8]) -> &[u8] {
    let line = trim_start(defline);
    let end = line.iter().position(|byte| *byte <= b' ').unwrap_or(line.len());
    &line[..end]
}

/// The line as the title of a query: identifier and description, up to the first control byte,
/// without blanks at either end.
pub fn title(defline: &[u8]) -> &[u8] {
    let line = trim_start(defline);
    let end = line.iter().position(|byte| *byte < b' ').unwrap_or(line.len());
    line[..end].trim_ascii_end()
}

/// The line as the title of a database sequence: a TAB as three spaces, Ctrl-A as one, other
/// control bytes as `#`.
///
/// BLAST+ also turns every byte of a letter outside ASCII into `#`; such letters are kept here.
pub fn database_title(defline: &[u8]) -> Cow<'_, [u8]> {
    const CTRL_A: u8 = 1;
    if !defline.iter().any(u8::is_ascii_control) {
        return Cow::Borrowed(defline);
    }
    let mut title = Vec::with_capacity(defline.len());
    for byte in defline {
        match *byte {
            b'\t' => title.extend_from_slice(b"   "),
            CTRL_A => title.push(b' '),
            control if control.is_ascii_control() => title.push(b'#'),
            byte => title.push(byte),
        }
    }
    Cow::Owned(title)
}

/// Without leading blanks and control bytes.
fn trim_start(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|byte| *byte > b' ').unwrap_or(line.len());
    &line[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_first_word_whatever_surrounds_it() {
        for line in ["q1", " q1 x", "q1\tx", "\tq1 x", "q1\x01id2", "q1\0x", "q1 "] {
            assert_eq!(id(line.as_bytes()), b"q1", "{line:?}");
        }
        assert_eq!(id(b"gi|129295|sp|P01013.1|OVALX_CHICK x"), b"gi|129295|sp|P01013.1|OVALX_CHICK");
        assert_eq!(id(b"q,1;x=2 commas"), b"q,1;x=2");
        assert_eq!(id("protéine_α hémo".as_bytes()), "protéine_α".as_bytes());
    }

    #[test]
    fn a_line_without_a_word_has_no_id_and_no_title() {
        for line in ["", "   ", "\t", "\x01"] {
            assert_eq!(id(line.as_bytes()), b"");
            assert_eq!(title(line.as_bytes()), b"");
        }
    }

    #[test]
    fn a_query_title_ends_at_the_first_control_byte() {
        assert_eq!(title(b"id1 first title\x01id2 second"), b"id1 first title");
        assert_eq!(title(b"q1\ttab then text"), b"q1");
        assert_eq!(title(b"a b\tc"), b"a b");
        assert_eq!(title(b"  a   b"), b"a   b");
        assert_eq!(title(b"a b  "), b"a b");
        assert_eq!(title(b"a\x7fb \x1fc"), b"a\x7fb");
    }

    #[test]
    fn a_database_title_keeps_the_whole_line_without_control_bytes() {
        assert_eq!(*database_title(b"id1 first\x01id2 second"), *b"id1 first id2 second");
        assert_eq!(*database_title(b"q1\ttab"), *b"q1   tab");
        assert_eq!(*database_title(b"q1\0x nul"), *b"q1#x nul");
        assert_eq!(*database_title(b" q1 x  "), *b" q1 x  ");
    }
}
