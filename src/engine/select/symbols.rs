//! The symbols that words are made of: residues, or groups of similar residues for long words.
//!
//! Source of the groups and their scores: `core/blast_stat.c:SCompressedAlphabetNew`.

use crate::engine::options::{GROUPED_SIZE, WordOptions};
use crate::scoring::{Matrix, PairFrequencies};
use crate::sequence::alphabet::{ALPHABET_SIZE, SENTINEL, encode};

/// Groups of words of six residues.
const GROUPS_OF_15: [&[u8]; 15] =
    [b"ST", b"IJV", b"LM", b"KR", b"EQZ", b"A", b"G", b"BD", b"P", b"N", b"F", b"Y", b"H", b"C", b"W"];
/// Groups of words of seven residues.
const GROUPS_OF_10: [&[u8]; 10] = [b"IJLMV", b"AST", b"BDENZ", b"KQR", b"G", b"FY", b"P", b"H", b"C", b"W"];

/// Scores of groups are kept in hundredths.
const GROUP_SCALE: f64 = 100.0;
/// Smallest average frequency ratio of a group that has a score.
const SMALLEST_RATIO: f64 = 1e-8;
/// A score that rules a group out.
const RULED_OUT: i32 = -32768;

/// Marks a residue that is part of no word.
const NONE: u8 = u8::MAX;
/// Width of a table over residue codes, rounded up so that a masked code is always inside.
const STRIDE: usize = 32;

/// The symbols of a search's words and what they score against residues.
#[derive(Debug)]
pub(in crate::engine) struct Symbols {
    /// Symbol of each residue code, or [`NONE`].
    symbol_of: [u8; STRIDE],
    /// For each residue code the symbols by falling score.
    by_score: Vec<Vec<(i32, u8)>>,
    packing: Packing,
}

/// How symbols are packed to a number: as digits of a word.
#[derive(Clone, Copy, Debug)]
enum Packing {
    /// Five bits each.
    Bits { mask: u32 },
    /// Digits to a base; `leading` is the value of the first.
    Digits { base: u32, leading: u32 },
}

impl Symbols {
    /// The symbols for words of `options.size` residues, and the threshold in units of their scores.
    pub(in crate::engine) fn new(matrix: &Matrix, options: &WordOptions) -> (Self, i32) {
        match (options.size, PairFrequencies::of(matrix.name().as_str())) {
            (GROUPED_SIZE, Some(frequencies)) => (
                Self::groups(matrix, frequencies, &GROUPS_OF_15, options.size),
                (GROUP_SCALE * options.threshold) as i32,
            ),
            (7.., Some(frequencies)) => (
                Self::groups(matrix, frequencies, &GROUPS_OF_10, options.size),
                (GROUP_SCALE * options.threshold) as i32,
            ),
            _ => (Self::residues(matrix, options.size), options.threshold as i32),
        }
    }

    /// Every residue is a symbol.
    fn residues(matrix: &Matrix, size: usize) -> Self {
        let mut symbol_of = [NONE; STRIDE];
        let residues = || (0..ALPHABET_SIZE as u8).filter(|&code| code != SENTINEL);
        for code in residues() {
            symbol_of[code as usize] = code;
        }
        let scores = |code| residues().map(move |other| (matrix.score(code, other), other)).collect();
        let packing = Packing::Bits { mask: (1 << (5 * size as u32)) - 1 };
        Self { symbol_of, by_score: sorted((0..ALPHABET_SIZE as u8).map(scores)), packing }
    }

    /// Groups are the symbols; a group scores the logarithm of its average frequency ratio.
    fn groups(matrix: &Matrix, frequencies: &PairFrequencies, groups: &[&[u8]], size: usize) -> Self {
        let groups: Vec<Vec<u8>> =
            groups.iter().map(|letters| letters.iter().copied().filter_map(encode).collect()).collect();
        let mut symbol_of = [NONE; STRIDE];
        for (symbol, members) in groups.iter().enumerate() {
            for &code in members {
                symbol_of[code as usize] = symbol as u8;
            }
        }
        let background = matrix.background();
        let scale = GROUP_SCALE / matrix.name().ungapped_lambda();
        let score = |code: usize, members: &[u8]| {
            let total: f64 = members.iter().map(|&member| background[member as usize]).sum();
            let ratio: f64 = members
                .iter()
                .map(|&member| {
                    frequencies.ratio(code, member as usize) * (background[member as usize] / total)
                })
                .sum();
            if ratio < SMALLEST_RATIO { RULED_OUT } else { libm::round(libm::log(ratio) * scale) as i32 }
        };
        let scores = (0..ALPHABET_SIZE).map(|code| {
            groups.iter().zip(0..).map(|(members, symbol)| (score(code, members), symbol)).collect()
        });
        let base = groups.len() as u32;
        let packing = Packing::Digits { base, leading: base.pow(size as u32 - 1) };
        Self { symbol_of, by_score: sorted(scores), packing }
    }

    /// Symbol of a residue code; `None` if it is part of no word.
    #[inline]
    pub(in crate::engine) fn of(&self, code: u8) -> Option<u8> {
        match self.symbol_of[code as usize % STRIDE] {
            NONE => None,
            symbol => Some(symbol),
        }
    }

    /// The symbols by falling score against a residue code.
    pub(in crate::engine) fn by_score(&self, code: u8) -> &[(i32, u8)] {
        &self.by_score[code as usize]
    }

    /// Score of a residue code against a symbol.
    pub(in crate::engine) fn score(&self, code: u8, symbol: u8) -> i32 {
        let found = self.by_score(code).iter().find(|&&(_, other)| other == symbol);
        found.map_or(RULED_OUT, |&(score, _)| score)
    }

    /// Number of packed words.
    pub(in crate::engine) fn words(&self) -> usize {
        match self.packing {
            Packing::Bits { mask } => mask as usize + 1,
            Packing::Digits { base, leading } => base as usize * leading as usize,
        }
    }

    /// Appends a symbol to a packed word, dropping its first.
    #[inline]
    pub(in crate::engine) fn shift_in(&self, word: u32, symbol: u8) -> u32 {
        match self.packing {
            Packing::Bits { mask } => ((word << 5) | u32::from(symbol)) & mask,
            Packing::Digits { base, leading } => word % leading * base + u32::from(symbol),
        }
    }

    /// Packs a word of residues; `None` if one is part of no word.
    pub(in crate::engine) fn pack(&self, residues: &[u8]) -> Option<u32> {
        residues.iter().try_fold(0, |word, &code| Some(self.shift_in(word, self.of(code)?)))
    }
}

fn sorted(scores: impl Iterator<Item = Vec<(i32, u8)>>) -> Vec<Vec<(i32, u8)>> {
    scores
        .map(|mut symbols| {
            symbols.sort_by_key(|&(score, _)| std::cmp::Reverse(score));
            symbols
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_groups_keep_their_last_symbols() {
        let options = WordOptions { size: 6, threshold: 21.0, window: 40 };
        let (symbols, threshold) = Symbols::new(&Matrix::blosum62(), &options);
        assert_eq!(threshold, 2100);
        assert_eq!(symbols.words(), 15usize.pow(6));
        let codes = |text: &[u8]| text.iter().copied().filter_map(encode).collect::<Vec<_>>();
        let packed = |text: &[u8]| symbols.pack(&codes(text)).expect("a word");
        // S and T, E and Q are of one group each.
        assert_eq!(packed(b"SILKEA"), packed(b"TVMRQA"));
        let next = symbols.of(codes(b"W")[0]).expect("a symbol");
        assert_eq!(symbols.shift_in(packed(b"SILKEA"), next), packed(b"ILKEAW"));
        assert_eq!(symbols.pack(&codes(b"SILXEA")), None);
    }
}
