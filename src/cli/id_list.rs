//! Lists of the sequences of a database that are searched, or that are not (`-seqidlist`,
//! `-negative_seqidlist`).
//!
//! What an identifier means is what it means to blastp in a database of version 5
//! (`objtools/blast/seqdb_reader/seqdbgilistset.cpp`, `seqdb_lmdb.cpp`); every rule was checked against
//! blastp 2.12.0. What stands before an accession, as in `sp|P01013|`, does not count, nor does an
//! accession's case, and without a version it means any. Identifiers of other kinds are compared as they
//! are. GI numbers mean nothing. In a list of what is left out the entry of a structure means all its chains, and
//! a tag what has it in any database.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, ensure};

use super::binary_id_list;
use crate::sequence::names::Name;
use crate::taxonomy::Purpose;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Kinds of identifiers that have an accession.
const WITH_ACCESSION: [&[u8]; 11] =
    [b"gb", b"emb", b"sp", b"tr", b"ref", b"dbj", b"tpg", b"tpe", b"tpd", b"gpp", b"nat"];

/// A list of identifiers.
#[derive(Debug)]
pub(super) struct IdList {
    /// The identifiers by what they are in upper case.
    ids: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    len: usize,
}

impl IdList {
    /// Reads a file of identifiers: a text with blanks and line ends between them, or the binary form of
    /// such a list.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let file = path.display();
        let bytes = std::fs::read(path).with_context(|| format!("could not read {file}"))?;
        let list = if binary_id_list::is_binary(&bytes) {
            let ids = binary_id_list::ids(&bytes).with_context(|| format!("{file} is a damaged list"))?;
            Self::of_words(ids.into_iter())
        } else {
            Self::of_words(words(&bytes).into_iter())
        };
        ensure!(list.len > 0, "{file} holds no identifier");
        Ok(list)
    }

    /// A list of these identifiers.
    pub(super) fn of_words<'a>(words: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut list = Self { ids: HashMap::new(), len: 0 };
        for id in words.map(meaning) {
            let same: &mut Vec<Vec<u8>> = list.ids.entry(id.to_ascii_uppercase()).or_default();
            if !same.contains(&id) {
                same.push(id);
                list.len += 1;
            }
        }
        list
    }

    /// What stands in the list for an identifier.
    pub(super) fn meaning(id: &[u8]) -> Vec<u8> {
        meaning(id)
    }

    /// Number of different identifiers.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The identifiers of the list that mean a sequence of this name, parsed or not.
    pub(super) fn matching(&self, name: &Name<'_>, is_parsed: bool, purpose: Purpose) -> Vec<&[u8]> {
        let keys = keys(&name.id, is_parsed, purpose);
        let found =
            keys.iter().filter_map(|(key, of)| Some((key, of, self.ids.get(&key.to_ascii_uppercase())?)));
        let same = found.flat_map(|(key, of, ids)| {
            ids.iter().filter(move |id| *of == Case::Ignored || *id == key).map(Vec::as_slice)
        });
        same.collect()
    }
}

/// The words of a text list: what stands between blanks, without `>` before it. A word that starts with
/// `#` makes the rest of its line a comment.
fn words(text: &[u8]) -> Vec<&[u8]> {
    let is_between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let mut rest = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut words = Vec::new();
    loop {
        let Some(start) = rest.iter().position(|byte| !is_between(byte) && *byte != b'>') else {
            return words;
        };
        rest = &rest[start..];
        let is_comment = rest[0] == b'#';
        let end = rest.iter().position(|byte| if is_comment { *byte == b'\n' } else { is_between(byte) });
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        if !is_comment {
            words.push(word);
        }
        rest = after;
    }
}

/// Whether upper and lower case differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Matters,
    Ignored,
}

/// An identifier in a list, as it is compared: an accession, or what stands for one.
pub(super) fn meaning(id: &[u8]) -> Vec<u8> {
    let fields: Vec<&[u8]> = id.split(|byte| *byte == b'|').collect();
    let kind = fields[0].to_ascii_lowercase();
    match (&kind[..], &fields[1..]) {
        (b"lcl", _) if fields.len() > 1 => id[4..].to_vec(),
        (b"gnl", [database, tag]) => [*database, tag].join(&b':'),
        (b"pdb", [entry] | [entry, b""]) => entry.to_vec(),
        (b"pdb", [entry, chain]) => [*entry, chain].join(&b'_'),
        (b"pat" | b"pgp", [country, number, sequence]) => patent(country, number, sequence),
        (kind, [accession, ..]) if !accession.is_empty() && WITH_ACCESSION.contains(&kind) => {
            accession.to_vec()
        }
        _ => id.to_vec(),
    }
}

fn patent(country: &[u8], number: &[u8], sequence: &[u8]) -> Vec<u8> {
    [&[country, number].concat(), sequence].join(&b'_')
}

/// What a list may call a sequence with this identifier.
pub(super) fn keys(id: &[u8], is_parsed: bool, purpose: Purpose) -> Vec<(Vec<u8>, Case)> {
    let fields: Vec<&[u8]> = id.split(|byte| *byte == b'|').collect();
    // A number of its own stands before other identifiers.
    let fields = match &fields[..] {
        [b"gi", _, rest @ ..] => rest,
        all => all,
    };
    let exactly = |key: &[u8]| (key.to_vec(), Case::Matters);
    let (key, broader) = match fields {
        [] => return Vec::new(),
        [b"gnl", database, tag] => ([*database, tag].join(&b':'), Some(*tag)),
        [b"pdb", entry, chain] if chain.trim_ascii().is_empty() => (entry.to_vec(), None),
        [b"pdb", entry, chain] => ([*entry, chain].join(&b'_'), Some(*entry)),
        [b"pat" | b"pgp", country, number, sequence] => (patent(country, number, sequence), None),
        [kind, accession, ..] if !accession.is_empty() && WITH_ACCESSION.contains(kind) => {
            let same = |key: &[u8]| (key.to_vec(), Case::Ignored);
            return match versionless(accession) {
                whole if whole == *accession => vec![same(whole)],
                without => vec![same(accession), same(without)],
            };
        }
        [only] if !is_parsed => return vec![(only.to_vec(), Case::Ignored)],
        other => (meaning(&other.join(&b'|')), None),
    };
    let broader = broader.filter(|_| purpose == Purpose::Exclude);
    std::iter::once(exactly(&key)).chain(broader.map(exactly)).collect()
}

/// `NP_000002` of `NP_000002.3`.
pub(super) fn versionless(accession: &[u8]) -> &[u8] {
    match accession.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if accession[dot + 1..].iter().all(u8::is_ascii_digit) => &accession[..dot],
        _ => accession,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::names::SubjectNames;

    fn means(id: &str, defline: &str, purpose: Purpose) -> bool {
        let list = IdList::of_words([id.as_bytes()].into_iter());
        let names = SubjectNames::of(defline.as_bytes());
        names.names().iter().any(|name| !list.matching(name, names.is_parted(), purpose).is_empty())
    }

    /// As blastp 2.12 does with a database made with `-parse_seqids`.
    #[test]
    fn identifiers_mean_what_they_mean_to_blastp() {
        for (defline, ids, others) in [
            (
                "sp|P12345|\nx",
                "P12345 p12345 sp|P12345 sp|P12345| tr|P12345| gb|P12345| lcl|P12345 sp|P12345|A",
                "P12345.1 P12345. #P12345 P1234 \"P12345\" P12345,plain1 sp||P12345",
            ),
            (
                "gi|129295|sp|Q9XYZ1.2|ABC_HUMAN\nold gi style",
                "Q9XYZ1 q9xyz1 Q9XYZ1.2 sp|Q9XYZ1.2|ABC_HUMAN sp|Q9XYZ1|ABC_HUMAN ref|Q9XYZ1.2|",
                "Q9XYZ1.3 ABC_HUMAN sp||ABC_HUMAN 129295 gi|129295 gi|129295|sp|Q9XYZ1.2|",
            ),
            ("ref|NP_000002.1|\nx", "NP_000002 np_000002.1 emb|NP_000002.1|", "NP_000002.2"),
            ("lcl|Plain2.7\nx", "Plain2.7 lcl|Plain2.7 LCL|Plain2.7", "Plain2 PLAIN2.7 lcl|plain2.7"),
            ("lcl|123456\nx", "123456 lcl|123456", "gi|123456"),
            ("gnl|DB|obj6\nx", "DB:obj6 gnl|DB|obj6", "db:obj6 gnl|db|OBJ6 obj6"),
            ("pdb|1ABC|A\nx", "1ABC_A pdb|1ABC|A", "1abc_A 1ABC pdb|1ABC pdb|1abc|A 1ABC_a"),
            ("pdb|2DEF|b\nx", "2DEF_b pdb|2DEF|b", "2DEF_B 2DEF_BB pdb|2DEF|BB"),
            ("pir||S10010\nx", "pir||S10010", "S10010 pir|S10010|"),
            ("pat|US|5000000|1\nx", "US5000000_1 pat|US|5000000|1", "pat|US|5000000 XX5000000_1"),
            ("lcl|first\nx\nsp|P88888.3|N_M\ny", "first P88888 P88888.3", "P88888.2 second"),
        ] {
            for id in ids.split(' ') {
                assert!(means(id, defline, Purpose::Include), "{id} {defline}");
                assert!(means(id, defline, Purpose::Exclude), "{id} {defline}");
            }
            for id in others.split(' ') {
                assert!(!means(id, defline, Purpose::Include), "{id} {defline}");
            }
        }
    }

    /// As blastp 2.12 does with `-negative_seqidlist`.
    #[test]
    fn what_is_left_out_may_be_named_more_broadly() {
        for (id, defline) in
            [("1ABC", "pdb|1ABC|A\nx"), ("pdb|1ABC", "pdb|1ABC|A\nx"), ("obj6", "gnl|DB|obj6\nx")]
        {
            assert!(means(id, defline, Purpose::Exclude), "{id}");
        }
        assert!(!means("1abc", "pdb|1ABC|A\nx", Purpose::Exclude));
    }

    /// blastp refuses databases without parsed identifiers; here their first words are identifiers.
    #[test]
    fn first_words_of_definition_lines_are_identifiers_too() {
        let include = |id, defline| means(id, defline, Purpose::Include);
        for id in ["sp|P12345|AATM_RABIT", "P12345", "sp|P12345"] {
            assert!(include(id, "sp|P12345|AATM_RABIT Aspartate aminotransferase"), "{id}");
        }
        assert!(include("seq.1", "seq.1 some text") && include("SEQ.1", "seq.1 some text"));
        assert!(!include("seq", "seq.1 some text") && !include("some", "seq.1 some text"));
        assert!(include("a|b|c", "a|b|c x"));
    }

    /// As blastp 2.12 reads lists.
    #[test]
    fn words_stand_between_blanks_and_comments_start_with_a_hash() {
        for (text, expected) in [
            ("a\nb\n", "a,b"),
            ("a\r\nb\r\n", "a,b"),
            ("a b\tc\rd", "a,b,c,d"),
            (">a\n>> b\n", "a,b"),
            ("# x\na # b\nc#d\n", "a,c#d"),
            ("\u{feff}a", "a"),
            ("a\u{b}b", "a\u{b}b"),
            ("\n \n", ""),
        ] {
            let found: Vec<_> = words(text.as_bytes()).into_iter().map(String::from_utf8_lossy).collect();
            assert_eq!(found.join(","), expected, "{text:?}");
        }
        let list = IdList::of_words(words(b"P1 sp|P1| p1 P1").into_iter());
        assert_eq!(list.len(), 2);
    }
}
