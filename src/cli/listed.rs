//! What the user lists of a database, to search it or all else: identifiers or taxids.

use std::collections::HashSet;

use super::id_list::IdList;
use crate::sequence::counted;
use crate::sequence::names::Name;
use crate::taxonomy::{Purpose, TaxaChoice, standing_for};

/// A list, and where it comes from.
#[derive(Debug)]
pub(super) struct Listed {
    /// The file or the option, for errors.
    pub(super) source: String,
    pub(super) content: ListContent,
}

/// What a list holds.
#[derive(Debug)]
pub(super) enum ListContent {
    Ids(IdList, Purpose),
    Taxa(TaxaChoice),
}

impl Listed {
    /// Whether the list says what is searched or what is not.
    pub(super) fn purpose(&self) -> Purpose {
        match &self.content {
            ListContent::Ids(_, purpose) => *purpose,
            ListContent::Taxa(choice) => choice.purpose,
        }
    }

    /// How much is listed, in words.
    pub(super) fn count(&self) -> String {
        match &self.content {
            ListContent::Ids(ids, _) => counted(ids.len() as u64, "identifier"),
            ListContent::Taxa(choice) => counted(choice.taxids.len() as u64, "taxid"),
        }
    }

    /// Number of different entries.
    pub(super) fn len(&self) -> usize {
        match &self.content {
            ListContent::Ids(ids, _) => ids.len(),
            ListContent::Taxa(choice) => choice.taxids.len(),
        }
    }

    /// Whether a name, parsed or not, is searched; adds the entries of the list that mean it to `found`.
    pub(super) fn keeps(&self, name: &Name<'_>, is_parsed: bool, found: &mut HashSet<Vec<u8>>) -> bool {
        match &self.content {
            ListContent::Ids(ids, purpose) => {
                let matching = ids.matching(name, is_parsed, *purpose);
                found.extend(matching.iter().map(|id| id.to_vec()));
                matching.is_empty() == (*purpose == Purpose::Exclude)
            }
            ListContent::Taxa(choice) => {
                let own = standing_for(&name.taxids);
                let listed = own.iter().filter(|taxid| choice.taxids.contains(taxid));
                found.extend(listed.map(|taxid| taxid.to_string().into_bytes()));
                choice.keeps(&name.taxids)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::names::SubjectNames;

    #[test]
    fn the_entries_that_mean_a_name_are_noted_whether_it_stays_or_goes() {
        let names = SubjectNames::of(b"\n9606 562,83333 0\nlcl|a\nx\nlcl|b\ny\nlcl|c\nz");
        let kept = |taxids: &[u32], purpose| {
            let choice = TaxaChoice { taxids: taxids.iter().copied().collect(), purpose };
            let list = Listed { source: "--taxids".to_owned(), content: ListContent::Taxa(choice) };
            let mut found = HashSet::new();
            let kept = names.names().iter().filter(|name| list.keeps(name, true, &mut found)).count();
            (kept, found.len())
        };
        assert_eq!(kept(&[83333], Purpose::Include), (1, 1));
        assert_eq!(kept(&[9606, 7], Purpose::Include), (1, 1));
        assert_eq!(kept(&[83333, 562, 0], Purpose::Exclude), (1, 3));
        assert_eq!(kept(&[7], Purpose::Exclude), (3, 0));
    }
}
