//! Some of the sequences of a volume, by their names.

use std::borrow::Cow;

use crate::engine::Subjects;
use crate::sequence::names::{Name, SubjectNames, parted};
use crate::sequence::taxids::labelled;

/// The sequences of a volume that have a name which is chosen; of several names, only those that are.
pub struct ChosenSubjects<S> {
    subjects: S,
    /// Their places in the volume, ascending, and their definition lines where some names are left out.
    chosen: Vec<(usize, Option<Vec<u8>>)>,
    residues: u64,
}

impl<S: Subjects> ChosenSubjects<S> {
    /// Chooses the names for which `stays` says so; it is asked for every name, and whether it was parsed.
    pub fn new(subjects: S, mut stays: impl FnMut(&Name<'_>, bool) -> bool) -> Self {
        let (mut chosen, mut residues) = (Vec::new(), 0);
        for place in 0..subjects.len() {
            let line = subjects.defline(place);
            let names = SubjectNames::of(&line);
            let kept: Vec<_> = names.names().iter().filter(|name| stays(name, names.is_parted())).collect();
            if kept.is_empty() {
                continue;
            }
            let renamed = (kept.len() < names.names().len()).then(|| {
                let line = parted(kept.iter().map(|name| (&*name.id, &*name.title)));
                labelled(line, kept.iter().map(|name| &name.taxids))
            });
            residues += subjects.residues(place).len() as u64;
            chosen.push((place, renamed));
        }
        Self { subjects, chosen, residues }
    }

    /// The places of the sequences in the volume, ascending.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.chosen.iter().map(|(place, _)| *place)
    }

    /// Sum of their lengths.
    pub fn total_residues(&self) -> u64 {
        self.residues
    }

    /// Length of the shortest of them; `None` if none is chosen.
    pub fn shortest(&self) -> Option<u64> {
        self.places().map(|place| self.subjects.residues(place).len() as u64).min()
    }
}

impl<S: Subjects> Subjects for ChosenSubjects<S> {
    fn len(&self) -> usize {
        self.chosen.len()
    }

    fn residues(&self, index: usize) -> &[u8] {
        self.subjects.residues(self.chosen[index].0)
    }

    fn defline(&self, index: usize) -> Cow<'_, [u8]> {
        match &self.chosen[index] {
            (_, Some(line)) => line.into(),
            (place, None) => self.subjects.defline(*place),
        }
    }
}

impl<S> std::fmt::Debug for ChosenSubjects<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChosenSubjects").field("sequences", &self.chosen.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::ResidentVolume;

    #[test]
    fn names_that_are_not_chosen_are_left_out_with_their_taxids() {
        let mut volume = ResidentVolume::default();
        volume.push(b"\n9606 10090\nlcl|a\nx\nlcl|b\ny", &[1, 2, 3]);
        volume.push(b"lcl|c\nz", &[1]);
        volume.push(b"\n9606\nlcl|d\nz", &[4, 5]);
        let chosen = ChosenSubjects::new(volume, |name, _| name.taxids.taxid == 9606);
        assert_eq!(chosen.places().collect::<Vec<_>>(), [0, 2]);
        assert_eq!((chosen.len(), chosen.total_residues(), chosen.shortest()), (2, 5, Some(2)));
        assert_eq!(&*chosen.defline(0), b"\n9606\nlcl|a\nx");
        assert_eq!((&*chosen.defline(1), chosen.residues(1)), (&b"\n9606\nlcl|d\nz"[..], &[4, 5][..]));
    }
}
