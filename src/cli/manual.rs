//! `skyblast manual`: manual pages.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;

use super::Cli;

const EXAMPLES: &str = "\
Examples:
  skyblast manual --out ~/.local/share/man/man1 && man skyblast-search";

/// Write manual pages, one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ManualArgs {
    /// Directory of the pages; created if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: &ManualArgs) -> anyhow::Result<()> {
    let out = &args.out;
    let failed = || format!("could not write manual pages to {}", out.display());
    fs::create_dir_all(out).with_context(failed)?;
    clap_mangen::generate_to(Cli::command(), out).with_context(failed)?;
    outln!("wrote manual pages to {}; man -l {} shows one", out.display(), out.join("skyblast.1").display())?;
    Ok(())
}
