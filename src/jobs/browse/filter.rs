//! Which hits of a query are wanted.

use crate::report::HitSummary;

/// What a hit must be like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HitFilter {
    /// Largest E-value.
    pub evalue: Option<f64>,
    /// Least identity of the best HSP, per cent.
    pub identity: Option<f64>,
    /// Least coverage of the query, per cent.
    pub coverage: Option<f64>,
    /// A text that the subject's name or title has, in upper or lower case.
    pub text: Option<String>,
    /// The species that its title names.
    pub species: Option<String>,
}

impl HitFilter {
    /// The same, as hits are compared to it.
    pub(super) fn prepared(mut self) -> Self {
        self.text = self.text.map(|text| text.to_lowercase()).filter(|text| !text.is_empty());
        self
    }

    /// Whether a hit is like that. The filter must be [`prepared`](Self::prepared).
    pub(super) fn admits(&self, hit: &HitSummary) -> bool {
        let has = |words: &str, text: &str| words.to_lowercase().contains(text);
        self.evalue.is_none_or(|most| hit.evalue <= most)
            && self.identity.is_none_or(|least| hit.identity >= least)
            && self.coverage.is_none_or(|least| hit.coverage as f64 >= least)
            && self.species.as_ref().is_none_or(|species| hit.species.as_ref() == Some(species))
            && self.text.as_ref().is_none_or(|text| has(&hit.subject, text) || has(&hit.title, text))
    }
}
