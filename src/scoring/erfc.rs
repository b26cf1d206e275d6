//! The complementary error function as blastp computes it.
//!
//! `core/boost_erf.c` took Boost's rational approximations (John Maddock, 2006) but leaves out the last
//! term of one denominator, so that between 0.5 and 1.5 its values are off by up to 1e-7 of
//! themselves. E-values are printed with three digits, and one in some ten thousands lies close
//! enough to a tie for that to show. Elsewhere the function is as accurate as any other.

/// Where the approximation without its last term is used, by absolute value.
const INEXACT: std::ops::Range<f64> = 0.5..1.5;

/// erfc(x), with the error of blastp's.
pub(super) fn erfc(x: f64) -> f64 {
    let magnitude = x.abs();
    if !INEXACT.contains(&magnitude) {
        return libm::erfc(x);
    }
    let upper = upper_tail(magnitude);
    if x < 0.0 { 2.0 - upper } else { upper }
}

/// erfc(z) for z in [`INEXACT`].
fn upper_tail(z: f64) -> f64 {
    const OFFSET: f64 = 0.405_935_764_312_744_14;
    const NUMERATOR: [f64; 6] = [
        -0.098_090_592_216_281_24,
        0.178_114_665_841_120_34,
        0.191_003_695_796_775_43,
        0.088_890_036_896_788_45,
        0.019_504_900_125_121_88,
        0.001_804_245_382_970_142_2,
    ];
    /// Boost's has a sixth power too.
    const DENOMINATOR: [f64; 6] = [
        1.0,
        1.847_590_709_830_022_2,
        1.426_280_048_455_113_2,
        0.578_052_804_889_902_4,
        0.123_850_974_679_008_64,
        0.011_338_523_357_700_141,
    ];
    let x = z - INEXACT.start;
    let polynomial = |c: &[f64; 6]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
    let ratio = polynomial(&NUMERATOR) / polynomial(&DENOMINATOR);
    (OFFSET + ratio) * libm::exp(-z * z) / z
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::{FiniteSize, MatrixName};

    #[test]
    fn values_are_those_of_blastp() {
        // Returned by `ErfC` in the library of NCBI BLAST+ 2.12.0.
        for (x, expected) in [
            (-3.0, 1.9999779095030015),
            (-1.4, 1.9522851169141389),
            (-1.242, 1.9209889502881325),
            (-0.75, 1.7111556336638374),
            (-0.3, 1.3286267594591274),
            (0.0, 1.0),
            (0.25, 0.7236736098317631),
            (0.5, 0.47950012218695337),
            (0.9, 0.203091787593992),
            (1.2, 0.08968602294580619),
            (1.49, 0.0351021387207834),
            (1.5, 0.033894853524689274),
            (2.0, 0.004677734981047266),
            (5.0, 1.5374597944280347e-12),
        ] {
            let value = erfc(x);
            assert!((value / expected - 1.0).abs() < 1e-14, "erfc({x}) = {value}, expected {expected}");
        }
    }

    #[test]
    fn values_between_a_half_and_one_and_a_half_are_slightly_off() {
        assert!((erfc(1.4) / libm::erfc(1.4) - 1.0).abs() > 1e-8);
        assert_eq!(erfc(0.4), libm::erfc(0.4));
        assert_eq!(erfc(-1.6), libm::erfc(-1.6));
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
