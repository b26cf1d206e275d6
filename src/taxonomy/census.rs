//! A census: how many sequences of which taxa a volume has.
//!
//! What a search of some taxa refers its E-values to can be told from the censuses of all volumes, without
//! reading their definition lines again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::choice::{TaxaChoice, standing_for};
use crate::engine::Subjects;
use crate::sequence::names::SubjectNames;
use crate::sequence::taxids::Taxid;

/// Some sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// How many.
    pub sequences: u64,
    /// Sum of their lengths.
    pub residues: u64,
    /// Length of the shortest; of none, the largest number.
    pub shortest: u64,
}

impl Counted {
    /// None.
    pub const NONE: Self = Self { sequences: 0, residues: 0, shortest: u64::MAX };

    /// These and others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            sequences: self.sequences + other.sequences,
            residues: self.residues + other.residues,
            shortest: self.shortest.min(other.shortest),
        }
    }
}

/// The sequences of a volume, by the taxids that each of their names stands for.
///
/// ```
/// use skyblast::database::ResidentVolume;
/// use skyblast::taxonomy::{Census, Purpose, TaxaChoice};
///
/// let mut volume = ResidentVolume::default();
/// volume.push(b"\n9606\na", &[1, 2, 3]);
/// volume.push(b"b", &[1]);
/// let census = Census::of(&volume);
/// let human = TaxaChoice { taxids: [9606].into(), purpose: Purpose::Include };
/// let chosen = census.chosen(&human);
/// assert_eq!((chosen.sequences, chosen.residues, chosen.shortest), (1, 3, 3));
/// assert!(census.has(9606) && !census.has(562));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census(BTreeMap<BTreeSet<Vec<Taxid>>, Counted>);

impl Census {
    /// Counts sequences.
    pub fn of(subjects: &impl Subjects) -> Self {
        let mut counts: BTreeMap<_, Counted> = BTreeMap::new();
        for place in 0..subjects.len() {
            let line = subjects.defline(place);
            let names = SubjectNames::of(&line);
            let names = names.names().iter().map(|name| standing_for(&name.taxids)).collect();
            let residues = subjects.residues(place).len() as u64;
            let counted = counts.entry(names).or_insert(Counted::NONE);
            *counted = counted.and(Counted { sequences: 1, residues, shortest: residues });
        }
        Self(counts)
    }

    /// The sequences with a name that the choice keeps.
    pub fn chosen(&self, choice: &TaxaChoice) -> Counted {
        let kept = self.0.iter().filter(|(names, _)| names.iter().any(|own| choice.keeps_any(own)));
        kept.fold(Counted::NONE, |sum, (_, counted)| sum.and(*counted))
    }

    /// Whether a name has this taxid, or with 0 none.
    pub fn has(&self, taxid: Taxid) -> bool {
        self.0.keys().flatten().any(|own| own.contains(&taxid))
    }

    /// Whether any taxid is known.
    pub fn knows_any(&self) -> bool {
        self.0.keys().flatten().flatten().any(|taxid| *taxid != 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::database::{ChosenSubjects, ResidentVolume};
    use crate::sequence::taxids::{NameTaxids, labelled};
    use crate::taxonomy::Purpose;

    fn taxid() -> impl Strategy<Value = Taxid> {
        0..4_u32
    }

    proptest! {
        /// The census of a volume says what choosing its sequences one by one gives.
        #[test]
        fn a_census_knows_what_a_choice_leaves(
            sequences in prop::collection::vec(
                (prop::collection::vec((taxid(), prop::collection::vec(1..4_u32, 0..2)), 1..3), 1..5_usize), 0..12),
            taxids in prop::collection::btree_set(taxid(), 1..3),
            leaves_out in any::<bool>(),
        ) {
            let mut volume = ResidentVolume::default();
            for (names, length) in sequences {
                let line = (0..names.len()).map(|name| format!("lcl|{name}\nx")).collect::<Vec<_>>().join("\n");
                let names: Vec<_> = names.into_iter().map(|(taxid, leaves)| NameTaxids { taxid, leaves }).collect();
                volume.push(&labelled(line.into_bytes(), &names), &vec![1; length]);
            }
            let purpose = if leaves_out { Purpose::Exclude } else { Purpose::Include };
            let choice = TaxaChoice { taxids, purpose };
            let census = Census::of(&volume);
            let lines: Vec<_> = (0..volume.len()).map(|place| volume.defline(place).into_owned()).collect();
            let named = |taxid| lines.iter().any(|line| SubjectNames::of(line).names().iter().any(|name|
                name.taxids.known().contains(&taxid)));
            for taxid in 1..4 {
                prop_assert_eq!(census.has(taxid), named(taxid));
            }
            prop_assert_eq!(census.knows_any(), (1..4).any(named));
            let chosen = ChosenSubjects::new(volume, |name, _| choice.keeps(&name.taxids));
            let counted = census.chosen(&choice);
            let expected = (chosen.len() as u64, chosen.total_residues(), chosen.shortest());
            prop_assert_eq!((counted.sequences, counted.residues), (expected.0, expected.1));
            prop_assert_eq!(Some(counted.shortest).filter(|_| counted.sequences > 0), expected.2);
        }
    }
}
