//! What a search will take: comparisons, shards, time of instances, time until it ends, and its price in Azure.
//!
//! Work is reckoned in pairs of a query residue and a database residue; how many of them an instance compares in a
//! second, earlier searches of the deployment have shown ([`rate`]), or it is measured with the search itself
//! ([`calibrate`]). Prices come from a table ([`prices`]).

mod bounds;
mod calibrate;
mod prices;
mod queries;
mod rate;

use std::io::BufRead;

use serde::{Deserialize, Serialize};

pub use bounds::Bounds;
pub use calibrate::calibrate;
pub(super) use prices::Billed;
pub use prices::{Price, Prices, PricesError};
pub use queries::{CountedQueries, QueryTotals};
pub(super) use rate::Measurements;
pub use rate::Rate;

use super::error::{Error, Result};
use super::job::Job;
use super::pipeline::Pipeline;
use super::submit::{Request, SubmitError};
use crate::engine::DatabaseTotals;
use crate::sequence::fasta::{FastaError, Reader};

/// Until the first instances compare, in the cloud: the app is woken, hosts start, volumes are fetched. Seconds.
const CLOUD_START: f64 = 15.0;
/// The same of a worker that waits for messages.
const WORKER_START: f64 = 1.0;
/// A merge and the end of a job, seconds.
const ENDING: f64 = 1.0;

/// Instances of the app in the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instances {
    /// Memory of each, megabytes.
    pub megabytes: u64,
    /// Most that compare at the same time.
    pub most: u64,
}

impl Default for Instances {
    /// Those of the deployment in `infra/` unless it is asked for others.
    fn default() -> Self {
        Self { megabytes: 4_096, most: 100 }
    }
}

/// What is to be searched, in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The database, by name and version if it has one.
    pub database: String,
    /// Size of what is searched of it.
    pub size: DatabaseTotals,
    /// Number of its volumes that have any of that.
    pub volumes: u64,
}

/// What an estimate goes by beside work and rate.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// What Azure asks.
    pub prices: &'a Prices,
    /// Its instances.
    pub instances: Instances,
    /// Number of own workers.
    pub workers: u64,
}

/// What a search will take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Estimate {
    /// What is searched.
    pub database: String,
    /// Number of queries.
    pub queries: u64,
    /// Number of their residues.
    pub residues: u64,
    /// Query–subject pairs.
    pub comparisons: u64,
    /// Shards.
    pub shards: u64,
    /// Number of earlier searches by which the time is reckoned; 0 if a part of this one was searched for it.
    pub measured_on: u64,
    /// Time that instances will spend on comparing, in all.
    pub instance_seconds: Bounds,
    /// What that costs in Azure.
    pub price: Price,
    /// Time until it ends in the cloud, if nothing else waits there.
    pub cloud: Duration,
    /// Time until it ends on own workers, if nothing else waits for them.
    pub own: Duration,
}

/// Time until a search ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = EstimatedDuration)]
pub struct Duration {
    /// Number of machines that compare at the same time.
    pub machines: u64,
    /// Seconds.
    pub seconds: Bounds,
}

impl Estimate {
    /// What a search of these queries will take at this rate.
    pub fn new(work: &Work, queries: &CountedQueries, rate: Rate, terms: &Terms<'_>) -> Self {
        let QueryTotals { queries: count, residues } = queries.totals;
        let (chunks, shards) = (queries.chunks, queries.chunks * work.volumes);
        let pairs = residues as f64 * work.size.residues as f64;
        let instance_seconds = Bounds::within(pairs / rate.pairs_per_second, rate.factor);
        let duration = |most: u64, start: f64| {
            let machines = most.clamp(1, shards.max(1));
            // The last round may keep a part of them busy only.
            let rounds = shards.div_ceil(machines) as f64;
            let seconds = |all: f64| start + all / shards.max(1) as f64 * rounds + ENDING;
            Duration { machines, seconds: instance_seconds.map(seconds) }
        };
        let billed = Billed { shards, chunks, instance_megabytes: terms.instances.megabytes };
        Self {
            database: work.database.clone(),
            queries: count,
            residues,
            comparisons: count * work.size.sequences,
            shards,
            measured_on: rate.searches,
            instance_seconds,
            price: terms.prices.of(billed, instance_seconds),
            cloud: duration(terms.instances.most, CLOUD_START),
            own: duration(terms.workers, WORKER_START),
        }
    }
}

impl Pipeline {
    /// The same pipeline, which reckons with these prices.
    pub fn with_prices(mut self, prices: Prices) -> Self {
        self.prices = prices;
        self
    }

    /// What a search will take of the FASTA that `open` opens (on a thread that may block), of which there are
    /// `whole` in all if it is the beginning only. Nothing is stored.
    ///
    /// The time is reckoned by earlier searches here; if there have been none, a part of this one is searched, for
    /// about a second. `workers` is the number of own workers.
    ///
    /// # Errors
    /// What a search would be refused for.
    pub async fn estimate<R, F>(
        &self,
        request: &Request,
        open: F,
        whole: Option<QueryTotals>,
        workers: u64,
    ) -> Result<Estimate, SubmitError>
    where
        R: BufRead + Send + 'static,
        F: FnOnce() -> Result<Reader<R>, FastaError> + Send + 'static,
    {
        let searched = self.searched_by(request).await?;
        let (database, volumes, size) = (&searched.database, &searched.volumes, searched.size());
        let (options, limits) = (request.options, self.chunk_limits(volumes, request.options.mode));
        let read = move || CountedQueries::read(open().map_err(SubmitError::Fasta)?, limits, options, whole);
        let read = tokio::task::spawn_blocking(read).await;
        let queries = read.map_err(|e| Error::Internal(e.to_string()))?.map_err(|refusal| *refusal)?;
        let work = Work { database: database.to_string(), size, volumes: volumes.len() as u64 };
        let rate = match self.measured_rate(&options).await? {
            Some(rate) => Some(rate),
            None => {
                // One at a time: each keeps all cores busy.
                let _alone = self.calibrating.lock().await;
                let smallest = volumes.iter().min_by_key(|volume| volume.residues);
                let smallest =
                    smallest.ok_or_else(|| Error::Internal("a database without volumes".to_owned()))?;
                self.check_memory(database, smallest)?;
                let subjects = self.catalog.volume(database, smallest).await?;
                let (threads, beginning) = (self.settings.threads, queries.beginning.clone());
                Self::compute(move || calibrate(options, size, threads, &beginning, &*subjects)).await?
            }
        };
        let rate = rate.ok_or_else(|| Error::Internal("there is nothing to compare".to_owned()))?;
        let terms = Terms { prices: &self.prices, instances: self.settings.instances, workers };
        Ok(Estimate::new(&work, &queries, rate, &terms))
    }

    /// How long instances are expected to compare for a job whose queries have been read, if searches like it have
    /// been measured here, in seconds. No job fails for it.
    pub(super) async fn expected(&self, job: &Job) -> Option<Bounds> {
        let rate = self.measured_rate(&job.options).await.unwrap_or_else(|error| {
            tracing::warn!(job = %job.id, %error, "could not look up how fast earlier jobs were");
            None
        })?;
        Some(Bounds::within(job.residue_pairs() / rate.pairs_per_second, rate.factor))
    }

    /// What so many seconds of instances cost for a job.
    pub(super) fn price_of(&self, job: &Job, instance_seconds: Bounds) -> Price {
        let chunks = job.chunks.len() as u64;
        let shards = chunks * job.volumes.len() as u64;
        let billed = Billed { shards, chunks, instance_megabytes: self.settings.instances.megabytes };
        self.prices.of(billed, instance_seconds)
    }
}
