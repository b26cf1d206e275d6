//! How closely a selector looks.

use crate::engine::align::scheme::Scheme;
use crate::engine::options::Mode;
use crate::scoring::MatrixName;

/// Letters of a seed.
pub(super) const WEIGHT: usize = 5;

/// What makes a selector nominate a pair. Scores are those of a search's matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sensitivity {
    /// Where the letters of a seed lie, from its first.
    pub(super) pattern: [usize; WEIGHT],
    /// Least score of two seeds that hit.
    pub(super) similar: i32,
    /// Least score of a window around such a hit.
    pub(super) window: u8,
    /// How far below the score of the E-value limit the score in a band may be.
    allowance: f64,
}

/// The smallest score in a band that is ever asked for, in units of BLOSUM62: below it nearly all is chance.
const LEAST_BANDED: f64 = 50.0;
/// The largest, so that bytes can tell.
const MOST_BANDED: f64 = 240.0;

impl Sensitivity {
    /// That of a mode, if it selects by seeds.
    ///
    /// Patterns and numbers have been measured with BLOSUM62 on natural sequences. For other matrices scores
    /// are stretched by the ratio of their λ without gaps.
    pub(super) fn of(mode: Mode, matrix: MatrixName) -> Option<Self> {
        let (pattern, similar, window, allowance) = match mode {
            Mode::Exact | Mode::Thorough => return None,
            Mode::Seeded => ([0, 1, 2, 4, 7], 18.0, 43.0, 36.0),
            Mode::Fast => ([0, 3, 5, 6, 7], 22.0, 46.0, 30.0),
        };
        let stretch = MatrixName::Blosum62.ungapped_lambda() / matrix.ungapped_lambda();
        let stretched = |score: f64| libm::rint(score * stretch);
        Some(Self {
            pattern,
            similar: stretched(similar) as i32,
            window: stretched(window) as u8,
            allowance: allowance * stretch,
        })
    }

    /// Least score in a band with which a query of `length` residues meets a subject, at least that of a window.
    ///
    /// It is that of an alignment at the E-value limit without the finite-size correction, less the
    /// allowance: composition may raise scores, and a band may miss a part.
    pub(super) fn banded(&self, length: usize, scheme: &Scheme) -> u8 {
        let gapped = scheme.statistics.gapped();
        let space = (length as f64) * scheme.database_residues.max(1) as f64;
        let limit = libm::log(gapped.k * space / scheme.options.evalue) / gapped.lambda;
        let stretch = MatrixName::Blosum62.ungapped_lambda() / scheme.options.matrix.ungapped_lambda();
        let score = (limit - self.allowance).clamp(LEAST_BANDED * stretch, MOST_BANDED);
        (score as u8).max(self.window)
    }
}
