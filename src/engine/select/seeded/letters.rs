//! Sequences joined with so much between them that no window sees two.

use std::sync::LazyLock;

use super::similar::{LETTERS, code};
use crate::engine::kernel::{BEFORE, PADDING, WIDTH, letter};

/// Letters of padding between sequences: as far as a window reaches from a letter of one.
const GAP: usize = WIDTH - BEFORE;
/// Letters of padding before the first sequence and after the last.
const MARGIN: usize = 2 * WIDTH;
/// Letters per entry of the table of owners.
const STRIDE: usize = 64;

const _: () = assert!(GAP >= BEFORE);

/// Which standard residue a letter is, from 0; [`NONE`] for others.
static STANDARD_OF: LazyLock<[u8; 256]> = LazyLock::new(|| {
    let mut table = [NONE; 256];
    for place in 0..LETTERS {
        table[usize::from(of_standard(place))] = place as u8;
    }
    table
});

/// Stands for letters that are no standard residue.
pub(super) const NONE: u8 = u8::MAX;

/// Which standard residue each letter is, from 0, or [`NONE`].
pub(super) fn standard() -> &'static [u8; 256] {
    &STANDARD_OF
}

/// The letter of a standard residue, from 0.
pub(super) fn of_standard(place: usize) -> u8 {
    letter(code(place))
}

/// Joined sequences.
#[derive(Debug)]
pub(super) struct Letters {
    letters: Vec<u8>,
    /// Where each sequence starts, and where a further one would.
    starts: Vec<u32>,
    /// For every so many letters the first sequence that has any of them or begins behind.
    owners: Vec<u32>,
}

impl Letters {
    /// Joins sequences of residue codes, fewer than 2³² letters with the padding.
    pub(super) fn new<'a>(sequences: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut letters = vec![PADDING; MARGIN];
        let mut starts = Vec::new();
        for sequence in sequences {
            starts.push(letters.len() as u32);
            letters.extend(sequence.iter().map(|&code| letter(code)));
            letters.resize(letters.len() + GAP, PADDING);
        }
        starts.push(letters.len() as u32);
        letters.resize(letters.len() + MARGIN, PADDING);
        let mut owner = 0;
        let owners = (0..letters.len())
            .step_by(STRIDE)
            .map(|place| {
                while owner + 2 < starts.len() && starts[owner + 1] as usize <= place {
                    owner += 1;
                }
                owner as u32
            })
            .collect();
        Self { letters, starts, owners }
    }

    /// Letters that a sequence of `residues` takes.
    pub(super) fn room(residues: usize) -> usize {
        residues + GAP
    }

    /// All letters.
    pub(super) fn all(&self) -> &[u8] {
        &self.letters
    }

    /// The positions at which a seed can start.
    pub(super) fn seeds(&self) -> std::ops::Range<usize> {
        MARGIN..self.letters.len() - MARGIN
    }

    /// The sequence that has the letter at a position, and which of its letters this is.
    #[inline]
    pub(super) fn owner(&self, position: u32) -> (usize, usize) {
        let mut owner = self.owners[position as usize / STRIDE] as usize;
        while self.starts[owner + 1] <= position {
            owner += 1;
        }
        (owner, (position - self.starts[owner]) as usize)
    }

    /// Where a sequence starts.
    pub(super) fn start(&self, sequence: usize) -> usize {
        self.starts[sequence] as usize
    }

    /// The letters of a sequence.
    #[inline]
    pub(super) fn sequence(&self, sequence: usize) -> &[u8] {
        &self.letters[self.starts[sequence] as usize..self.starts[sequence + 1] as usize - GAP]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_know_their_sequences() {
        let sequences: Vec<Vec<u8>> =
            [0, 1, 70, 0, 3, 200].iter().map(|&length| vec![1 + length as u8 % 20; length]).collect();
        let letters = Letters::new(sequences.iter().map(Vec::as_slice));
        for (index, sequence) in sequences.iter().enumerate() {
            assert_eq!(letters.sequence(index).len(), sequence.len());
            for (place, &code) in sequence.iter().enumerate() {
                let position = letters.start(index) + place;
                assert_eq!(letters.owner(position as u32), (index, place));
                assert_eq!(letters.all()[position], letter(code));
            }
        }
        let between = &letters.all()[letters.start(2) + 70..letters.start(4)];
        assert!(between.len() >= GAP && between.iter().all(|&letter| letter == PADDING));
    }
}
