//! Length adjustment and effective search space, which reports state for each query.
//!
//! An alignment cannot start near the end of a sequence, so Karlin–Altschul statistics take the
//! expected length l of an alignment off both sequences (Altschul & Gish, Methods in Enzymology
//! 266:460, 1996). E-values here come from [`FiniteSize`](super::FiniteSize) instead; the two
//! numbers are only printed. NCBI: `core/blast_stat.c:BLAST_ComputeLengthAdjustment`,
//! `core/blast_setup.c:BLAST_CalcEffLengths`.

use super::table_row::TableRow;

/// Rounds of the iteration at most.
const ROUNDS: usize = 20;

/// The search space of one query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchSpace {
    /// Residues by which the query and every subject are shortened.
    pub length_adjustment: u64,
    /// Product of the shortened lengths of the query and of the whole database.
    pub effective: u64,
}

impl SearchSpace {
    /// The space of a query of `query` residues in a database of `sequences` sequences with
    /// `residues` residues together, under gapped parameters.
    pub fn new(query: u64, residues: u64, sequences: u64, gapped: &TableRow) -> Self {
        let length_adjustment = length_adjustment(query, residues, sequences, gapped);
        let database = residues.saturating_sub(sequences * length_adjustment).max(1);
        // A database that is stated larger than any wraps around, as in blastp.
        let effective = query.saturating_sub(length_adjustment).wrapping_mul(database);
        Self { length_adjustment, effective }
    }
}

/// The largest whole l that does not exceed a/λ · ln(K · (m − l) · (D − N·l)) + β, found by an
/// iteration of fixed points between two bounds.
fn length_adjustment(query: u64, residues: u64, sequences: u64, gapped: &TableRow) -> u64 {
    let (m, d, n) = (query as f64, residues as f64, sequences as f64);
    let expected = |l: f64| {
        let space = (m - l) * (d - n * l);
        gapped.a / gapped.karlin.lambda * (libm::log(gapped.karlin.k) + libm::log(space)) + gapped.beta
    };
    let c = d * m - f64::max(m, d) / gapped.karlin.k;
    if c < 0.0 {
        return 0;
    }
    let b = m * n + d;
    let (mut low, mut high) = (0.0, 2.0 * c / (b + (b * b - 4.0 * n * c).sqrt()));
    let mut next = 0.0;
    let mut converged = false;
    for round in 1..=ROUNDS {
        let l = next;
        let reached = expected(l);
        if reached >= l {
            low = l;
            if reached - low <= 1.0 {
                converged = true;
                break;
            }
            if low == high {
                break;
            }
        } else {
            high = l;
        }
        next = if (low..=high).contains(&reached) {
            reached
        } else if round == 1 {
            high
        } else {
            (low + high) / 2.0
        };
    }
    let above = low.ceil();
    if converged && above <= high && expected(above) >= above { above as u64 } else { low.floor() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::MatrixName;

    fn blosum62() -> TableRow {
        let matrix = MatrixName::Blosum62;
        TableRow::gapped(matrix, matrix.default_gaps()).expect("statistics of the default")
    }

    /// Query length, residues and sequences of the database; what blastp 2.12 printed for them.
    #[test]
    fn search_spaces_equal_those_of_blastp() {
        let cases = [
            (361, 473_270, 1_400, 78, 103_031_810),
            (30, 574_078, 1_490, 5, 14_165_700),
            (26, 574_078, 1_490, 1, 14_314_700),
            (59, 574_078, 1_490, 32, 14_212_746),
        ];
        for (query, residues, sequences, length_adjustment, effective) in cases {
            let space = SearchSpace::new(query, residues, sequences, &blosum62());
            assert_eq!(space, SearchSpace { length_adjustment, effective });
        }
    }

    #[test]
    fn tiny_searches_are_not_shortened() {
        let space = SearchSpace::new(3, 10, 2, &blosum62());
        assert_eq!(space, SearchSpace { length_adjustment: 0, effective: 30 });
    }
}
