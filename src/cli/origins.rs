//! Parts of what the user names: hits in what was searched become hits in the whole.

use crate::engine::Hit;

/// What was searched of a database or a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Origins {
    /// All of it.
    #[default]
    Whole,
    /// Some sequences, which have these ordinals; ascending.
    Chosen(Vec<u64>),
    /// Of every sequence what comes after so many residues; the lengths of the whole sequences.
    Parts { skipped: u32, lengths: Vec<u32> },
}

impl Origins {
    /// Makes a hit in what was searched one in the whole.
    pub(super) fn restore(&self, hit: &mut Hit) {
        let place = hit.preliminary.ordinal as usize;
        match self {
            Self::Whole => {}
            Self::Chosen(ordinals) => hit.preliminary.ordinal = ordinals[place],
            Self::Parts { skipped, lengths } => {
                hit.subject_length = lengths[place];
                for hsp in &mut hit.hsps {
                    hsp.subject = hsp.subject.start + skipped..hsp.subject.end + skipped;
                }
            }
        }
    }
}
