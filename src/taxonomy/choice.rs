//! The sequences of some taxa, or of all others.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::sequence::taxids::{NameTaxids, Taxid};

/// Whether sequences are searched because of their taxa, or left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// They are searched, and nothing else is (`-taxids`).
    Include,
    /// They are left out (`-negative_taxids`).
    Exclude,
}

impl Purpose {
    /// The option of a request that lists taxa for this purpose.
    pub fn option(self) -> &'static str {
        match self {
            Self::Include => "taxids",
            Self::Exclude => "negative_taxids",
        }
    }
}

/// Some taxa, and what is done with their sequences.
///
/// A taxid stands for itself alone; 0 stands for what has no taxid.
///
/// ```
/// use skyblast::sequence::taxids::NameTaxids;
/// use skyblast::taxonomy::{Purpose, TaxaChoice};
///
/// let but_human = TaxaChoice { taxids: [9606].into(), purpose: Purpose::Exclude };
/// assert!(!but_human.keeps(&NameTaxids::one(9606)));
/// assert!(but_human.keeps(&NameTaxids::one(10090)));
/// assert!(but_human.keeps(&NameTaxids::one(0)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxaChoice {
    /// The taxa.
    pub taxids: BTreeSet<Taxid>,
    /// What is done with their sequences.
    pub purpose: Purpose,
}

impl TaxaChoice {
    /// Whether a name with these taxids is searched.
    pub fn keeps(&self, taxids: &NameTaxids) -> bool {
        self.keeps_any(&standing_for(taxids))
    }

    /// The same for a name that stands for these.
    pub(super) fn keeps_any(&self, own: &[Taxid]) -> bool {
        match self.purpose {
            Purpose::Include => own.iter().any(|taxid| self.taxids.contains(taxid)),
            // A name of several taxa is left out only if all of them are.
            Purpose::Exclude => !own.iter().all(|taxid| self.taxids.contains(taxid)),
        }
    }
}

/// The taxids that a name stands for: 0 if none is known.
pub fn standing_for(taxids: &NameTaxids) -> Vec<Taxid> {
    match taxids.known() {
        none if none.is_empty() => vec![0],
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::names::SubjectNames;

    /// As blastp 2.12 does.
    #[test]
    fn a_name_stays_by_any_of_its_taxids_and_goes_by_all_of_them() {
        let names = SubjectNames::of(b"\n9606 562,83333 0\nlcl|a\nx\nlcl|b\ny\nlcl|c\nz");
        let kept = |taxids: &[Taxid], purpose| {
            let choice = TaxaChoice { taxids: taxids.iter().copied().collect(), purpose };
            names.names().iter().map(|name| choice.keeps(&name.taxids)).collect::<Vec<_>>()
        };
        assert_eq!(kept(&[83333], Purpose::Include), [false, true, false]);
        assert_eq!(kept(&[9606, 7], Purpose::Include), [true, false, false]);
        assert_eq!(kept(&[0], Purpose::Include), [false, false, true]);
        assert_eq!(kept(&[83333], Purpose::Exclude), [true, true, true]);
        assert_eq!(kept(&[83333, 562, 0], Purpose::Exclude), [true, false, false]);
        assert_eq!(kept(&[7], Purpose::Exclude), [true, true, true]);
    }
}
