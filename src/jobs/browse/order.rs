//! Hits in the order of a column, of which no more are held than are shown.

use std::cmp::Ordering;

use super::hits::RankedHit;

/// What hits can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HitColumn {
    /// The order of the report.
    #[default]
    Rank,
    /// What names the subject.
    Subject,
    /// Its title.
    Title,
    /// Its species.
    Species,
    /// Its length.
    Length,
    /// Number of HSPs.
    Hsps,
    /// Smallest E-value.
    Evalue,
    /// Largest bit score.
    BitScore,
    /// Sum of bit scores.
    TotalBits,
    /// Identity of the best HSP.
    Identity,
    /// Coverage of the query.
    Coverage,
}

impl HitColumn {
    /// All columns with their names in the API.
    pub const NAMES: [(Self, &'static str); 11] = [
        (Self::Rank, "rank"),
        (Self::Subject, "subject"),
        (Self::Title, "title"),
        (Self::Species, "species"),
        (Self::Length, "length"),
        (Self::Hsps, "hsps"),
        (Self::Evalue, "evalue"),
        (Self::BitScore, "bit_score"),
        (Self::TotalBits, "total_bits"),
        (Self::Identity, "identity"),
        (Self::Coverage, "coverage"),
    ];

    fn compare(self, a: &RankedHit, b: &RankedHit) -> Ordering {
        let (one, two) = (&a.hit, &b.hit);
        match self {
            Self::Rank => a.rank.cmp(&b.rank),
            Self::Subject => one.subject.cmp(&two.subject),
            Self::Title => one.title.cmp(&two.title),
            Self::Species => one.species.cmp(&two.species),
            Self::Length => one.length.cmp(&two.length),
            Self::Hsps => one.hsps.cmp(&two.hsps),
            Self::Evalue => one.evalue.total_cmp(&two.evalue),
            Self::BitScore => one.bit_score.total_cmp(&two.bit_score),
            Self::TotalBits => one.total_bits.total_cmp(&two.total_bits),
            Self::Identity => one.identity.total_cmp(&two.identity),
            Self::Coverage => one.coverage.cmp(&two.coverage),
        }
    }
}

/// The first few of any number of hits, in an order.
#[derive(Debug)]
pub(super) struct First {
    column: HitColumn,
    descending: bool,
    count: usize,
    hits: Vec<RankedHit>,
}

impl First {
    /// Up to `count` hits, by a column, and for equals by rank.
    pub(super) fn new(column: HitColumn, descending: bool, count: usize) -> Self {
        Self { column, descending, count, hits: Vec::new() }
    }

    /// Adds a hit; those that are not among the first are let go from time to time.
    pub(super) fn push(&mut self, hit: RankedHit) {
        self.hits.push(hit);
        if self.hits.len() >= 2 * self.count.max(500) {
            self.sort();
        }
    }

    /// The first hits, in order.
    pub(super) fn finish(mut self) -> Vec<RankedHit> {
        self.sort();
        self.hits
    }

    fn sort(&mut self) {
        let (column, descending) = (self.column, self.descending);
        self.hits.sort_by(|a, b| {
            let order = column.compare(a, b);
            let order = if descending { order.reverse() } else { order };
            order.then(a.rank.cmp(&b.rank))
        });
        self.hits.truncate(self.count);
    }
}
