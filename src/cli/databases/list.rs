//! `skyblast databases list`.

use indicatif::HumanCount;

use crate::cli::client::{Client, ServerFlags};
use crate::cli::storage::{StorageFlags, open_pipeline};
use crate::jobs::Settings;

const EXAMPLES: &str = "\
Examples:
  skyblast databases list --server http://127.0.0.1:8765
  skyblast databases list --storage skyblast-data          all versions; * is what the name means";

/// List the databases of a server, or all their versions in a storage
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    server: ServerFlags,

    #[command(flatten)]
    storage: StorageFlags,
}

pub(super) async fn run(args: &ListArgs) -> anyhow::Result<()> {
    if args.storage.is_given() {
        return list_storage(&args.storage).await;
    }
    for database in Client::connect(&args.server).await?.databases().await? {
        let name = format!("{}@{}", database.name, database.version);
        print(&name, database.sequences, database.residues, &database.title)?;
    }
    Ok(())
}

async fn list_storage(storage: &StorageFlags) -> anyhow::Result<()> {
    let pipeline = open_pipeline(&storage.location()?, Settings::default())?;
    let catalog = pipeline.catalog();
    for database in catalog.versions(None).await? {
        let manifest = catalog.manifest(&database).await?;
        let is_current = catalog.current(&database.name).await?.as_ref() == Some(&database.version);
        let name = format!("{database}{}", if is_current { " *" } else { "" });
        print(&name, manifest.sequences, manifest.residues, &manifest.title)?;
    }
    Ok(())
}

fn print(name: &str, sequences: u64, residues: u64, title: &str) -> std::io::Result<()> {
    let (sequences, residues) = (HumanCount(sequences), HumanCount(residues));
    outln!("{name}\t{sequences} sequences\t{residues} residues\t{title}")
}
