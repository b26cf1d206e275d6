//! Status: where a job stands, read from the blobs that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::burst::{InCloud, Place};
use super::chunk::Warning;
use super::edition::Latest;
use super::error::Result;
use super::estimate::{Bounds, Price};
use super::id::JobId;
use super::job::{DatabaseRef, FailedShard, Job, Outcome, Plan, State};
use super::pipeline::Pipeline;
use super::shard_map::ShardMap;
use super::taxa::Chosen;
use super::underway::{Stands, Underway};
use crate::engine::{DatabaseTotals, OptionChoices};
use crate::sequence::taxids::Taxid;

/// Pauses between looks at a job whose end is waited for: short for searches that take seconds, and few for
/// those that take hours.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Done, failed and all of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// How many there are; 0 while that is not known.
    pub total: u64,
    /// How many are done.
    pub done: u64,
    /// How many have failed.
    pub failed: u64,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Status {
    /// The job.
    pub id: JobId,
    /// What somebody calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// In one word.
    pub state: State,
    /// The program whose answer is wanted.
    #[serde(default)]
    pub program: String,
    /// The version of skyblast that accepted it.
    #[serde(default)]
    pub engine: String,
    /// What is searched.
    pub database: DatabaseRef,
    /// What the maker of that database calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_title: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_created: Option<Timestamp>,
    /// Size of that database.
    pub database_size: DatabaseTotals,
    /// Size of what is searched of it, if that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched: Option<DatabaseTotals>,
    /// Taxids among the options that the database does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent_taxids: Vec<Taxid>,
    /// Options that differ from the usual ones, by their names in a request.
    pub options: BTreeMap<String, String>,
    /// What share of all hits the mode of the search has been measured to find, and on what; none if it finds all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall: Option<String>,
    /// Format of the report.
    pub outfmt: String,
    /// Number of queries.
    pub queries: u64,
    /// Number of query residues.
    pub residues: u64,
    /// Shards.
    pub shards: Progress,
    /// Which shards are done, if that was asked for and is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<ShardMap>,
    /// How it gets on, if it has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub underway: Option<Underway>,
    /// Chunks of queries whose shards are merged.
    pub chunks: Progress,
    /// Query–subject pairs.
    pub comparisons: Progress,
    /// When the job was accepted.
    pub submitted: Timestamp,
    /// When its grid was laid out.
    pub planned: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// When it is removed, if it has ended.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// When its failed shards were last tried again, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<Timestamp>,
    /// From acceptance, or when it was retried, to the end, or to now.
    pub elapsed_seconds: f64,
    /// Time that instances have spent on comparing its shards; so far, if it has not ended, without what is being
    /// compared.
    #[serde(default)]
    pub instance_seconds: Option<f64>,
    /// What that costs in Azure at list prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Where it is compared.
    #[serde(default)]
    pub place: Place,
    /// What the cloud has to do with it, if it is in both places and has been laid out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_cloud: Option<InCloud>,
    /// Time that instances were expected to spend, by earlier searches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_instance_seconds: Option<Bounds>,
    /// What that costs in Azure at list prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_price: Option<Price>,
    /// Why there is no report.
    pub reason: Option<String>,
    /// Shards that the report lacks, with reasons.
    pub failed_shards: Vec<FailedShard>,
    /// What was odd about the queries.
    pub warnings: Vec<Warning>,
    /// How many warnings are not listed.
    pub further_warnings: u64,
}

impl Pipeline {
    /// Where a job stands now; [`UnknownJob`](super::Error::UnknownJob) if there is none.
    pub async fn status(&self, id: JobId) -> Result<Status> {
        self.status_and_map(id, false).await
    }

    /// The same, and with `map` also which shards are done.
    pub async fn status_and_map(&self, id: JobId, map: bool) -> Result<Status> {
        let job = self.ledger.job(id).await?;
        let latest = self.ledger.latest(id).await?;
        let plan = self.ledger.plan(latest.edition).await?;
        let state = self.state_of(&latest).await?;
        let Latest { edition, outcome } = latest;
        let mut status = Status::new(&job, plan.as_ref(), outcome.as_ref(), state);
        status.label = self.label_of(id).await?;
        status.expires = outcome.as_ref().and_then(|outcome| self.expiry(outcome));
        status.price = status.instance_seconds.map(|seconds| self.price_of(&job, Bounds::exactly(seconds)));
        status.expected_price = job.expected.map(|seconds| self.price_of(&job, seconds));
        if let Some(plan) = &plan {
            let now = outcome.as_ref().map_or_else(Timestamp::now, |outcome| outcome.finished);
            status.in_cloud = self.in_cloud(&job, plan, now).await?;
        }
        if outcome.is_none() && !self.ledger.is_active(edition).await? {
            // Its end was written down and is lost: sweep sees to it that it ends again.
            self.ledger.put_active(edition).await?;
        }
        if let (Some(plan), false) = (&plan, status.state.has_report()) {
            let stands = self.ledger.stands(id, plan).await?;
            let Stands { done, failed, milliseconds, merged, .. } = &stands;
            status.map = map.then(|| ShardMap::of(plan, &done.keys().copied().collect(), failed));
            status.shards =
                Progress { done: done.len() as u64, failed: failed.len() as u64, ..status.shards };
            let (compared, given_up) = (Stands::pairs(&job, done.keys()), Stands::pairs(&job, failed.iter()));
            status.comparisons = Progress { done: compared, failed: given_up, ..status.comparisons };
            status.chunks.done = *merged;
            // Of one that has ended without a report too: what was being compared then has been booked since.
            status.instance_seconds = Some(*milliseconds as f64 / 1e3);
            status.price = Some(self.price_so_far(&stands));
            if outcome.is_none() {
                status.underway = Some(self.underway(&job, Some(plan), &stands, status.state).await?);
            }
        } else if outcome.is_none() {
            let nothing = Stands::default();
            status.underway = Some(self.underway(&job, None, &nothing, status.state).await?);
        }
        if let (Some(plan), Some(outcome), true) = (&plan, &outcome, map && status.map.is_none()) {
            let failed: BTreeSet<_> =
                outcome.failed.iter().map(|shard| (shard.chunk, shard.volume)).collect();
            let all = (0..plan.shards()).map(|shard| plan.shard(shard));
            let done = all.filter(|shard| !failed.contains(shard)).collect();
            status.map = Some(ShardMap::of(plan, &done, &failed));
        }
        Ok(status)
    }

    /// Waits until a job has ended, for `longest` at most, or until this process is about to end.
    /// [`UnknownJob`](super::Error::UnknownJob) if there is none.
    pub async fn wait_for_end(&self, id: JobId, longest: Duration) -> Result<()> {
        self.ledger.job(id).await?;
        let ended = async {
            let mut pause = SHORTEST_PAUSE;
            while self.ledger.latest(id).await?.outcome.is_none() {
                sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 3 / 2);
            }
            Ok(())
        };
        tokio::select! {
            ended = timeout(longest, ended) => ended.unwrap_or(Ok(())),
            () = self.leaving.cancelled() => Ok(()),
        }
    }

    /// Where a job stands whose latest edition this is, in one word.
    pub(super) async fn state_of(&self, latest: &Latest) -> Result<State> {
        Ok(match &latest.outcome {
            Some(outcome) => outcome.state,
            None if self.ledger.has_begun(latest.edition.job).await? => State::Running,
            None => State::Queued,
        })
    }

    /// Whose job it is; `None` if it is nobody's. [`UnknownJob`](super::Error::UnknownJob) if there is
    /// none.
    pub async fn owner(&self, id: JobId) -> Result<Option<String>> {
        Ok(self.ledger.job(id).await?.owner)
    }
}

impl Status {
    /// What job, plan, outcome and state say without counting blobs.
    fn new(job: &Job, plan: Option<&Plan>, outcome: Option<&Outcome>, state: State) -> Self {
        let finished = outcome.map(|outcome| outcome.finished);
        let mut shards = Progress { total: plan.map_or(0, Plan::shards), ..Progress::default() };
        let mut chunks = Progress { total: job.chunks.len() as u64, ..Progress::default() };
        let mut comparisons = Progress { total: job.comparisons(), ..Progress::default() };
        if let Some(outcome) = outcome.filter(|outcome| outcome.state.has_report()) {
            shards.done = outcome.shards_done;
            shards.failed = outcome.shards_failed;
            chunks.done = chunks.total;
            let failed = |shard: &FailedShard| {
                let queries = job.chunks.get(shard.chunk as usize).map_or(0, |chunk| chunk.queries);
                queries * job.sequences_of(shard.volume)
            };
            comparisons.failed = outcome.failed.iter().map(failed).sum();
            comparisons.done = comparisons.total - comparisons.failed;
        }
        let retried = plan.and_then(|plan| plan.remade.since);
        let elapsed =
            finished.unwrap_or_else(Timestamp::now).duration_since(retried.unwrap_or(job.submitted));
        Self {
            id: job.id,
            label: None,
            state,
            program: job.program.clone(),
            engine: job.engine.clone(),
            database: job.database.clone(),
            database_title: job.database_title.clone(),
            database_created: job.database_created,
            database_size: job.totals,
            searched: job.chosen.as_ref().map(Chosen::totals),
            absent_taxids: job.chosen.as_ref().map(|chosen| chosen.absent.clone()).unwrap_or_default(),
            options: OptionChoices::asked(&job.options)
                .into_iter()
                .chain(job.chosen.as_ref().map(Chosen::as_option))
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            recall: job.options.mode.measured_recall().map(str::to_owned),
            outfmt: job.outfmt.clone(),
            queries: job.queries(),
            residues: job.residues(),
            shards,
            map: None,
            underway: None,
            chunks,
            comparisons,
            submitted: job.submitted,
            planned: plan.map(|plan| plan.planned),
            finished,
            expires: None,
            retried,
            elapsed_seconds: elapsed.as_secs_f64().max(0.0),
            price: None,
            place: job.placement.place,
            in_cloud: None,
            expected_instance_seconds: job.expected,
            expected_price: None,
            instance_seconds: outcome.map(|outcome| outcome.instance_milliseconds as f64 / 1e3),
            reason: outcome.and_then(|outcome| outcome.reason.clone()),
            failed_shards: outcome.map(|outcome| outcome.failed.clone()).unwrap_or_default(),
            warnings: job.warnings.clone(),
            further_warnings: job.further_warnings,
        }
    }
}
