//! Signals that end the program: temporary files and folders do not outlive it then.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// What is there now.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// While it lives, a file or folder is removed when a signal ends the program.
#[derive(Debug)]
pub(super) struct Temporary(PathBuf);

impl Temporary {
    /// Makes a file or folder.
    pub(super) fn make<T: AsRef<Path>>(make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Self)> {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(listen);
        // A signal in between waits until it is known.
        with_temporary(|paths| {
            let made = make()?;
            let path = made.as_ref().to_owned();
            paths.push(path.clone());
            Ok((made, Self(path)))
        })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        with_temporary(|paths| paths.retain(|path| *path != self.0));
    }
}

/// Lets a write beyond the limit on the size of files (`ulimit -f`) fail, as one on a full disk does,
/// instead of ending the program.
pub(super) fn let_writes_fail() -> io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(|_| ())
}

fn with_temporary<T>(work: impl FnOnce(&mut Vec<PathBuf>) -> T) -> T {
    work(&mut TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Waits for a signal on a thread of its own, and ends the program as the signal would have done.
fn listen() {
    let ignored = ignored_signals(&fs::read_to_string("/proc/self/status").unwrap_or_default());
    let heeded = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    // Without it the files stay behind, which is all that it is for.
    let Ok(mut signals) = Signals::new(heeded) else { return };
    thread::spawn(move || {
        for signal in signals.forever() {
            with_temporary(|paths| {
                for path in paths {
                    // What has got its final name meanwhile is no longer there.
                    let _ = fs::remove_file(&*path).or_else(|_| fs::remove_dir_all(&*path));
                }
                let _ = emulate_default_handler(signal);
            });
        }
    });
}

/// The signals that whoever started the program wants ignored, as `nohup` does: bit 0 is signal 1.
fn ignored_signals(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_that_are_ignored_are_read_from_the_status() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000440\n";
        assert_eq!(ignored_signals(status), 1 << (SIGHUP - 1) | 1 << 12);
        assert_eq!(ignored_signals(""), 0);
    }
}
