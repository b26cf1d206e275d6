//! `skyblast worker`: shares the work of a deployment from a machine of one's own.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::apart::OwnProcess;
use super::duration::parse_seconds;
use super::options::ThreadFlags;
use super::storage::{StorageFlags, open_pipeline};
use super::tuning::TuningFlags;
use super::{logging, shutdown};
use crate::jobs::worker::{self, WorkerSettings};

const EXAMPLES: &str = "\
Examples:
  skyblast worker                                    help a server in the same folder
  SKYBLAST_STORAGE='AccountName=…;AccountKey=…' skyblast worker
  srun --array=1-50 skyblast worker                  fifty nodes of a cluster, same storage

SIGTERM: takes no more work, puts aside the shards that it is comparing for others to go on with,
finishes other steps within --grace, else gives them back.
A worker may be killed at any time; its work is done again by another.";

/// Compare shards from a storage's queues until told to stop
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct WorkerArgs {
    #[command(flatten)]
    storage: StorageFlags,

    #[command(flatten)]
    threads: ThreadFlags,

    /// Shards compared at the same time, each with all threads
    #[arg(long, value_name = "N", default_value = "1")]
    slots: NonZeroUsize,

    /// Seconds that work under way may go on after SIGTERM
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 20,
        value_parser = parse_seconds,
        allow_hyphen_values = true
    )]
    grace: u64,

    /// Seconds for which a message is hidden from other workers unless its lease is renewed
    #[arg(long, value_name = "SECONDS", default_value_t = 60, hide = true)]
    lease: u64,

    #[command(flatten)]
    tuning: TuningFlags,
}

pub(super) async fn run(args: &WorkerArgs) -> anyhow::Result<()> {
    logging::for_people(tracing::Level::INFO);
    let settings = args.tuning.settings(args.threads);
    let location = args.storage.location()?;
    let apart = OwnProcess { storage: args.storage.clone(), for_host: false };
    let pipeline = Arc::new(open_pipeline(&location, settings)?.with_apart(apart));
    let stop = shutdown::on_signal()?;
    let worker = WorkerSettings {
        slots: args.slots.get(),
        grace: Duration::from_secs(args.grace),
        lease: Duration::from_secs(args.lease.max(3)),
        ..WorkerSettings::default()
    };
    tracing::info!(storage = %location, threads = settings.threads, "working");
    worker::run(pipeline, worker, stop).await;
    tracing::info!("stopped");
    Ok(())
}
