//! `skyblast databases gc`: deletes volumes that nothing refers to.

use std::time::Duration;

use bytesize::ByteSize;
use jiff::Timestamp;

use crate::cli::duration::parse_duration;
use crate::cli::storage::{StorageFlags, open_pipeline};
use crate::jobs::Settings;

const EXAMPLES: &str = "\
Examples:
  skyblast databases gc --dry-run
  skyblast databases gc --grace 1h

A volume is needed by every version of a database that has it, and by searches under way. Servers do
this by themselves once a day, with a grace period of a week.";

/// Delete volumes that no database and no search under way needs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct GcArgs {
    /// Keep volumes that were sent or added less than this ago; longer than any `databases add` takes
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_duration, allow_hyphen_values = true)]
    grace: Duration,

    /// Only say what would be deleted
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    storage: StorageFlags,
}

pub(super) async fn run(args: &GcArgs) -> anyhow::Result<()> {
    let pipeline = open_pipeline(&args.storage.location()?, Settings::default())?;
    let garbage = pipeline.collect_garbage(Timestamp::now(), args.grace, args.dry_run).await?;
    if let Some(id) = garbage.postponed_by {
        errln!("search {id} is being submitted, so nothing was deleted; try again in some minutes");
    }
    let done = if args.dry_run { "would delete" } else { "deleted" };
    let size = ByteSize(garbage.deleted_bytes);
    outln!(
        "{done} {} volumes ({size}); {} are needed, {} are kept for now",
        garbage.deleted,
        garbage.needed,
        garbage.young
    )?;
    Ok(())
}
