//! `skyblast handler`: the process that the Azure Functions host starts and talks to.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Extension;
use tokio::net::TcpListener;

use super::apart::OwnProcess;
use super::options::ThreadFlags;
use super::storage::{StorageFlags, open_or_make_pipeline};
use super::tuning::TuningFlags;
use super::{connections, host_json, logging, parent, shutdown};
use crate::functions::{HostCheck, Services, UrlApi, host_router};

const EXAMPLES: &str = "\
The host starts this command by itself, as host.json says. To try it by hand:
  FUNCTIONS_CUSTOMHANDLER_PORT=7071 SKYBLAST_STORAGE=skyblast-data skyblast handler
  curl http://127.0.0.1:7071/api/health

It ends with the process that started it, and on SIGTERM.

Storage comes from the host's settings (AzureWebJobsStorage or AzureWebJobsStorage__accountName and
its like) unless SKYBLAST_STORAGE or the SKYBLAST_*_ENDPOINT variables are set.";

/// How long a connection may wait for its next request. The host keeps its connections for a minute, and
/// should be the one who closes them.
const HEAD_PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Time that requests under way get after SIGTERM, and work whose host is gone: the platform waits about
/// as long.
const GRACE: Duration = Duration::from_secs(10);

/// Serve as the custom handler of an Azure Functions host
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct HandlerArgs {
    /// Port on 127.0.0.1 to listen on; the host sets the variable
    #[arg(long, env = "FUNCTIONS_CUSTOMHANDLER_PORT", value_name = "PORT")]
    port: u16,

    #[command(flatten)]
    storage: StorageFlags,

    #[command(flatten)]
    threads: ThreadFlags,

    #[command(flatten)]
    tuning: TuningFlags,
}

pub(super) async fn run(args: &HandlerArgs) -> anyhow::Result<()> {
    logging::for_host();
    let settings = args.tuning.settings(args.threads);
    // The host must be able to reach a handler whose settings are wrong: only so can it say why.
    let opened = args.storage.location().and_then(|location| open_or_make_pipeline(&location, settings));
    let services = match opened {
        Ok(pipeline) => {
            let apart = OwnProcess { storage: args.storage.clone(), for_host: true };
            Services::Ready(Arc::new(args.tuning.priced(pipeline).with_apart(apart)))
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "storage is not usable");
            Services::Unavailable(format!("{error:#}"))
        }
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .await
        .with_context(|| format!("could not listen on port {}", args.port))?;
    let pipeline = match &services {
        Services::Ready(pipeline) => Some(pipeline.clone()),
        Services::Unavailable(_) => None,
    };
    let mut router = host_router(services, args.tuning.limits(UrlApi::Closed));
    if let Some(check) = host_json::examine(|name| std::env::var(name).ok()) {
        if let Some(advice) = &check.advice {
            tracing::error!(found = check.found, advice, "host.json does not fit the program");
        }
        router = router.layer(Extension(HostCheck(check)));
    }
    let stop = shutdown::on_signal()?;
    tokio::spawn(parent::cancel_when_gone(stop.clone()));
    let stopped = stop.clone();
    if let Some(pipeline) = pipeline {
        let leaving = stop.clone();
        tokio::spawn(async move {
            leaving.cancelled().await;
            pipeline.leave();
        });
    }
    tokio::select! {
        () = connections::serve(listener, router, HEAD_PATIENCE, stopped) => {}
        () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => {}
    }
    Ok(())
}
