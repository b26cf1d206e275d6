//! Headers: the names of one sequence, a `Blast-def-line-set` (`blastdb.asn`) in BER.
//!
//! ```text
//! Blast-def-line-set ::= SEQUENCE OF Blast-def-line
//! Blast-def-line ::= SEQUENCE {
//!     title [0] VisibleString OPTIONAL,
//!     seqid [1] SEQUENCE OF Seq-id,
//!     taxid [2] …, memberships [3] …, links [4] …, other-info [5] … }    -- not read
//! ```

use super::ber::{BerError, Element, Elements, SEQUENCE, context};
use super::seqid;
use crate::sequence::names;

const TITLE: u8 = context(0);
const SEQIDS: u8 = context(1);

/// The definition line that stands for a header, in either style of
/// [`SubjectNames`](crate::sequence::names::SubjectNames): parted if identifiers were parsed.
pub(super) fn defline(header: &[u8]) -> Result<Vec<u8>, BerError> {
    let set = Elements::of(header).next().unwrap_or(Err(BerError::Truncated))?;
    if set.tag != SEQUENCE {
        return Err(BerError::Missing("a set of definition lines"));
    }
    let names: Vec<_> = set.children().map(|line| name(line?)).collect::<Result<_, _>>()?;
    match &names[..] {
        [] => Err(BerError::Missing("a definition line")),
        [(None, title), ..] => {
            Ok(title.iter().map(|byte| if *byte == b'\n' { b'#' } else { *byte }).collect())
        }
        _ => {
            let parsed = names.iter().filter_map(|(id, title)| Some((id.as_deref()?, *title)));
            Ok(names::parted(parsed))
        }
    }
}

/// Identifiers, if they were parsed, and title of one `Blast-def-line`.
fn name(line: Element<'_>) -> Result<(Option<Vec<u8>>, &[u8]), BerError> {
    let (mut id, mut title) = (None, &b""[..]);
    for field in line.children() {
        let field = field?;
        match field.tag {
            TITLE => title = field.inner()?.text()?,
            SEQIDS => id = seqid::write(field.inner()?.children())?,
            _ => {}
        }
    }
    Ok((id, title))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An element of indefinite length, as makeblastdb writes all that are not plain values.
    fn nest(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, 0x80], content, &[0, 0]].concat()
    }

    fn text(text: &str) -> Vec<u8> {
        [&[0x1A, text.len() as u8], text.as_bytes()].concat()
    }

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        nest(context(number), content)
    }

    fn line(title: &str, ids: &[Vec<u8>]) -> Vec<u8> {
        let taxid = field(2, &[2, 1, 0]);
        nest(0x30, &[field(0, &text(title)), field(1, &nest(0x30, &ids.concat())), taxid].concat())
    }

    fn set(lines: &[Vec<u8>]) -> Vec<u8> {
        nest(0x30, &lines.concat())
    }

    fn one_id(id: Vec<u8>) -> String {
        let line = defline(&set(&[line("t", &[id])])).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn an_ordinal_instead_of_an_identifier_leaves_the_whole_line() {
        let ordinal =
            field(10, &nest(0x30, &[field(0, &text("BL_ORD_ID")), field(1, &field(0, &[2, 1, 7]))].concat()));
        let header = set(&[line("sp|P01013|X a title", &[ordinal])]);
        assert_eq!(defline(&header).unwrap(), b"sp|P01013|X a title");
    }

    #[test]
    fn every_kind_of_identifier_is_written_with_bars() {
        let fields = |parts: &[(u8, Vec<u8>)]| {
            nest(0x30, &parts.iter().flat_map(|(number, value)| field(*number, value)).collect::<Vec<_>>())
        };
        let swissprot =
            fields(&[(0, text("X_Y")), (1, text("P1")), (2, text("unreviewed")), (3, vec![2, 1, 4])]);
        assert_eq!(one_id(field(7, &swissprot)), "tr|P1.4|X_Y\nt");
        assert_eq!(one_id(field(6, &fields(&[(0, text("A12345"))]))), "pir||A12345\nt");
        assert_eq!(one_id(field(0, &field(1, &text("mine")))), "lcl|mine\nt");
        assert_eq!(one_id(field(0, &field(0, &[2, 2, 0x30, 0x39]))), "lcl|12345\nt");
        assert_eq!(one_id(field(1, &[2, 1, 5])), "bbs|5\nt");
        assert_eq!(one_id(field(3, &fields(&[(0, vec![2, 1, 5])]))), "gim|5\nt");
        assert_eq!(one_id(field(10, &fields(&[(0, text("db")), (1, field(1, &text("x")))]))), "gnl|db|x\nt");
        let chains =
            |more: &[(u8, Vec<u8>)]| one_id(field(14, &fields(&[&[(0, text("1ABC"))], more].concat())));
        assert_eq!(chains(&[]), "pdb|1ABC| \nt");
        assert_eq!(chains(&[(1, vec![2, 1, b'A'])]), "pdb|1ABC|A\nt");
        assert_eq!(chains(&[(1, vec![2, 1, b'a'])]), "pdb|1ABC|AA\nt");
        assert_eq!(chains(&[(1, vec![2, 1, b'a']), (3, text("a"))]), "pdb|1ABC|a\nt");
        let cited = |choice| fields(&[(0, text("US")), (1, field(choice, &text("RE33188")))]);
        let patent = |choice| one_id(field(8, &fields(&[(0, vec![2, 1, 1]), (1, cited(choice))])));
        assert_eq!(patent(0), "pat|US|RE33188|1\nt");
        assert_eq!(patent(1), "pgp|US|RE33188|1\nt");
    }

    #[test]
    fn the_gi_comes_first_and_only_the_best_of_the_others_follows() {
        let accession = field(9, &nest(0x30, &field(1, &text("NP_1"))));
        let local = field(0, &field(1, &text("mine")));
        let gi = field(11, &[2, 1, 99]);
        let header = set(&[line("a", &[local, accession, gi]), line("b", &[field(11, &[2, 1, 3])])]);
        assert_eq!(defline(&header).unwrap(), b"gi|99|ref|NP_1|\na\ngi|3\nb");
    }

    #[test]
    fn what_lacks_a_definition_line_is_refused() {
        assert_eq!(defline(&[]), Err(BerError::Truncated));
        assert_eq!(defline(&set(&[])), Err(BerError::Missing("a definition line")));
        assert_eq!(defline(&[2, 1, 0]), Err(BerError::Missing("a set of definition lines")));
        let header = set(&[line("title", &[])]);
        for length in 0..header.len() {
            assert!(defline(&header[..length]).is_err(), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = defline(&bytes);
        }

        /// Damage inside a real structure goes deeper than arbitrary bytes do.
        #[test]
        fn no_damaged_header_makes_it_panic(place in 0usize..200, byte: u8, cut in 0usize..200) {
            let accession = field(7, &nest(0x30, &[field(0, &text("X")), field(1, &text("P1"))].concat()));
            let pdb = field(14, &nest(0x30, &[field(0, &text("1ABC")), field(1, &[2, 1, 65])].concat()));
            let mut header = set(&[line("title", &[accession]), line("", &[pdb])]);
            let place = place % header.len();
            header[place] = byte;
            header.truncate(header.len() - cut % header.len());
            let _ = defline(&header);
        }
    }
}
