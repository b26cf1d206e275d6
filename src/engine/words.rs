//! Words, their neighbourhoods, and where they occur in a batch of queries.
//!
//! A word's neighbours are all words that score at least the threshold against it; a word that
//! scores less against itself is its own neighbour all the same
//! (`core/blast_aalookup.c:s_AddNeighboringWords`).

use std::collections::HashMap;

use super::options::WordOptions;
use crate::scoring::Matrix;
use crate::sequence::alphabet::{ALPHABET_SIZE, SENTINEL};

/// Bits of one residue code in a packed word.
const RESIDUE_BITS: u32 = 5;
/// Longest words whose neighbourhoods are all worked out in advance.
const CACHED_SIZE: usize = 3;

/// How residues are packed to words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packing {
    mask: u32,
}

impl Packing {
    fn new(size: usize) -> Self {
        Self { mask: (1 << (RESIDUE_BITS * size as u32)) - 1 }
    }

    /// Appends a residue to a packed word, dropping its first.
    #[inline]
    pub(super) fn shift_in(self, word: u32, residue: u8) -> u32 {
        ((word << RESIDUE_BITS) | u32::from(residue)) & self.mask
    }

    fn pack(self, residues: &[u8]) -> u32 {
        residues.iter().fold(0, |word, &residue| self.shift_in(word, residue))
    }

    /// Number of packed words.
    fn count(self) -> usize {
        self.mask as usize + 1
    }
}

/// For every word the words that find it.
#[derive(Debug)]
pub(super) struct Neighbourhoods {
    size: usize,
    packing: Packing,
    threshold: i32,
    /// For each residue the others by falling score, with the scores.
    by_score: Vec<Vec<(i32, u8)>>,
    /// Neighbourhoods of all words, if words are short: starts, then neighbours.
    cached: Option<(Vec<u32>, Vec<u32>)>,
}

impl Neighbourhoods {
    /// Neighbourhoods under `matrix`: about 35 words each for BLOSUM62, size 3, threshold 11.
    pub(super) fn new(matrix: &Matrix, options: &WordOptions) -> Self {
        let by_score = (0..ALPHABET_SIZE as u8)
            .map(|code| {
                let others = (0..ALPHABET_SIZE as u8).filter(|&other| other != SENTINEL);
                let mut others: Vec<_> = others.map(|other| (matrix.score(code, other), other)).collect();
                others.sort_by_key(|&(score, _)| std::cmp::Reverse(score));
                others
            })
            .collect();
        let packing = Packing::new(options.size);
        let threshold = options.threshold as i32;
        let mut neighbourhoods = Self { size: options.size, packing, threshold, by_score, cached: None };
        if options.size <= CACHED_SIZE {
            neighbourhoods.cached = Some(neighbourhoods.of_all_words());
        }
        neighbourhoods
    }

    fn of_all_words(&self) -> (Vec<u32>, Vec<u32>) {
        let mut starts = Vec::with_capacity(self.packing.count() + 1);
        let mut neighbours = Vec::new();
        for word in 0..self.packing.count() as u32 {
            starts.push(neighbours.len() as u32);
            if let Some(residues) = self.unpack(word) {
                self.collect(&residues, &mut neighbours);
            }
        }
        starts.push(neighbours.len() as u32);
        (starts, neighbours)
    }

    /// The residues of a packed word; `None` if one is the sentinel or outside the alphabet.
    fn unpack(&self, word: u32) -> Option<Vec<u8>> {
        let residue =
            |place: usize| ((word >> (RESIDUE_BITS as usize * place)) & ((1 << RESIDUE_BITS) - 1)) as u8;
        let residues: Vec<u8> = (0..self.size).rev().map(residue).collect();
        residues.iter().all(|&r| r != SENTINEL && (r as usize) < ALPHABET_SIZE).then_some(residues)
    }

    /// Appends the neighbours of a word.
    fn collect(&self, word: &[u8], neighbours: &mut Vec<u32>) {
        let own: i32 = word.iter().map(|&residue| self.score_of(residue, residue)).sum();
        if own < self.threshold {
            neighbours.push(self.packing.pack(word));
        }
        self.descend(word, 0, 0, neighbours);
    }

    /// Appends the neighbours that start with `prefix`, which scores `score`.
    fn descend(&self, rest: &[u8], prefix: u32, score: i32, neighbours: &mut Vec<u32>) {
        let Some((&first, rest)) = rest.split_first() else {
            neighbours.push(prefix);
            return;
        };
        let best_rest: i32 = rest.iter().map(|&residue| self.by_score[residue as usize][0].0).sum();
        for &(gain, other) in &self.by_score[first as usize] {
            if score + gain + best_rest < self.threshold {
                break;
            }
            self.descend(rest, self.packing.shift_in(prefix, other), score + gain, neighbours);
        }
    }

    fn score_of(&self, a: u8, b: u8) -> i32 {
        self.by_score[a as usize].iter().find(|&&(_, other)| other == b).map_or(0, |&(score, _)| score)
    }
}

/// Where the words of a batch of queries can be hit: for each subject word the query positions
/// whose neighbourhood holds it.
#[derive(Debug)]
pub(super) struct WordTable {
    size: usize,
    packing: Packing,
    presence: Vec<u64>,
    starts: Vec<u32>,
    positions: Vec<u32>,
}

impl WordTable {
    /// Indexes `residues`, queries joined by sentinels.
    pub(super) fn new(residues: &[u8], neighbourhoods: &Neighbourhoods) -> Self {
        let Neighbourhoods { size, packing, .. } = *neighbourhoods;
        let words: Vec<(&[u8], u32)> = residues
            .windows(size)
            .zip(0..)
            .filter(|(window, _)| window.iter().all(|&r| r != SENTINEL))
            .collect();
        let found = FoundNeighbours::new(neighbourhoods, &words);
        // A counting sort: cell sizes, then cell starts, then the positions.
        let mut starts = vec![0u32; packing.count() + 1];
        for (word, _) in &words {
            for &neighbour in found.of(packing.pack(word)) {
                starts[neighbour as usize + 1] += 1;
            }
        }
        let mut presence = vec![0u64; packing.count().div_ceil(64)];
        for word in 0..packing.count() {
            if starts[word + 1] > 0 {
                presence[word / 64] |= 1 << (word % 64);
            }
            starts[word + 1] += starts[word];
        }
        let mut next = starts.clone();
        let mut positions = vec![0u32; starts[packing.count()] as usize];
        for &(word, position) in &words {
            for &neighbour in found.of(packing.pack(word)) {
                let slot = &mut next[neighbour as usize];
                positions[*slot as usize] = position;
                *slot += 1;
            }
        }
        Self { size, packing, presence, starts, positions }
    }

    /// Residues of a word.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// How words are packed.
    pub(super) fn packing(&self) -> Packing {
        self.packing
    }

    /// Query positions that the packed subject word hits.
    #[inline]
    pub(super) fn hits(&self, word: u32) -> &[u32] {
        let word = word as usize;
        if self.presence[word / 64] >> (word % 64) & 1 == 0 {
            return &[];
        }
        &self.positions[self.starts[word] as usize..self.starts[word + 1] as usize]
    }
}

/// The neighbourhoods of the words of a batch: all that there are, or worked out for the batch.
enum FoundNeighbours<'a> {
    All(&'a [u32], &'a [u32]),
    Some(HashMap<u32, Vec<u32>>),
}

impl<'a> FoundNeighbours<'a> {
    fn new(neighbourhoods: &'a Neighbourhoods, words: &[(&[u8], u32)]) -> Self {
        if let Some((starts, neighbours)) = &neighbourhoods.cached {
            return Self::All(starts, neighbours);
        }
        let mut found = HashMap::new();
        for (word, _) in words {
            found.entry(neighbourhoods.packing.pack(word)).or_insert_with(|| {
                let mut neighbours = Vec::new();
                neighbourhoods.collect(word, &mut neighbours);
                neighbours
            });
        }
        Self::Some(found)
    }

    fn of(&self, word: u32) -> &[u32] {
        match self {
            Self::All(starts, neighbours) => {
                &neighbours[starts[word as usize] as usize..starts[word as usize + 1] as usize]
            }
            Self::Some(found) => found.get(&word).map_or(&[], Vec::as_slice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::alphabet::encode;

    const WORDS: WordOptions = WordOptions { size: 3, threshold: 11.0, window: 40 };

    fn codes(text: &str) -> Vec<u8> {
        text.bytes().map(|b| encode(b).unwrap_or(SENTINEL)).collect()
    }

    fn hits(table: &WordTable, word: &str) -> Vec<u32> {
        table.hits(table.packing.pack(&codes(word))).to_vec()
    }

    fn table(text: &str, options: &WordOptions) -> WordTable {
        WordTable::new(&codes(text), &Neighbourhoods::new(&Matrix::blosum62(), options))
    }

    #[test]
    fn neighbours_are_exactly_the_words_above_the_threshold() {
        let matrix = Matrix::blosum62();
        for (size, texts) in [(2, ["WW", "AA", "XX"]), (3, ["WWW", "KEL", "CU*"])] {
            let neighbourhoods = Neighbourhoods::new(&matrix, &WordOptions { size, ..WORDS });
            for text in texts {
                let word = codes(text);
                let mut found = Vec::new();
                neighbourhoods.collect(&word, &mut found);
                found.sort_unstable();
                let mut expected = Vec::new();
                for other in 0..neighbourhoods.packing.count() as u32 {
                    let Some(residues) = neighbourhoods.unpack(other) else { continue };
                    let score: i32 = word.iter().zip(&residues).map(|(&a, &b)| matrix.score(a, b)).sum();
                    let own: i32 = word.iter().map(|&a| matrix.score(a, a)).sum();
                    if score >= 11 || (residues == word && own < 11) {
                        expected.push(other);
                    }
                }
                assert_eq!(found, expected, "{text}");
            }
        }
    }

    #[test]
    fn words_do_not_span_queries() {
        let table = table("-WWCMH-WWC-", &WORDS);
        assert_eq!(hits(&table, "WWC"), [1, 7]);
        assert_eq!(hits(&table, "MHW"), [0u32; 0]);
    }

    #[test]
    fn a_word_below_the_threshold_still_finds_itself() {
        assert_eq!(hits(&table("-XXX-", &WORDS), "XXX"), [1]);
    }

    #[test]
    fn long_words_find_what_their_neighbourhoods_hold() {
        let table = table("-WWCMHW-", &WordOptions { size: 4, threshold: 16.0, window: 40 });
        assert_eq!(hits(&table, "WWCM"), [1]);
        assert_eq!(hits(&table, "CMHW"), [3]);
        assert_eq!(hits(&table, "FWCM"), [1]);
        assert_eq!(hits(&table, "AAAA"), [0u32; 0]);
    }
}
