//! `skyblast databases show` and `use`: what a name means.

use bytesize::ByteSize;
use indicatif::HumanCount;

use crate::cli::storage::{StorageFlags, open_pipeline};
use crate::jobs::Settings;

const SHOW_EXAMPLES: &str = "\
Examples:
  skyblast databases show swissprot
  skyblast databases show swissprot@0123456789abcdef0123456789abcdef";

/// Show what a database in a storage consists of
#[derive(Debug, clap::Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(in crate::cli) struct ShowArgs {
    /// Name, or name@version
    name: String,

    #[command(flatten)]
    storage: StorageFlags,
}

pub(super) async fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let pipeline = open_pipeline(&args.storage.location()?, Settings::default())?;
    let catalog = pipeline.catalog();
    let (database, manifest) = catalog.resolve(&args.name).await?;
    let current = catalog.current(&database.name).await?;
    outln!("database   {database}")?;
    outln!("title      {}", manifest.title)?;
    outln!("created    {}", manifest.created)?;
    outln!("sources    {}", manifest.sources.join(", "))?;
    outln!("sequences  {}", HumanCount(manifest.sequences))?;
    outln!("residues   {}", HumanCount(manifest.residues))?;
    for version in catalog.versions(Some(&database.name)).await? {
        let mark = if current.as_ref() == Some(&version.version) { " *" } else { "" };
        outln!("version    {}{mark}", version.version)?;
    }
    for volume in &manifest.volumes {
        let (sequences, size) = (HumanCount(volume.sequences), ByteSize(volume.bytes));
        outln!("volume     {}  {sequences} sequences  {size}", volume.digest)?;
    }
    Ok(())
}

const USE_EXAMPLES: &str = "\
Example:
  skyblast databases use swissprot@0123456789abcdef0123456789abcdef

Searches that name no version get this one from now on. databases list shows the versions.";

/// Let a database's bare name mean one of its versions
#[derive(Debug, clap::Args)]
#[command(after_help = USE_EXAMPLES)]
pub(in crate::cli) struct UseArgs {
    /// name@version
    name: String,

    #[command(flatten)]
    storage: StorageFlags,
}

pub(super) async fn use_version(args: &UseArgs) -> anyhow::Result<()> {
    let pipeline = open_pipeline(&args.storage.location()?, Settings::default())?;
    outln!("{}", pipeline.catalog().use_version(&args.name).await?)?;
    Ok(())
}
