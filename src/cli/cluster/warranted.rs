//! How many workers the work warrants.

use std::num::NonZeroU64;

/// What decides how many workers are started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// Shards that wait or are being compared.
    pub(super) shards: u64,
    /// Shards that one more worker is worth.
    pub(super) per_worker: NonZeroU64,
    /// Workers that run or wait for a node.
    pub(super) there: u64,
    /// Most workers at a time.
    pub(super) most: u64,
}

impl Demand {
    /// How many workers are to be started: none while those that are there suffice, and never so many
    /// that there are more than [`most`](Self::most).
    pub(super) fn lacking(&self) -> u64 {
        self.shards.div_ceil(self.per_worker.get()).min(self.most).saturating_sub(self.there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(shards: u64, per_worker: u64, there: u64, most: u64) -> u64 {
        let per_worker = NonZeroU64::new(per_worker).expect("not zero");
        Demand { shards, per_worker, there, most }.lacking()
    }

    #[test]
    fn the_first_shard_warrants_a_worker_and_each_further_load_another() {
        assert_eq!([0, 1, 8, 9, 16, 17].map(|shards| lacking(shards, 8, 0, 50)), [0, 1, 1, 2, 2, 3]);
        assert_eq!(lacking(17, 1, 0, 50), 17);
    }

    #[test]
    fn workers_that_are_there_count() {
        assert_eq!([0, 1, 2, 3, 4].map(|there| lacking(17, 8, there, 50)), [3, 2, 1, 0, 0]);
    }

    #[test]
    fn there_are_never_more_than_were_allowed() {
        assert_eq!([0, 2, 3, 9].map(|there| lacking(u64::MAX, 1, there, 3)), [3, 1, 0, 0]);
    }
}
