//! `skyblast worker`: shares the work of a deployment from a machine of one's own.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytesize::ByteSize;

use super::apart::OwnProcess;
use super::duration::{parse_duration, parse_seconds};
use super::options::ThreadFlags;
use super::storage::{StorageFlags, open_pipeline};
use super::tuning::TuningFlags;
use super::{logging, shutdown};
use crate::jobs::VolumeFolder;
use crate::jobs::worker::{self, WorkerSettings};

const EXAMPLES: &str = "\
Examples:
  skyblast worker                                    help a server in the same folder
  SKYBLAST_STORAGE='AccountName=…;AccountKey=…' skyblast worker
  skyblast worker --leave-after 5m --cache /scratch/skyblast      on a node of a cluster (infra/cluster)

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

    /// Leave when there has been nothing to do for so long, as in 5m [default: stay]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    leave_after: Option<Duration>,

    /// Folder for volumes of a storage that is not on this machine; workers of a machine may share it, and
    /// volumes are mapped from it instead of being held in memory
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,

    /// Most that volumes may take in that folder; those used longest ago make room
    #[arg(long, value_name = "SIZE", default_value = "50GB", requires = "cache")]
    cache_size: ByteSize,

    #[command(flatten)]
    tuning: TuningFlags,
}

pub(super) async fn run(args: &WorkerArgs) -> anyhow::Result<()> {
    logging::for_people(tracing::Level::INFO);
    let settings = args.tuning.settings(args.threads);
    let location = args.storage.location()?;
    let apart = OwnProcess { storage: args.storage.clone(), for_host: false };
    let pipeline = open_pipeline(&location, settings)?.with_apart(apart);
    let pipeline = Arc::new(match &args.cache {
        Some(cache) => {
            let folder = VolumeFolder::open(cache, args.cache_size.as_u64());
            let folder = folder.with_context(|| format!("could not use --cache {}", cache.display()))?;
            pipeline.keeping_volumes_in(folder)
        }
        None => pipeline,
    });
    let stop = shutdown::on_signal()?;
    let worker = WorkerSettings {
        slots: args.slots.get(),
        grace: Duration::from_secs(args.grace),
        lease: Duration::from_secs(args.lease.max(3)),
        leave_after: args.leave_after,
        ..WorkerSettings::default()
    };
    tracing::info!(storage = %location, threads = settings.threads, "working");
    worker::run(pipeline, worker, stop).await;
    tracing::info!("stopped");
    Ok(())
}
