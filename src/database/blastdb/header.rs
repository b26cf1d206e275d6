//! Headers: the names of one sequence, a `Blast-def-line-set` (`blastdb.asn`) in BER.
//!
//! ```text
//! Blast-def-line-set ::= SEQUENCE OF Blast-def-line
//! Blast-def-line ::= SEQUENCE {
//!     title [0] VisibleString OPTIONAL,
//!     seqid [1] SEQUENCE OF Seq-id,
//!     taxid [2] INTEGER OPTIONAL, memberships [3] …,                      -- these are not read
//!     links [4] SEQUENCE OF INTEGER OPTIONAL, other-info [5] … }          -- links: further taxids
//! ```

use super::ber::{BerError, Element, Elements, SEQUENCE, context};
use super::seqid;
use crate::sequence::names;
use crate::sequence::taxids::{LARGEST_TAXID, NameTaxids, Taxid, labelled};

const TITLE: u8 = context(0);
const SEQIDS: u8 = context(1);
const TAXID: u8 = context(2);
const LINKS: u8 = context(4);

/// The definition line that stands for a header, in either style of
/// [`SubjectNames`](crate::sequence::names::SubjectNames), parted if identifiers were parsed, and with taxids in front if
/// there are any.
pub(super) fn defline(header: &[u8]) -> Result<Vec<u8>, BerError> {
    let set = Elements::of(header).next().unwrap_or(Err(BerError::Truncated))?;
    if set.tag != SEQUENCE {
        return Err(BerError::Missing("a set of definition lines"));
    }
    let lines: Vec<_> = set.children().map(|line| Line::read(line?)).collect::<Result<_, _>>()?;
    match &lines[..] {
        [] => Err(BerError::Missing("a definition line")),
        [Line { id: None, title, taxids }, ..] => {
            let line = title.iter().map(|byte| if *byte == b'\n' { b'#' } else { *byte }).collect();
            Ok(labelled(line, [taxids]))
        }
        _ => {
            let parsed = || lines.iter().filter(|line| line.id.is_some());
            let line = names::parted(parsed().filter_map(|line| Some((line.id.as_deref()?, line.title))));
            Ok(labelled(line, parsed().map(|line| &line.taxids)))
        }
    }
}

/// One `Blast-def-line`.
#[derive(Default)]
struct Line<'a> {
    /// Its identifiers, if they were parsed.
    id: Option<Vec<u8>>,
    title: &'a [u8],
    taxids: NameTaxids,
}

impl<'a> Line<'a> {
    fn read(line: Element<'a>) -> Result<Self, BerError> {
        let mut read = Self::default();
        for field in line.children() {
            let field = field?;
            match field.tag {
                TITLE => read.title = field.inner()?.text()?,
                SEQIDS => read.id = seqid::write(field.inner()?.children())?,
                TAXID => read.taxids.taxid = taxid(field.inner()?)?,
                LINKS => {
                    let links = field.inner()?.children().map(|link| taxid(link?));
                    read.taxids.leaves = links.collect::<Result<_, _>>()?;
                    read.taxids.leaves.retain(|leaf| *leaf != 0);
                }
                _ => {}
            }
        }
        Ok(read)
    }
}

/// A taxid; what cannot be one, as makeblastdb lets through, counts as not known.
fn taxid(value: Element<'_>) -> Result<Taxid, BerError> {
    let number = value.integer()?;
    Ok(Taxid::try_from(number).ok().filter(|taxid| *taxid <= LARGEST_TAXID).unwrap_or(0))
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
    fn taxids_stand_in_front_a_name_after_the_other() {
        let line = |id: &str, rest: &[u8]| {
            let id = field(0, &field(1, &text(id)));
            nest(0x30, &[&field(0, &text("t")), &field(1, &nest(0x30, &id)), rest].concat())
        };
        let human = field(2, &[2, 2, 0x25, 0x86]);
        let links = field(4, &nest(0x30, &[2, 1, 7, 2, 1, 0, 2, 1, 5]));
        let header = set(&[line("a", &[]), line("b", &human), line("c", &[human.clone(), links].concat())]);
        assert_eq!(defline(&header).unwrap(), b"\n0 9606 9606,7,5\nlcl|a\nt\nlcl|b\nt\nlcl|c\nt");
        let negative = set(&[line("a", &field(2, &[2, 1, 0xFD]))]);
        assert_eq!(defline(&negative).unwrap(), b"lcl|a\nt");
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
            let links = nest(0x30, &[field(2, &[2, 1, 9]), field(4, &nest(0x30, &[2, 1, 7]))].concat());
            let mut header = set(&[line("title", &[accession]), line("", &[pdb]), links]);
            let place = place % header.len();
            header[place] = byte;
            header.truncate(header.len() - cut % header.len());
            let _ = defline(&header);
        }
    }
}
