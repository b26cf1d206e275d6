//! Scores of residue pairs in bytes, as vector code looks them up.

use crate::scoring::Scores;
use crate::sequence::alphabet::ALPHABET_SIZE;

/// Codes that a byte table has room for.
const CODES: usize = 32;
/// Bytes of a row: scores against codes 0–15 twice, then against codes 16–31 twice.
const ROW: usize = 64;
/// What the letter of a residue is multiplied with.
const SCALE: usize = 8;
/// Bytes that any scaled letter may address.
const SIZE: usize = u8::MAX as usize * SCALE + ROW;

/// A letter that is no residue and scores the worst against everything: what lies between sequences.
pub(in crate::engine) const PADDING: u8 = 31 * SCALE as u8;

/// The letter of a residue code (see [`crate::sequence::alphabet`]): the code times 8, so that it is where
/// its row of scores begins, in units of 8 bytes.
pub(in crate::engine) fn letter(code: u8) -> u8 {
    if (code as usize) < ALPHABET_SIZE && code > 0 { code * SCALE as u8 } else { PADDING }
}

/// Scores of letters against residue codes. What must not be aligned scores −128, the least there is.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(in crate::engine) struct ByteScores([i8; SIZE.next_multiple_of(ROW)]);

impl ByteScores {
    pub(in crate::engine) fn new(scores: &Scores) -> Self {
        Self::not_below(scores, i8::MIN)
    }

    /// The same with no score below `least`, which is what must not be aligned scores.
    pub(super) fn not_below(scores: &Scores, least: i8) -> Self {
        let mut table = [least; SIZE.next_multiple_of(ROW)];
        for query in 1..ALPHABET_SIZE {
            for subject in 1..ALPHABET_SIZE {
                let score = scores.score(query as u8, subject as u8);
                let score = score.clamp(i32::from(least), i32::from(i8::MAX)) as i8;
                for copy in [0, 16] {
                    table[query * ROW + subject / 16 * 32 + copy + subject % 16] = score;
                }
            }
        }
        Self(table)
    }

    /// Score of two letters.
    #[inline]
    pub(in crate::engine) fn score(&self, query: u8, subject: u8) -> i8 {
        let code = usize::from(subject) / SCALE;
        self.0[usize::from(query) * SCALE + code / 16 * 32 + code % 16]
    }

    /// The rows' bytes: a letter's 64 start at 8 times the letter, whatever byte that is.
    pub(super) fn rows(&self) -> *const i8 {
        self.0.as_ptr()
    }
}

const _: () = assert!((CODES - 1) * SCALE <= u8::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::Matrix;
    use crate::sequence::alphabet::SENTINEL;

    #[test]
    fn letters_score_as_their_residues_and_padding_the_worst() {
        let matrix = Matrix::blosum62();
        let table = ByteScores::new(matrix.scores());
        for a in 1..ALPHABET_SIZE as u8 {
            for b in 1..ALPHABET_SIZE as u8 {
                assert_eq!(i32::from(table.score(letter(a), letter(b))), matrix.score(a, b));
            }
            for other in [PADDING, letter(SENTINEL), letter(28), letter(200)] {
                assert_eq!(table.score(letter(a), other), i8::MIN);
                assert_eq!(table.score(other, letter(a)), i8::MIN);
            }
        }
    }
}
