//! The complementary error function as blastp computes it.
//!
//! NCBI's toolkit has it from the Boost library (`core/boost_erf.c`), with a slip: between 0.5 and
//! 1.5 the denominator of the rational approximation lacks its last term. That moves the sixth
//! digit of an E-value wherever an alignment hardly fits into its sequence, and XML and JSON
//! reports print six digits.

/// Constant of Boost's approximation of z·exp(z²)·erfc(z) = Y + p(x)/q(x), x = z − 0.5, for z from
/// 0.5 to 1.5.
const Y: f64 = 0.405_935_764_312_744_14;

/// Coefficients of q, that of x⁰ first, up to the term that blastp leaves out.
const Q: [f64; 7] = [
    1.0,
    1.847_590_709_830_022_2,
    1.426_280_048_455_113_2,
    0.578_052_804_889_902_4,
    0.123_850_974_679_008_64,
    0.011_338_523_357_700_142,
    3.375_114_724_830_946_7e-6,
];

/// 2/√π · ∫ exp(−t²) dt from `z` to infinity, but for the slip.
pub(super) fn erfc(z: f64) -> f64 {
    if z < 0.0 {
        return 2.0 - erfc(-z);
    }
    let exact = libm::erfc(z);
    if !(0.5..1.5).contains(&z) {
        return exact;
    }
    let x = z - 0.5;
    let used = Q[..6].iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient);
    let whole = used + Q[6] * x.powi(6);
    let scale = libm::exp(-z * z) / z;
    (Y + (exact / scale - Y) * whole / used) * scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::{FiniteSize, MatrixName};

    #[test]
    fn the_slip_is_confined_to_its_interval() {
        for z in [-3.0, -0.4, 0.0, 0.3, 1.6, 3.0] {
            assert!((erfc(z) - libm::erfc(z)).abs() < 1e-15);
        }
        for z in [0.5, 0.9, 1.2, 1.49] {
            assert!((erfc(z) / libm::erfc(z) - 1.0).abs() < 1e-6);
            assert_eq!(erfc(-z), 2.0 - erfc(z));
        }
    }

    /// Score, lengths of query and subject, residues of the database; the E-value in the XML report
    /// of blastp 2.12. Without the slip the last digit differs.
    #[test]
    fn six_digits_of_evalues_equal_those_of_blastp() {
        let matrix = MatrixName::Blosum62;
        let statistics = FiniteSize::new(matrix, matrix.default_gaps()).expect("statistics of the default");
        for (score, query, subject, database, evalue) in [
            (221, 212, 714, 574_078, "3.82555e-22"),
            (314, 339, 372, 574_078, "2.64377e-34"),
            (68, 363, 14, 15_996, "9.22411e-5"),
            (73, 14, 234, 14_187, "6.78338e-7"),
        ] {
            let computed = statistics.evalue(score, query, subject, database);
            assert_eq!(format!("{computed:.5e}"), evalue);
        }
    }
}
