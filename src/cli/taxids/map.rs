//! Files that say which taxid a sequence has (`-taxid_map` of makeblastdb): an identifier and a taxid a line.
//!
//! An identifier means what it means in a [list](crate::cli::id_list): what stands before an accession does not
//! count, nor does case, and without a version it means any. Of several lines for an identifier the last one
//! counts, as with makeblastdb.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::cli::id_list;
use crate::sequence::input::Input;
use crate::sequence::taxids::{LARGEST_TAXID, Taxid, parse_taxid};
use crate::taxonomy::Purpose;

/// Longest line that is read, in bytes: identifiers have a few dozen.
const LONGEST_LINE: u64 = 4096;

/// Taxids by identifier.
#[derive(Debug, Default)]
pub(super) struct TaxidMap(HashMap<Vec<u8>, Taxid>);

impl TaxidMap {
    /// Reads a file, plain, gzip or zstd. Empty lines and those that start with `#` are passed over.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is not an identifier and a taxid; the error names the line.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let mut input = Input::open(path)?;
        let name = input.name().to_owned();
        let mut map = Self::default();
        let (mut line, mut number) = (Vec::new(), 0_u64);
        loop {
            line.clear();
            let mut bounded = std::io::Read::take(&mut input, LONGEST_LINE + 1);
            let read = bounded.read_until(b'\n', &mut line);
            if read.with_context(|| format!("could not read {name}"))? == 0 {
                break;
            }
            number += 1;
            ensure!(
                line.len() as u64 <= LONGEST_LINE,
                "{name}: line {number} is longer than {LONGEST_LINE} bytes; is it a taxid map?"
            );
            map.add(&line).with_context(|| format!("{name}: line {number}"))?;
        }
        ensure!(!map.0.is_empty(), "{name} holds no taxid");
        Ok(map)
    }

    fn add(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let columns: Vec<_> =
            line.split(u8::is_ascii_whitespace).filter(|column| !column.is_empty()).collect();
        match columns[..] {
            [] => {}
            [first, ..] if first.starts_with(b"#") => {}
            [id, taxid] => {
                let Some(number) = parse_taxid(taxid) else {
                    let taxid = String::from_utf8_lossy(taxid);
                    bail!("{taxid:?} is no taxid (a number up to {LARGEST_TAXID})");
                };
                self.0.insert(id_list::meaning(id).to_ascii_uppercase(), number);
            }
            _ => bail!(
                "has {}; it needs two: an identifier and a taxid",
                crate::sequence::counted(columns.len() as u64, "column")
            ),
        }
        Ok(())
    }

    /// The taxid of the sequence with this identifier, the first word of its definition line.
    pub(super) fn taxid_of(&self, id: &[u8]) -> Option<Taxid> {
        let keys = id_list::keys(id, false, Purpose::Include);
        let with_versions = keys.iter().map(|(key, _)| &key[..]);
        let without = keys.iter().map(|(key, _)| id_list::versionless(key));
        with_versions.chain(without).find_map(|key| self.0.get(&key.to_ascii_uppercase())).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Result<TaxidMap, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        let name = file.path().display().to_string();
        TaxidMap::read(file.path()).map_err(|error| format!("{error:#}").replace(&name, "map"))
    }

    /// As makeblastdb 2.12 reads them.
    #[test]
    fn identifiers_mean_what_they_mean_to_makeblastdb() {
        for (line, id, taxid) in [
            ("P00001 9606", "sp|P00001.1|A_HUMAN", Some(9606)),
            ("P00001.1\t9606", "sp|P00001.1|A_HUMAN", Some(9606)),
            (" p00001  9606 \r", "sp|P00001.1|A_HUMAN", Some(9606)),
            ("sp|P00001.1|A_HUMAN 9606", "sp|P00001.1|A_HUMAN", Some(9606)),
            ("A_HUMAN 9606", "sp|P00001.1|A_HUMAN", None),
            ("1ABC_A 9606", "pdb|1ABC|A", Some(9606)),
            ("1ABC 9606", "pdb|1ABC|A", None),
            ("my 5", "my.1", Some(5)),
            ("my.1 5", "my.1", Some(5)),
            ("my.2 5", "my.1", None),
            ("a 1\na 2", "a", Some(2)),
            ("# a 1\n\na 0", "a", Some(0)),
        ] {
            assert_eq!(read(line.as_bytes()).unwrap().taxid_of(id.as_bytes()), taxid, "{line}");
        }
    }

    #[test]
    fn every_bad_line_is_named() {
        for (text, error) in [
            ("a 1\nb", "map: line 2: has 1 column; it needs two: an identifier and a taxid"),
            ("a 1 2\n", "map: line 1: has 3 columns; it needs two: an identifier and a taxid"),
            ("\na x", "map: line 2: \"x\" is no taxid (a number up to 2147483647)"),
            ("a -3", "map: line 1: \"-3\" is no taxid (a number up to 2147483647)"),
            ("a 2147483648", "map: line 1: \"2147483648\" is no taxid (a number up to 2147483647)"),
            ("# only this\n", "map holds no taxid"),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap_err(), error, "{text:?}");
        }
        let long = [b'a'; 5000];
        assert_eq!(read(&long).unwrap_err(), "map: line 1 is longer than 4096 bytes; is it a taxid map?");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 1..200)) {
            if let Ok(map) = read(&text) {
                map.taxid_of(&text);
            }
        }
    }
}
