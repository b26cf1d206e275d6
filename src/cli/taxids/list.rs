//! Taxids that are listed on the command line or in a file (`-taxids`, `-taxidlist`), as numbers or as names.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use super::names::{NO_TAXONOMY, find_taxonomy};
use crate::cli::exit::Exit;
use crate::sequence::taxids::{LARGEST_TAXID, Taxid, parse_taxid};
use crate::taxonomy::{Taxon, Taxonomy};

/// Names that are proposed for one that is not known.
const PROPOSED: usize = 5;

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
    let file = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("could not read {file}"))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut reader = Reader::default();
    let lines = text.lines().enumerate().map(|(number, line)| (format!("line {}: ", number + 1), line));
    let taxids = reader.read(lines).with_context(|| file.to_string())?;
    ensure!(!taxids.is_empty(), "{file} holds no taxid");
    Ok(taxids)
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
        let digits = word.strip_prefix('+').unwrap_or(word);
        if let Some(taxid) = parse_taxid(digits.as_bytes()) {
            return Ok(taxid);
        }
        let is_number = digits.trim_start_matches('-').starts_with(|first: char| first.is_ascii_digit());
        ensure!(!is_number, "{word:?} is no taxid (a number up to {LARGEST_TAXID})");
        let taxonomy = match &mut self.taxonomy {
            Some(taxonomy) => taxonomy,
            none => none.insert(find_taxonomy()?.with_context(|| {
                format!("{word:?} is no number, and names of taxa are not known here: {NO_TAXONOMY}")
            })?),
        };
        resolve(taxonomy, word)
    }
}

/// The taxid of the taxon with this name.
fn resolve(taxonomy: &Taxonomy, name: &str) -> anyhow::Result<Taxid> {
    let shown = |taxa: Vec<Taxon<'_>>| {
        let texts = taxa.iter().map(|taxon| match &taxon.common {
            common if *common == taxon.scientific => format!("{} ({})", taxon.scientific, taxon.taxid),
            common => format!("{}, {common} ({})", taxon.scientific, taxon.taxid),
        });
        texts.collect::<Vec<_>>().join("; ")
    };
    match &taxonomy.find(name)[..] {
        [only] => Ok(*only),
        [] => match taxonomy.nearest(name, PROPOSED) {
            none if none.is_empty() => bail!("{name:?} is the name of no taxon"),
            nearest => bail!("{name:?} is the name of no taxon; the nearest: {}", shown(nearest)),
        },
        several => {
            let taxa = several.iter().filter_map(|taxid| taxonomy.taxon(*taxid)).collect();
            bail!("{name:?} is the name of several taxa, so give a number: {}", shown(taxa))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taxonomy() -> Taxonomy {
        let taxon = |(taxid, scientific, common): (Taxid, &'static str, &'static str)| Taxon {
            taxid,
            scientific: scientific.into(),
            common: common.into(),
            blast: "-".into(),
            superkingdom: "N/A".into(),
        };
        let taxa = [
            (9606, "Homo sapiens", "human"),
            (1386, "Bacillus", "Bacillus"),
            (55087, "Bacillus", "walking sticks"),
        ];
        Taxonomy::of(taxa.map(taxon)).unwrap()
    }

    fn read(value: &str) -> Result<Vec<Taxid>, String> {
        let mut reader = Reader { taxonomy: Some(taxonomy()) };
        let taxids = reader.read(value.split(',').map(|word| (String::new(), word)));
        taxids.map(Vec::from_iter).map_err(|error| error.to_string())
    }

    /// Numbers as blastp 2.12 reads them.
    #[test]
    fn numbers_and_names_may_be_mixed() {
        for value in
            ["9606", "+9606", "0009606", " 9606 ", ",9606,", "9606,9606", "human", "HOMO sapiens,9606"]
        {
            assert_eq!(read(value), Ok(vec![9606]), "{value}");
        }
        assert_eq!(read("0,2147483647,562"), Ok(vec![0, 562, 2_147_483_647]));
        assert_eq!(read(" ,"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_neither_is_told_with_what_it_may_mean() {
        for (value, error) in [
            ("-5", "\"-5\" is no taxid (a number up to 2147483647)"),
            ("2147483648", "\"2147483648\" is no taxid (a number up to 2147483647)"),
            ("9606 562", "\"9606 562\" is no taxid (a number up to 2147483647)"),
            ("1e3", "\"1e3\" is no taxid (a number up to 2147483647)"),
            (
                "Homo sapien",
                "\"Homo sapien\" is the name of no taxon; the nearest: Homo sapiens, human (9606)",
            ),
            ("xyz", "\"xyz\" is the name of no taxon"),
            (
                "bacillus",
                "\"bacillus\" is the name of several taxa, so give a number: Bacillus (1386); Bacillus, walking \
                 sticks (55087)",
            ),
        ] {
            assert_eq!(read(value), Err(error.to_owned()));
        }
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
    }
}
