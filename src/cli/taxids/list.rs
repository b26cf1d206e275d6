//! Taxids that are listed on the command line or in a file (`-taxids`, `-taxidlist`), as numbers or as names.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use super::names::{NO_TAXONOMY, find_taxonomy};
use crate::cli::exit::Exit;
use crate::sequence::taxids::Taxid;
use crate::taxonomy::{SpelledTaxon, Taxonomy};

/// Reads the value of an option: taxids or names of taxa with commas between them.
///
/// # Errors
/// For what is neither a taxid nor the name of one taxon.
pub(in crate::cli) fn read_taxids(option: &str, value: &str) -> anyhow::Result<BTreeSet<Taxid>> {
    let mut reader = Reader::default();
    let taxids = reader.read(value.split(',').map(|word| (String::new(), word)));
    let taxids =
        taxids.map_err(|error| Exit::WrongCommandLine.because(format_args!("{option}: {error:#}")))?;
    if taxids.is_empty() {
        return Err(Exit::WrongCommandLine.because(format_args!("{option}: names no taxid")));
    }
    Ok(taxids)
}

/// Reads a file of taxids or names of taxa, one a line.
///
/// # Errors
/// If it cannot be read, and for a line that is neither a taxid nor the name of one taxon.
pub(in crate::cli) fn read_taxid_list(path: &Path) -> anyhow::Result<BTreeSet<Taxid>> {
    let (file, text) = (path.display(), read_text(path)?);
    let mut reader = Reader::default();
    let lines = text.lines().enumerate().map(|(number, line)| (format!("line {}: ", number + 1), line));
    let taxids = reader.read(lines).with_context(|| file.to_string())?;
    ensure!(!taxids.is_empty(), "{file} holds no taxid");
    Ok(taxids)
}

/// The lines of such a file that are not empty, as they are.
///
/// # Errors
/// If it cannot be read, or all its lines are empty.
pub(in crate::cli) fn words_of_list(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = read_text(path)?;
    let words: Vec<_> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    ensure!(!words.is_empty(), "{} holds no taxid", path.display());
    Ok(words)
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Looks names up, in a taxonomy that is read when the first one comes.
#[derive(Default)]
struct Reader {
    taxonomy: Option<Taxonomy>,
}

impl Reader {
    /// The taxids of all words that are not empty; each comes with what errors say of its place.
    fn read<'a>(
        &mut self,
        words: impl Iterator<Item = (String, &'a str)>,
    ) -> anyhow::Result<BTreeSet<Taxid>> {
        let mut taxids = BTreeSet::new();
        for (place, word) in
            words.map(|(place, word)| (place, word.trim())).filter(|(_, word)| !word.is_empty())
        {
            match self.taxid(word) {
                Ok(taxid) => taxids.insert(taxid),
                Err(error) => bail!("{place}{error:#}"),
            };
        }
        Ok(taxids)
    }

    fn taxid(&mut self, word: &str) -> anyhow::Result<Taxid> {
        let name = match SpelledTaxon::parse(word)? {
            SpelledTaxon::Taxid(taxid) => return Ok(taxid),
            SpelledTaxon::Name(name) => name,
        };
        let taxonomy = match &mut self.taxonomy {
            Some(taxonomy) => taxonomy,
            none => none.insert(find_taxonomy()?.with_context(|| {
                format!("{word:?} is no number, and names of taxa are not known here: {NO_TAXONOMY}")
            })?),
        };
        Ok(taxonomy.resolve(&name)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::taxonomy::Taxon;

    #[test]
    fn numbers_and_names_may_be_mixed() {
        let human = Taxon {
            taxid: 9606,
            scientific: "Homo sapiens".into(),
            common: "human".into(),
            blast: "primates".into(),
            superkingdom: "Eukaryota".into(),
        };
        let taxonomy = Taxonomy::of([human]).unwrap();
        let read = |value: &str| {
            let mut reader = Reader { taxonomy: Some(taxonomy.clone()) };
            let taxids = reader.read(value.split(',').map(|word| (String::new(), word)));
            taxids.map(Vec::from_iter).map_err(|error| error.to_string())
        };
        for value in [" 9606 ", ",9606,", "9606,9606", "human", "HOMO sapiens,9606"] {
            assert_eq!(read(value), Ok(vec![9606]), "{value}");
        }
        assert_eq!(read("0,2147483647,562"), Ok(vec![0, 562, 2_147_483_647]));
        assert_eq!(read(" ,"), Ok(Vec::new()));
        assert_eq!(
            read("562,Homo sapien"),
            Err("\"Homo sapien\" is the name of no taxon; the nearest: Homo sapiens, human (9606)".to_owned())
        );
    }

    #[test]
    fn a_bad_line_of_a_file_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let name = file.path().display().to_string();
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            let taxids = read_taxid_list(file.path()).map(Vec::from_iter);
            taxids.map_err(|error| format!("{error:#}").replace(&name, "list"))
        };
        assert_eq!(read("9606\r\n\n 562 \n"), Ok(vec![562, 9606]));
        assert_eq!(
            read("9606\n5x\n"),
            Err("list: line 2: \"5x\" is no taxid (a number up to 2147483647)".to_owned())
        );
        assert_eq!(read("\n"), Err("list holds no taxid".to_owned()));
        std::fs::write(file.path(), "9606\r\n\n Homo sapiens \n").unwrap();
        assert_eq!(words_of_list(file.path()).unwrap(), ["9606", "Homo sapiens"]);
    }
}
