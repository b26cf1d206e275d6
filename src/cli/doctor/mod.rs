//! `skyblast doctor`: what is wrong with a deployment, and what to do.

mod server;
mod storage;

use std::sync::Arc;

use anyhow::bail;
use serde_json::json;

use super::client::{Client, ServerFlags};
use super::storage::{StorageFlags, open_pipeline};
use crate::jobs::{Check, Settings};

const EXAMPLES: &str = "\
Examples:
  skyblast doctor --server https://lab.azurewebsites.net
  skyblast doctor --storage 'AccountName=…;AccountKey=…' --fix
  skyblast doctor --server http://127.0.0.1:8765 --json | jq '.checks[] | select(.ok | not)'

With --storage the storage is examined from this machine, with its identity; otherwise the server
examines its own. Ends with code 1 if anything is wrong.";

/// Examine a server or a storage, and say what is wrong and what to do
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    server: ServerFlags,

    #[command(flatten)]
    storage: StorageFlags,

    /// Create containers and queues that are missing
    #[arg(long, requires = "storage")]
    fix: bool,

    /// Leave out the search for one short query in the smallest database
    #[arg(long)]
    no_search: bool,

    /// Seconds that this search may take
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    patience: u64,

    /// Print the checks as JSON
    #[arg(long)]
    json: bool,
}

/// A query for a search whose hits do not matter.
const QUERY: &str = ">doctor\nMKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEK\n";

pub(super) async fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let patience = std::time::Duration::from_secs(args.patience);
    let mut checks;
    if args.storage.is_given() {
        let pipeline = Arc::new(open_pipeline(&args.storage.location()?, Settings::default())?);
        checks = pipeline.examine(args.fix).await;
        if !args.no_search && checks.iter().all(|check| check.ok) {
            checks.push(storage::search(&pipeline, patience).await);
        }
    } else {
        let mut client = Client::new(&args.server)?;
        checks = server::examine(&mut client, &args.server).await;
        if !args.no_search && checks.iter().all(|check| check.ok) {
            checks.push(server::search(&client, patience).await);
        }
    }
    let wrong = checks.iter().filter(|check| !check.ok).count();
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&json!({ "ok": wrong == 0, "checks": checks }))?)?;
    } else {
        checks.iter().try_for_each(print)?;
    }
    match wrong {
        0 => Ok(()),
        1 => bail!("one of {} checks found something wrong", checks.len()),
        _ => bail!("{wrong} of {} checks found something wrong", checks.len()),
    }
}

fn print(check: &Check) -> std::io::Result<()> {
    outln!("{}  {}: {}", if check.ok { "ok   " } else { "WRONG" }, check.name, check.found)?;
    match &check.advice {
        Some(advice) => outln!("       → {advice}"),
        None => Ok(()),
    }
}
