//! Editions: a job's report is made in an edition, the first when the job is submitted, one more by each retry.
//!
//! What a step writes lies under the edition that its message names, so whoever is late with an earlier one changes
//! nothing that a later one reads. Hits are no edition's: they follow from the shard.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::JobId;
use super::job::Outcome;

/// An edition of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Edition {
    /// The job.
    pub(super) job: JobId,
    /// Which edition, from 0.
    pub(super) number: u32,
}

impl Edition {
    /// The one that the job is submitted for.
    pub(super) fn first(job: JobId) -> Self {
        Self { job, number: 0 }
    }

    /// The one that a retry of this one makes.
    pub(super) fn next(self) -> Self {
        Self { number: self.number + 1, ..self }
    }
}

/// What a retry makes again; `retries/<edition>.json`. The first one written stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remade {
    /// Which edition this is.
    pub(super) edition: u32,
    /// When it was asked for; none for the edition that a job is submitted for.
    pub(super) since: Option<Timestamp>,
    /// The chunks that were merged in a later edition than the first, with that edition.
    pub(super) chunks: BTreeMap<u32, u32>,
}

impl Remade {
    /// What the next edition makes again, if it merges `chunks` anew.
    pub(super) fn next(&self, chunks: impl IntoIterator<Item = u32>, now: Timestamp) -> Self {
        let edition = self.edition + 1;
        let mut merged = self.chunks.clone();
        merged.extend(chunks.into_iter().map(|chunk| (chunk, edition)));
        Self { edition, since: Some(now), chunks: merged }
    }

    /// The edition in which a chunk is merged.
    pub(super) fn edition_of(&self, chunk: u32) -> u32 {
        self.chunks.get(&chunk).copied().unwrap_or(0)
    }

    /// The chunks that this edition merges anew.
    pub(super) fn anew(&self) -> impl Iterator<Item = u32> {
        self.chunks.iter().filter(|&(_, &edition)| edition == self.edition).map(|(&chunk, _)| chunk)
    }

    /// The editions in which chunks may have been merged.
    pub(super) fn editions(&self) -> Vec<u32> {
        let mut editions: Vec<u32> = self.chunks.values().copied().chain([0]).collect();
        editions.sort_unstable();
        editions.dedup();
        editions
    }
}

/// Where a job stands: its latest edition.
#[derive(Clone, Debug)]
pub(super) struct Latest {
    pub(super) edition: Edition,
    /// How it has ended, if it has.
    pub(super) outcome: Option<Outcome>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_stays_in_the_edition_that_merged_it_last() {
        let first = Remade::default();
        let second = first.next([1, 3], Timestamp::UNIX_EPOCH);
        let third = second.next([3], Timestamp::UNIX_EPOCH);
        assert_eq!((third.edition, third.editions()), (2, vec![0, 1, 2]));
        assert_eq!([0, 1, 2, 3].map(|chunk| third.edition_of(chunk)), [0, 1, 0, 2]);
        assert_eq!(second.anew().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(third.anew().collect::<Vec<_>>(), [3]);
    }
}
