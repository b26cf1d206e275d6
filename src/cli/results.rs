//! `skyblast results`: fetches a report.

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use reqwest::Url;

use super::client::{Client, ServerFlags};
use super::inputs::Inputs;
use super::whole_file::Target;
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
    let (outfmt, out) = (args.outfmt.as_ref(), &Target::new(args.out.as_deref(), &Inputs::default())?);
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

/// Writes a job's report to `out`.
pub(super) async fn download(
    client: &Client,
    id: JobId,
    outfmt: Option<&OutputFormat>,
    out: &Target,
) -> anyhow::Result<()> {
    write(client.results(id, outfmt).await?, out).await
}

async fn write(mut report: reqwest::Response, out: &Target) -> anyhow::Result<()> {
    let mut out = out.create()?;
    while let Some(piece) = report.chunk().await.context("the report broke off; fetch it again")? {
        out.write_all(&piece)?;
    }
    out.finish()
}
