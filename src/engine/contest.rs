//! Hits of different subjects that compete for regions of the query (`-culling_limit`,
//! `-best_hit_overhang`, `-best_hit_score_edge`).
//!
//! blastp lets hits compete twice: once by their preliminary scores, subject by subject in the order of
//! the database, which decides what is aligned at all; and once by their final ones, best subject
//! first (`api/setup_factory.cpp`: `CreateHspWriter`, `CreateHspPipe`).

use serde::{Deserialize, Serialize};

use super::best_hit::{Margins, best};
use super::culling::culled;

/// What hits compete by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Contest {
    /// A hit is dropped if this many better ones, from 1, cover its region of the query.
    Culling(usize),
    /// A hit is dropped if one that is clearly better spans its region of the query.
    BestHit {
        /// Share of its length by which a hit reaches beyond its ends; above 0, below 0.5.
        overhang: f64,
        /// Share by which a hit's score per residue must be higher; above 0, below 0.5.
        score_edge: f64,
    },
}

/// What is added to a culling limit other than 1 as long as scores are preliminary.
const PRELIMINARY_ALLOWANCE: usize = 3;

/// A hit's HSP as far as it competes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Contender {
    /// Position of the subject in the whole database.
    pub(super) ordinal: u64,
    pub(super) score: i32,
    pub(super) evalue: f64,
    /// Range in the query, as far as it is searched.
    pub(super) query: (usize, usize),
    pub(super) subject_start: usize,
    /// Which hit and which of its HSPs this is.
    pub(super) place: (usize, usize),
}

impl Contest {
    /// Which `contenders`, in the order of the database, are worth an alignment. `limit` is how many
    /// subjects get one at most.
    pub(super) fn preliminary(
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
    pub(super) fn last(
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
    pub(super) fn keeps_preliminary_limit(self) -> bool {
        matches!(self, Self::BestHit { .. })
    }
}
