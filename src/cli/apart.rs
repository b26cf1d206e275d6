//! `skyblast apart`: handles one message in a process of its own, for a handler or worker whose predecessor died of it.

use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::exit::Exit;
use super::options::ThreadFlags;
use super::storage::{StorageFlags, open_pipeline};
use super::tuning::TuningFlags;
use super::{logging, parent};
use crate::jobs::{Apart, Ending, Inbox, Stage};

/// Handle one message, read from standard input, and end
#[derive(Debug, clap::Args)]
pub(super) struct ApartArgs {
    /// The function that the message is for
    function: String,

    /// Which delivery of the message this is, from 1
    #[arg(long, value_name = "N")]
    delivery: u32,

    /// Log as the Functions host takes it, and not for people
    #[arg(long)]
    for_host: bool,

    #[command(flatten)]
    storage: StorageFlags,

    #[command(flatten)]
    threads: ThreadFlags,

    #[command(flatten)]
    tuning: TuningFlags,
}

pub(super) async fn run(args: &ApartArgs) -> anyhow::Result<()> {
    if args.for_host {
        logging::for_host();
    } else {
        logging::for_people(tracing::Level::INFO);
    }
    let stage = Stage::ALL.into_iter().find(|stage| stage.function() == args.function);
    let stage = stage.ok_or_else(|| anyhow!("no step has the function {:?}", args.function))?;
    let mut body = String::new();
    io::stdin().read_to_string(&mut body).context("could not read the message")?;
    let settings = args.tuning.settings(args.threads);
    die_first(settings.memory);
    let pipeline = open_pipeline(&args.storage.location()?, settings)?;
    let gone = CancellationToken::new();
    tokio::spawn(parent::cancel_when_gone(gone.clone()));
    tokio::select! {
        handled = pipeline.deliver(Inbox::Work(stage), &body, args.delivery) => Ok(handled?),
        () = gone.cancelled() => Err(anyhow!("nobody waits for it any more")),
    }
}

/// Has this process end, and no other, when `memory` bytes do not suffice: its parent is there to tell of it.
/// Where that cannot be had, the system chooses by itself.
fn die_first(memory: Option<u64>) {
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let before = getrlimit(Resource::Data);
    if let Some(memory) = memory {
        let limit = before.maximum.map_or(memory, |maximum| maximum.min(memory));
        let _ = setrlimit(Resource::Data, Rlimit { current: Some(limit), maximum: before.maximum });
    }
}

/// Starts this program once more for a message.
#[derive(Debug)]
pub(super) struct OwnProcess {
    /// Storage, if the command line names it; the environment is inherited.
    pub(super) storage: StorageFlags,
    /// Whether this process logs for the Functions host; so does the other then.
    pub(super) for_host: bool,
}

#[async_trait]
impl Apart for OwnProcess {
    async fn work(&self, stage: Stage, body: &str, delivery: u32) -> io::Result<Ending> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["apart", stage.function(), "--threads", "1", "--delivery", &delivery.to_string()])
            .args(self.for_host.then_some("--for-host"))
            .args(self.storage.as_arguments())
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // It may be dead already, which its status tells better.
            let _ = input.write_all(body.as_bytes()).await;
        }
        Ok(ending(child.wait().await?))
    }
}

/// What an exit status of [`run`] says.
fn ending(status: ExitStatus) -> Ending {
    match status.code() {
        Some(code) if code == Exit::Done as i32 => Ending::Settled,
        Some(code) if code == Exit::Failed as i32 => Ending::Failed,
        Some(code) => Ending::Died(format!("ended with exit status {code}")),
        None => Ending::Died(match status.signal() {
            Some(signal) => format!("was killed by signal {signal}"),
            None => "ended without a status".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_an_error_from_a_death() {
        assert_eq!(ending(ExitStatus::from_raw(0)), Ending::Settled);
        assert_eq!(ending(ExitStatus::from_raw(1 << 8)), Ending::Failed);
        assert_eq!(ending(ExitStatus::from_raw(101 << 8)), Ending::Died("ended with exit status 101".into()));
        assert_eq!(ending(ExitStatus::from_raw(9)), Ending::Died("was killed by signal 9".into()));
    }
}
