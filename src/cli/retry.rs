//! `skyblast retry`: tries the failed shards of a job again.

use super::api::Retried;
use super::client::{Client, ServerFlags};
use super::status::{ending, summary};
use crate::jobs::JobId;

const EXAMPLES: &str = "\
Examples:
  skyblast retry 0123456789abcdef0123456789abcdef
  skyblast retry 0123456789abcdef0123456789abcdef --wait && skyblast results 0123456789abcdef0123456789abcdef

Shards that have been compared are not compared again. The job's report is made anew and takes the place of the one before;
its id, label and links stay. If volumes were missing or damaged, add the database again first
(skyblast databases add); if shards ran out of memory or time, let larger workers run first.";

/// Try the failed shards of a job again that has ended without them, or failed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RetryArgs {
    /// The job's id, as submit printed it
    id: JobId,

    /// Wait for its end, showing progress
    #[arg(long)]
    wait: bool,

    #[command(flatten)]
    server: ServerFlags,
}

pub(super) async fn run(args: &RetryArgs) -> anyhow::Result<()> {
    let client = Client::connect(&args.server).await?;
    let Retried { state, begun } = client.retry(args.id).await?;
    if !begun {
        errln!("nothing was retried: the job has not ended");
    }
    if !args.wait {
        outln!("{state}")?;
        return Ok(());
    }
    let status = client.watch(args.id).await?;
    outln!("{}", summary(&status))?;
    ending(&status)
}
