//! Standard input and output that somebody closed before the program started.
//!
//! The standard library opens `/dev/null` in their place before `main`: what is printed would vanish, and
//! queries would look empty, without an error. So they are looked at before that.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::ensure;

use crate::sequence::input::STDIN;

/// Whether standard input cannot be read.
static NO_INPUT: AtomicBool = AtomicBool::new(false);
/// Whether standard output cannot be written.
static NO_OUTPUT: AtomicBool = AtomicBool::new(false);

ctor::declarative::ctor! {
    #[ctor(unsafe)]
    fn look() {
        const READABLE: u32 = 0o400;
        const WRITABLE: u32 = 0o200;
        if fs::metadata("/proc/self/fd").is_ok() {
            NO_INPUT.store(!is_open(0, READABLE), Ordering::Relaxed);
            NO_OUTPUT.store(!is_open(1, WRITABLE), Ordering::Relaxed);
        }
    }
}

/// Whether a descriptor is open for what `permission` stands for in the mode of its link.
fn is_open(descriptor: u32, permission: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    let link = fs::symlink_metadata(format!("/proc/self/fd/{descriptor}"));
    link.is_ok_and(|link| link.mode() & permission != 0)
}

/// Asks for a standard output that takes what will be printed.
pub(super) fn require_output() -> anyhow::Result<()> {
    ensure!(
        !NO_OUTPUT.load(Ordering::Relaxed),
        "standard output is closed, so the result would be lost; send it to a file or a pipe"
    );
    Ok(())
}

/// Asks for a standard input that can be read, if `path` means it.
pub(super) fn require_input(path: &Path) -> anyhow::Result<()> {
    ensure!(
        path.as_os_str() != STDIN || !NO_INPUT.load(Ordering::Relaxed),
        "standard input is closed, so nothing can be read from it; name a file, or send something to it"
    );
    Ok(())
}

/// Prints a line.
pub(super) fn print_line(line: fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{line}").map_err(|e| unwritten(&e))
}

/// An error of the same kind that says that it is standard output that could not be written.
pub(super) fn unwritten(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("could not write standard output: {error}"))
}
