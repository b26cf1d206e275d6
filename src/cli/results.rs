//! `skyblast results`: fetches a report.

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use reqwest::Url;

use super::api::Download;
use super::client::{Client, ServerFlags};
use super::exit::Exit;
use super::inputs::Inputs;
use super::patience::Waiting;
use super::whole_file::Target;
use crate::jobs::{JobId, ParseJobIdError};
use crate::report::OutputFormat;

const EXAMPLES: &str = "\
Examples:
  skyblast results 0123456789abcdef0123456789abcdef > hits.tsv
  skyblast results 0123456789abcdef0123456789abcdef --outfmt '6 std qcovs stitle' --out hits.tsv
  skyblast results 0123456789abcdef0123456789abcdef --partial --outfmt 7    of a job that runs, so far
  skyblast results 0123456789abcdef0123456789abcdef --fasta --evalue 1e-20 --out subjects.fa
  skyblast results 'https://lab.azurewebsites.net/api/shared?token=TOKEN' --out hits.tsv";

/// Fetch a job's report
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ResultsArgs {
    /// The job's id, as submit printed it, or a link that share printed
    what: Source,

    /// Report format [default: the one the job was submitted with]
    #[arg(long, value_name = "FORMAT")]
    outfmt: Option<OutputFormat>,

    /// Instead of the report, the subjects of its hits as FASTA: whole ones, or what is aligned of them
    #[arg(long, value_name = "PART", num_args = 0..=1, require_equals = true, default_missing_value = "whole")]
    #[arg(conflicts_with = "outfmt")]
    fasta: Option<SubjectPart>,

    /// With --fasta, only subjects of the query in this place of the report, from 1
    #[arg(long, value_name = "PLACE", requires = "fasta")]
    of_query: Option<u64>,

    /// With --fasta, only hits with this E-value or a lower one
    #[arg(long, value_name = "E", requires = "fasta")]
    evalue: Option<f64>,

    /// Fetch also a report that lacks shards, or of a job that has not ended the report so far; the exit status is 3
    /// then
    #[arg(long)]
    partial: bool,

    /// File for the report [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    server: ServerFlags,
}

pub(super) async fn run(args: &ResultsArgs) -> anyhow::Result<()> {
    let choice = Choice { outfmt: args.outfmt.as_ref(), partial: args.partial };
    let out = &Target::new(args.out.as_deref(), &Inputs::default())?.takes(args.outfmt.as_ref())?;
    match &args.what {
        Source::Job(id) if let Some(part) = args.fasta => {
            let client = Client::connect(&args.server).await?;
            let wanted = Subjects { part, query: args.of_query, evalue: args.evalue, partial: args.partial };
            write(&client, async || client.sequences(*id, &wanted).await, out).await
        }
        Source::Link(_) if args.fasta.is_some() => Err(Exit::WrongCommandLine
            .because("a link leads to the report only; give the id of the job to get its subjects")),
        Source::Job(id) => download(&Client::connect(&args.server).await?, *id, choice, out).await,
        // The link says where the server is.
        Source::Link(link) => {
            let client = Client::of(link.origin().ascii_serialization())?;
            write(&client, async || client.shared(link, choice.outfmt, choice.partial).await, out).await
        }
    }
}

/// Which report is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice<'a> {
    /// Its format, unless it is the one the job was submitted with.
    pub(super) outfmt: Option<&'a OutputFormat>,
    /// Whether it may lack shards.
    pub(super) partial: bool,
}

/// How much of a subject is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum SubjectPart {
    /// All of it, each subject once
    Whole,
    /// What each HSP aligns
    Aligned,
}

/// Which subjects are wanted.
#[derive(Clone, Debug)]
pub(super) struct Subjects {
    pub(super) part: SubjectPart,
    pub(super) query: Option<u64>,
    pub(super) evalue: Option<f64>,
    pub(super) partial: bool,
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
            Ok(link) if format!("{}/", link.path()).contains("/api/shared/") => Ok(Self::Link(link)),
            _ => text.parse().map(Self::Job),
        }
    }
}

/// Writes a job's report to `out`.
pub(super) async fn download(
    client: &Client,
    id: JobId,
    choice: Choice<'_>,
    out: &Target,
) -> anyhow::Result<()> {
    write(client, async || client.results(id, choice.outfmt, choice.partial).await, out).await
}

/// Writes what `fetch` gets; an error if it lacks shards.
async fn write(
    client: &Client,
    fetch: impl AsyncFn() -> anyhow::Result<Download>,
    out: &Target,
) -> anyhow::Result<()> {
    // Before anything is created: there may be no report.
    let first = fetch().await?;
    let (missing, so_far) = (first.missing.clone(), first.so_far.clone());
    let mut output = out.create()?;
    copy(client, first, fetch, &mut output).await?;
    output.finish()?;
    if let Some(queries) = so_far {
        return Err(Exit::Incomplete.because(format_args!(
            "the job has not ended: this is its report so far, on queries {queries}"
        )));
    }
    match missing {
        None => Ok(()),
        Some(missing) => Err(Exit::Incomplete.because(format_args!(
            "the report lacks {missing} shards, so it may lack hits; skyblast status says why"
        ))),
    }
}

/// Copies a report. One that breaks off is fetched again and goes on where it broke off: a report's bytes
/// are always the same, unless its job has not ended.
async fn copy(
    client: &Client,
    first: Download,
    fetch: impl AsyncFn() -> anyhow::Result<Download>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let is_so_far = first.so_far.is_some();
    let (mut report, mut waiting) = (first.response, Waiting::default());
    let mut written = 0;
    loop {
        let mut at = 0;
        let broken = loop {
            match report.chunk().await {
                Ok(None) => return Ok(()),
                Ok(Some(piece)) => {
                    let new = piece.get(written - at..).unwrap_or_default();
                    at += piece.len();
                    if !new.is_empty() {
                        out.write_all(new)?;
                        waiting.reset();
                    }
                    written = written.max(at);
                }
                Err(error) => break anyhow::Error::from(error.without_url()).context("the report broke off"),
            }
        };
        if is_so_far && written > 0 {
            // The next one may be longer.
            return Err(broken.context("fetch the report so far once more"));
        }
        client.patience.wait(&mut waiting, broken).await?;
        report = fetch().await?.response;
    }
}
