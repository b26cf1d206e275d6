//! Words, their neighbourhoods, and where they occur in a batch of queries.
//!
//! A word's neighbours are all words that score at least the threshold against it; a word that
//! scores less against itself is its own neighbour all the same
//! (`core/blast_aalookup.c:s_AddNeighboringWords`).

use std::collections::HashMap;
use std::ops::Range;

use super::symbols::Symbols;
use crate::engine::options::WordOptions;
use crate::scoring::Matrix;
use crate::sequence::alphabet::ALPHABET_SIZE;

/// Positions of a [`WordLists::piece`].
pub(in crate::engine) const PIECE: usize = 32;
/// Longest words whose neighbourhoods are all worked out in advance.
const CACHED_SIZE: usize = 3;

/// For every word the words that find it.
#[derive(Debug)]
pub(in crate::engine) struct Neighbourhoods {
    size: usize,
    symbols: Symbols,
    threshold: i32,
    /// Neighbourhoods of all words, if words are short: starts, then neighbours.
    cached: Option<(Vec<u32>, Vec<u32>)>,
}

impl Neighbourhoods {
    /// Neighbourhoods under `matrix`: about 35 words each for BLOSUM62, size 3, threshold 11.
    pub(in crate::engine) fn new(matrix: &Matrix, options: &WordOptions) -> Self {
        let (symbols, threshold) = Symbols::new(matrix, options);
        let mut neighbourhoods = Self { size: options.size, symbols, threshold, cached: None };
        if options.size <= CACHED_SIZE {
            neighbourhoods.cached = Some(neighbourhoods.of_all_words());
        }
        neighbourhoods
    }

    /// Residues of a word.
    pub(in crate::engine) fn size(&self) -> usize {
        self.size
    }

    /// What words are made of.
    pub(in crate::engine) fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    fn of_all_words(&self) -> (Vec<u32>, Vec<u32>) {
        let mut of_word = vec![Vec::new(); self.symbols.words()];
        let mut residues = vec![0; self.size];
        self.for_each_word(&mut residues, 0, &mut |word, residues| {
            self.collect(residues, &mut of_word[word as usize]);
        });
        let mut starts = vec![0];
        starts.extend(of_word.iter().scan(0, |end, neighbours| {
            *end += neighbours.len() as u32;
            Some(*end)
        }));
        (starts, of_word.concat())
    }

    /// Calls `visit` with every word that there can be.
    fn for_each_word(&self, residues: &mut [u8], place: usize, visit: &mut impl FnMut(u32, &[u8])) {
        if place == residues.len() {
            if let Some(word) = self.symbols.pack(residues) {
                visit(word, residues);
            }
            return;
        }
        for code in 1..ALPHABET_SIZE as u8 {
            residues[place] = code;
            self.for_each_word(residues, place + 1, visit);
        }
    }

    /// Appends the neighbours of a word of residues that all have symbols.
    fn collect(&self, word: &[u8], neighbours: &mut Vec<u32>) {
        let symbols = word.iter().filter_map(|&code| Some((code, self.symbols.of(code)?)));
        let own: i32 = symbols.map(|(code, symbol)| self.symbols.score(code, symbol)).sum();
        if own < self.threshold {
            neighbours.extend(self.symbols.pack(word));
        }
        self.descend(word, 0, 0, neighbours);
    }

    /// Appends the neighbours that start with `prefix`, which scores `score`.
    fn descend(&self, rest: &[u8], prefix: u32, score: i32, neighbours: &mut Vec<u32>) {
        let Some((&first, rest)) = rest.split_first() else {
            neighbours.push(prefix);
            return;
        };
        let best_rest: i32 = rest.iter().map(|&code| self.symbols.by_score(code)[0].0).sum();
        for &(gain, symbol) in self.symbols.by_score(first) {
            if score + gain + best_rest < self.threshold {
                break;
            }
            self.descend(rest, self.symbols.shift_in(prefix, symbol), score + gain, neighbours);
        }
    }
}

/// Where the words of a batch of queries can be hit: for each subject word the query positions
/// whose neighbourhood holds it.
#[derive(Debug)]
pub(in crate::engine) struct WordTable {
    /// A bit per word: whether it hits anything.
    presence: Vec<u64>,
    starts: Vec<u32>,
    lists: Lists,
}

/// The lists of query positions of all words, one after the other.
#[derive(Debug)]
pub(in crate::engine) enum Lists {
    /// Of batches that 16 bits can number, which leave the cache to other things.
    Short(WordLists<u16>),
    /// Of any batch.
    Long(WordLists<u32>),
}

/// Lists of query positions.
#[derive(Debug)]
pub(in crate::engine) struct WordLists<P> {
    positions: Vec<P>,
    longest: usize,
}

/// A position in the joined residues of a batch.
pub(in crate::engine) trait Position: Copy + Default + PartialEq {
    /// The position as a number that may be too large.
    fn new(position: u32) -> Self;

    /// The position as an index.
    fn index(self) -> usize;

    /// Their sum, which may be too large.
    fn plus(self, other: Self) -> Self;
}

impl Position for u16 {
    fn new(position: u32) -> Self {
        position as Self
    }

    fn index(self) -> usize {
        usize::from(self)
    }

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Position for u32 {
    fn new(position: u32) -> Self {
        position
    }

    fn index(self) -> usize {
        self as usize
    }

    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl<P> WordLists<P> {
    /// The list in a range that [`WordTable::range`] gave.
    #[inline]
    pub(in crate::engine) fn positions(&self, range: &Range<u32>) -> &[P] {
        &self.positions[range.start as usize..range.end as usize]
    }

    /// A list's positions from a place inside it; behind its end come others.
    #[inline]
    pub(in crate::engine) fn piece(&self, start: u32) -> &[P; PIECE] {
        self.positions[start as usize..].first_chunk().expect("lists are followed by room for a piece")
    }

    /// Length of the longest list.
    pub(in crate::engine) fn longest(&self) -> usize {
        self.longest
    }
}

impl WordTable {
    /// Indexes `residues`, queries joined by sentinels.
    pub(in crate::engine) fn new(residues: &[u8], neighbourhoods: &Neighbourhoods) -> Self {
        let symbols = &neighbourhoods.symbols;
        let words: Vec<(&[u8], u32, u32)> = residues
            .windows(neighbourhoods.size)
            .zip(0..)
            .filter_map(|(window, position)| Some((window, symbols.pack(window)?, position)))
            .collect();
        let found = FoundNeighbours::new(neighbourhoods, &words);
        let mut sizes = vec![0u32; symbols.words()];
        for (residues, word, _) in &words {
            for &neighbour in found.of(residues, *word) {
                sizes[neighbour as usize] += 1;
            }
        }
        let mut presence = vec![0u64; symbols.words().div_ceil(64)];
        let mut starts = vec![0u32; symbols.words() + 1];
        for (word, &size) in sizes.iter().enumerate() {
            if size > 0 {
                presence[word / 64] |= 1 << (word % 64);
            }
            starts[word + 1] = starts[word] + size;
        }
        let lists = if residues.len() <= usize::from(u16::MAX) {
            Lists::Short(fill(&words, &found, &starts, &sizes))
        } else {
            Lists::Long(fill(&words, &found, &starts, &sizes))
        };
        Self { presence, starts, lists }
    }

    /// Where the list of a packed subject word lies, if it hits anything.
    #[inline]
    pub(in crate::engine) fn range(&self, word: u32) -> Option<Range<u32>> {
        let word = word as usize;
        let present = self.presence[word / 64] >> (word % 64) & 1 == 1;
        present.then(|| self.starts[word]..self.starts[word + 1])
    }

    /// The lists.
    pub(in crate::engine) fn lists(&self) -> &Lists {
        &self.lists
    }
}

/// The last step of a counting sort: positions into the lists of their neighbours.
fn fill<P: Position>(
    words: &[(&[u8], u32, u32)],
    found: &FoundNeighbours<'_>,
    starts: &[u32],
    sizes: &[u32],
) -> WordLists<P> {
    let mut next = starts.to_vec();
    let all = starts.last().map_or(0, |&end| end as usize);
    // The last list is followed by others too.
    let mut positions = vec![P::default(); all + PIECE];
    for &(residues, word, position) in words {
        for &neighbour in found.of(residues, word) {
            let slot = &mut next[neighbour as usize];
            positions[*slot as usize] = P::new(position);
            *slot += 1;
        }
    }
    WordLists { positions, longest: sizes.iter().max().map_or(0, |&size| size as usize) }
}

/// The neighbourhoods of the words of a batch: all that there are, or worked out for the batch.
enum FoundNeighbours<'a> {
    All(&'a [u32], &'a [u32]),
    /// By residues, since words of the same symbols may have different neighbours.
    Some(HashMap<&'a [u8], Vec<u32>>),
}

impl<'a> FoundNeighbours<'a> {
    fn new(neighbourhoods: &'a Neighbourhoods, words: &[(&'a [u8], u32, u32)]) -> Self {
        if let Some((starts, neighbours)) = &neighbourhoods.cached {
            return Self::All(starts, neighbours);
        }
        let mut found = HashMap::new();
        for (residues, _, _) in words {
            found.entry(*residues).or_insert_with(|| {
                let mut neighbours = Vec::new();
                neighbourhoods.collect(residues, &mut neighbours);
                neighbours
            });
        }
        Self::Some(found)
    }

    fn of(&self, residues: &[u8], word: u32) -> &[u32] {
        match self {
            Self::All(starts, neighbours) => {
                &neighbours[starts[word as usize] as usize..starts[word as usize + 1] as usize]
            }
            Self::Some(found) => found.get(residues).map_or(&[], Vec::as_slice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::alphabet::{SENTINEL, encode};

    const WORDS: WordOptions = WordOptions { size: 3, threshold: 11.0, window: 40 };

    fn codes(text: &str) -> Vec<u8> {
        text.bytes().map(|b| encode(b).unwrap_or(SENTINEL)).collect()
    }

    fn hits(table: &(Neighbourhoods, WordTable), word: &str) -> Vec<u32> {
        let word = table.0.symbols.pack(&codes(word)).expect("a word");
        let Lists::Short(lists) = table.1.lists() else { panic!("16 bits are enough") };
        let found = table.1.range(word).map(|range| lists.positions(&range)).unwrap_or_default();
        found.iter().map(|&position| u32::from(position)).collect()
    }

    fn table(text: &str, options: &WordOptions) -> (Neighbourhoods, WordTable) {
        let neighbourhoods = Neighbourhoods::new(&Matrix::blosum62(), options);
        let table = WordTable::new(&codes(text), &neighbourhoods);
        (neighbourhoods, table)
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
                neighbourhoods.for_each_word(&mut vec![0; size], 0, &mut |other, residues| {
                    let score: i32 = word.iter().zip(residues).map(|(&a, &b)| matrix.score(a, b)).sum();
                    let own: i32 = word.iter().map(|&a| matrix.score(a, a)).sum();
                    if score >= 11 || (residues == word && own < 11) {
                        expected.push(other);
                    }
                });
                expected.sort_unstable();
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
