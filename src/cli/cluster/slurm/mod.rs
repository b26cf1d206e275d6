//! `skyblast cluster slurm`: workers as jobs of Slurm.

mod program;
mod submission;

use std::num::NonZeroU64;
use std::time::Duration;

use anyhow::Context;
use bytesize::ByteSize;
use indicatif::HumanCount;
use tokio::time::{MissedTickBehavior, interval};

use super::warranted::Demand;
use crate::cli::duration::parse_duration;
use crate::cli::storage::{StorageFlags, open_pipeline};
use crate::cli::{logging, shutdown};
use crate::jobs::{Pipeline, Settings};
use crate::store::Location;
use program::{Program, Variable};
use submission::{Start, Submission};

const EXAMPLES: &str = "\
Examples:
  skyblast cluster slurm --max 50                         once, as from cron
  skyblast cluster slurm --max 50 --every 1m              as a service (infra/cluster/skyblast-slurm.service)
  skyblast cluster slurm --max 50 --dry-run               show what would be run
  skyblast cluster slurm --max 50 --threads 16 -- --partition=spot --account=lab
  skyblast cluster slurm --max 50 --script infra/cluster/slurm.sh

Looks how many shards there are to compare for own workers, and how many jobs of its name squeue lists, and lets sbatch start
as many more as are warranted, as one job array. Workers leave when there is nothing to do. Run it where jobs are
submitted; nodes need the program at the same path. It keeps nothing between two looks, and may be stopped at any time.";

/// Submit as many workers to Slurm as the shards that are left warrant
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct SlurmArgs {
    #[command(flatten)]
    storage: StorageFlags,

    /// Most workers at a time, those included that wait for a node
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    max: u64,

    /// Look again and again, with pauses of this length, as in 1m [default: look once]
    #[arg(long, value_name = "TIME", value_parser = parse_period, conflicts_with = "dry_run")]
    every: Option<Duration>,

    /// Print the commands instead of submitting anything
    #[arg(long)]
    dry_run: bool,

    /// Cores of each worker
    #[arg(long, value_name = "N", default_value = "8")]
    threads: NonZeroU64,

    /// Shards for each of which one more worker is started [default: as many as a worker has cores]
    #[arg(long, value_name = "N")]
    shards_per_worker: Option<NonZeroU64>,

    /// Count shards too that wait for the app in the cloud, which workers help; in a folder, which has no app,
    /// they always count
    #[arg(long)]
    cloud: bool,

    /// Name of the jobs, by which those are known that are there already; another one for each storage
    #[arg(long, value_name = "NAME", default_value = "skyblast-worker", value_parser = parse_job_name)]
    job_name: String,

    /// Script for sbatch, with what a site needs besides, instead of starting the program right away
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cache", "cache_size", "leave_after"])]
    script: Option<String>,

    /// The program as the nodes find it [default: this one]
    #[arg(long, value_name = "PATH", env = "SKYBLAST")]
    program: Option<String>,

    /// Folder on a disk of the node, in which its workers keep volumes [default: skyblast-USER in TMPDIR or /tmp]
    #[arg(long, value_name = "DIR")]
    cache: Option<String>,

    /// Most that volumes may take in that folder
    #[arg(long, value_name = "SIZE", default_value = "50GB")]
    cache_size: ByteSize,

    /// Workers leave when there has been nothing to do for so long
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "5m")]
    leave_after: Duration,

    /// Further options of sbatch, after `--`
    #[arg(last = true, value_name = "SBATCH OPTIONS")]
    sbatch: Vec<String>,
}

/// Time between two looks.
fn parse_period(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        period if period < Duration::from_secs(1) => Err("the shortest pause is 1s".to_owned()),
        period => Ok(period),
    }
}

/// A name that squeue takes for one, and that may be part of a file's.
fn parse_job_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || !text.chars().all(is_plain) {
        return Err("a name has letters, digits, `-`, `_` and `.`".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) async fn run(args: &SlurmArgs) -> anyhow::Result<()> {
    logging::for_people(tracing::Level::INFO);
    let location = args.storage.location()?;
    let pipeline = open_pipeline(&location, Settings::default())?;
    let cluster = Cluster { args, pipeline, submission: args.submission(&location)?, location };
    let Some(period) = args.every else { return cluster.look().await };
    let stop = shutdown::on_signal()?;
    // What cannot be done at all is said at once; what fails later may pass.
    let Some(first) = stop.run_until_cancelled(cluster.look()).await else { return Ok(()) };
    first?;
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(cluster.look()).await {
            tracing::warn!(error = format!("{error:#}"), "could not look after the workers");
        }
    }
    Ok(())
}

impl SlurmArgs {
    /// What is submitted, however many workers it starts.
    fn submission(&self, location: &Location) -> anyhow::Result<Submission> {
        let start = match &self.script {
            Some(script) => Start::Script(script.clone()),
            None => self.worker(location)?,
        };
        Ok(Submission {
            job_name: self.job_name.clone(),
            threads: self.threads,
            start,
            storage: self.storage_variable(location)?,
            further: self.sbatch.clone(),
        })
    }

    fn worker(&self, location: &Location) -> anyhow::Result<Start> {
        let program = match &self.program {
            Some(program) => program.clone(),
            None => {
                let program = std::env::current_exe().context("could not find out where this program is")?;
                let program =
                    program.to_str().context("the path of this program is no text: give --program")?;
                program.to_owned()
            }
        };
        let is_far = matches!(location, Location::Account(_));
        // A folder is there as it is; keeping copies of it would gain nothing.
        let cache = (is_far || self.cache.is_some()).then(|| (self.cache.clone(), self.cache_size.as_u64()));
        Ok(Start::Worker { program, cache, leave_after: self.leave_after })
    }

    /// What tells workers where the work is, unless they find it as this process did.
    fn storage_variable(&self, location: &Location) -> anyhow::Result<Option<Variable>> {
        let value = match location {
            Location::Folder(folder) => {
                let folder = std::path::absolute(folder)?;
                let folder = folder.to_str().context("the path of the storage folder is no text")?;
                Some(folder.to_owned())
            }
            _ => self.storage.given().map(str::to_owned),
        };
        Ok(value.map(|value| Variable { name: "SKYBLAST_STORAGE", value, shown: location.to_string() }))
    }
}

/// A cluster that works on a storage.
#[derive(Debug)]
struct Cluster<'a> {
    args: &'a SlurmArgs,
    pipeline: Pipeline,
    location: Location,
    submission: Submission,
}

impl Cluster<'_> {
    /// Looks once, and starts what is warranted.
    async fn look(&self) -> anyhow::Result<()> {
        let shards = self.shards().await?;
        let squeue = Program::squeue(&self.args.job_name);
        if self.args.dry_run {
            outln!("{squeue}")?;
        }
        let jobs = squeue.output().await?;
        let there = jobs.lines().filter(|line| !line.trim().is_empty()).count() as u64;
        let pending = jobs.lines().filter(|line| line.trim() == "PENDING").count();
        let per_worker = self.args.shards_per_worker.unwrap_or(self.args.threads);
        let lacking = Demand { shards, per_worker, there, most: self.args.max }.lacking();
        let seen = format!(
            "{} shards to compare; {there} of {} workers there, {pending} of them waiting for a node",
            HumanCount(shards),
            self.args.max
        );
        if lacking == 0 {
            // A service says only what it does.
            if self.args.every.is_none() {
                outln!("{seen}; no more are warranted")?;
            }
            return Ok(());
        }
        let sbatch = self.submission.program(lacking);
        if self.args.dry_run {
            outln!("{sbatch}")?;
            outln!("{seen}; {lacking} more would be submitted")?;
            return Ok(());
        }
        let job = sbatch.output().await?;
        outln!("{seen}; {lacking} more submitted as job {}", job.trim())?;
        Ok(())
    }

    /// Shards that workers are wanted for.
    async fn shards(&self) -> anyhow::Result<u64> {
        let left = self.pipeline.shards_left().await?;
        let has_app = matches!(self.location, Location::Account(_));
        Ok(left.own + if self.args.cloud || !has_app { left.cloud } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_single_words_and_pauses_not_too_short() {
        assert_eq!(parse_job_name("blast_2.lab-a").as_deref(), Ok("blast_2.lab-a"));
        for bad in ["", "a,b", "a b", "a/b", "$(id)"] {
            assert!(parse_job_name(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_period("1m"), Ok(Duration::from_secs(60)));
        for bad in ["0s", "900ms", "often"] {
            assert!(parse_period(bad).is_err(), "{bad}");
        }
    }
}
