//! Where the taxids of sequences in FASTA come from.

use std::path::PathBuf;

use anyhow::ensure;

use super::map::TaxidMap;
use crate::sequence::names::SubjectNames;
use crate::sequence::taxids::{NameTaxids, Taxid, labelled, parse_taxid, stated_taxid};

/// Options that say which taxids the sequences of a database have.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::cli) struct TaxidFlags {
    /// Taxid of all sequences: a number of NCBI's taxonomy
    #[arg(long, value_name = "TAXID", value_parser = read_taxid, conflicts_with = "taxid_map")]
    taxid: Option<Taxid>,

    /// File with the taxids of sequences, an identifier and a taxid a line; the others have those of
    /// their titles
    #[arg(long, value_name = "FILE")]
    taxid_map: Option<PathBuf>,

    /// Take no taxids from titles (UniProt's OX=9606); makeblastdb takes none
    #[arg(long)]
    ignore_ox: bool,
}

fn read_taxid(text: &str) -> Result<Taxid, String> {
    parse_taxid(text.as_bytes()).ok_or_else(|| "a taxid is a number from 0 to 2147483647".to_owned())
}

impl TaxidFlags {
    /// Reads what the options name.
    pub(in crate::cli) fn open(&self) -> anyhow::Result<TaxidSource> {
        let map = self.taxid_map.as_ref().map(|path| anyhow::Ok((path.clone(), TaxidMap::read(path)?)));
        Ok(TaxidSource { all: self.taxid, map: map.transpose()?, titles: !self.ignore_ox, mapped: 0 })
    }
}

/// Gives sequences their taxids.
#[derive(Debug)]
pub(in crate::cli) struct TaxidSource {
    /// The taxid of all.
    all: Option<Taxid>,
    map: Option<(PathBuf, TaxidMap)>,
    /// Whether titles state taxids.
    titles: bool,
    /// Sequences whose taxid the map has.
    mapped: u64,
}

impl TaxidSource {
    /// Taxids of titles only.
    pub(in crate::cli) fn titles() -> Self {
        Self { all: None, map: None, titles: true, mapped: 0 }
    }

    /// A FASTA definition line with its taxid in front, if it is known.
    pub(in crate::cli) fn label(&mut self, defline: &[u8]) -> Vec<u8> {
        let taxid = self.all.or_else(|| self.mapped(defline)).or_else(|| self.stated(defline));
        labelled(defline.to_vec(), &[NameTaxids::one(taxid.unwrap_or(0))])
    }

    fn mapped(&mut self, defline: &[u8]) -> Option<Taxid> {
        let (_, map) = self.map.as_ref()?;
        let taxid = map.taxid_of(SubjectNames::of(defline).seqid())?;
        self.mapped += 1;
        Some(taxid)
    }

    fn stated(&self, defline: &[u8]) -> Option<Taxid> {
        if self.titles { stated_taxid(defline) } else { None }
    }

    /// Says whether the map was any good, when all sequences are labelled.
    ///
    /// # Errors
    /// If it has none of them.
    pub(in crate::cli) fn finish(self) -> anyhow::Result<()> {
        let Some((path, _)) = self.map else { return Ok(()) };
        ensure!(
            self.mapped > 0,
            "{}: none of its identifiers is that of a sequence; is it a map for another database?",
            path.display()
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(all: Option<Taxid>, map: &str, titles: bool) -> TaxidSource {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), map).unwrap();
        let map = (!map.is_empty()).then(|| (PathBuf::from("map"), TaxidMap::read(file.path()).unwrap()));
        TaxidSource { all, map, titles, mapped: 0 }
    }

    #[test]
    fn a_map_comes_before_titles_and_one_taxid_before_both() {
        let line = b"sp|P1|X protein OS=Homo sapiens OX=9606 PE=1";
        let labels = |mut source: TaxidSource| {
            let label = source.label(line);
            String::from_utf8(label).unwrap().replace("sp|P1|X protein OS=Homo sapiens OX=9606 PE=1", "…")
        };
        assert_eq!(labels(source(None, "", true)), "\n9606\n…");
        assert_eq!(labels(source(None, "", false)), "…");
        assert_eq!(labels(source(None, "P1 7", true)), "\n7\n…");
        assert_eq!(labels(source(None, "P1 0", true)), "…");
        assert_eq!(labels(source(None, "P2 7", true)), "\n9606\n…");
        assert_eq!(labels(source(Some(3), "", true)), "\n3\n…");
        assert_eq!(labels(TaxidSource::titles()), "\n9606\n…");
    }

    #[test]
    fn a_map_for_another_database_is_refused() {
        let mut other = source(None, "P2 7", true);
        other.label(b"sp|P1|X");
        let error = other.finish().unwrap_err().to_string();
        assert!(error.starts_with("map: none of its identifiers is that of a sequence"), "{error}");
        let mut own = source(None, "P1 7", true);
        own.label(b"sp|P1|X");
        assert!(own.finish().is_ok());
    }
}
