//! `skyblast submit`: hands a search to a server.

use std::path::PathBuf;

use super::client::{Client, ServerFlags};
use super::inputs::Inputs;
use super::options::SearchFlags;
use super::placement::PlacementFlags;
use super::results::{Choice, download};
use super::search::print_warnings;
use super::standard::require_input;
use super::status::{ending, print_failures, summary};
use super::taxids::TaxaFlags;
use super::whole_file::Target;
use crate::sequence::taxids::Taxid;

const EXAMPLES: &str = "\
Examples:
  skyblast submit --query q.fa --database swissprot
  skyblast submit --query q.fa --database swissprot --wait --out hits.tsv
  skyblast submit --query q.fa --database swissprot --server https://lab.azurewebsites.net --key KEY
  skyblast submit --query q.fa --database swissprot --taxids 9606,10090 --wait
  skyblast submit --query q.fa --database swissprot --json | jq -r .id
  skyblast submit --query q.fa --database swissprot --place burst --deadline 2h --budget 5

Prints the job's id on standard output, or with --wait the report. The options are those of search.";

/// Submit a search to a server
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SubmitArgs {
    /// FASTA file of queries: plain, gzip or zstd; `-` for standard input
    #[arg(long, value_name = "FASTA")]
    query: PathBuf,

    /// Name of the server's database, or name@version
    #[arg(long, value_name = "NAME")]
    database: String,

    #[command(flatten)]
    flags: SearchFlags,

    #[command(flatten)]
    taxa: TaxaFlags,

    /// Show progress, wait for the end, and fetch the report
    #[arg(long)]
    wait: bool,

    /// Print what the server says as JSON
    #[arg(long, conflicts_with = "wait")]
    json: bool,

    /// File for the report, with --wait [default: standard output]
    #[arg(long, value_name = "FILE", requires = "wait")]
    out: Option<PathBuf>,

    /// With --wait, fetch also a report that lacks shards; the exit status is 3 then
    #[arg(long, requires = "wait")]
    partial: bool,

    #[command(flatten)]
    placement: PlacementFlags,

    #[command(flatten)]
    server: ServerFlags,
}

pub(super) async fn run(args: &SubmitArgs) -> anyhow::Result<()> {
    require_input(&args.query)?;
    let mut inputs = Inputs::default();
    inputs.add("the query", &args.query);
    args.taxa.add_to(&mut inputs);
    let (_, format) = args.flags.settle()?;
    let out = Target::new(args.out.as_deref(), &inputs)?.takes(args.wait.then_some(&format))?;
    let taxa: Vec<_> = args.taxa.for_server()?.into_iter().collect();
    let client = Client::connect(&args.server).await?;
    let further: Vec<_> = taxa.into_iter().chain(args.placement.pairs()).collect();
    let accepted = client.submit(&args.query, &args.database, &args.flags, &further).await?;
    print_warnings(&accepted.warnings, accepted.further_warnings);
    if !accepted.absent_taxids.is_empty() {
        let absent: Vec<_> = accepted.absent_taxids.iter().map(Taxid::to_string).collect();
        errln!("warning: {} has no sequences of these taxids: {}", args.database, absent.join(", "));
    }
    errln!("accepted {accepted}");
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&accepted)?)?;
        return Ok(());
    }
    if !args.wait {
        outln!("{}", accepted.id)?;
        errln!("next: skyblast status {} --watch", accepted.id);
        return Ok(());
    }
    let status = client.watch(accepted.id).await?;
    if accepted.queries.is_none() {
        print_warnings(&status.warnings, status.further_warnings);
    }
    errln!("{}", summary(&status));
    print_failures(&status);
    if !status.state.has_report() {
        return ending(&status);
    }
    let choice = Choice { outfmt: None, partial: args.partial };
    download(&client, accepted.id, choice, &out).await
}
