//! `skyblast compare`: what one report has of another.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::report::ReportedPairs;
use crate::sequence::input::Input;

const EXAMPLES: &str = "\
Examples:
  skyblast compare exact.tsv seeded.tsv        what a faster mode has found of the exact one
  skyblast compare blastp.tsv.gz other.tsv     what any program has found of blastp's hits

Reports are in format 6 or 7 with the usual columns, plain or compressed. A pair of a query and a subject counts once,
with its best E-value in the first report.";

/// Count what a report has of another's hits, by E-value
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompareArgs {
    /// The report whose hits are looked for
    reference: PathBuf,

    /// The report in which they are looked for
    report: PathBuf,
}

pub(super) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let recall = pairs(&args.reference)?.found_in(&pairs(&args.report)?);
    outln!("E-value up to\tpairs\tfound\tshare")?;
    for band in &recall.bands {
        let share = match band.pairs {
            0 => "-".to_owned(),
            pairs => format!("{:.4}", band.found as f64 / pairs as f64),
        };
        let up_to = if band.up_to.is_finite() { format!("{:e}", band.up_to) } else { "more".to_owned() };
        outln!("{up_to}\t{}\t{}\t{share}", band.pairs, band.found)?;
    }
    outln!("# {} pairs only in {}", recall.further, args.report.display())?;
    Ok(())
}

fn pairs(path: &Path) -> anyhow::Result<ReportedPairs> {
    let input = Input::open(path)?;
    ReportedPairs::read(BufReader::new(input)).with_context(|| path.display().to_string())
}
