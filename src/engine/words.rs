//! Words of three residues, their neighbourhoods, and where they occur in a batch of queries.
//!
//! A word's neighbours are all words that score at least [`WORD_THRESHOLD`] against it; a word
//! that scores less against itself is its own neighbour all the same
//! (`core/blast_aalookup.c:s_AddNeighboringWords`).

use super::options::{WORD_SIZE, WORD_THRESHOLD};
use crate::scoring::Matrix;
use crate::sequence::alphabet::{ALPHABET_SIZE, SENTINEL};

/// Bits of one residue code in a packed word.
const RESIDUE_BITS: u32 = 5;
/// Number of packed words.
const WORDS: usize = 1 << (RESIDUE_BITS * WORD_SIZE as u32);
const WORD_MASK: u32 = WORDS as u32 - 1;

/// Appends a residue to a packed word, dropping its first.
#[inline]
pub(super) fn shift_in(word: u32, residue: u8) -> u32 {
    ((word << RESIDUE_BITS) | u32::from(residue)) & WORD_MASK
}

/// For every word of the alphabet the words that find it.
#[derive(Debug)]
pub(super) struct Neighbourhoods {
    starts: Vec<u32>,
    neighbours: Vec<u16>,
}

impl Neighbourhoods {
    /// Neighbourhoods under `matrix`: about 35 words each for BLOSUM62.
    pub(super) fn new(matrix: &Matrix) -> Self {
        let mut by_score: Vec<Vec<u8>> = Vec::with_capacity(ALPHABET_SIZE);
        for code in 0..ALPHABET_SIZE as u8 {
            let mut others: Vec<u8> = (0..ALPHABET_SIZE as u8).filter(|&o| o != SENTINEL).collect();
            others.sort_by_key(|&other| -matrix.score(code, other));
            by_score.push(others);
        }
        let best = |code: u8| matrix.score(code, by_score[code as usize][0]);
        let mut starts = Vec::with_capacity(WORDS + 1);
        let mut neighbours = Vec::new();
        for word in 0..WORDS as u32 {
            starts.push(neighbours.len() as u32);
            let Some([a, b, c]) = unpack(word) else { continue };
            if matrix.score(a, a) + matrix.score(b, b) + matrix.score(c, c) < WORD_THRESHOLD {
                neighbours.push(word as u16);
            }
            for &x in &by_score[a as usize] {
                let first = matrix.score(a, x);
                if first + best(b) + best(c) < WORD_THRESHOLD {
                    break;
                }
                for &y in &by_score[b as usize] {
                    let second = first + matrix.score(b, y);
                    if second + best(c) < WORD_THRESHOLD {
                        break;
                    }
                    for &z in &by_score[c as usize] {
                        if second + matrix.score(c, z) < WORD_THRESHOLD {
                            break;
                        }
                        neighbours.push(pack([x, y, z]) as u16);
                    }
                }
            }
        }
        starts.push(neighbours.len() as u32);
        Self { starts, neighbours }
    }

    fn of(&self, word: u32) -> &[u16] {
        &self.neighbours[self.starts[word as usize] as usize..self.starts[word as usize + 1] as usize]
    }
}

fn pack(residues: [u8; WORD_SIZE]) -> u32 {
    residues.iter().fold(0, |word, &residue| shift_in(word, residue))
}

/// The residues of a packed word; `None` if one is the sentinel or outside the alphabet.
fn unpack(word: u32) -> Option<[u8; WORD_SIZE]> {
    let residue = |place: u32| ((word >> (RESIDUE_BITS * place)) & ((1 << RESIDUE_BITS) - 1)) as u8;
    let residues = [residue(2), residue(1), residue(0)];
    residues.iter().all(|&r| r != SENTINEL && (r as usize) < ALPHABET_SIZE).then_some(residues)
}

/// Where the words of a batch of queries can be hit: for each subject word the query positions
/// whose neighbourhood holds it.
#[derive(Debug)]
pub(super) struct WordTable {
    presence: Vec<u64>,
    starts: Vec<u32>,
    positions: Vec<u32>,
}

impl WordTable {
    /// Indexes `residues`, queries joined by sentinels.
    pub(super) fn new(residues: &[u8], neighbourhoods: &Neighbourhoods) -> Self {
        let words: Vec<(u32, u32)> = residues
            .windows(WORD_SIZE)
            .enumerate()
            .filter(|(_, window)| window.iter().all(|&r| r != SENTINEL))
            .map(|(position, window)| (window.iter().fold(0, |w, &r| shift_in(w, r)), position as u32))
            .collect();
        // A counting sort: cell sizes, then cell starts, then the positions.
        let mut starts = vec![0u32; WORDS + 1];
        for &(word, _) in &words {
            for &neighbour in neighbourhoods.of(word) {
                starts[neighbour as usize + 1] += 1;
            }
        }
        let mut presence = vec![0u64; WORDS / 64];
        for word in 0..WORDS {
            if starts[word + 1] > 0 {
                presence[word / 64] |= 1 << (word % 64);
            }
            starts[word + 1] += starts[word];
        }
        let mut next = starts.clone();
        let mut positions = vec![0u32; starts[WORDS] as usize];
        for &(word, position) in &words {
            for &neighbour in neighbourhoods.of(word) {
                let slot = &mut next[neighbour as usize];
                positions[*slot as usize] = position;
                *slot += 1;
            }
        }
        Self { presence, starts, positions }
    }

    /// Query positions that the packed subject word hits.
    #[inline]
    pub(super) fn hits(&self, word: u32) -> &[u32] {
        let word = (word & WORD_MASK) as usize;
        if self.presence[word / 64] >> (word % 64) & 1 == 0 {
            return &[];
        }
        &self.positions[self.starts[word] as usize..self.starts[word + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::alphabet::encode;

    fn codes(text: &str) -> Vec<u8> {
        text.bytes().map(|b| encode(b).unwrap_or(SENTINEL)).collect()
    }

    fn hits(table: &WordTable, word: &str) -> Vec<u32> {
        table.hits(codes(word).iter().fold(0, |w, &r| shift_in(w, r))).to_vec()
    }

    #[test]
    fn neighbours_are_exactly_the_words_above_the_threshold() {
        let matrix = Matrix::blosum62();
        let neighbourhoods = Neighbourhoods::new(&matrix);
        for text in ["WWW", "AAA", "KEL", "XXX", "CU*"] {
            let word: [u8; 3] = codes(text).try_into().expect("three residues");
            let mut found: Vec<u16> = neighbourhoods.of(pack(word)).to_vec();
            found.sort_unstable();
            let mut expected = Vec::new();
            for other in 0..WORDS as u32 {
                let Some(residues) = unpack(other) else { continue };
                let score: i32 = word.iter().zip(residues).map(|(&a, b)| matrix.score(a, b)).sum();
                let own: i32 = word.iter().map(|&a| matrix.score(a, a)).sum();
                if score >= WORD_THRESHOLD || (residues == word && own < WORD_THRESHOLD) {
                    expected.push(other as u16);
                }
            }
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn words_do_not_span_queries() {
        let neighbourhoods = Neighbourhoods::new(&Matrix::blosum62());
        let table = WordTable::new(&codes("-WWCMH-WWC-"), &neighbourhoods);
        assert_eq!(hits(&table, "WWC"), [1, 7]);
        assert_eq!(hits(&table, "MHW"), [0u32; 0]);
    }

    #[test]
    fn a_word_below_the_threshold_still_finds_itself() {
        let neighbourhoods = Neighbourhoods::new(&Matrix::blosum62());
        let table = WordTable::new(&codes("-XXX-"), &neighbourhoods);
        assert_eq!(hits(&table, "XXX"), [1]);
    }
}
