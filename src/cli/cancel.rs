//! `skyblast cancel`: stops a job.

use super::api::Cancelled;
use super::client::{Client, ServerFlags};
use crate::jobs::JobId;

/// Cancel a job; one that has ended stays as it is
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  skyblast cancel 0123456789abcdef0123456789abcdef")]
pub(super) struct CancelArgs {
    /// The job's id, as submit printed it
    id: JobId,

    #[command(flatten)]
    server: ServerFlags,
}

pub(super) async fn run(args: &CancelArgs) -> anyhow::Result<()> {
    let Cancelled { state, ended_before } = Client::connect(&args.server).await?.cancel(args.id).await?;
    outln!("{state}")?;
    if ended_before {
        errln!("nothing was cancelled: the job had ended before");
    }
    Ok(())
}
