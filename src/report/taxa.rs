//! The taxa of a subject as columns show them (`objtools/align_format/tabular.cpp`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::column::Column;
use crate::sequence::names::SubjectNames;
use crate::taxonomy::{Taxon, Taxonomy};

/// What stands for a name that is not known.
const UNKNOWN: &str = "N/A";

/// The taxids of a subject and the names that they have, if there is a taxonomy.
pub(super) struct SubjectTaxa<'a> {
    names: &'a SubjectNames<'a>,
    taxonomy: Option<&'a Taxonomy>,
    /// Whether the taxids are shown too: then a taxon without names has `N/A` in lists of names, so that they match
    /// the list of taxids.
    beside_taxids: bool,
}

impl<'a> SubjectTaxa<'a> {
    /// The taxa of a subject with these names, for a table with these columns.
    pub(super) fn new(
        names: &'a SubjectNames<'a>,
        taxonomy: Option<&'a Taxonomy>,
        columns: &[Column],
    ) -> Self {
        Self { names, taxonomy, beside_taxids: columns.contains(&Column::Staxids) }
    }

    /// The text of a column of taxa; `None` if it is none.
    pub(super) fn text(&self, column: Column) -> Option<String> {
        let text = match column {
            Column::Staxid => match self.names.taxid() {
                0 => String::new(),
                taxid => taxid.to_string(),
            },
            Column::Ssciname => self.one(|taxon| taxon.scientific),
            Column::Scomname => self.one(|taxon| taxon.common),
            Column::Sblastname => valid(&self.one(|taxon| taxon.blast)).unwrap_or_default().to_owned(),
            Column::Sskingdom => valid(&self.one(|taxon| taxon.superkingdom)).unwrap_or_default().to_owned(),
            Column::Staxids => {
                let taxids = self.names.all_taxids();
                taxids.iter().map(u32::to_string).collect::<Vec<_>>().join(";")
            }
            Column::Sscinames => self.list(|taxon| taxon.scientific),
            Column::Scomnames => self.list(|taxon| taxon.common),
            Column::Sblastnames => return Some(self.set(|taxon| taxon.blast)),
            Column::Sskingdoms => return Some(self.set(|taxon| taxon.superkingdom)),
            _ => return None,
        };
        Some(if text.is_empty() { UNKNOWN.to_owned() } else { text })
    }

    /// The name of the taxon that stands for the subject; may be empty.
    fn one(&self, name: fn(Taxon<'a>) -> Cow<'a, str>) -> String {
        self.taxonomy
            .and_then(|taxonomy| taxonomy.taxon(self.names.taxid()))
            .map(name)
            .unwrap_or_default()
            .into()
    }

    /// The names of all, in the order of their taxids; may be empty.
    fn list(&self, name: fn(Taxon<'a>) -> Cow<'a, str>) -> String {
        let taxa = self.names.all_taxids().into_iter().map(|taxid| self.taxonomy?.taxon(taxid));
        let names = taxa.filter_map(|taxon| match taxon {
            Some(taxon) => Some(name(taxon)),
            None => self.beside_taxids.then_some(UNKNOWN.into()),
        });
        names.collect::<Vec<_>>().join(";")
    }

    /// The different names of all, in alphabetical order. One may be empty, and so may be the only one.
    fn set(&self, name: fn(Taxon<'a>) -> Cow<'a, str>) -> String {
        let taxa = self.names.all_taxids().into_iter().filter_map(|taxid| self.taxonomy?.taxon(taxid));
        let names: BTreeSet<_> = taxa.map(name).filter(|name| valid(name).is_some()).collect();
        if names.is_empty() { UNKNOWN.to_owned() } else { Vec::from_iter(names).join(";") }
    }
}

/// The name of a group, unless it says that there is none.
fn valid(name: &str) -> Option<&str> {
    (!matches!(name, "-" | "unclassified")).then_some(name)
}
