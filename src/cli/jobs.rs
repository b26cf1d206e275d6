//! `skyblast jobs`: the jobs that there are.

use std::sync::Arc;

use anyhow::bail;

use super::client::{Client, ServerFlags};
use super::storage::StorageFlags;
use crate::jobs::{JobId, Listed, Listing, MAX_PAGE, Page, Pipeline, Removal, Settings, State};

const LIST_EXAMPLES: &str = "\
Examples:
  skyblast jobs list
  skyblast jobs list --state running
  skyblast jobs list --server https://lab.azurewebsites.net        one's own, where users sign in
  skyblast jobs list --storage skyblast-data                       all that nobody owns, where the storage is

Prints id, state, time of submission, database, and until when it is kept, newest first.";

const REMOVE_EXAMPLES: &str = "\
Examples:
  skyblast jobs remove 0123456789abcdef0123456789abcdef
  skyblast jobs list --state failed | cut -f 1 | xargs skyblast jobs remove

Queries, hits and report are gone for good. Jobs are removed by themselves after a while (--keep-jobs of
serve, worker and handler). One that has not ended must be cancelled first.";

/// List and remove jobs
#[derive(Debug, clap::Subcommand)]
pub(super) enum JobsCommand {
    List(ListArgs),
    Remove(RemoveArgs),
}

/// List jobs, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(super) struct ListArgs {
    /// Only those in this state: queued, running, completed, completed_with_failed_shards, failed or
    /// cancelled
    #[arg(long, value_name = "STATE", value_parser = parse_state)]
    state: Option<State>,

    /// Print a JSON object per line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    place: Place,
}

/// Remove jobs that have ended
#[derive(Debug, clap::Args)]
#[command(after_help = REMOVE_EXAMPLES)]
pub(super) struct RemoveArgs {
    /// The jobs' ids
    #[arg(required = true)]
    ids: Vec<JobId>,

    #[command(flatten)]
    place: Place,
}

/// Where the jobs are: behind a server, or in a storage.
#[derive(Debug, clap::Args)]
struct Place {
    #[command(flatten)]
    server: ServerFlags,

    #[command(flatten)]
    storage: StorageFlags,
}

enum Jobs {
    Server(Client),
    Storage(Arc<Pipeline>),
}

impl Place {
    async fn open(&self) -> anyhow::Result<Jobs> {
        if self.storage.is_given() {
            let location = self.storage.location()?;
            // How long jobs are kept is known to those who sweep.
            let settings = Settings { keep_jobs: None, ..Settings::default() };
            return Ok(Jobs::Storage(Arc::new(super::storage::open_pipeline(&location, settings)?)));
        }
        Ok(Jobs::Server(Client::connect(&self.server).await?))
    }
}

pub(super) async fn run(command: &JobsCommand) -> anyhow::Result<()> {
    match command {
        JobsCommand::List(args) => list(args).await,
        JobsCommand::Remove(args) => remove(args).await,
    }
}

async fn list(args: &ListArgs) -> anyhow::Result<()> {
    let jobs = args.place.open().await?;
    let mut wanted = Listing { state: args.state, limit: MAX_PAGE, ..Listing::default() };
    loop {
        let Page { searches, next } = match &jobs {
            Jobs::Server(client) => client.searches(&wanted).await?,
            Jobs::Storage(pipeline) => pipeline.list(&wanted).await?,
        };
        for job in &searches {
            print(job, args.json)?;
        }
        match next {
            None => return Ok(()),
            next => wanted.after = next,
        }
    }
}

fn print(job: &Listed, json: bool) -> anyhow::Result<()> {
    if json {
        outln!("{}", serde_json::to_string(job)?)?;
        return Ok(());
    }
    let Listed { id, state, submitted, database, expires, .. } = job;
    let kept = expires.map_or_else(|| "-".to_owned(), |expires| format!("{expires:.0}"));
    outln!("{id}\t{}\t{submitted:.0}\t{database}\t{kept}", state.word())?;
    Ok(())
}

async fn remove(args: &RemoveArgs) -> anyhow::Result<()> {
    let jobs = args.place.open().await?;
    for &id in &args.ids {
        match &jobs {
            Jobs::Server(client) => client.remove(id).await?,
            Jobs::Storage(pipeline) => match pipeline.remove(id).await? {
                Removal::Removed => {}
                Removal::NotEnded => bail!("job {id} has not ended; cancel it first (skyblast cancel)"),
            },
        }
        outln!("removed {id}")?;
    }
    Ok(())
}

fn parse_state(text: &str) -> Result<State, String> {
    let found = State::ALL.into_iter().find(|state| state.word() == text);
    found.ok_or_else(|| format!("the states are {}", State::ALL.map(State::word).join(", ")))
}
