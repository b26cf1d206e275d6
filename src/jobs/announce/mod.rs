//! Announcing: shards go to the queues in slices, so that no queue holds more than some seconds' worth of any job.
//!
//! Whoever takes up the shard in the middle of a slice announces the next slice before comparing it; so does whoever takes
//! up the last, unless that is done. A slice belongs to who writes its blob first, and has the size that is written there: of
//! copies of a message one announces it, and should that one die, its message is delivered again, or the sweep, twice a
//! minute, announces what nobody has called for.

mod sharers;
mod slice;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

pub(super) use sharers::Sharers;
pub(super) use slice::Slice;

use super::burst::Place;
use super::error::Result;
use super::job::{Job, Plan};
use super::messages::ShardPlanned;
use super::names::owner_key;
use super::pipeline::Pipeline;
use sharers::Sharer;
use slice::{LEAST, MOST, Pace, callers};

/// Messages that are sent at the same time.
const SENDS_IN_FLIGHT: usize = 16;

/// How much work own workers are told of before they show how fast they are, seconds of one of them.
const FIRST_SECONDS: f64 = 120.0;
/// Of how many shards at most, however short they seem to be.
const MOST_UNASKED: u64 = 64;

/// A slice that has been announced, or is being announced.
#[derive(Clone, Copy, Debug)]
struct Before {
    /// Number of its shards.
    shards: u64,
    /// When it was announced.
    at: Timestamp,
}

/// Shards that are to be announced, by their numbers.
enum Wanted {
    All(Range<u64>),
    Some(Vec<u64>),
}

impl Wanted {
    fn len(&self) -> usize {
        match self {
            Self::All(numbers) => (numbers.end - numbers.start.min(numbers.end)) as usize,
            Self::Some(numbers) => numbers.len(),
        }
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at this place, if there are more than that.
    fn get(&self, place: u64) -> Option<u64> {
        match self {
            Self::All(numbers) => Some(numbers.start + place).filter(|number| numbers.contains(number)),
            Self::Some(numbers) => numbers.get(place as usize).copied(),
        }
    }

    /// Those before `end`.
    fn up_to(&self, end: u64) -> Vec<u64> {
        match self {
            Self::All(numbers) => (numbers.start..end.min(numbers.end)).collect(),
            Self::Some(numbers) => numbers.iter().copied().take_while(|&number| number < end).collect(),
        }
    }
}

impl Pipeline {
    /// Announces the first slice of a job; returns of how many shards. `again` if the message that asks for it may have
    /// been tried before.
    pub(super) async fn announce_first(&self, job: &Job, plan: &Plan, again: bool) -> Result<u64> {
        self.announce_slice(job, plan, 0, None, again).await
    }

    /// The same with the slice behind the one that begins with the shard `first`.
    pub(super) async fn announce_after(
        &self,
        job: &Job,
        plan: &Plan,
        first: u64,
        again: bool,
    ) -> Result<u64> {
        let edition = plan.edition(job.id);
        let Some(slice) = self.ledger.slice(edition, first).await? else { return Ok(0) };
        let end = slice.end(first, plan.shards());
        if end >= plan.shards() {
            return Ok(0);
        }
        let at = self.ledger.slice_written(edition, first).await?;
        let before = at.map(|at| Before { shards: end.saturating_sub(first), at });
        self.announce_slice(job, plan, end, before, again).await
    }

    /// Announces the rest of a slice that somebody began to announce and did not come back to; returns of how many
    /// shards.
    pub(super) async fn announce_rest(&self, job: &Job, plan: &Plan, first: u64) -> Result<u64> {
        self.announce_slice(job, plan, first, None, true).await
    }

    /// Announces the slice that begins with the shard `first` unless somebody else does.
    async fn announce_slice(
        &self,
        job: &Job,
        plan: &Plan,
        first: u64,
        before: Option<Before>,
        again: bool,
    ) -> Result<u64> {
        let edition = plan.edition(job.id);
        let known = self.ledger.slice(edition, first).await?;
        if known.is_some_and(|slice| slice.announced || !again) {
            return Ok(0);
        }
        let wanted = self.wanted_from(job, plan, first).await?;
        let slice = match known {
            Some(slice) => slice,
            None => {
                let size = self.size_of_slice(job, plan, wanted.len() as u64, before).await?;
                if size == 0 && !wanted.is_empty() || self.ledger.is_closed(edition).await? {
                    return Ok(0);
                }
                let slice = Slice::up_to(wanted.get(size).unwrap_or(plan.shards()));
                if !self.ledger.claim_slice(edition, first, slice).await? {
                    return Ok(0);
                }
                slice
            }
        };
        let end = slice.end(first, plan.shards());
        let numbers = wanted.up_to(end);
        let callers = if end < plan.shards() { callers(&numbers) } else { Vec::new() };
        let shards = numbers
            .iter()
            .map(|&number| (plan.message(job.id, number), callers.contains(&number).then_some(first)));
        // Those of a retry have been announced for its editions before.
        self.announce_all(job, shards.collect(), again || edition.number > 0).await?;
        self.ledger.finish_slice(edition, first, slice.done()).await?;
        tracing::info!(
            job = %job.id, from = first, to = end, shards = numbers.len(), of = plan.shards(), "announced shards"
        );
        Ok(numbers.len() as u64)
    }

    /// The shards from `first` on that are to be announced.
    async fn wanted_from(&self, job: &Job, plan: &Plan, first: u64) -> Result<Wanted> {
        if plan.edition(job.id).number == 0 {
            return Ok(Wanted::All(first..plan.shards()));
        }
        let mut lacking = self.lacking(job.id, plan).await?;
        lacking.retain(|&number| number >= first);
        Ok(Wanted::Some(lacking))
    }

    /// How many of the shards that are `left` the next slice has. With 0 nothing is announced until the sweep asks again.
    async fn size_of_slice(&self, job: &Job, plan: &Plan, left: u64, before: Option<Before>) -> Result<u64> {
        let id = job.id;
        let queue = self.shards_of(job).name();
        let (sharers, tag) = self.ledger.sharers(queue).await?;
        let owner = owner_key(job.owner.as_deref());
        if before.is_none() && sharers.is_empty() && left <= self.first_size(job, plan) {
            return Ok(left);
        }
        let now = self.ledger.clock().await?;
        let sharers = sharers.live(now);
        let (others, part) = (sharers.shards_of_others(id), sharers.part(id, &owner));
        let size = match before {
            Some(Before { shards, at }) => {
                let waited = now.duration_since(at).as_secs_f64();
                Pace { waited, before: shards, all: shards + others, part }.size()
            }
            None if others > 0 => ((others as f64 * part) as u64).clamp(LEAST, MOST),
            None => self.first_size(job, plan),
        };
        let size = size.min(left);
        let is_listed = sharers.has(id);
        let sharers = if size < left {
            sharers.with(Sharer { job: id, owner, shards: size, at: now })
        } else {
            sharers.without(id)
        };
        // No report depends on it, so it is worth one attempt.
        if (size < left || is_listed)
            && let Err(error) = self.ledger.replace_sharers(queue, &sharers, tag.as_ref()).await
        {
            tracing::debug!(job = %id, %error, "could not note that a job takes turns with others");
        }
        Ok(size)
    }

    /// Size of the first slice of a job that nobody else takes turns with. By what waits in its queue Azure decides how many
    /// instances to start. Own workers are there, however many: what one of them does in two minutes is soon followed by
    /// larger slices if there are more.
    fn first_size(&self, job: &Job, plan: &Plan) -> u64 {
        match job.placement.place {
            Place::Cloud => self.settings.instances.most.clamp(LEAST, MOST),
            Place::Own | Place::Burst => {
                let shard = job.expected_shard_time(&plan.volumes).as_secs_f64();
                ((FIRST_SECONDS / shard) as u64).clamp(LEAST, MOST_UNASKED)
            }
        }
    }

    /// Announces shards of a job where they wait, several at the same time; `again` if they may have been
    /// announced before.
    pub(super) async fn announce_shards(
        &self,
        job: &Job,
        shards: Vec<ShardPlanned>,
        again: bool,
    ) -> Result<()> {
        self.announce_all(job, shards.into_iter().map(|shard| (shard, None)).collect(), again).await
    }

    /// The same with those that call for the slice behind one.
    async fn announce_all(
        &self,
        job: &Job,
        shards: Vec<(ShardPlanned, Option<u64>)>,
        again: bool,
    ) -> Result<()> {
        let announce = |(shard, slice)| async move {
            // A message may have been sent though that seems to have failed.
            let again = AtomicBool::new(again);
            let send = || self.send_shard(job, shard, again.swap(true, Ordering::Relaxed), slice);
            self.patiently(send).await
        };
        stream::iter(shards).map(announce).buffer_unordered(SENDS_IN_FLIGHT).try_collect().await
    }

    /// Announces shards of a job in both places to the cloud.
    pub(super) async fn announce_shards_to_cloud(&self, shards: Vec<ShardPlanned>) -> Result<()> {
        let announce = |shard| self.patiently(move || self.announce_to_cloud(shard));
        stream::iter(shards).map(announce).buffer_unordered(SENDS_IN_FLIGHT).try_collect().await
    }
}
