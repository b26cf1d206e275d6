//! `skyblast databases list`.

use indicatif::HumanCount;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::api::DatabaseEntry;
use crate::cli::client::{Client, ServerFlags};
use crate::cli::storage::{StorageFlags, open_pipeline};
use crate::jobs::Settings;

const EXAMPLES: &str = "\
Examples:
  skyblast databases list --server http://127.0.0.1:8765
  skyblast databases list --json | jq -r .name
  skyblast databases list --storage skyblast-data          all versions; * is what the name means";

/// List the databases of a server, or all their versions in a storage
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ListArgs {
    /// Print a JSON object per line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerFlags,

    #[command(flatten)]
    storage: StorageFlags,
}

/// A version of a database.
#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    version: String,
    /// Whether the bare name means it.
    current: bool,
    title: String,
    sequences: u64,
    residues: u64,
    volumes: usize,
    created: Timestamp,
}

pub(super) async fn run(args: &ListArgs) -> anyhow::Result<()> {
    if args.storage.is_given() {
        return list_storage(args).await;
    }
    for entry in Client::connect(&args.server).await?.databases().await? {
        let DatabaseEntry { name, version, title, sequences, residues, volumes, created } = entry;
        // The server lists what names mean, so that a mark would be on each.
        let listed = Listed { name, version, current: true, title, sequences, residues, volumes, created };
        print(&listed, args.json, "")?;
    }
    Ok(())
}

async fn list_storage(args: &ListArgs) -> anyhow::Result<()> {
    let pipeline = open_pipeline(&args.storage.location()?, Settings::default())?;
    let catalog = pipeline.catalog();
    for database in catalog.versions(None).await? {
        let manifest = catalog.manifest(&database).await?;
        let current = catalog.current(&database.name).await?.as_ref() == Some(&database.version);
        let listed = Listed {
            name: database.name,
            version: database.version,
            current,
            title: manifest.title,
            sequences: manifest.sequences,
            residues: manifest.residues,
            volumes: manifest.volumes.len(),
            created: manifest.created,
        };
        print(&listed, args.json, if current { " *" } else { "" })?;
    }
    Ok(())
}

fn print(listed: &Listed, json: bool, mark: &str) -> anyhow::Result<()> {
    if json {
        outln!("{}", serde_json::to_string(listed)?)?;
        return Ok(());
    }
    let Listed { name, version, title, .. } = listed;
    let (sequences, residues) = (HumanCount(listed.sequences), HumanCount(listed.residues));
    outln!("{name}@{version}{mark}\t{sequences} sequences\t{residues} residues\t{title}")?;
    Ok(())
}
