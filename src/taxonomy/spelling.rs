//! Taxa as people write them: by their numbers or by their names.

use super::taxdb::{Taxon, Taxonomy};
use crate::sequence::taxids::{LARGEST_TAXID, Taxid, parse_taxid};

/// Names that are proposed for one that is not known.
const PROPOSED: usize = 5;

/// A taxon as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpelledTaxon {
    /// By its number.
    Taxid(Taxid),
    /// By a name.
    Name(String),
}

/// A word that does not mean a taxon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpellingError {
    /// A number that is none of NCBI's.
    #[error("{0:?} is no taxid (a number up to {LARGEST_TAXID})")]
    NoTaxid(String),
    /// A name that no taxon has.
    #[error("{name:?} is the name of no taxon{}", proposal(nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Taxa with names that are like it, with their numbers.
        nearest: String,
    },
    /// A name that several taxa have.
    #[error("{name:?} is the name of several taxa, so give a number: {taxa}")]
    Several {
        /// What was asked for.
        name: String,
        /// The taxa, with their numbers.
        taxa: String,
    },
}

fn proposal(nearest: &str) -> String {
    if nearest.is_empty() { String::new() } else { format!("; the nearest: {nearest}") }
}

impl SpelledTaxon {
    /// Reads a word, in which a number is written as blastp reads it.
    ///
    /// # Errors
    /// For a number that is no taxid.
    pub fn parse(word: &str) -> Result<Self, SpellingError> {
        let digits = word.strip_prefix('+').unwrap_or(word);
        if let Some(taxid) = parse_taxid(digits.as_bytes()) {
            return Ok(Self::Taxid(taxid));
        }
        let is_number = digits.trim_start_matches('-').starts_with(|first: char| first.is_ascii_digit());
        if is_number { Err(SpellingError::NoTaxid(word.to_owned())) } else { Ok(Self::Name(word.to_owned())) }
    }
}

impl Taxonomy {
    /// The taxid of the only taxon with this name.
    ///
    /// # Errors
    /// If no taxon has the name, or several have.
    pub fn resolve(&self, name: &str) -> Result<Taxid, SpellingError> {
        let shown = |taxa: Vec<Taxon<'_>>| {
            let texts = taxa.iter().map(|taxon| match &taxon.common {
                common if *common == taxon.scientific => format!("{} ({})", taxon.scientific, taxon.taxid),
                common => format!("{}, {common} ({})", taxon.scientific, taxon.taxid),
            });
            texts.collect::<Vec<_>>().join("; ")
        };
        let named = name.to_owned();
        match &self.find(name)[..] {
            [only] => Ok(*only),
            [] => {
                let nearest = shown(self.nearest(name, PROPOSED));
                Err(SpellingError::Unknown { name: named, nearest })
            }
            several => {
                let taxa = several.iter().filter_map(|taxid| self.taxon(*taxid)).collect();
                Err(SpellingError::Several { name: named, taxa: shown(taxa) })
            }
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

    fn read(word: &str) -> Result<Taxid, String> {
        let taxid = SpelledTaxon::parse(word).and_then(|spelled| match spelled {
            SpelledTaxon::Taxid(taxid) => Ok(taxid),
            SpelledTaxon::Name(name) => taxonomy().resolve(&name),
        });
        taxid.map_err(|error| error.to_string())
    }

    /// Numbers as blastp 2.12 reads them.
    #[test]
    fn a_number_or_a_name_means_a_taxon() {
        for word in ["9606", "+9606", "0009606", "human", "HOMO sapiens"] {
            assert_eq!(read(word), Ok(9606), "{word}");
        }
        assert_eq!((read("0"), read("2147483647")), (Ok(0), Ok(LARGEST_TAXID)));
    }

    #[test]
    fn what_is_neither_is_told_with_what_it_may_mean() {
        for (word, error) in [
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
            assert_eq!(read(word), Err(error.to_owned()));
        }
    }
}
