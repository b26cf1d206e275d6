//! `skyblast completions`: what shells need to complete command lines.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::standard::unwritten;

const EXAMPLES: &str = "\
Examples:
  skyblast completions bash > ~/.local/share/bash-completion/completions/skyblast
  skyblast completions zsh > ~/.zfunc/_skyblast           with fpath+=~/.zfunc in ~/.zshrc
  skyblast completions fish > ~/.config/fish/completions/skyblast.fish";

/// Print a script that lets a shell complete skyblast's commands and options
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "skyblast", &mut script);
    std::io::stdout().write_all(&script).map_err(|error| unwritten(&error))?;
    Ok(())
}
