//! What hits of different subjects compete by (`-culling_limit`, `-best_hit_overhang`,
//! `-best_hit_score_edge`).

use serde::{Deserialize, Serialize};

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
