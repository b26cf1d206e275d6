//! Who takes turns in a queue.
//!
//! The jobs that have more to announce in a queue lie together in one blob, so that the size of a slice takes one read
//! whatever the number of jobs. It is never the truth: a job that is missing in it has its slices all the same, and the
//! others' are larger for a while.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::jobs::id::JobId;

/// A job whose last slice is older than so many seconds has ended, or stands.
const LIVE: f64 = 120.0;

/// Jobs that have more to announce in a queue; `sharers/<queue>.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::jobs) struct Sharers {
    jobs: Vec<Sharer>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sharer {
    pub(super) job: JobId,
    /// Whose it is, as the index files it.
    pub(super) owner: String,
    /// Shards of its last slice.
    pub(super) shards: u64,
    /// When that was announced, by storage's clock.
    pub(super) at: Timestamp,
}

impl Sharers {
    /// Forgets those that have announced nothing for long.
    pub(super) fn live(mut self, now: Timestamp) -> Self {
        self.jobs.retain(|sharer| now.duration_since(sharer.at).as_secs_f64() <= LIVE);
        self
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Whether a job is among them.
    pub(super) fn has(&self, job: JobId) -> bool {
        self.jobs.iter().any(|sharer| sharer.job == job)
    }

    /// Shards of the last slices of all but this job.
    pub(super) fn shards_of_others(&self, job: JobId) -> u64 {
        self.jobs.iter().filter(|sharer| sharer.job != job).map(|sharer| sharer.shards).sum()
    }

    /// What part of the queue a job of `owner` has: users have equal parts, and so have the jobs of each.
    pub(super) fn part(&self, job: JobId, owner: &str) -> f64 {
        let others = || self.jobs.iter().filter(|sharer| sharer.job != job);
        let users: BTreeSet<&str> = others().map(|sharer| &*sharer.owner).chain([owner]).collect();
        let jobs = 1 + others().filter(|sharer| sharer.owner == owner).count();
        1.0 / (users.len() * jobs) as f64
    }

    /// The same without a job.
    pub(super) fn without(mut self, job: JobId) -> Self {
        self.jobs.retain(|sharer| sharer.job != job);
        self
    }

    /// The same with the last slice of a job.
    pub(super) fn with(self, sharer: Sharer) -> Self {
        let mut sharers = self.without(sharer.job);
        sharers.jobs.push(sharer);
        sharers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_equal_parts_and_so_have_their_jobs() {
        let [a, b, c, d] = [(); 4].map(|()| JobId::random().expect("randomness"));
        let at = Timestamp::UNIX_EPOCH;
        let sharer = |job, owner: &str, shards| Sharer { job, owner: owner.to_owned(), shards, at };
        let alone = Sharers::default();
        assert_eq!((alone.part(a, "ada"), alone.shards_of_others(a)), (1.0, 0));
        let three = alone.with(sharer(a, "ada", 10)).with(sharer(b, "ada", 20)).with(sharer(c, "ben", 40));
        assert_eq!(
            [three.part(a, "ada"), three.part(c, "ben"), three.part(d, "eve")],
            [0.25, 0.5, 1.0 / 3.0]
        );
        assert_eq!((three.shards_of_others(a), three.shards_of_others(d)), (60, 70));
        let again = three.clone().with(sharer(b, "ada", 5));
        assert_eq!(again.shards_of_others(d), 55, "a job is there once");
        assert_eq!(three.clone().without(b).part(a, "ada"), 0.5);
        let later = at.checked_add(jiff::SignedDuration::from_secs(121)).expect("a time");
        assert!(three.live(later).is_empty());
    }
}
