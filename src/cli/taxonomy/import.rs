//! `skyblast taxonomy import`: NCBI's names of taxa to where reports take them from.

use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::HumanCount;

use crate::cli::storage::{StorageFlags, open_or_make_pipeline};
use crate::jobs::Settings;
use crate::taxonomy::{INDEX_FILE, NAMES_FILE, Taxonomy, read_taxdump};

const EXAMPLES: &str = "\
Examples:
  skyblast taxonomy import taxdump.tar.gz                                     for a server on ./skyblast-data
  skyblast taxonomy import taxdump.tar.gz --storage 'AccountName=…;AccountKey=…'
  skyblast taxonomy import taxdump.tar.gz --out names                         for skyblast search, and blastp
  BLASTDB=names skyblast search --query q.fa --db x.db --outfmt '6 std staxid ssciname'
  BLASTDB=names skyblast search --query q.fa --db x.db --taxids 'Homo sapiens,10090'

NCBI publishes taxdump.tar.gz. A folder with taxdb.bti and taxdb.btd (unpacked from NCBI's
taxdb.tar.gz, or made with --out) is as good. In a storage, searches that are submitted from then on
take the new names; reports of earlier ones stay what they were.";

/// Import the names of taxa: into a storage, or with --out into files
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ImportArgs {
    /// NCBI's taxdump: the archive, or a folder with its files names.dmp and nodes.dmp; or a folder with
    /// taxdb.bti and taxdb.btd
    taxdump: PathBuf,

    /// Folder for taxdb.bti and taxdb.btd, instead of a storage; created if there is none
    #[arg(long, value_name = "DIR", conflicts_with = "storage")]
    out: Option<PathBuf>,

    #[command(flatten)]
    storage: StorageFlags,
}

pub(super) async fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let taxonomy = read(&args.taxdump)?;
    let taxa = HumanCount(taxonomy.len() as u64);
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out).with_context(|| format!("could not create {}", out.display()))?;
        taxonomy.write(out)?;
        outln!("{taxa} taxa in {INDEX_FILE} and {NAMES_FILE} of {}", out.display())?;
        return Ok(());
    }
    let location = args.storage.location_or_usual()?;
    let pipeline = open_or_make_pipeline(&location, Settings::default())?;
    let imported = pipeline.catalog().put_taxonomy(taxonomy).await?;
    outln!("{taxa} taxa, as taxonomy {}", imported.digest)?;
    Ok(())
}

/// The names in a dump, or in a folder of the files that are made of one.
fn read(source: &Path) -> anyhow::Result<Taxonomy> {
    match Taxonomy::read(source) {
        Ok(Some(taxonomy)) => Ok(taxonomy),
        // An archive is no folder, so there is nothing of these names in it.
        Err(error) if source.is_dir() => Err(error.into()),
        _ => Ok(read_taxdump(source)?),
    }
}
