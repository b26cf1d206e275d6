//! `skyblast serve`: API and workers in one process, on a local folder.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::listen::Listen;
use super::options::ThreadFlags;
use super::storage::{USUAL_FOLDER, open_or_make_pipeline, parse_location};
use super::tuning::TuningFlags;
use super::{connections, logging, shutdown};
use crate::functions::{Limits, Services, UrlApi, api_router};
use crate::jobs::Pipeline;
use crate::jobs::worker::{self, WorkerSettings};

const EXAMPLES: &str = "\
Examples:
  skyblast databases add swissprot --in swissprot.fa.gz
  skyblast serve
  curl --data-binary @q.fa 'http://127.0.0.1:8765/api/searches?database=swissprot'

A browser finds a page at http://127.0.0.1:8765/, and scripts that were written for NCBI's server theirs at /Blast.cgi.
Jobs survive the end of the server, however it ends: started again on the same folder, it goes on.
Further workers may join: skyblast worker";

/// Offer searches over HTTP: a page, the API, queues and workers in one process
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArgs {
    /// Folder for databases, queues, jobs and results; made if it is missing
    #[arg(long, value_name = "FOLDER", env = "SKYBLAST_STORAGE", default_value = USUAL_FOLDER)]
    storage: String,

    /// Host and port to listen on; anything but this machine needs something in front that asks who calls
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8765")]
    listen: Listen,

    /// Further name by which browsers may call a server that listens on this machine only, as where a
    /// proxy stands in front; may be repeated
    #[arg(long = "host-name", value_name = "NAME", env = "SKYBLAST_HOST_NAMES", value_delimiter = ',')]
    host_names: Vec<String>,

    #[command(flatten)]
    threads: ThreadFlags,

    /// Seconds for which a message is hidden from workers unless its lease is renewed: after a crash
    /// the work that was under way is taken up again so much later
    #[arg(long, value_name = "SECONDS", default_value_t = LEASE.as_secs(), hide = true)]
    lease: u64,

    #[command(flatten)]
    tuning: TuningFlags,
}

/// Lease of messages: renewed every third of it by a worker that lives.
const LEASE: Duration = Duration::from_secs(30);

pub(super) async fn run(args: &ServeArgs) -> anyhow::Result<()> {
    logging::for_people(tracing::Level::INFO);
    let location = parse_location(&args.storage)?;
    let listener =
        args.listen.bind().await.with_context(|| format!("could not listen on {}", args.listen))?;
    let pipeline = open_or_make_pipeline(&location, args.tuning.settings(args.threads))?;
    let pipeline = Arc::new(args.tuning.priced(pipeline));
    let address = listener.local_addr()?;
    let stop = shutdown::on_signal()?;
    let databases = known_databases(&pipeline).await;
    // A server goes on whether or not anybody reads this.
    let _ = outln!("serving http://{address} on storage {location}\ndatabases: {databases}");
    // Who listens on this machine only is not called by a name of somebody else's.
    let is_local = address.ip().is_loopback();
    let host_names = is_local.then(|| args.host_names.clone());
    let limits = Limits { anybody_lists: is_local, host_names, ..args.tuning.limits(UrlApi::Open) };
    let serving = Serving { limits, lease: Duration::from_secs(args.lease.max(3)) };
    serve(pipeline, serving, listener, stop).await
}

async fn known_databases(pipeline: &Pipeline) -> String {
    match pipeline.catalog().names().await {
        Ok(names) if names.is_empty() => "none yet; add one with skyblast databases add".to_owned(),
        Ok(names) => names.join(", "),
        Err(error) => error.to_string(),
    }
}

/// How long a client may take to send the head of a request, and a connection wait for the next.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// How to serve.
#[derive(Clone, Debug)]
pub(super) struct Serving {
    limits: Limits,
    lease: Duration,
}

impl Default for Serving {
    fn default() -> Self {
        Self { limits: Limits::default(), lease: LEASE }
    }
}

/// Serves the API on `listener` and works on its jobs until `stop` is cancelled.
pub(super) async fn serve(
    pipeline: Arc<Pipeline>,
    serving: Serving,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let settings = WorkerSettings {
        lease: serving.lease,
        retry_pause: Duration::from_secs(2),
        idle_pause: Duration::from_millis(500),
        ..WorkerSettings::default()
    };
    let working = tokio::spawn(worker::run(pipeline.clone(), settings, stop.clone()));
    let (leaving, stopped) = ((pipeline.clone(), stop.clone()), stop.clone());
    // Nobody goes on waiting for the end of a search.
    tokio::spawn(async move {
        leaving.1.cancelled().await;
        leaving.0.leave();
    });
    let router = api_router(Services::Ready(pipeline), serving.limits);
    tokio::select! {
        () = connections::serve(listener, router, HEAD_PATIENCE, stopped) => {}
        () = async { stop.cancelled().await; tokio::time::sleep(settings.grace).await } => {}
    }
    working.await?;
    Ok(())
}
