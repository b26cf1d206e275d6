//! The `skyblast` command.

use std::io::{self, Write};
use std::process::ExitCode;

use skyblast::cli::{Cli, Exit};

fn main() -> ExitCode {
    match Cli::of_process().run() {
        Ok(()) => Exit::Done.into(),
        Err(error) if is_broken_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            // Nothing can be done about a standard error that cannot be written.
            let _ = writeln!(io::stderr(), "skyblast: {}", text(&error));
            Exit::of(&error).into()
        }
    }
}

/// The error and its causes, without those that an error's own text ends with.
fn text(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// Whether the reader of our output went away, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
