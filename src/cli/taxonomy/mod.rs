//! `skyblast taxonomy`: the names of taxa that reports show.

mod import;

/// Import the names of taxa
#[derive(Debug, clap::Subcommand)]
pub(super) enum TaxonomyCommand {
    Import(import::ImportArgs),
}

pub(super) async fn run(command: &TaxonomyCommand) -> anyhow::Result<()> {
    match command {
        TaxonomyCommand::Import(args) => import::run(args).await,
    }
}
