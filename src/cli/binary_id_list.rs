//! The binary form of a list of identifiers, `.bsl`, that `blastdb_aliastool -seqid_file_in` writes.
//!
//! Numbers are little-endian.
//!
//! | field | bytes |
//! |---|---|
//! | 0 | 1 |
//! | length of the file | 8 |
//! | number of identifiers | 8 |
//! | title: its length, its bytes | 4, … |
//! | when the list was made: length, text | 1, … |
//! | residues of the database that it was made for, or 0 | 8 |
//! | unless 0: when that was made, and its volumes: length, text each | 1, …, 4, … |
//! | each identifier: length, or 255 and length; bytes | 1 or 1 + 4, … |
//!
//! Source: NCBI C++ Toolkit, `objtools/blast/seqdb_reader/seqidlist_reader.cpp`.

use anyhow::{Context, ensure};

/// Byte that says that a length of four bytes follows.
const LONG: u8 = 0xFF;

/// Whether a list is binary: a text does not start with a zero.
pub(super) fn is_binary(list: &[u8]) -> bool {
    list.first() == Some(&0)
}

/// The identifiers of a binary list.
///
/// # Errors
/// If its lengths contradict each other.
pub(super) fn ids(list: &[u8]) -> anyhow::Result<Vec<&[u8]>> {
    let mut fields = Fields(list);
    fields.take(1)?;
    let stated = fields.long()?;
    let found = list.len() as u64;
    ensure!(stated == found, "it says that it has {stated} bytes, but has {found}");
    let count = fields.long()?;
    // Title and date of the list.
    fields.text_after_word()?;
    fields.text_after_byte()?;
    if fields.long()? != 0 {
        // Date and volumes of a database.
        fields.text_after_byte()?;
        fields.text_after_word()?;
    }
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(match fields.byte()? {
            LONG => fields.text_after_word()?,
            length => fields.take(usize::from(length))?,
        });
    }
    Ok(ids)
}

/// What is left of the list.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).context("it ends inside a field")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> anyhow::Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn long(&mut self) -> anyhow::Result<u64> {
        Ok(self.take(8)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn text_after_byte(&mut self) -> anyhow::Result<&'a [u8]> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    fn text_after_word(&mut self) -> anyhow::Result<&'a [u8]> {
        let length = self.take(4)?.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte));
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list as blastdb_aliastool writes it, for a database of so many residues.
    fn list(ids: &[&[u8]], residues: u64) -> Vec<u8> {
        let mut body = (ids.len() as u64).to_le_bytes().to_vec();
        body.extend([&8u32.to_le_bytes()[..], b"list.txt", &[22], b"Nov 26, 2026  09:30 PM"].concat());
        body.extend(residues.to_le_bytes());
        if residues > 0 {
            body.extend([&[4][..], b"date", &7u32.to_le_bytes(), b"volumes"].concat());
        }
        for id in ids {
            match id.len() {
                length @ 0..255 => body.push(length as u8),
                length => body.extend([&[LONG][..], &(length as u32).to_le_bytes()].concat()),
            }
            body.extend(*id);
        }
        [&[0][..], &(body.len() as u64 + 9).to_le_bytes(), &body].concat()
    }

    #[test]
    fn identifiers_are_read_whatever_comes_before_them() {
        let long = [b'x'; 300];
        let expected: [&[u8]; 3] = [b"NP_000002", b"P12345", &long];
        for residues in [0, 5_000] {
            let list = list(&expected, residues);
            assert!(is_binary(&list));
            assert_eq!(ids(&list).unwrap(), expected);
        }
        assert!(!is_binary(b"P12345") && !is_binary(b""));
    }

    #[test]
    fn a_list_that_is_cut_or_longer_than_it_says_is_refused() {
        let whole = list(&[b"P12345"], 7);
        for length in 1..whole.len() {
            assert!(ids(&whole[..length]).is_err(), "{length} bytes");
        }
        let error = ids(&[&whole[..], b"x"].concat()).unwrap_err().to_string();
        assert!(error.starts_with("it says that it has "), "{error}");
        let mut more = whole;
        more[9] = 2;
        assert_eq!(ids(&more).unwrap_err().to_string(), "it ends inside a field");
    }
}
