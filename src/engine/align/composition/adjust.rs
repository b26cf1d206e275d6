//! The choice between the two kinds of matrix, and the matrix itself.

use super::counts::{Composition, Frequencies, distance};
use super::matrix::{MatrixMaker, joint_probabilities};
use super::optimize::{Optimizer, Pairs};
use crate::engine::align::hsp::Adjustment;
use crate::engine::options::CompositionMode;
use crate::scoring::{Matrix, PairFrequencies, Scores, ideal_lambda};

/// Compositions farther apart than this may call for scaling (`QUERY_MATCH_DISTANCE_THRESHOLD`).
const FAR: f64 = 0.16;
/// So may a sequence more than this many times longer than the other (`LENGTH_RATIO_THRESHOLD`).
const MUCH_LONGER: f64 = 3.0;
/// And deviations from the background in directions that differ by more, degrees (`ANGLE_DEGREE`).
const WIDE: f64 = 70.0;
/// π as the toolkit's conversion to degrees has it.
const PI: f64 = 3.141_592_654_3;

/// Makes matrices for pairs of sequences.
#[derive(Debug)]
pub(in crate::engine) struct Adjuster {
    mode: CompositionMode,
    maker: MatrixMaker,
    joint: Pairs,
    /// Margin of `joint`, the background of pseudocounts.
    margin: Frequencies,
    background: Frequencies,
}

/// What matrices for one query need.
#[derive(Clone, Debug)]
pub(super) struct QueryComposition {
    composition: Composition,
    length: usize,
    lopsided: bool,
    /// Distance from the background.
    distance: f64,
    /// Margin of the target frequencies.
    rows: Frequencies,
}

impl Adjuster {
    /// For a mode other than [`CompositionMode::Off`] and a matrix with known pair frequencies;
    /// `None` otherwise.
    pub(in crate::engine) fn new(mode: CompositionMode, matrix: &Matrix) -> Option<Self> {
        if mode == CompositionMode::Off {
            return None;
        }
        let frequencies = PairFrequencies::of(matrix.name().as_str())?;
        let (joint, margin) = joint_probabilities(frequencies);
        let maker = MatrixMaker::new(frequencies, ideal_lambda(matrix)?);
        Some(Self { mode, maker, joint, margin, background: *frequencies.background() })
    }

    /// Prepares a query. `None` if it has no standard amino acid.
    pub(super) fn query(&self, query: &[u8]) -> Option<QueryComposition> {
        let composition = Composition::of(query)?;
        Some(QueryComposition {
            length: query.len(),
            lopsided: composition.is_lopsided(query.len()),
            distance: distance(&composition.frequencies, &self.background),
            rows: composition.with_pseudocounts(&self.margin),
            composition,
        })
    }

    /// The matrix for a query and a (masked) subject. `None` if the subject has no standard amino
    /// acid.
    pub(super) fn matrix(
        &self,
        query: &QueryComposition,
        subject: &[u8],
        optimizer: &mut Optimizer,
    ) -> Option<(Scores, Adjustment)> {
        let composition = Composition::of(subject)?;
        if !self.only_scales(query, &composition, subject.len()) {
            let columns = composition.with_pseudocounts(&self.margin);
            if let Some(x) = optimizer.optimize(&self.joint, &query.rows, &columns) {
                let scores = self.maker.optimised(x, &query.rows, &columns);
                return Some((scores, Adjustment::Optimised));
            }
        }
        Some((self.maker.scaled(&query.composition, &composition), Adjustment::Scaled))
    }

    /// Whether the pair's matrix is only to be scaled (`compo_mode_condition.c`).
    fn only_scales(&self, query: &QueryComposition, subject: &Composition, length: usize) -> bool {
        match self.mode {
            CompositionMode::Off | CompositionMode::Scale => return true,
            CompositionMode::Always => return false,
            CompositionMode::Conditional => {}
        }
        if query.lopsided || subject.is_lopsided(length) {
            return false;
        }
        let (longer, shorter) = (query.length.max(length), query.length.min(length));
        if longer as f64 / shorter as f64 <= MUCH_LONGER {
            return false;
        }
        let apart = distance(&subject.frequencies, &query.composition.frequencies);
        let from_background = distance(&subject.frequencies, &self.background);
        apart > FAR && angle(from_background, query.distance, apart) > WIDE
    }
}

/// The angle, in degrees, between the sides `a` and `b` of a triangle whose third side is `c`; NaN,
/// which is not wide, if there is no such triangle.
fn angle(a: f64, b: f64, c: f64) -> f64 {
    let cosine = (a * a + b * b - c * c) / 2.0 / a / b;
    libm::acos(cosine) * 180.0 / PI
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::alphabet::encode;

    fn codes(text: &str) -> Vec<u8> {
        text.bytes().filter_map(encode).collect()
    }

    fn adjustment(mode: CompositionMode, query: &str, subject: &str) -> Adjustment {
        let adjuster = Adjuster::new(mode, &Matrix::blosum62()).expect("an adjuster");
        let query = adjuster.query(&codes(query)).expect("amino acids");
        let mut optimizer = Optimizer::default();
        adjuster.matrix(&query, &codes(subject), &mut optimizer).expect("a matrix").1
    }

    const ALL: &str = "ACDEFGHIKLMNPQRSTVWY";
    const ACIDIC: &str = "DEDESTNDEQKPGDEASTNQ";
    const OILY: &str = "LIVFAMWLIVFGALIVMFCY";

    #[test]
    fn the_mode_decides_unless_it_is_conditional() {
        assert_eq!(adjustment(CompositionMode::Scale, ALL, ALL), Adjustment::Scaled);
        assert_eq!(adjustment(CompositionMode::Always, ACIDIC, &OILY.repeat(4)), Adjustment::Optimised);
        assert!(Adjuster::new(CompositionMode::Off, &Matrix::blosum62()).is_none());
    }

    #[test]
    fn only_distant_compositions_of_unequal_lengths_are_scaled() {
        let conditional =
            |query: &str, subject: &str| adjustment(CompositionMode::Conditional, query, subject);
        assert_eq!(conditional(ACIDIC, &OILY.repeat(4)), Adjustment::Scaled);
        assert_eq!(conditional(ACIDIC, &OILY.repeat(3)), Adjustment::Optimised, "not longer than thrice");
        assert_eq!(conditional(ACIDIC, &ACIDIC.repeat(4)), Adjustment::Optimised, "alike");
        let lopsided = format!("{}{}", OILY.repeat(4), "AL".repeat(40));
        assert_eq!(conditional(ACIDIC, &lopsided), Adjustment::Optimised, "mostly A and L");
    }

    #[test]
    fn an_angle_without_a_triangle_is_not_wide() {
        assert!((angle(3.0, 4.0, 5.0) - 90.0).abs() < 1e-6);
        for (a, b, c) in [(0.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 3.0)] {
            assert!(angle(a, b, c).is_nan(), "{a} {b} {c}");
        }
    }

    #[test]
    fn a_sequence_without_amino_acids_has_no_matrix() {
        let adjuster = Adjuster::new(CompositionMode::Always, &Matrix::blosum62()).expect("an adjuster");
        assert!(adjuster.query(&codes("XXBZ")).is_none());
        let query = adjuster.query(&codes(ALL)).expect("amino acids");
        assert!(adjuster.matrix(&query, &codes("XX"), &mut Optimizer::default()).is_none());
    }
}
