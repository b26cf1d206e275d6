//! How a job gets on that has not ended: what waits, what runs, and how long it will still take.
//!
//! Everything follows from blobs. Whoever compares a shard for more than some seconds says so under `taken/`, and again
//! from time to time; what it took to get hits is noted with them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Result;
use super::estimate::{Billed, Bounds, Price};
use super::job::{Job, Plan, State};
use super::messages::ShardPlanned;
use super::pipeline::Pipeline;

/// How often who compares a shard says so.
pub(super) const RENEWED: Duration = Duration::from_secs(60);
/// For how long that is believed: somebody who dies cannot take it back, and clocks differ.
const BELIEVED: Duration = Duration::from_secs(150);

/// How a job gets on that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Underway {
    /// Searches that were accepted before it and have not ended, as long as none of its shards has been taken up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searches_before: Option<u64>,
    /// Shards that are neither done nor failed nor running.
    pub waiting: u64,
    /// Shards that are being compared, as far as is known: who has begun within the last seconds has not said so yet,
    /// and who has died within the last minutes has not taken it back.
    pub running: u64,
    /// How many of these were taken up in the cloud, or by who helps it.
    pub running_in_cloud: u64,
    /// Seconds until it is likely to end, at the rate at which its shards have been done so far; before the first is
    /// done, by earlier searches, if somebody is at work. At least 1; none if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
}

/// That somebody compares a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// When that was last said.
    pub(super) at: Timestamp,
    /// Whether it was taken up in the cloud.
    pub(super) in_cloud: bool,
}

/// What blobs say of the shards of a job.
#[derive(Debug, Default)]
pub(super) struct Stands {
    /// Chunk and volume of those that have hits, and since when.
    pub(super) done: BTreeMap<(u32, u32), Timestamp>,
    /// Those that were given up and have none.
    pub(super) failed: BTreeSet<(u32, u32)>,
    /// Those that somebody has said to compare.
    pub(super) taken: BTreeMap<(u32, u32), Taken>,
    /// Time that instances have spent, milliseconds.
    pub(super) milliseconds: u64,
    /// Number of chunks that are merged.
    pub(super) merged: u64,
}

impl Stands {
    /// Pairs of queries and subjects of some shards.
    pub(super) fn pairs<'a>(job: &Job, shards: impl Iterator<Item = &'a (u32, u32)>) -> u64 {
        let pair = |&(chunk, volume): &(u32, u32)| {
            let queries = job.chunks.get(chunk as usize).map_or(0, |chunk| chunk.queries);
            queries * job.sequences_of(volume)
        };
        shards.map(pair).sum()
    }

    /// The shards that are being compared as of `now`.
    fn running(&self, now: Timestamp) -> impl Iterator<Item = &Taken> {
        let is_fresh = move |taken: &Taken| {
            Duration::try_from(now.duration_since(taken.at)).unwrap_or_default() < BELIEVED
        };
        let is_open = |shard: &(u32, u32)| !self.done.contains_key(shard) && !self.failed.contains(shard);
        self.taken
            .iter()
            .filter(move |(shard, taken)| is_open(shard) && is_fresh(taken))
            .map(|(_, taken)| taken)
    }

    /// How long the rest is likely to take as of `now`, if the shards could be compared since `began`.
    fn seconds_left(&self, job: &Job, plan: &Plan, began: Timestamp, now: Timestamp) -> Option<u64> {
        let since = self.done.iter().filter(|&(_, &at)| at >= began).map(|(shard, _)| shard);
        let done = Self::pairs(job, since);
        let settled = Self::pairs(job, self.done.keys()) + Self::pairs(job, self.failed.iter());
        let left = job.comparisons().saturating_sub(settled);
        let so_far = now.duration_since(began).as_secs_f64();
        if left == 0 || done > 0 {
            return at_this_rate(done, left, so_far);
        }
        let machines = self.running(now).count() as f64;
        let expected = job.expected.filter(|_| machines > 0.0)?;
        let share = left as f64 / job.comparisons().max(1) as f64;
        // The last round keeps some of them busy only, but a shard takes no less than itself.
        let one = expected.likely / plan.shards().max(1) as f64;
        Some((expected.likely * share / machines).max(one).ceil().max(1.0) as u64)
    }
}

/// Seconds that `left` of something will take if `done` of it took `seconds`; `None` if nothing was done yet.
fn at_this_rate(done: u64, left: u64, seconds: f64) -> Option<u64> {
    if left == 0 {
        // It is being merged.
        return Some(1);
    }
    (done > 0 && seconds > 0.0).then(|| (left as f64 / done as f64 * seconds).ceil().max(1.0) as u64)
}

impl Pipeline {
    /// How a job gets on that has not ended; a listing of the jobs that have not, if it is queued.
    pub(super) async fn underway(
        &self,
        job: &Job,
        plan: Option<&Plan>,
        stands: &Stands,
        state: State,
    ) -> Result<Underway> {
        let searches_before = match state {
            State::Queued => Some(self.ledger.active_before(job.id).await?),
            _ => None,
        };
        let Some(plan) = plan else { return Ok(Underway { searches_before, ..Underway::default() }) };
        let now = Timestamp::now();
        let running = stands.running(now).count() as u64;
        let running_in_cloud = stands.running(now).filter(|taken| taken.in_cloud).count() as u64;
        let settled = (stands.done.len() + stands.failed.len()) as u64;
        let waiting = plan.shards().saturating_sub(settled).saturating_sub(running);
        let begun = self.ledger.begun(job.id).await?;
        let seconds_left = begun.and_then(|begun| {
            stands.seconds_left(job, plan, plan.remade.since.map_or(begun, |since| since.max(begun)), now)
        });
        Ok(Underway { searches_before, waiting, running, running_in_cloud, seconds_left })
    }

    /// What has been spent so far on a job.
    pub(super) fn price_so_far(&self, stands: &Stands) -> Price {
        let shards = (stands.done.len() + stands.failed.len()) as u64;
        let instance_megabytes = self.settings.instances.megabytes;
        let billed = Billed { shards, chunks: stands.merged, instance_megabytes };
        self.prices.of(billed, Bounds::exactly(stands.milliseconds as f64 / 1e3))
    }

    /// Says that this process compares a shard. Nothing depends on it but what is shown.
    pub(super) async fn say_taken(&self, shard: ShardPlanned, in_cloud: bool) {
        if let Err(error) = self.ledger.put_taken(shard, in_cloud).await {
            tracing::debug!(job = %shard.job, %error, "could not note that a shard is being compared");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_never_nothing_and_not_known_before_anything_is_done() {
        assert_eq!(at_this_rate(0, 10, 60.0), None);
        assert_eq!(at_this_rate(10, 30, 60.0), Some(180));
        assert_eq!(at_this_rate(1_000_000, 1, 0.1), Some(1));
        assert_eq!(at_this_rate(10, 10, 0.0), None, "by a clock that was set back");
        assert_eq!(at_this_rate(10, 0, 60.0), Some(1), "it is being merged");
    }

    #[test]
    fn who_has_been_silent_for_long_is_not_at_work() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let taken = |seconds, in_cloud| Taken { at: at(seconds), in_cloud };
        let stands = Stands {
            done: BTreeMap::from([((0, 0), at(990))]),
            failed: BTreeSet::from([(0, 1)]),
            taken: BTreeMap::from([
                ((0, 0), taken(980, true)),
                ((0, 1), taken(980, true)),
                ((1, 0), taken(980, true)),
                ((1, 1), taken(1_010, false)),
                ((2, 0), taken(840, false)),
            ]),
            ..Stands::default()
        };
        let running: Vec<_> = stands.running(at(1_000)).collect();
        assert_eq!(running, [&taken(980, true), &taken(1_010, false)]);
    }
}
