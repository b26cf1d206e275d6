//! `skyblast results`: fetches a report.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use reqwest::Url;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::client::{Client, ServerFlags};
use crate::jobs::{JobId, ParseJobIdError};
use crate::report::OutputFormat;

const EXAMPLES: &str = "\
Examples:
  skyblast results 0123456789abcdef0123456789abcdef > hits.tsv
  skyblast results 0123456789abcdef0123456789abcdef --outfmt '6 std qcovs stitle' --out hits.tsv
  skyblast results https://lab.azurewebsites.net/api/shared/TOKEN --out hits.tsv";

/// Fetch a job's report
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ResultsArgs {
    /// The job's id, as submit printed it, or a link that share printed
    what: Source,

    /// Report format [default: the one the job was submitted with]
    #[arg(long, value_name = "FORMAT")]
    outfmt: Option<OutputFormat>,

    /// File for the report [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    server: ServerFlags,
}

pub(super) async fn run(args: &ResultsArgs) -> anyhow::Result<()> {
    let (outfmt, out) = (args.outfmt.as_ref(), args.out.as_deref());
    match &args.what {
        Source::Job(id) => download(&Client::connect(&args.server).await?, *id, outfmt, out).await,
        // The link says where the server is.
        Source::Link(link) => {
            let client = Client::of(link.origin().ascii_serialization())?;
            write(client.shared(link, outfmt).await?, out).await
        }
    }
}

/// Where a report comes from.
#[derive(Clone, Debug)]
enum Source {
    Job(JobId),
    Link(Url),
}

impl FromStr for Source {
    type Err = ParseJobIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Url::parse(text) {
            Ok(link) if link.path().contains("/api/shared/") => Ok(Self::Link(link)),
            _ => text.parse().map(Self::Job),
        }
    }
}

/// Writes a job's report to `out`, or to standard output. A file appears when it is complete.
pub(super) async fn download(
    client: &Client,
    id: JobId,
    outfmt: Option<&OutputFormat>,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    write(client.results(id, outfmt).await?, out).await
}

async fn write(report: reqwest::Response, out: Option<&Path>) -> anyhow::Result<()> {
    let Some(out) = out else {
        return copy(report, tokio::io::stdout()).await;
    };
    let failed = || format!("could not write {}", out.display());
    let directory = match out.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let partial =
        tempfile::Builder::new().prefix(".skyblast-").tempfile_in(directory).with_context(failed)?;
    copy(report, tokio::fs::File::from_std(partial.reopen()?)).await.with_context(failed)?;
    partial.persist(out).with_context(failed)?;
    Ok(())
}

async fn copy(mut report: reqwest::Response, mut out: impl AsyncWrite + Unpin) -> anyhow::Result<()> {
    while let Some(piece) = report.chunk().await.context("the report broke off; fetch it again")? {
        out.write_all(&piece).await?;
    }
    Ok(out.flush().await?)
}
