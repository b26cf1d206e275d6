//! The names of taxa, in the format of NCBI's `taxdb.bti` and `taxdb.btd`.
//!
//! All numbers have 32 bits and are big-endian. `taxdb.bti` has
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 4 | magic, 0x8739 |
//! | 4 | 4 | *n*, the number of taxa |
//! | 8 | 16 | zeros |
//! | 24 | 8 *n* | of each taxon its taxid and where its names start in `taxdb.btd`; taxids ascend |
//!
//! and `taxdb.btd` the names of each, up to those of the next, with tabs between: scientific name, common name,
//! the name of its group that BLAST shows, superkingdom. Source: NCBI C++ Toolkit,
//! `objtools/blast/seqdb_reader/seqdbtax.cpp`.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::sequence::taxids::Taxid;

/// The file that says where the names of a taxon are.
pub const INDEX_FILE: &str = "taxdb.bti";

/// The file of names.
pub const NAMES_FILE: &str = "taxdb.btd";

const MAGIC: u32 = 0x8739;
/// Bytes of an index before its first entry, and of an entry.
const HEADER: usize = 24;
const ENTRY: usize = 8;

/// A taxon by its names. What is not known is `N/A`, `-` or empty, as NCBI's files have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taxon<'a> {
    /// Its number.
    pub taxid: Taxid,
    /// Scientific name, as in `Homo sapiens`.
    pub scientific: Cow<'a, str>,
    /// Common name, as in `human`, or the scientific name again.
    pub common: Cow<'a, str>,
    /// The name of the group that it belongs to, as in `primates`.
    pub blast: Cow<'a, str>,
    /// Superkingdom, as in `Eukaryota`.
    pub superkingdom: Cow<'a, str>,
}

/// The names of many taxa, in memory.
#[derive(Clone)]
pub struct Taxonomy {
    /// Taxids and where their names start, ascending.
    index: Vec<(Taxid, u32)>,
    names: Bytes,
}

/// Names of taxa that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaxonomyError {
    /// A file cannot be read.
    #[error("could not read {}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("could not write {}: {source}", file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The content contradicts itself.
    #[error("the names of taxa in {place} are damaged: {reason}; import them again")]
    Damaged {
        /// Where they are.
        place: String,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// The names take more room than the format has.
    #[error("the names of all taxa take more than 4 GiB, which the format of taxdb has no room for")]
    TooLarge,
}

impl Taxonomy {
    /// The names of some taxa, of which none has a tab in it.
    ///
    /// # Errors
    /// If they take more than 4 GiB.
    pub fn of<'a>(taxa: impl IntoIterator<Item = Taxon<'a>>) -> Result<Self, TaxonomyError> {
        let mut taxa = Vec::from_iter(taxa);
        taxa.sort_by_key(|taxon| taxon.taxid);
        taxa.dedup_by_key(|taxon| taxon.taxid);
        let (mut index, mut names) = (Vec::with_capacity(taxa.len()), Vec::new());
        for Taxon { taxid, scientific, common, blast, superkingdom } in taxa {
            let start = u32::try_from(names.len()).map_err(|_| TaxonomyError::TooLarge)?;
            index.push((taxid, start));
            names.extend([&*scientific, &*common, &*blast, &*superkingdom].join("\t").bytes());
        }
        Ok(Self { index, names: names.into() })
    }

    /// Reads the two files in `folder`; `None` if either is missing, as is usual.
    ///
    /// # Errors
    /// If they cannot be read, or are damaged.
    pub fn read(folder: &Path) -> Result<Option<Self>, TaxonomyError> {
        let read = |name| {
            let file = folder.join(name);
            match fs::read(&file) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(TaxonomyError::Read { file, source }),
            }
        };
        let (Some(index), Some(names)) = (read(INDEX_FILE)?, read(NAMES_FILE)?) else { return Ok(None) };
        Self::checked(&folder.display().to_string(), &index, names.into()).map(Some)
    }

    /// Writes the two files to `folder`, which must exist; each appears when it is whole.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), TaxonomyError> {
        for (name, content) in [(NAMES_FILE, &self.names[..]), (INDEX_FILE, &self.index_bytes())] {
            let file = folder.join(name);
            let write = || {
                let mut whole = tempfile::NamedTempFile::new_in(folder)?;
                whole.write_all(content)?;
                whole.as_file().sync_all()?;
                whole.persist(&file)?;
                Ok(())
            };
            write().map_err(|source| TaxonomyError::Write { file: file.clone(), source })?;
        }
        Ok(())
    }

    /// Both files in one, the index first.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.index_bytes()[..], &self.names].concat()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `place` is where that is, for errors.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn from_bytes(place: &str, bytes: &Bytes) -> Result<Self, TaxonomyError> {
        let count = bytes.get(4..8).and_then(|count| count.try_into().ok()).map_or(0, u32::from_be_bytes);
        let end = HEADER.saturating_add(ENTRY.saturating_mul(count as usize)).min(bytes.len());
        Self::checked(place, &bytes[..end], bytes.slice(end..))
    }

    fn checked(place: &str, index: &[u8], names: Bytes) -> Result<Self, TaxonomyError> {
        let damaged = |reason| TaxonomyError::Damaged { place: place.to_owned(), reason };
        let (words, rest) = index.as_chunks();
        let words: Vec<u32> = words.iter().map(|word| u32::from_be_bytes(*word)).collect();
        let [MAGIC, count, _, _, _, _, entries @ ..] = &words[..] else {
            return Err(damaged("the index does not start like one"));
        };
        let (entries, odd) = entries.as_chunks();
        if entries.len() != *count as usize || !odd.is_empty() || !rest.is_empty() {
            return Err(damaged("the index does not have as many entries as it says"));
        }
        let index: Vec<(Taxid, u32)> = entries.iter().map(|&[taxid, start]| (taxid, start)).collect();
        if index.windows(2).any(|pair| pair[0].0 >= pair[1].0 || pair[0].1 > pair[1].1) {
            return Err(damaged("the index is not in order"));
        }
        if index.last().is_some_and(|(_, start)| *start as usize > names.len()) {
            return Err(damaged("names are missing"));
        }
        Ok(Self { index, names })
    }

    fn index_bytes(&self) -> Vec<u8> {
        let header = [MAGIC, self.index.len() as u32, 0, 0, 0, 0];
        let words = header.into_iter().chain(self.index.iter().flat_map(|(taxid, start)| [*taxid, *start]));
        words.flat_map(u32::to_be_bytes).collect()
    }

    /// Number of taxa.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no taxon.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The names of a taxon, if they are known.
    pub fn taxon(&self, taxid: Taxid) -> Option<Taxon<'_>> {
        let place = self.index.binary_search_by_key(&taxid, |(taxid, _)| *taxid).ok()?;
        self.at(place)
    }

    /// All taxa whose names are whole, by taxid.
    pub fn taxa(&self) -> impl Iterator<Item = Taxon<'_>> {
        (0..self.index.len()).filter_map(|place| self.at(place))
    }

    fn at(&self, place: usize) -> Option<Taxon<'_>> {
        let (taxid, start) = self.index[place];
        let end = self.index.get(place + 1).map_or(self.names.len(), |(_, next)| *next as usize);
        let mut names =
            self.names[start as usize..end].splitn(4, |byte| *byte == b'\t').map(String::from_utf8_lossy);
        let mut name = || names.next();
        let (scientific, common, blast) = (name()?, name()?, name()?);
        let superkingdom = name().filter(|name| !name.is_empty())?;
        Some(Taxon { taxid, scientific, common, blast, superkingdom })
    }
}

impl std::fmt::Debug for Taxonomy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taxonomy").field("taxa", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taxon(taxid: Taxid, names: [&str; 4]) -> Taxon<'static> {
        let [scientific, common, blast, superkingdom] = names.map(|name| name.to_owned().into());
        Taxon { taxid, scientific, common, blast, superkingdom }
    }

    fn two() -> Taxonomy {
        let mouse = taxon(10090, ["Mus musculus", "house mouse", "rodents", "Eukaryota"]);
        Taxonomy::of([mouse, taxon(2, ["Bacteria", "eubacteria", "eubacteria", "Bacteria"])]).unwrap()
    }

    /// The files that blastp 2.12.0 took for the cases in `tests/golden/taxonomy`.
    #[test]
    fn the_bytes_are_those_that_blastp_reads() {
        let words = [0x8739, 2, 0, 0, 0, 0, 2, 0, 10090, 39_u32];
        let index: Vec<u8> = words.into_iter().flat_map(u32::to_be_bytes).collect();
        assert_eq!(two().index_bytes(), index);
        let names = &two().to_bytes()[index.len()..];
        assert_eq!(
            names,
            b"Bacteria\teubacteria\teubacteria\tBacteriaMus musculus\thouse mouse\trodents\tEukaryota"
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Taxonomy::read(folder.path()).unwrap().is_none());
        two().write(folder.path()).unwrap();
        let read = Taxonomy::read(folder.path()).unwrap().unwrap();
        assert_eq!((read.len(), read.taxa().collect::<Vec<_>>()), (2, two().taxa().collect()));
        assert_eq!(read.taxon(10090).unwrap().common, "house mouse");
        assert_eq!(read.taxon(3), None);
        fs::remove_file(folder.path().join(NAMES_FILE)).unwrap();
        assert!(Taxonomy::read(folder.path()).unwrap().is_none());
    }

    #[test]
    fn a_taxon_without_all_its_names_is_not_known() {
        let names = Bytes::from_static(b"a\tb\tc\t");
        assert_eq!(Taxonomy { index: vec![(1, 0)], names }.taxon(1), None);
        assert_eq!(Taxonomy { index: vec![(1, 0)], names: Bytes::from_static(b"a\tb") }.taxon(1), None);
    }

    #[test]
    fn damage_is_named() {
        let whole = two().to_bytes();
        let reason = |bytes: Vec<u8>| Taxonomy::from_bytes("taxa", &bytes.into()).unwrap_err().to_string();
        let damaged =
            |reason: &str| format!("the names of taxa in taxa are damaged: {reason}; import them again");
        assert_eq!(reason(Vec::new()), damaged("the index does not start like one"));
        assert_eq!(reason(whole[1..].to_vec()), damaged("the index does not start like one"));
        assert_eq!(
            reason(whole[..30].to_vec()),
            damaged("the index does not have as many entries as it says")
        );
        assert_eq!(reason(whole[..60].to_vec()), damaged("names are missing"));
        let mut swapped = whole.clone();
        swapped[27] = 255;
        swapped[26] = 255;
        assert_eq!(reason(swapped), damaged("the index is not in order"));
    }

    proptest! {
        #[test]
        fn no_damaged_bytes_make_it_panic(place in 0usize..200, byte: u8, cut in 0usize..200) {
            let mut bytes = two().to_bytes();
            let place = place % bytes.len();
            bytes[place] = byte;
            bytes.truncate(bytes.len() - cut % bytes.len());
            if let Ok(taxonomy) = Taxonomy::from_bytes("taxa", &bytes.into()) {
                prop_assert!(taxonomy.taxa().count() <= taxonomy.len());
                taxonomy.taxon(10090);
            }
        }

        #[test]
        fn every_taxon_is_found(taxids in prop::collection::btree_set(any::<u32>(), 0..40)) {
            let taxa = taxids.iter().map(|taxid| taxon(*taxid, ["a", "", "-", "N/A"]));
            let taxonomy = Taxonomy::of(taxa.rev()).unwrap();
            prop_assert_eq!(taxonomy.len(), taxids.len());
            for taxid in taxids {
                prop_assert_eq!(taxonomy.taxon(taxid), Some(taxon(taxid, ["a", "", "-", "N/A"])));
            }
        }
    }
}
