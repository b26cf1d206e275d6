//! Karlin–Altschul statistics in a search space of known size, without a correction for the ends of
//! sequences (`core/blast_stat.c`: `BLAST_KarlinStoE_simple`, `BlastKarlinEtoS_simple`).

use super::karlin::KarlinParameters;

/// Smallest E-value that a score is asked for.
const SMALLEST: f64 = 1.0e-297;

/// Expected number of alignments of at least `score` (raw) in a search space, residue pairs.
pub fn karlin_evalue(score: i32, parameters: &KarlinParameters, space: u64) -> f64 {
    space as f64 * libm::exp(-parameters.lambda * f64::from(score) + libm::log(parameters.k))
}

/// The smallest score, at least 1, that is expected `evalue` times or less in a search space.
pub fn karlin_cutoff(evalue: f64, parameters: &KarlinParameters, space: u64) -> i32 {
    let ratio = parameters.k * space as f64 / evalue.max(SMALLEST);
    (libm::ceil(libm::log(ratio) / parameters.lambda) as i32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cutoff_is_the_first_score_below_the_limit() {
        let parameters = KarlinParameters { lambda: 0.267, k: 0.041, h: 0.14 };
        for evalue in [1e-30, 1e-3, 10.0, 1e4] {
            let cutoff = karlin_cutoff(evalue, &parameters, 1_000_000);
            assert!(karlin_evalue(cutoff, &parameters, 1_000_000) <= evalue);
            assert!(cutoff == 1 || karlin_evalue(cutoff - 1, &parameters, 1_000_000) > evalue);
        }
        assert_eq!(karlin_cutoff(1e9, &parameters, 1_000), 1);
    }

    /// Scores and E-values that blastp 2.12 printed for a search space of 1,000,000.
    #[test]
    fn evalues_equal_those_of_blastp() {
        let parameters = KarlinParameters { lambda: 0.267, k: 0.041, h: 0.14 };
        for (score, evalue) in [(648, "2.97091e-71"), (127, "7.69648e-11")] {
            assert_eq!(format!("{:.5e}", karlin_evalue(score, &parameters, 1_000_000)), evalue);
        }
    }
}
