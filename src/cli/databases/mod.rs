//! `skyblast databases`: the databases of a storage or a server.

mod add;
mod collect;
mod list;
mod remove;
mod show;

/// Add, list, pin and remove databases
#[derive(Debug, clap::Subcommand)]
pub(super) enum DatabasesCommand {
    Add(add::AddArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Use(show::UseArgs),
    Remove(remove::RemoveArgs),
    Gc(collect::GcArgs),
}

pub(super) async fn run(command: &DatabasesCommand) -> anyhow::Result<()> {
    match command {
        DatabasesCommand::Add(args) => add::run(args).await,
        DatabasesCommand::List(args) => list::run(args).await,
        DatabasesCommand::Show(args) => show::run(args).await,
        DatabasesCommand::Use(args) => show::use_version(args).await,
        DatabasesCommand::Remove(args) => remove::run(args).await,
        DatabasesCommand::Gc(args) => collect::run(args).await,
    }
}
