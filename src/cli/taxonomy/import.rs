//! `skyblast taxonomy import`: NCBI's taxdump to the names that reports show.

use std::path::PathBuf;

use anyhow::Context;
use indicatif::HumanCount;

use crate::taxonomy::{INDEX_FILE, NAMES_FILE, read_taxdump};

const EXAMPLES: &str = "\
Examples:
  skyblast taxonomy import taxdump.tar.gz --out names
  BLASTDB=names skyblast search --query q.fa --db x.db --outfmt '6 std staxid ssciname'
  BLASTDB=names skyblast search --query q.fa --db x.db --taxids 'Homo sapiens,10090'

NCBI publishes taxdump.tar.gz. The files that are made are in the format of NCBI's taxdb, so blastp
reads them too, and those of NCBI's taxdb.tar.gz are as good.";

/// Make the files that reports take names of taxa from
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ImportArgs {
    /// NCBI's taxdump: the archive, or a folder with its files names.dmp and nodes.dmp
    taxdump: PathBuf,

    /// Folder for taxdb.bti and taxdb.btd; created if there is none
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let taxonomy = read_taxdump(&args.taxdump)?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("could not create {}", args.out.display()))?;
    taxonomy.write(&args.out)?;
    let taxa = HumanCount(taxonomy.len() as u64);
    outln!("{taxa} taxa in {INDEX_FILE} and {NAMES_FILE} of {}", args.out.display())?;
    Ok(())
}
