//! Hedging: a shard that takes far longer than its siblings is announced once more.
//!
//! It may be compared on a slow machine, or have been taken up by a host that was killed and keeps its message hidden for
//! minutes. Whoever is first writes the hits, and the other finds them, as in a burst. The sweep looks when all shards
//! of a job have been announced and none waits: before, nobody waits for a single shard. `hedged.json` says which have been
//! announced once more; none is a second time, and none that puts aside what it has found: it is at work.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::Result;
use super::job::{Job, Plan};
use super::ledger::{Announced, Settled};
use super::pipeline::Pipeline;

/// A shard is late that takes so many times as long as nine of ten of its siblings.
const LATE: f64 = 3.0;
/// The same where workers have nothing else to do.
const LATE_FOR_IDLE: f64 = 1.5;
/// None is late before, however short its siblings are.
const LEAST: Duration = Duration::from_secs(30);
/// How long a shard may wait in the queue, behind its slice and the one before.
const QUEUED: Duration = Duration::from_secs(16);
/// Siblings whose times say something.
const SIBLINGS: usize = 10;

/// The shards of a job that have been announced once more; `hedged.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hedged {
    shards: BTreeSet<u64>,
    /// When the last of them was.
    pub(super) at: Timestamp,
}

/// What has come of looking for late shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Late {
    /// How many have been announced once more now.
    pub(super) announced: u64,
    /// When the next may be late, if any may.
    pub(super) next: Option<Timestamp>,
    /// When any was last announced once more.
    pub(super) last: Option<Timestamp>,
}

/// After how long from its announcement a shard is late, if its siblings tell.
fn patience(settled: &Settled, are_idle: bool) -> Option<Duration> {
    let most = settled.most_took(SIBLINGS)?;
    let times = if are_idle { LATE_FOR_IDLE } else { LATE };
    Some(most.mul_f64(times).max(LEAST) + QUEUED)
}

/// Of the shards of slices, with the times when these were announced: the numbers of those that are late now, and when
/// the next may be.
fn late(
    slices: impl Iterator<Item = (Range<u64>, Timestamp)>,
    may_be_late: impl Fn(u64) -> bool,
    patience: Duration,
    now: Timestamp,
) -> (Vec<u64>, Option<Timestamp>) {
    let patience = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
    let (mut late, mut next) = (Vec::new(), None);
    for (shards, announced) in slices {
        let then = announced.checked_add(patience).unwrap_or(Timestamp::MAX);
        let mut shards = shards.filter(|&shard| may_be_late(shard)).peekable();
        if then <= now {
            late.extend(shards);
        } else if shards.peek().is_some() {
            next = Some(next.map_or(then, |next: Timestamp| next.min(then)));
        }
    }
    (late, next)
}

impl Pipeline {
    /// Announces once more what is late of a job whose shards have all been announced, `most` at most, as of `now` by
    /// storage's clock. Workers have nothing else to do, or have.
    #[allow(clippy::too_many_arguments, reason = "what one sweep knows of one job")]
    pub(super) async fn hedge(
        &self,
        job: &Job,
        plan: &Plan,
        announced: &Announced,
        settled: &Settled,
        are_idle: bool,
        most: usize,
        now: Timestamp,
    ) -> Result<Late> {
        let Some(patience) = patience(settled, are_idle) else { return Ok(Late::default()) };
        let (before, tag) = self.ledger.hedged(plan.edition(job.id)).await?;
        let before = before.unwrap_or_default();
        let may_be_late = |number: u64| {
            let shard = plan.shard(number);
            let is_at_work = settled.shards.contains(&shard) || settled.put_aside.contains(&shard);
            !is_at_work && !before.shards.contains(&number)
        };
        let (mut shards, next) = late(announced.slices(plan.shards()), may_be_late, patience, now);
        shards.truncate(most);
        let last = tag.as_ref().map(|_| before.at);
        if shards.is_empty() {
            return Ok(Late { announced: 0, next, last });
        }
        let hedged = Hedged { shards: before.shards.iter().chain(&shards).copied().collect(), at: now };
        // Of several sweeps at the same time one goes on; should it die, the job stands still sooner or later.
        if !self.ledger.replace_hedged(plan.edition(job.id), &hedged, tag.as_ref()).await? {
            return Ok(Late { announced: 0, next, last });
        }
        let again = shards.iter().map(|&number| plan.message(job.id, number)).collect();
        self.announce_shards(job, again, true).await?;
        let announced = shards.len() as u64;
        tracing::info!(job = %job.id, announced, ?patience, "announced late shards once more");
        Ok(Late { announced, next, last: Some(now) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    #[test]
    fn a_shard_is_late_that_takes_three_times_as_long_as_most() {
        let settled = |milliseconds: u64, shards: u32| Settled {
            milliseconds: (0..shards).map(|chunk| ((chunk, 0), milliseconds)).collect(),
            ..Settled::default()
        };
        let seconds = |settled: &Settled, idle| patience(settled, idle).map(|time| time.as_secs());
        assert_eq!(seconds(&settled(60_000, 100), false), Some(196));
        assert_eq!(seconds(&settled(60_000, 100), true), Some(106), "it costs nobody anything");
        assert_eq!(seconds(&settled(100, 100), false), Some(46), "however short they are");
        assert_eq!(seconds(&settled(60_000, 9), false), None, "too few to tell");
    }

    #[test]
    fn shards_are_late_by_when_their_slice_was_announced() {
        let slices = || [(0..3, at(0)), (3..5, at(100)), (5..6, at(150))].into_iter();
        let patience = Duration::from_secs(100);
        let odd = |shard| shard % 2 == 1;
        assert_eq!(late(slices(), odd, patience, at(99)), (vec![], Some(at(100))));
        assert_eq!(late(slices(), odd, patience, at(100)), (vec![1], Some(at(200))));
        assert_eq!(late(slices(), odd, patience, at(210)), (vec![1, 3], Some(at(250))));
        assert_eq!(late(slices(), |_| false, patience, at(210)), (vec![], None));
    }
}
