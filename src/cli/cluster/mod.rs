//! `skyblast cluster`: as many workers on a cluster as there is work for.

mod slurm;
mod warranted;

/// Start workers on a cluster as the work demands
#[derive(Debug, clap::Subcommand)]
pub(super) enum ClusterCommand {
    Slurm(slurm::SlurmArgs),
}

pub(super) async fn run(command: &ClusterCommand) -> anyhow::Result<()> {
    match command {
        ClusterCommand::Slurm(args) => slurm::run(args).await,
    }
}
