//! Sequences held in memory, searched without a database on disk.

use std::borrow::Cow;

use crate::engine::Subjects;

/// A run of sequences in memory.
#[derive(Clone, Debug, Default)]
pub struct ResidentVolume {
    residues: Vec<u8>,
    deflines: Vec<u8>,
    /// Where the residues and the definition line of each sequence end.
    ends: Vec<(usize, usize)>,
}

impl ResidentVolume {
    /// Adds a sequence: its definition line (without `>`) and its residue codes.
    pub fn push(&mut self, defline: &[u8], residues: &[u8]) {
        self.residues.extend_from_slice(residues);
        self.deflines.extend_from_slice(defline);
        self.ends.push((self.residues.len(), self.deflines.len()));
    }

    /// Sum of the lengths of all sequences.
    pub fn total_residues(&self) -> u64 {
        self.residues.len() as u64
    }

    /// Where sequence `index` starts.
    fn starts(&self, index: usize) -> (usize, usize) {
        if index == 0 { (0, 0) } else { self.ends[index - 1] }
    }
}

impl Subjects for ResidentVolume {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn residues(&self, index: usize) -> &[u8] {
        &self.residues[self.starts(index).0..self.ends[index].0]
    }

    fn defline(&self, index: usize) -> Cow<'_, [u8]> {
        self.deflines[self.starts(index).1..self.ends[index].1].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_reads_back_in_order() {
        let sequences = [(&b"a x"[..], &[1, 2, 3][..]), (b"", &[4]), (b"c", &[5, 6])];
        let mut volume = ResidentVolume::default();
        for (defline, residues) in sequences {
            volume.push(defline, residues);
        }
        assert_eq!((volume.len(), volume.total_residues()), (3, 6));
        for (index, (defline, residues)) in sequences.into_iter().enumerate() {
            assert_eq!((&*volume.defline(index), volume.residues(index)), (defline, residues));
        }
    }
}
