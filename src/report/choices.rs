//! Options of blastp that only a pairwise report has a use for.

use std::num::NonZeroUsize;

use super::order::{HitOrder, HspOrder};
use super::outfmt::OutputFormat;

/// What the user said of how a pairwise report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairwiseChoices {
    /// Columns of an alignment per line (`-line_length`).
    pub line_length: Option<NonZeroUsize>,
    /// The order of subjects (`-sorthits`).
    pub hit_order: Option<HitOrder>,
    /// The order of a subject's HSPs (`-sorthsps`).
    pub hsp_order: Option<HspOrder>,
}

impl PairwiseChoices {
    /// The first option that is given although `format` is not pairwise; named as blastp names it.
    pub fn ignored_by(&self, format: &OutputFormat) -> Option<&'static str> {
        let given = [
            ("line_length", self.line_length.is_some()),
            ("sorthits", self.hit_order.is_some()),
            ("sorthsps", self.hsp_order.is_some()),
        ];
        let pairwise = matches!(format, OutputFormat::Pairwise(_));
        given.into_iter().find(|(_, given)| *given && !pairwise).map(|(name, _)| name)
    }

    /// Gives a pairwise report what was asked for.
    pub fn apply(&self, format: &mut OutputFormat) {
        if let OutputFormat::Pairwise(style) = format {
            style.line_length = self.line_length.unwrap_or(style.line_length);
            style.hit_order = self.hit_order.or(style.hit_order);
            style.hsp_order = self.hsp_order.or(style.hsp_order);
        }
    }
}
