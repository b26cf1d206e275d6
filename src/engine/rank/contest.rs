//! Hits of different subjects that compete for regions of the query (`-culling_limit`,
//! `-best_hit_overhang`, `-best_hit_score_edge`).
//!
//! blastp lets hits compete twice: once by their preliminary scores, subject by subject in the order of
//! the database, which decides what is aligned at all; and once by their final ones, best subject
//! first (`api/setup_factory.cpp`: `CreateHspWriter`, `CreateHspPipe`).

use super::best_hit::{Margins, best};
use super::culling::culled;
use crate::engine::options::Contest;

/// What is added to a culling limit other than 1 as long as scores are preliminary.
const PRELIMINARY_ALLOWANCE: usize = 3;

/// A hit's HSP as far as it competes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::engine) struct Contender {
    /// Position of the subject in the whole database.
    pub(in crate::engine) ordinal: u64,
    pub(in crate::engine) score: i32,
    pub(in crate::engine) evalue: f64,
    /// Range in the query, as far as it is searched.
    pub(in crate::engine) query: (usize, usize),
    pub(in crate::engine) subject_start: usize,
    /// Which hit and which of its HSPs this is.
    pub(in crate::engine) place: (usize, usize),
}

impl Contest {
    /// Which `contenders`, in the order of the database, are worth an alignment. `limit` is how many
    /// subjects get one at most.
    pub(in crate::engine) fn preliminary(
        self,
        contenders: impl IntoIterator<Item = Contender>,
        query_length: usize,
        limit: usize,
    ) -> Vec<Contender> {
        match self {
            Self::Culling(1) => culled(contenders, 1, query_length),
            Self::Culling(better) => culled(contenders, better + PRELIMINARY_ALLOWANCE, query_length),
            Self::BestHit { score_edge, .. } => {
                best(contenders, Margins { overhang: 0.0, score_edge }, limit.saturating_mul(2))
            }
        }
    }

    /// Which aligned `contenders`, best subject first, are reported; `limit` as above.
    pub(in crate::engine) fn last(
        self,
        contenders: impl IntoIterator<Item = Contender>,
        query_length: usize,
        limit: usize,
    ) -> Vec<Contender> {
        match self {
            Self::Culling(better) => culled(contenders, better, query_length),
            Self::BestHit { overhang, score_edge } => {
                best(contenders, Margins { overhang, score_edge }, limit.saturating_mul(2))
            }
        }
    }

    /// Whether only so many subjects are aligned as without a contest.
    pub(in crate::engine) fn keeps_preliminary_limit(self) -> bool {
        matches!(self, Self::BestHit { .. })
    }
}
