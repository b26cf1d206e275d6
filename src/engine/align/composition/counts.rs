//! Compositions: how often each amino acid occurs in a sequence.

use std::sync::LazyLock;

use crate::scoring::STANDARD;
use crate::sequence::alphabet::{ALPHABET_SIZE, C, U, encode};

/// Number of standard amino acids.
pub(super) const LETTERS: usize = STANDARD.len();
/// Weight of the background in a composition, in residues (`kReFixedPseudocounts`).
const PSEUDOCOUNTS: f64 = 20.0;

/// Frequencies of the standard amino acids in the order of [`STANDARD`].
pub(super) type Frequencies = [f64; LETTERS];

/// Residue codes of the standard amino acids in the order of [`STANDARD`].
pub(super) static CODES: LazyLock<[usize; LETTERS]> =
    LazyLock::new(|| STANDARD.map(|letter| encode(letter).map_or(0, usize::from)));

/// Residue codes of the standard amino acids in the order of codes, in which scores are summed.
pub(super) static CODES_ASCENDING: LazyLock<[usize; LETTERS]> = LazyLock::new(|| {
    let mut codes = *CODES;
    codes.sort_unstable();
    codes
});

/// Frequencies by residue code; 0 for codes that are no standard amino acid.
pub(super) fn by_code(frequencies: &Frequencies) -> [f64; ALPHABET_SIZE] {
    let mut by_code = [0.0; ALPHABET_SIZE];
    for (&code, &frequency) in CODES.iter().zip(frequencies) {
        by_code[code] = frequency;
    }
    by_code
}

/// The composition of a sequence that has at least one standard amino acid.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Composition {
    pub(super) frequencies: Frequencies,
    /// Residues that were counted.
    pub(super) counted: usize,
}

impl Composition {
    /// Counts the standard amino acids, selenocysteine as cysteine
    /// (`composition_adjustment.c:Blast_ReadAaComposition`). `None` if there are none.
    pub(super) fn of(residues: &[u8]) -> Option<Self> {
        let mut counts = [0usize; ALPHABET_SIZE];
        for &residue in residues {
            counts[residue as usize] += 1;
        }
        counts[C as usize] += counts[U as usize];
        let counts = CODES.map(|code| counts[code]);
        let counted = counts.iter().sum();
        (counted > 0).then(|| Self { frequencies: counts.map(|n| n as f64 / counted as f64), counted })
    }

    /// The frequencies mixed with a background, the more so the shorter the sequence is.
    pub(super) fn with_pseudocounts(&self, background: &Frequencies) -> Frequencies {
        let total: f64 = self.frequencies.iter().sum();
        let weight = PSEUDOCOUNTS / (self.counted as f64 + PSEUDOCOUNTS);
        std::array::from_fn(|i| (1.0 - weight) * self.frequencies[i] / total + weight * background[i])
    }

    /// Whether two amino acids make up most of a sequence of `length` residues.
    pub(super) fn is_lopsided(&self, length: usize) -> bool {
        /// Shorter sequences are lopsided by chance (`kLengthLowerThreshold`).
        const SHORTEST: usize = 50;
        /// Joint frequency of the two (`kHighPairThreshold`).
        const MOST: f64 = 0.4;
        let (mut first, mut second) = (0.0, 0.0);
        for &frequency in &self.frequencies {
            if frequency > first {
                second = first;
                first = frequency;
            } else if frequency > second {
                second = frequency;
            }
        }
        length > SHORTEST && second + first > MOST
    }
}

/// Square root of the Jensen–Shannon divergence, in nats: a metric between compositions
/// (`composition_adjustment.c:Blast_GetRelativeEntropy`).
pub(super) fn distance(a: &Frequencies, b: &Frequencies) -> f64 {
    let mut divergence = 0.0;
    for (&a, &b) in a.iter().zip(b) {
        let mean = (a + b) / 2.0;
        if mean > 0.0 {
            if a > 0.0 {
                divergence += a * libm::log(a / mean) / 2.0;
            }
            if b > 0.0 {
                divergence += b * libm::log(b / mean) / 2.0;
            }
        }
    }
    f64::max(divergence, 0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<u8> {
        text.bytes().map(|letter| encode(letter).expect("a letter")).collect()
    }

    fn composition(text: &str) -> Composition {
        Composition::of(&codes(text)).expect("amino acids")
    }

    #[test]
    fn only_standard_amino_acids_and_selenocysteine_are_counted() {
        let composition = composition("AAUCXBZJO*");
        assert_eq!(composition.counted, 4);
        assert_eq!(composition.frequencies[0], 0.5, "A");
        assert_eq!(composition.frequencies[4], 0.5, "C and U");
        assert_eq!(Composition::of(&codes("XBZJO*")), None);
    }

    #[test]
    fn pseudocounts_weigh_as_much_as_twenty_residues() {
        let mixed = composition(&"A".repeat(20)).with_pseudocounts(&[0.05; LETTERS]);
        assert!((mixed[0] - 0.525).abs() < 1e-15 && (mixed[1] - 0.025).abs() < 1e-15, "{mixed:?}");
    }

    #[test]
    fn two_frequent_letters_make_a_long_sequence_lopsided() {
        let text = format!("{}{}", "AL".repeat(11), "CDEFGHIKMNPQRSTVWY".repeat(2));
        assert!(!composition(&text[..50]).is_lopsided(50));
        assert!(!composition(&text).is_lopsided(text.len()), "0.38");
        let text = format!("AALL{text}");
        assert!(composition(&text).is_lopsided(text.len()), "0.42");
    }

    #[test]
    fn the_distance_is_zero_for_equal_and_largest_for_disjoint_compositions() {
        let (a, b) = (composition("ACAD").frequencies, composition("WYWV").frequencies);
        assert_eq!(distance(&a, &a), 0.0);
        assert!((distance(&a, &b) - std::f64::consts::LN_2.sqrt()).abs() < 1e-15);
        assert_eq!(distance(&a, &b), distance(&b, &a));
    }
}
