//! Lists of the sequences of a database that are searched, or that are not (`-seqidlist`,
//! `-negative_seqidlist`).

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;

use crate::sequence::names::Name;

/// A list of identifiers, in lower case.
#[derive(Debug)]
pub(super) struct IdList(HashSet<Vec<u8>>);

impl IdList {
    /// Reads a file with an identifier per line, as its first word; a `>` before it does not count.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
        let ids: HashSet<_> = text.split(|byte| *byte == b'\n').filter_map(id_of).collect();
        anyhow::ensure!(!ids.is_empty(), "{} holds no identifier, one a line", path.display());
        Ok(Self(ids))
    }

    /// Number of identifiers.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The identifiers of the list that mean a sequence of this name, parsed or not.
    pub(super) fn matching<'a>(&'a self, name: &Name<'_>, is_parsed: bool) -> Vec<&'a [u8]> {
        let keys = keys(&name.id, is_parsed).into_iter();
        keys.filter_map(|key| self.0.get(&key).map(Vec::as_slice)).collect()
    }
}

/// The identifier of a line.
fn id_of(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.trim_ascii();
    let word = line.strip_prefix(b">").unwrap_or(line).split(u8::is_ascii_whitespace).next()?;
    (!word.is_empty()).then(|| normal(word))
}

/// An identifier without what may be left out.
fn normal(id: &[u8]) -> Vec<u8> {
    let id = id.strip_prefix(b"lcl|").unwrap_or(id);
    id.strip_suffix(b"|").unwrap_or(id).to_ascii_lowercase()
}

/// What a list may call a sequence: its identifier with bars, or its accession with a version or without.
fn keys(id: &[u8], is_parsed: bool) -> Vec<Vec<u8>> {
    let mut keys = vec![normal(id)];
    let fields: Vec<&[u8]> = id.split(|byte| *byte == b'|').collect();
    // A number of its own stands before other identifiers.
    let fields = match fields.as_slice() {
        [b"gi", _, rest @ ..] => rest,
        all => all,
    };
    let accession: Option<Vec<u8>> = match fields {
        [b"gnl", database, tag] => Some([*database, tag].join(&b':')),
        [b"pdb", entry, chain] => Some([*entry, chain].join(&b'_')),
        [b"lcl", ..] => None,
        [kind, accession, ..] if !accession.is_empty() => {
            keys.push([*kind, accession].join(&b'|'));
            keys.push([*kind, versionless(accession)].join(&b'|'));
            Some(accession.to_vec())
        }
        [only] if is_parsed => Some(only.to_vec()),
        _ => None,
    };
    if let Some(accession) = accession {
        keys.push(fields.join(&b'|'));
        keys.push(versionless(&accession).to_vec());
        keys.push(accession);
    }
    keys.iter_mut().for_each(|key| *key = normal(key));
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// `NP_000002` of `NP_000002.3`.
fn versionless(accession: &[u8]) -> &[u8] {
    match accession.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if accession[dot + 1..].iter().all(u8::is_ascii_digit) => &accession[..dot],
        _ => accession,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::names::SubjectNames;

    fn means(id: &str, defline: &str) -> bool {
        let list = IdList(id_of(id.as_bytes()).into_iter().collect());
        let names = SubjectNames::of(defline.as_bytes());
        names.names().iter().any(|name| !list.matching(name, names.is_parted()).is_empty())
    }

    /// As blastp 2.12 does with a database made with `-parse_seqids`.
    #[test]
    fn identifiers_mean_what_they_mean_to_blastp() {
        let chicken = "gi|129295|sp|P01013.1|OVALX_CHICK\nold gi style";
        for id in [
            "P01013",
            "P01013.1",
            "sp|P01013",
            "sp|P01013|",
            "sp|P01013.1|OVALX_CHICK",
            ">P01013",
            " P01013 x",
        ] {
            assert!(means(id, chicken), "{id}");
        }
        for id in ["P01013.2", "OVALX_CHICK", "129295", "#P01013", "P0101", ""] {
            assert!(!means(id, chicken), "{id}");
        }
        for (id, defline) in [
            ("np_000508.1", "ref|NP_000508.1|\nx"),
            ("ref|NP_000508", "ref|NP_000508.1|\nx"),
            ("1ABC_A", "pdb|1ABC|A\nx"),
            ("pdb|1ABC|A", "pdb|1ABC|A\nx"),
            ("my_local_id", "lcl|my_local_id\nx"),
            ("lcl|my_local_id", "lcl|my_local_id\nx"),
            ("gnl|DB|obj", "gnl|DB|obj\nx"),
            ("DB:obj", "gnl|DB|obj\nx"),
            ("second", "lcl|first\nx\nlcl|second\ny"),
        ] {
            assert!(means(id, defline), "{id}");
        }
        assert!(!means("obj", "gnl|DB|obj\nx"));
    }

    /// blastp refuses databases without parsed identifiers; here their first words are identifiers.
    #[test]
    fn first_words_of_definition_lines_are_identifiers_too() {
        for id in ["sp|P12345|AATM_RABIT", "P12345", "sp|P12345"] {
            assert!(means(id, "sp|P12345|AATM_RABIT Aspartate aminotransferase"), "{id}");
        }
        assert!(means("seq.1", "seq.1 some text") && !means("seq", "seq.1 some text"));
        assert!(!means("some", "seq.1 some text"));
    }
}
