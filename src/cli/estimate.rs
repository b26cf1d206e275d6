//! `skyblast estimate`: what a search will take, before it is run.

use std::path::{Path, PathBuf};

use indicatif::HumanCount;

use super::client::{Client, ServerFlags};
use super::exit::Exit;
use super::options::{SearchFlags, ThreadFlags};
use super::prices::parse_prices;
use super::searched::SearchedDatabase;
use super::standard::require_input;
use super::taxids::TaxaFlags;
use crate::jobs::{
    Bounds, ChunkLimits, CountedQueries, Estimate, Instances, Price, Prices, QueryTotals, Terms, Work,
    calibrate,
};
use crate::sequence::fasta::{Reader, write_record};
use crate::sequence::input::Input;

const EXAMPLES: &str = "\
Examples:
  skyblast estimate --query q.fa --database swissprot
  skyblast estimate --query q.fa --database swissprot --workers 20 --server https://lab.azurewebsites.net --key KEY
  skyblast estimate --query q.fa --db proteins.db --threads 2
  skyblast estimate --query q.fa --database swissprot --taxids 9606,10090
  skyblast estimate --query q.fa --database swissprot --json | jq .price.amount.likely

A server goes by how long its earlier searches took. Where there are none, and with --db, a part of the search is run
for about a second; then the machine that ran it stands for an instance in the cloud, which has two cores if it has
4,096 MB. Nothing is stored, and of the queries only the beginning is sent. Prices are those of a list, without
taxes and discounts, and without Log Analytics (docs/operations.md).";

/// Say what a search will take: comparisons, shards, time and price
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct EstimateArgs {
    /// FASTA file of queries: plain, gzip or zstd; `-` for standard input
    #[arg(long, value_name = "FASTA")]
    query: PathBuf,

    /// Name of the server's database, or name@version
    #[arg(long, value_name = "NAME", required_unless_present = "db")]
    database: Option<String>,

    /// Database on this machine, as for search; no server is asked then
    #[arg(long, value_name = "DB", conflicts_with = "database")]
    db: Option<PathBuf>,

    /// Number of own workers (skyblast worker, or the server itself) to reckon with
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    workers: u64,

    /// With --db, a table of prices, as JSON or a file of it, instead of the one that is built in
    #[arg(long, value_name = "FILE", value_parser = parse_prices, requires = "db")]
    prices: Option<Prices>,

    /// With --db, memory of an instance in the cloud, megabytes
    #[arg(long, value_name = "MB", default_value_t = Instances::default().megabytes)]
    instance_mb: u64,

    /// With --db, most instances in the cloud
    #[arg(long, value_name = "N", default_value_t = Instances::default().most)]
    instances: u64,

    /// Print the estimate as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    flags: SearchFlags,

    #[command(flatten)]
    taxa: TaxaFlags,

    #[command(flatten)]
    threads: ThreadFlags,

    #[command(flatten)]
    server: ServerFlags,
}

pub(super) async fn run(args: &EstimateArgs) -> anyhow::Result<()> {
    require_input(&args.query)?;
    let estimate = match (&args.db, &args.database) {
        (Some(db), _) => of_database_here(args, db)?,
        (None, Some(database)) => {
            let taxa: Vec<_> = args.taxa.for_server()?.into_iter().collect();
            let queries = beginning(&args.query)?;
            let client = Client::connect(&args.server).await?;
            client.estimate(queries, database, &args.flags, &taxa, args.workers).await?
        }
        (None, None) => {
            return Err(Exit::WrongCommandLine.because("there is nothing to search: give --database or --db"));
        }
    };
    if args.json {
        outln!("{}", serde_json::to_string_pretty(&estimate)?)?;
        return Ok(());
    }
    print(&estimate)
}

/// What a search of a database on this machine will take.
fn of_database_here(args: &EstimateArgs, db: &Path) -> anyhow::Result<Estimate> {
    let (options, _) = args.flags.settle()?;
    let database = SearchedDatabase::open(db)?;
    let mut database = match args.taxa.listed()? {
        Some(list) => database.restrict(&list)?,
        None => database,
    };
    // A volume that has nothing of what is searched makes no shard.
    database.volumes.retain(|volume| volume.residues > 0);
    let largest = database.volumes.iter().map(|volume| volume.residues).max().unwrap_or(0);
    let limits = ChunkLimits::for_volumes_of(largest, options.mode);
    let records = Reader::new(args.query.display().to_string(), Input::open(&args.query)?);
    let queries = CountedQueries::read(records, limits, options, None).map_err(|refusal| *refusal)?;
    let smallest = database.volumes.iter().min_by_key(|volume| volume.residues);
    let rate = match smallest {
        Some(volume) => {
            let threads = args.threads.count();
            calibrate(options, database.searched, threads, queries.beginning(), &volume.subjects)?
        }
        None => None,
    };
    let rate = rate.ok_or_else(|| anyhow::anyhow!("{} has no sequences to compare with", db.display()))?;
    let volumes = database.volumes.len() as u64;
    let work = Work { database: database.name, size: database.searched, volumes };
    let prices = args.prices.clone().unwrap_or_default();
    let instances = Instances { megabytes: args.instance_mb, most: args.instances };
    Ok(Estimate::new(&work, &queries, rate, &Terms { prices: &prices, instances, workers: args.workers }))
}

/// Bytes of FASTA that a server measures with, unless the first query is longer.
const SENT: usize = 128 << 10;

/// The first queries as FASTA, and how many there are in all.
fn beginning(path: &Path) -> anyhow::Result<(Vec<u8>, QueryTotals)> {
    let (mut sent, mut whole) = (Vec::new(), QueryTotals { queries: 0, residues: 0 });
    for record in Reader::new(path.display().to_string(), Input::open(path)?) {
        let record = record?;
        if sent.len() < SENT {
            write_record(&mut sent, &record.defline, &record.residues)?;
        }
        whole.queries += 1;
        whole.residues += record.residues.len() as u64;
    }
    Ok((sent, whole))
}

fn print(estimate: &Estimate) -> anyhow::Result<()> {
    let Estimate { queries, comparisons, shards, measured_on, .. } = estimate;
    outln!("database     {}", estimate.database)?;
    outln!("comparisons  {} by {} queries", HumanCount(*comparisons), HumanCount(*queries))?;
    outln!("shards       {}", HumanCount(*shards))?;
    let by = match measured_on {
        0 => "measured on a part of this search".to_owned(),
        1 => "by one earlier search".to_owned(),
        searches => format!("by {searches} earlier searches"),
    };
    outln!("computing    {}, {by}", spans(estimate.instance_seconds))?;
    outln!("price        {}", price_text(&estimate.price))?;
    for (place, duration) in [("in the cloud", estimate.cloud), ("on own machines", estimate.own)] {
        outln!("time         {} {place} ({})", spans(duration.seconds), HumanCount(duration.machines))?;
    }
    Ok(())
}

/// A price, and by which list.
pub(super) fn price_text(price: &Price) -> String {
    let Price { amount, currency, region, date } = price;
    let likely = money(amount.likely);
    let between = match (money(amount.least), money(amount.most)) {
        (least, most) if least == most => String::new(),
        (least, most) => format!("{least} to {most}; "),
    };
    format!("{likely} {currency} in Azure ({between}list of {date}, {region})")
}

fn money(amount: f64) -> String {
    if amount < 0.1 { format!("{amount:.4}") } else { format!("{amount:.2}") }
}

fn spans(seconds: Bounds) -> String {
    format!("{} ({} to {})", span(seconds.likely), span(seconds.least), span(seconds.most))
}

/// A time in the largest unit of which there are two.
pub(super) fn span(seconds: f64) -> String {
    let units = [("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)];
    match units.into_iter().find(|(_, unit)| seconds >= 2.0 * unit) {
        Some((name, unit)) => format!("{:.1} {name}", seconds / unit),
        None => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sums_are_short_to_read() {
        let texts: Vec<_> = [0.04, 90.0, 150.0, 7_200.0, 200_000.0].map(span).into();
        assert_eq!(texts, ["0.0 s", "90.0 s", "2.5 min", "2.0 h", "2.3 d"]);
        assert_eq!([0.00123, 0.5, 12.345].map(money), ["0.0012", "0.50", "12.35"]);
    }
}
