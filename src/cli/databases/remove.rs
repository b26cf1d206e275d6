//! `skyblast databases remove`.

use crate::cli::storage::{StorageFlags, open_pipeline};
use crate::jobs::Settings;

const EXAMPLES: &str = "\
Examples:
  skyblast databases remove swissprot       with all its versions
  skyblast databases remove swissprot@0123456789abcdef0123456789abcdef

Searches that have been accepted go on. Volumes are deleted later, when nothing needs them any more;
see skyblast databases gc.";

/// Remove a database, or one version of it, from a storage
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct RemoveArgs {
    /// Name, or name@version
    name: String,

    #[command(flatten)]
    storage: StorageFlags,
}

pub(super) async fn run(args: &RemoveArgs) -> anyhow::Result<()> {
    let pipeline = open_pipeline(&args.storage.location()?, Settings::default())?;
    for removed in pipeline.catalog().remove(&args.name).await? {
        outln!("{removed}")?;
    }
    Ok(())
}
