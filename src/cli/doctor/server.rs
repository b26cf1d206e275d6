//! A server seen from outside: reachable, let in, of the same version, in time, and working.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::QUERY;
use crate::cli::client::{Client, ServerFlags};
use crate::jobs::{Check, State};

const SERVER: &str = "server";
const VERSION: &str = "version";
const SEARCH: &str = "search";

/// Examines the server, and lets it examine its storage.
pub(super) async fn examine(client: &mut Client, flags: &ServerFlags) -> Vec<Check> {
    let answer = match client.health().await {
        Ok(answer) => answer,
        Err(error) => {
            let advice = "check --server and that it runs; an app that scaled to zero takes some seconds";
            return vec![Check::wrong(SERVER, format!("{error:#}"), advice)];
        }
    };
    let mut checks = vec![Check::ok(SERVER, format!("{} answers", client.server()))];
    let own = env!("CARGO_PKG_VERSION");
    checks.push(match answer.version {
        Some(version) if version == own => Check::ok(VERSION, format!("both are {version}")),
        Some(version) => {
            let advice = "install the same version on both sides";
            Check::wrong(VERSION, format!("the server is {version}, this program is {own}"), advice)
        }
        None => Check::wrong(VERSION, "the server does not say", "check that it is a skyblast server"),
    });
    if let Some(date) = answer.date {
        checks.push(Check::clock("server clock", date, Timestamp::now()));
    }
    if let Err(error) = client.sign_in(flags).await {
        checks.push(Check::wrong("access", format!("{error:#}"), "sign in with az login"));
        return checks;
    }
    match client.examine().await {
        Ok(examined) => {
            checks.push(Check::ok("access", "the server lets us in"));
            checks.extend(examined);
        }
        Err(error) => {
            let advice = "give --key (or SKYBLAST_KEY), or sign in with az login";
            checks.push(Check::wrong("access", format!("{error:#}"), advice));
        }
    }
    checks
}

/// Submits a search in the smallest database and waits for its report.
pub(super) async fn search(client: &Client, patience: Duration) -> Check {
    match try_search(client, patience).await {
        Ok(found) => Check::ok(SEARCH, found),
        Err(error) => {
            let advice = "skyblast status JOB says more; shards wait in the queue if no instance takes them";
            Check::wrong(SEARCH, format!("{error:#}"), advice)
        }
    }
}

async fn try_search(client: &Client, patience: Duration) -> anyhow::Result<String> {
    let databases = client.databases().await?;
    let smallest = databases.iter().min_by_key(|database| database.residues);
    let smallest = smallest.ok_or_else(|| anyhow::anyhow!("the server has no database"))?;
    let id = client.submit_text(QUERY, &smallest.name).await?;
    let deadline = Instant::now() + patience;
    loop {
        let status = client.status(id).await?;
        match status.state {
            State::Completed => {
                client.results(id, None, false).await?.response.bytes().await?;
                let seconds = status.elapsed_seconds;
                return Ok(format!("one query in {} took {seconds:.1} s", status.database));
            }
            state if state.is_final() => anyhow::bail!("job {id} is {state}"),
            state if Instant::now() >= deadline => {
                client.cancel(id).await?;
                anyhow::bail!("job {id} was still {state} after {} s", patience.as_secs());
            }
            _ => sleep(Duration::from_millis(300)).await,
        }
    }
}
