//! Taxa by name.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::taxdb::{Taxon, Taxonomy};
use crate::sequence::taxids::Taxid;

/// Likeness, from 0 to 1, below which a name is no guess at another.
const LEAST_LIKENESS: f64 = 0.7;

impl Taxonomy {
    /// The taxa whose scientific name this is, or else whose common name; upper and lower case are the same.
    pub fn find(&self, name: &str) -> Vec<Taxid> {
        let wanted = name.to_lowercase();
        let called = |name: fn(&Taxon<'_>) -> String| -> Vec<Taxid> {
            self.taxa().filter(|taxon| name(taxon) == wanted).map(|taxon| taxon.taxid).collect()
        };
        match called(|taxon| taxon.scientific.to_lowercase()) {
            none if none.is_empty() => called(|taxon| taxon.common.to_lowercase()),
            found => found,
        }
    }

    /// Up to `count` taxa whose names are most like a name that is none, the most alike first.
    pub fn nearest(&self, name: &str, count: usize) -> Vec<Taxon<'_>> {
        let wanted = name.to_lowercase();
        let likeness = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &wanted);
        let mut nearest: BTreeMap<Rank, Taxon<'_>> = BTreeMap::new();
        for taxon in self.taxa() {
            let likeness = likeness(&taxon.scientific).max(likeness(&taxon.common));
            if likeness >= LEAST_LIKENESS {
                nearest.insert(Rank { likeness, taxid: taxon.taxid }, taxon);
                if nearest.len() > count {
                    nearest.pop_last();
                }
            }
        }
        nearest.into_values().collect()
    }
}

/// More alike comes first; of equals, the smaller taxid.
#[derive(Clone, Copy, PartialEq)]
struct Rank {
    likeness: f64,
    taxid: Taxid,
}

impl Eq for Rank {}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        other.likeness.total_cmp(&self.likeness).then(self.taxid.cmp(&other.taxid))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
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
            (63221, "Homo sapiens neanderthalensis", "Neandertal"),
            (10090, "Mus musculus", "house mouse"),
            (562, "Escherichia coli", "E. coli"),
            (1386, "Bacillus", "Bacillus"),
            (55087, "Bacillus", "human"),
        ];
        Taxonomy::of(taxa.map(taxon)).unwrap()
    }

    #[test]
    fn scientific_names_go_before_common_ones_and_case_does_not_count() {
        let taxonomy = taxonomy();
        assert_eq!(taxonomy.find("homo SAPIENS"), [9606]);
        assert_eq!(taxonomy.find("House mouse"), [10090]);
        assert_eq!(taxonomy.find("Bacillus"), [1386, 55087]);
        assert_eq!(taxonomy.find("human"), [9606, 55087]);
        assert_eq!(taxonomy.find("Homo"), [0; 0]);
    }

    #[test]
    fn a_slip_is_answered_with_the_names_that_are_most_alike() {
        let taxonomy = taxonomy();
        let nearest = |name, count| {
            let taxa = taxonomy.nearest(name, count).into_iter();
            taxa.map(|taxon| taxon.taxid).collect::<Vec<_>>()
        };
        assert_eq!(nearest("Homo sapien", 2), [9606, 63221]);
        assert_eq!(nearest("Escherichia coil", 1), [562]);
        assert_eq!(nearest("huose mouse", 1), [10090]);
        assert_eq!(nearest("zzz", 3), [0; 0]);
        assert_eq!(nearest("Bacilus", 2), [1386, 55087], "of equals the smaller taxid first");
    }
}
