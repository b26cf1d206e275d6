//! `skyblast databases`: the databases of a storage or a server.

use std::path::PathBuf;

use anyhow::Context;
use indicatif::HumanCount;

use super::client::{Client, ServerFlags};
use super::makedb;
use super::storage::{StorageFlags, open_pipeline};
use crate::database::Database;
use crate::jobs::{Published, Settings};

const EXAMPLES: &str = "\
Examples:
  skyblast databases add swissprot --in swissprot.fa.gz --storage skyblast-data
  skyblast databases add swissprot --from swissprot.db --storage 'AccountName=…;AccountKey=…'

Adding a database again under the same name makes the name mean the new version; searches under way
go on with the old one. Only volumes that are missing are sent.";

/// Add and list databases
#[derive(Debug, clap::Subcommand)]
pub(super) enum DatabasesCommand {
    /// Add a database to a storage, for servers and workers on that storage
    #[command(after_help = EXAMPLES)]
    Add(AddArgs),
    /// List the databases of a server
    #[command(after_help = "Example:\n  skyblast databases list --server http://127.0.0.1:8765")]
    List(ListArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// Name that searches will use
    name: String,

    /// Directory of a database made with `skyblast makedb`
    #[arg(long, value_name = "DIR", required_unless_present = "inputs")]
    from: Option<PathBuf>,

    /// FASTA file to make the database from: plain, gzip or zstd; may be repeated
    #[arg(long = "in", value_name = "FASTA", conflicts_with = "from")]
    inputs: Vec<PathBuf>,

    #[command(flatten)]
    storage: StorageFlags,
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    server: ServerFlags,
}

pub(super) async fn run(command: &DatabasesCommand) -> anyhow::Result<()> {
    match command {
        DatabasesCommand::Add(args) => add(args).await,
        DatabasesCommand::List(args) => list(args).await,
    }
}

async fn add(args: &AddArgs) -> anyhow::Result<()> {
    let pipeline = open_pipeline(&args.storage.location()?, Settings::default())?;
    // Made next to nothing of the user's, and gone when it has been sent.
    let scratch = tempfile::tempdir().context("could not make a temporary directory")?;
    let directory = match &args.from {
        Some(directory) => directory.clone(),
        None => {
            let directory = scratch.path().join(&args.name);
            makedb::make(&args.inputs, &directory, args.name.clone(), makedb::DEFAULT_VOLUME_SIZE)?;
            directory
        }
    };
    let database = Database::open(&directory)?;
    let mut on_volume = |volume: Published<'_>| match volume {
        Published::Sent(volume) => {
            eprintln!("sent volume {} ({} residues)", volume.digest, HumanCount(volume.residues))
        }
        Published::Present(volume) => eprintln!("volume {} is there already", volume.digest),
    };
    let added = pipeline.catalog().publish(&args.name, &database, &mut on_volume).await?;
    outln!("{added}")?;
    Ok(())
}

async fn list(args: &ListArgs) -> anyhow::Result<()> {
    for database in Client::new(&args.server)?.databases().await? {
        outln!(
            "{}@{}\t{} sequences\t{} residues\t{}",
            database.name,
            database.version,
            HumanCount(database.sequences),
            HumanCount(database.residues),
            database.title
        )?;
    }
    Ok(())
}
