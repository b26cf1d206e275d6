//! What the user lists of a database, to search it or all else: identifiers or taxids.

use std::collections::{BTreeSet, HashSet};

use super::id_list::{IdList, Purpose};
use crate::sequence::counted;
use crate::sequence::names::Name;
use crate::sequence::taxids::{NameTaxids, Taxid};

/// A list, and where it comes from.
#[derive(Debug)]
pub(super) struct Listed {
    /// The file or the option, for errors.
    pub(super) source: String,
    pub(super) content: ListContent,
    pub(super) purpose: Purpose,
}

/// What a list holds.
#[derive(Debug)]
pub(super) enum ListContent {
    Ids(IdList),
    Taxids(BTreeSet<Taxid>),
}

impl Listed {
    /// How much is listed, in words.
    pub(super) fn count(&self) -> String {
        match &self.content {
            ListContent::Ids(ids) => counted(ids.len() as u64, "identifier"),
            ListContent::Taxids(taxids) => counted(taxids.len() as u64, "taxid"),
        }
    }

    /// Number of different entries.
    pub(super) fn len(&self) -> usize {
        match &self.content {
            ListContent::Ids(ids) => ids.len(),
            ListContent::Taxids(taxids) => taxids.len(),
        }
    }

    /// Whether a name, parsed or not, is searched; adds the entries of the list that mean it to `found`.
    pub(super) fn keeps(&self, name: &Name<'_>, is_parsed: bool, found: &mut HashSet<Vec<u8>>) -> bool {
        let is_listed = match &self.content {
            ListContent::Ids(ids) => {
                let matching = ids.matching(name, is_parsed, self.purpose);
                found.extend(matching.iter().map(|id| id.to_vec()));
                !matching.is_empty()
            }
            ListContent::Taxids(taxids) => {
                let own = taxids_of(&name.taxids);
                let listed: Vec<_> = own.iter().filter(|taxid| taxids.contains(taxid)).collect();
                found.extend(listed.iter().map(|taxid| taxid.to_string().into_bytes()));
                match self.purpose {
                    Purpose::Include => !listed.is_empty(),
                    // A name of several taxa is left out only if all of them are.
                    Purpose::Exclude => listed.len() == own.len(),
                }
            }
        };
        is_listed == (self.purpose == Purpose::Include)
    }
}

/// The taxids of a name as lists mean them: 0 stands for one that is not known.
fn taxids_of(taxids: &NameTaxids) -> Vec<Taxid> {
    match taxids.known() {
        none if none.is_empty() => vec![0],
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::names::SubjectNames;

    fn kept(taxids: &[Taxid], purpose: Purpose, line: &[u8]) -> (Vec<bool>, usize) {
        let content = ListContent::Taxids(taxids.iter().copied().collect());
        let list = Listed { source: "--taxids".to_owned(), content, purpose };
        let mut found = HashSet::new();
        let names = SubjectNames::of(line);
        let kept = names.names().iter().map(|name| list.keeps(name, true, &mut found)).collect();
        (kept, found.len())
    }

    /// As blastp 2.12 does.
    #[test]
    fn a_name_stays_by_any_of_its_taxids_and_goes_by_all_of_them() {
        let line = b"\n9606 562,83333 0\nlcl|a\nx\nlcl|b\ny\nlcl|c\nz";
        assert_eq!(kept(&[83333], Purpose::Include, line), (vec![false, true, false], 1));
        assert_eq!(kept(&[9606, 7], Purpose::Include, line), (vec![true, false, false], 1));
        assert_eq!(kept(&[0], Purpose::Include, line), (vec![false, false, true], 1));
        assert_eq!(kept(&[83333], Purpose::Exclude, line), (vec![true, true, true], 1));
        assert_eq!(kept(&[83333, 562, 0], Purpose::Exclude, line), (vec![true, false, false], 3));
        assert_eq!(kept(&[7], Purpose::Exclude, line), (vec![true, true, true], 0));
    }
}
