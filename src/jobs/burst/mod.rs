//! Burst: own workers first, and the cloud with what they will not have done in time.
//!
//! To burst is to announce a shard in a second place. Shards of a job with [`Place::Burst`] wait in the queue of own
//! workers; the sweep announces those that come last in the grid to the app as well, as many as own workers will not
//! have done in time and the budget allows. Whoever is first writes the hits, and the other finds them.
//!
//! The cloud is told of shards from the end of the grid on; `burst.json` says from which, and which of them it was not
//! told of because they were settled. What it has cost is what the others have taken, whoever has compared them, so the
//! budget holds even if the cloud has done all of them.

mod place;
mod surplus;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use place::{BURST_AFTER, Place, Placement, UnknownPlace};

use super::error::Result;
use super::estimate::{Billed, Bounds, Price};
use super::job::{Job, Plan};
use super::ledger::Settled;
use super::messages::ShardPlanned;
use super::pipeline::Pipeline;
use surplus::Standing;

/// So long own workers have to show how fast they are, seconds.
const SHOWING: f64 = 60.0;
/// Shards that the cloud may be told of at a time, per instance: enough that none waits between two sweeps, and no
/// more, since what they cost beyond what was set aside for them is beyond the budget.
const PER_INSTANCE: u64 = 2;
/// What a shard is taken to take of which nothing is known, seconds: the longest that the planner means it to.
const SUPPOSED: f64 = 120.0;

/// How much of a job the cloud has been told of; `burst.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Burst {
    /// The shards from this number on.
    from: u64,
    /// But for these, which were settled before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    passed_over: BTreeSet<u64>,
}

impl Burst {
    /// Whether it has been told of the shard with this number.
    pub(super) fn has(&self, number: u64) -> bool {
        number >= self.from && !self.passed_over.contains(&number)
    }

    /// Nothing of a job yet.
    fn nothing(plan: &Plan) -> Self {
        Self { from: plan.shards(), passed_over: BTreeSet::new() }
    }

    /// The numbers of the shards that it has been told of.
    fn told(&self, plan: &Plan) -> impl Iterator<Item = u64> {
        (self.from..plan.shards()).filter(|&number| self.has(number))
    }

    /// The same with up to `most` more, from the end of the grid on; and these.
    fn further(mut self, plan: &Plan, settled: &Settled, most: u64) -> (Self, Vec<u64>) {
        let mut shards = Vec::new();
        for number in (0..self.from).rev() {
            if shards.len() as u64 == most {
                break;
            }
            if settled.shards.contains(&plan.shard(number)) {
                self.passed_over.insert(number);
            } else {
                shards.push(number);
                self.from = number;
            }
        }
        // What lies before the first of them has not been passed.
        self.passed_over = self.passed_over.split_off(&self.from);
        (self, shards)
    }
}

/// What the cloud has to do with a job in both places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InCloud {
    /// Shards that it has been told of.
    pub shards: u64,
    /// How many of them are settled, by whomever.
    pub settled: u64,
    /// What these cost if the cloud has compared all of them.
    pub spent: Price,
    /// What all may cost, if that is limited.
    pub budget: Option<f64>,
    /// Whether the budget does not allow another shard, so that own workers do the rest.
    pub out_of_budget: bool,
}

impl Pipeline {
    /// Announces to the cloud what own workers will not have done of a job in time; returns how many shards. As of
    /// `now` by storage's clock.
    pub(super) async fn burst(
        &self,
        job: &Job,
        plan: &Plan,
        settled: &Settled,
        now: Timestamp,
    ) -> Result<u64> {
        let (before, tag) = self.ledger.burst(job.id).await?;
        let before = before.unwrap_or_else(|| Burst::nothing(plan));
        let standing = self.standing_of_burst(job, plan, settled, &before, now);
        if standing.seconds_so_far < SHOWING {
            return Ok(0);
        }
        let surplus = standing.surplus();
        if surplus == 0 {
            return Ok(0);
        }
        let (burst, mut shards) = before.further(plan, settled, surplus);
        if shards.is_empty() {
            return Ok(0);
        }
        // Of several sweeps at the same time one goes on. Should it die, what it has not announced is announced
        // again when the job stands still.
        if !self.ledger.replace_burst(job.id, &burst, tag.as_ref()).await? {
            return Ok(0);
        }
        shards.reverse();
        let shards: Vec<ShardPlanned> =
            shards.into_iter().map(|number| plan.message(job.id, number)).collect();
        let announced = shards.len() as u64;
        self.announce_shards_to_cloud(shards).await?;
        tracing::info!(job = %job.id, announced, from = burst.from, of = plan.shards(), "announced shards to the cloud");
        Ok(announced)
    }

    /// What the cloud has to do with a job; `None` if it is not in both places.
    pub(super) async fn in_cloud(&self, job: &Job, plan: &Plan, now: Timestamp) -> Result<Option<InCloud>> {
        if job.placement.place != Place::Burst {
            return Ok(None);
        }
        let burst = self.ledger.burst(job.id).await?.0.unwrap_or_else(|| Burst::nothing(plan));
        let settled = self.ledger.settled(job.id, plan).await?;
        let standing = self.standing_of_burst(job, plan, &settled, &burst, now);
        let shards = burst.told(plan).count() as u64;
        Ok(Some(InCloud {
            shards,
            settled: shards - standing.in_cloud,
            spent: self.prices.price(Bounds::exactly(standing.spent)),
            budget: job.placement.budget,
            out_of_budget: standing.unsettled > standing.in_cloud && standing.affordable() == 0,
        }))
    }

    fn standing_of_burst(
        &self,
        job: &Job,
        plan: &Plan,
        settled: &Settled,
        burst: &Burst,
        now: Timestamp,
    ) -> Standing {
        let told = || burst.told(plan).map(|number| plan.shard(number));
        let in_cloud = told().filter(|shard| !settled.shards.contains(shard)).count() as u64;
        let billed = Billed { shards: 1, chunks: 0, instance_megabytes: self.settings.instances.megabytes };
        let price = |seconds| self.prices.of_shards(billed, seconds);
        let mut took: Vec<u64> = settled.milliseconds.values().copied().collect();
        took.sort_unstable();
        let expected = job.expected.map(|expected| expected.most / plan.shards().max(1) as f64);
        let most = took.get(took.len() * 9 / 10).map(|&milliseconds| milliseconds as f64 / 1e3);
        let shard_price = price(most.or(expected).unwrap_or(SUPPOSED));
        let spent = told().filter(|shard| settled.shards.contains(shard)).map(|shard| {
            let took = settled.milliseconds.get(&shard);
            took.map_or(shard_price, |&milliseconds| price(milliseconds as f64 / 1e3))
        });
        let seconds = |since| now.duration_since(since).as_secs_f64().max(0.0);
        let all_settled = settled.shards.len() as u64;
        Standing {
            settled: all_settled,
            unsettled: plan.shards().saturating_sub(all_settled),
            in_cloud,
            seconds_so_far: seconds(plan.began()),
            seconds_left: job.placement.seconds_left(seconds(plan.remade.since.unwrap_or(job.submitted))),
            most_in_cloud: self.settings.instances.most.saturating_mul(PER_INSTANCE),
            budget: job.placement.budget,
            spent: spent.sum(),
            shard_price,
        }
    }
}
