//! A slice: the shards of a job that are announced together, and how many they are.
//!
//! The queues of Azure are first in, first out, so a job waits for what was announced before it. A slice is therefore
//! as small as it can be without letting workers wait: the shards of some seconds, by what the slice before has shown.

use serde::{Deserialize, Serialize};

/// The fewest shards of a slice: with fewer, announcing would take more operations than comparing.
pub(super) const LEAST: u64 = 4;
/// The most shards of a slice: a second of sending, so that a death costs little.
pub(super) const MOST: u64 = 1_000;
/// How many shards earlier versions announced at a time.
const EARLIER: u64 = 1_000;
/// How long a shard in the middle of a slice is meant to wait in the queue, seconds.
const WAIT: f64 = 8.0;
/// From the moment when that shard is taken up until the next slice is in the queue, seconds.
const LEAD: f64 = 1.0;
/// Whoever waits less than so many seconds finds that workers wait.
const DRY: f64 = 1.0;
/// A slice is no more than so many times as large as the one before, and no smaller than that part of it.
const STEP: f64 = 2.0;

/// Some shards that somebody has begun to announce; `announced/<first shard>.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::jobs) struct Slice {
    /// Number of the shard behind the last of them. Earlier versions did not say.
    #[serde(default)]
    end: Option<u64>,
    /// Whether that is done.
    pub(in crate::jobs) announced: bool,
}

impl Slice {
    /// The shards up to this one, which nobody has been told of yet.
    pub(super) fn up_to(end: u64) -> Self {
        Self { end: Some(end), announced: false }
    }

    /// Number of the shard behind the last of those from `first` on, in a grid of so many.
    pub(in crate::jobs) fn end(self, first: u64, shards: u64) -> u64 {
        self.end.unwrap_or(first.saturating_add(EARLIER)).min(shards)
    }

    /// The same when all have been told.
    pub(super) fn done(self) -> Self {
        Self { announced: true, ..self }
    }
}

/// Of the shards of a slice, those whose taking up calls for the next: when the one in the middle is taken up, half of
/// the slice waits still. The last calls as well, should the other be lost.
pub(super) fn callers(numbers: &[u64]) -> Vec<u64> {
    numbers.get(numbers.len() / 2).into_iter().chain(numbers.last()).copied().collect()
}

/// What is known when the size of the next slice is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// How long the shard in the middle of the slice before has waited, seconds.
    pub(super) waited: f64,
    /// Size of that slice.
    pub(super) before: u64,
    /// Size of the slices of all jobs that take turns in the queue, this one's included.
    pub(super) all: u64,
    /// What part of the queue is this job's, as there are others.
    pub(super) part: f64,
}

impl Pace {
    /// How many shards the next slice has.
    ///
    /// All slices together are what is taken up in [`WAIT`] seconds; each job has its part of that. Where workers wait,
    /// the slice grows whatever its part.
    pub(super) fn size(self) -> u64 {
        let step = (WAIT / (self.waited.max(0.0) + LEAD)).clamp(1.0 / STEP, STEP);
        let fair = self.all.max(self.before) as f64 * step * self.part;
        let least = if self.waited < DRY { self.before as f64 * STEP } else { 0.0 };
        (fair.max(least).round() as u64).clamp(LEAST, MOST)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALONE: Pace = Pace { waited: WAIT - LEAD, before: 100, all: 100, part: 1.0 };

    #[test]
    fn a_slice_grows_while_workers_wait_and_shrinks_while_shards_do() {
        assert_eq!(ALONE.size(), 100);
        assert_eq!(Pace { waited: 0.0, ..ALONE }.size(), 200);
        assert_eq!(Pace { waited: -5.0, ..ALONE }.size(), 200, "clocks differ");
        assert_eq!(Pace { waited: 9.0, ..ALONE }.size(), 80);
        assert_eq!(Pace { waited: 600.0, ..ALONE }.size(), 50);
        assert_eq!(Pace { waited: 600.0, before: LEAST, all: LEAST, ..ALONE }.size(), LEAST);
        assert_eq!(Pace { waited: 0.0, before: 900, all: 900, ..ALONE }.size(), MOST);
    }

    #[test]
    fn a_job_has_its_part_of_the_queue_unless_workers_wait() {
        assert_eq!(Pace { all: 300, part: 0.5, ..ALONE }.size(), 150);
        assert_eq!(Pace { all: 300, part: 0.1, ..ALONE }.size(), 30);
        assert_eq!(Pace { all: 300, part: 0.1, waited: 0.5, ..ALONE }.size(), 200);
    }

    #[test]
    fn the_middle_calls_first_and_the_last_again() {
        assert_eq!(callers(&[0, 1, 2, 3, 10, 11]), [3, 11]);
        assert_eq!(callers(&[7, 9]), [9, 9]);
        assert_eq!(callers(&[7]), [7, 7]);
        assert!(callers(&[]).is_empty());
    }

    #[test]
    fn slices_of_earlier_versions_have_a_thousand_shards() {
        let earlier: Slice = serde_json::from_str(r#"{"announced":true}"#).expect("a slice");
        assert_eq!((earlier.end(3_000, 10_000), earlier.end(3_000, 3_500)), (4_000, 3_500));
    }

    proptest! {
        /// A queue from which so many shards a second are taken up, and a slice that follows when half of the one before
        /// is gone: the wait settles at what is meant, and nobody waits for shards.
        #[test]
        fn the_wait_settles(rate in 2.0..60.0_f64, lead in 0.0..2.0_f64, first in LEAST..MOST) {
            let (mut queued, mut slice, mut waits) = (0.0, first, Vec::new());
            for _ in 0..30 {
                let ahead = queued + slice as f64 / 2.0;
                waits.push(ahead / rate);
                queued = (slice as f64 / 2.0 - rate * lead).max(0.0);
                slice = Pace { waited: ahead / rate, before: slice, all: slice, part: 1.0 }.size();
            }
            let settled = waits[waits.len() - 1];
            prop_assert!(settled > lead && settled < 2.0 * WAIT, "{settled} s of {waits:?}");
            prop_assert!(queued > 0.0, "workers wait");
        }
    }
}
