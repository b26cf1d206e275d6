//! `skyblast share`: a link to a report.

use std::time::Duration;

use super::client::{Client, ServerFlags};
use super::duration::parse_duration;
use crate::jobs::{JobId, MAX_SHARE};

const EXAMPLES: &str = "\
Examples:
  skyblast share 0123456789abcdef0123456789abcdef
  skyblast share 0123456789abcdef0123456789abcdef --for 30d
  curl --location LINK > hits.tsv                    whoever has the link needs no login
  skyblast results LINK --outfmt 7                   nor with this command

The link lets its holder read the report until it expires, and nothing else.";

/// Make a link with which anyone can read a job's report for a while
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ShareArgs {
    /// The job's id, as submit printed it
    id: JobId,

    /// How long the link works, at most 366 days
    #[arg(long = "for", value_name = "TIME", default_value = "7d", value_parser = parse_lifetime, allow_hyphen_values = true)]
    lifetime: Duration,

    #[command(flatten)]
    server: ServerFlags,
}

fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = parse_duration(text)?;
    if (Duration::from_secs(1)..=MAX_SHARE).contains(&lifetime) {
        return Ok(lifetime);
    }
    let days = MAX_SHARE.as_secs() / (24 * 60 * 60);
    Err(format!("a link works for 1s at least and {days}d at most"))
}

pub(super) async fn run(args: &ShareArgs) -> anyhow::Result<()> {
    let (link, expires) = Client::connect(&args.server).await?.share(args.id, args.lifetime).await?;
    errln!("expires {expires}");
    outln!("{link}")?;
    Ok(())
}
