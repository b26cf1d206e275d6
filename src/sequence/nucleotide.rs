//! Telling nucleotides from protein, for a warning when one is given as the other.

use super::alphabet::encode;

/// Shortest sequence that is judged; shorter ones occur in either kind.
pub const SHORTEST_JUDGED: usize = 30;

/// Smallest share of nucleotide letters, in percent, in what is taken for nucleotides.
pub const NUCLEOTIDE_PERCENT: usize = 90;

/// Whether residue codes read like DNA or RNA that was given as protein.
///
/// The rule: at least [`SHORTEST_JUDGED`] residues, at least [`NUCLEOTIDE_PERCENT`] per cent of
/// them among `A`, `C`, `G`, `T`, `U` and `N`, and each of `A`, `C`, `G` and one of `T`, `U` among
/// them. In proteins these letters make up about a quarter; the second half of the rule spares
/// repeats such as `GAGAGA…`, which are protein.
pub fn looks_like_nucleotides(residues: &[u8]) -> bool {
    if residues.len() < SHORTEST_JUDGED {
        return false;
    }
    let count = |letter: u8| {
        let code = encode(letter);
        residues.iter().filter(|residue| Some(**residue) == code).count()
    };
    let (a, c, g, t_or_u) = (count(b'A'), count(b'C'), count(b'G'), count(b'T') + count(b'U'));
    let nucleotides = a + c + g + t_or_u + count(b'N');
    nucleotides * 100 >= residues.len() * NUCLEOTIDE_PERCENT && [a, c, g, t_or_u].iter().all(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(letters: &str) -> bool {
        let residues: Vec<u8> = letters.bytes().map(|letter| encode(letter).unwrap()).collect();
        looks_like_nucleotides(&residues)
    }

    #[test]
    fn dna_and_rna_are_recognised_with_a_few_ambiguity_letters() {
        assert!(judged(&"ATGGCTAGCTAGGATCC".repeat(3)));
        assert!(judged(&"AUGGCUAGCUAGGAUCC".repeat(3)));
        assert!(judged(&("ATGGCTAGCTAGGATCC".repeat(3) + "NNNNRYS")));
    }

    #[test]
    fn proteins_and_their_repeats_are_not() {
        assert!(!judged("MVLSPADKTNVKAAWGKVGAHAGEYGAEALERMFLSFPTTKTYFPHFDLSHGSAQVKGHG"));
        assert!(!judged(&"GA".repeat(60)));
        assert!(!judged(&"A".repeat(60)));
        assert!(!judged(&("ATGGCTAGCTAGGATCC".repeat(2) + "MVLSPADK")));
    }

    #[test]
    fn what_is_too_short_is_not_judged() {
        let dna = "ACGT".repeat(8);
        assert!(!judged(&dna[..SHORTEST_JUDGED - 1]));
        assert!(judged(&dna[..SHORTEST_JUDGED]));
    }
}
