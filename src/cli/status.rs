//! `skyblast status`: where a job stands.

use std::io;

use indicatif::{HumanCount, HumanDuration};

use super::client::{Client, ServerFlags};
use super::estimate::{price_text, span};
use super::exit::Exit;
use crate::jobs::{InCloud, JobId, State, Status, Underway};

const EXAMPLES: &str = "\
Examples:
  skyblast status 0123456789abcdef0123456789abcdef
  skyblast status 0123456789abcdef0123456789abcdef --watch
  skyblast status 0123456789abcdef0123456789abcdef --json | jq .shards";

/// Show where a job stands
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StatusArgs {
    /// The job's id, as submit printed it
    id: JobId,

    /// Show progress until the job has ended
    #[arg(long)]
    watch: bool,

    /// Print what the server says as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerFlags,
}

pub(super) async fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let client = Client::connect(&args.server).await?;
    let status = if args.watch { client.watch(args.id).await? } else { client.status(args.id).await? };
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&status)?)?;
    } else {
        print(&status)?;
    }
    ending(&status)
}

/// An error that ends the program with the status that the end of a job has, unless all is well so far.
pub(super) fn ending(status: &Status) -> anyhow::Result<()> {
    let Status { id, state, shards, .. } = status;
    match state {
        State::Failed | State::Cancelled => Err(Exit::NoReport.because(format_args!("job {id} {state}"))),
        State::CompletedWithFailedShards => {
            let (failed, all) = (shards.failed, shards.total);
            Err(Exit::Incomplete
                .because(format_args!("the report of job {id} lacks {failed} of {all} shards")))
        }
        State::Queued | State::Running | State::Completed => Ok(()),
    }
}

fn print(status: &Status) -> io::Result<()> {
    outln!("job          {}", status.id)?;
    outln!("state        {}", status.state)?;
    outln!("database     {}", status.database)?;
    match status.queries {
        0 if !status.state.is_final() => outln!("queries      not read yet")?,
        queries => outln!("queries      {} ({} residues)", HumanCount(queries), HumanCount(status.residues))?,
    }
    if let Some(recall) = &status.recall {
        outln!("recall       {recall}")?;
    }
    let (shards, chunks) = (status.shards, status.chunks);
    outln!("shards       {} of {} done, {} failed", shards.done, shards.total, shards.failed)?;
    outln!("merged       {} of {} chunks", chunks.done, chunks.total)?;
    if let Some(underway) = &status.underway {
        outln!("under way    {}", underway_text(underway))?;
    }
    let comparisons = status.comparisons;
    outln!("comparisons  {} of {}", HumanCount(comparisons.done), HumanCount(comparisons.total))?;
    outln!("submitted    {}", status.submitted)?;
    outln!("time         {:.1} s", status.elapsed_seconds)?;
    let spent = match (status.expected_instance_seconds, status.instance_seconds) {
        (expected, Some(took)) => {
            let (so_far, were) = if status.state.is_final() { ("", "were") } else { (" so far", "are") };
            let expected = expected.map(|expected| format!(", {} {were} expected", span(expected.likely)));
            Some(format!("{}{so_far}{}", span(took), expected.unwrap_or_default()))
        }
        (Some(expected), None) => Some(format!("{} are expected", span(expected.likely))),
        (None, None) => None,
    };
    if let Some(spent) = spent {
        outln!("computing    {spent}")?;
    }
    if let Some(price) = status.price.as_ref().or(status.expected_price.as_ref()) {
        outln!("price        {}", price_text(price))?;
    }
    if let Some(InCloud { shards, settled, spent, budget, out_of_budget }) = &status.in_cloud {
        let limit = budget.map(|budget| format!(" of a budget of {budget}")).unwrap_or_default();
        let end = if *out_of_budget { "; own workers do the rest" } else { "" };
        outln!("in the cloud {settled} of {shards} shards done, for {}{limit}{end}", price_text(spent))?;
    }
    if let Some(expires) = status.expires {
        outln!("kept until   {expires}")?;
    }
    print_failures(status);
    Ok(())
}

/// What of a job is waiting and running, and how long it will take.
fn underway_text(underway: &Underway) -> String {
    let Underway { searches_before, waiting, running, running_in_cloud, seconds_left } = underway;
    let mut facts = Vec::new();
    facts.extend(searches_before.map(|before| match before {
        1 => "1 search before it".to_owned(),
        before => format!("{} searches before it", HumanCount(before)),
    }));
    facts.push(format!("{} shards waiting", HumanCount(*waiting)));
    let in_cloud = match running_in_cloud {
        0 => String::new(),
        count => format!(" ({} in the cloud)", HumanCount(*count)),
    };
    facts.push(format!("{} running{in_cloud}", HumanCount(*running)));
    facts.extend(seconds_left.map(|seconds| format!("about {} left", span(seconds as f64))));
    facts.join(", ")
}

/// What a bar says of a job behind its comparisons.
pub(super) fn progress(status: &Status) -> String {
    let shards = status.shards;
    let settled = HumanCount(shards.done + shards.failed);
    let underway = status.underway.as_ref().map(underway_text);
    let underway = underway.map(|text| format!(", {text}")).unwrap_or_default();
    format!(", shards {settled} of {}{underway}", HumanCount(shards.total))
}

/// How a job ended, in a line.
pub(super) fn summary(status: &Status) -> String {
    let seconds = status.elapsed_seconds;
    let rate = HumanCount((status.comparisons.done as f64 / seconds.max(1e-3)) as u64);
    let time = if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        HumanDuration(std::time::Duration::from_secs_f64(seconds)).to_string()
    };
    format!(
        "{}: {} shards, {} comparisons in {time} ({rate} per second)",
        status.state,
        status.shards.done,
        HumanCount(status.comparisons.done)
    )
}

/// Prints why a job has no report or lacks shards, to standard error.
pub(super) fn print_failures(status: &Status) {
    if let Some(reason) = &status.reason {
        errln!("reason: {reason}");
    }
    for shard in &status.failed_shards {
        errln!("failed: chunk {}, volume {}: {}", shard.chunk, shard.volume, shard.reason);
    }
}
