//! A search by way of storage alone: whether anybody works on its queues.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::QUERY;
use crate::engine::SearchOptions;
use crate::jobs::{Check, Pipeline, Request, State, Status};
use crate::report::OutputFormat;
use crate::sequence::fasta::Reader;

const NAME: &str = "search";
const NOBODY: &str = "start a worker (skyblast worker, skyblast serve) or the function app on this storage";

/// Submits a search in the smallest database and waits for whoever works there.
pub(super) async fn search(pipeline: &Arc<Pipeline>, patience: Duration) -> Check {
    match try_search(pipeline, patience).await {
        Ok(status) if status.state == State::Completed => {
            let seconds = status.elapsed_seconds;
            Check::ok(NAME, format!("one query in {} took {seconds:.1} s", status.database))
        }
        Ok(status) if !status.state.is_final() => {
            let seconds = patience.as_secs();
            Check::wrong(NAME, format!("it is still {} after {seconds} s", status.state), NOBODY)
        }
        Ok(status) => {
            let reason = status.failed_shards.first().map(|shard| shard.reason.clone()).or(status.reason);
            let found = format!("it is {}: {}", status.state, reason.unwrap_or_default());
            Check::wrong(NAME, found, "see the log of whoever works on this storage")
        }
        Err(error) => Check::wrong(NAME, format!("{error:#}"), "see the checks above"),
    }
}

async fn try_search(pipeline: &Arc<Pipeline>, patience: Duration) -> anyhow::Result<Status> {
    let catalog = pipeline.catalog();
    let mut smallest = None;
    for database in catalog.versions(None).await? {
        let residues = catalog.manifest(&database).await?.residues;
        if smallest.as_ref().is_none_or(|(least, _)| residues < *least) {
            smallest = Some((residues, database));
        }
    }
    let (_, database) = smallest.ok_or_else(|| anyhow::anyhow!("there is no database"))?;
    let request = Request {
        taxa: None,
        database: database.to_string(),
        options: SearchOptions::default(),
        outfmt: OutputFormat::default(),
    };
    let job = pipeline.submit(&request, || Ok(Reader::new("doctor", QUERY.as_bytes()))).await?;
    let deadline = Instant::now() + patience;
    loop {
        let status = pipeline.status(job.id).await?;
        if status.state.is_final() {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            pipeline.cancel(job.id).await?;
            return Ok(status);
        }
        sleep(Duration::from_millis(300)).await;
    }
}
