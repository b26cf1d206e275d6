//! The streams that log lines are written to. Nobody may be reading them: the host that started a handler
//! may be dead, or a pager may be waiting for its user. That must not stop the work the lines are about.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long a line waits for a reader that is merely slow.
const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
const NO_PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// A pipe that can be written to takes so many bytes without waiting (`PIPE_BUF`).
const PIECE: usize = 4096;

/// Whether the last line found no reader; such a stream is not waited for again until it can be written.
static STUCK: [Mutex<bool>; 2] = [Mutex::new(false), Mutex::new(false)];

/// Standard output or error, for log lines. Writing always succeeds: what cannot be written is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogStream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

impl io::Write for LogStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Output => put(rustix::stdio::stdout(), bytes, &STUCK[0]),
            Self::Error => put(rustix::stdio::stderr(), bytes, &STUCK[1]),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a line, or drops what of it cannot be written. One line at a time: so nobody else fills the
/// pipe between asking for room and using it.
fn put(stream: BorrowedFd<'_>, mut line: &[u8], stuck: &Mutex<bool>) {
    let mut stuck = stuck.lock().unwrap_or_else(PoisonError::into_inner);
    while !line.is_empty() {
        if !is_writable(stream, if *stuck { &NO_PATIENCE } else { &PATIENCE }) {
            *stuck = true;
            return;
        }
        *stuck = false;
        match rustix::io::write(stream, &line[..line.len().min(PIECE)]) {
            Ok(written) => line = &line[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Whether a write would end at once, be it with an error.
fn is_writable(stream: BorrowedFd<'_>, patience: &Timespec) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(stream, PollFlags::OUT)];
    // A signal may cut the wait short, which is a line lost at worst.
    matches!(poll(&mut polled, Some(patience)), Ok(ready) if ready > 0)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_line_for_nobody_is_dropped() {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        put(writer.as_fd(), b"line\n", &Mutex::new(false));
    }

    #[test]
    fn lines_beyond_what_a_stuck_reader_leaves_room_for_are_dropped_and_later_ones_arrive() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let stuck = Mutex::new(false);
        let line = [b'x'; 3 * PIECE];
        for _ in 0..1_000 {
            put(writer.as_fd(), &line, &stuck);
        }
        assert!(*stuck.lock().expect("no panic"));
        let mut taken = vec![0; 1 << 20];
        let held = reader.read(&mut taken).expect("what the pipe held");
        assert!((PIECE..1_000 * line.len()).contains(&held), "{held}");
        put(writer.as_fd(), b"\nlater\n", &stuck);
        drop(writer);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).expect("the rest");
        assert!(rest.ends_with("\nlater\n"), "{rest:?}");
    }
}
