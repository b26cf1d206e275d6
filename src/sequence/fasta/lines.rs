//! Lines of a byte stream, ended by LF, CR or CR LF, of bounded length.

use std::io::{self, BufRead, ErrorKind};

/// What [`Lines::advance`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advance {
    /// A line, to be had from [`Lines::line`].
    Line,
    /// A line that is longer than allowed; its start is in [`Lines::line`].
    TooLong,
    /// The end of the input.
    End,
}

/// Splits a stream into lines; the line ends are not part of them.
#[derive(Debug)]
pub(super) struct Lines<R> {
    inner: R,
    line: Vec<u8>,
    number: u64,
    /// Bytes taken from `inner`.
    consumed: u64,
    longest: usize,
    /// The last line ended with CR: an LF that follows belongs to it, even if it is read later.
    after_cr: bool,
}

impl<R: BufRead> Lines<R> {
    /// Lines of at most `longest` bytes.
    pub(super) fn new(inner: R, longest: usize) -> Self {
        Self { inner, line: Vec::new(), number: 0, consumed: 0, longest, after_cr: false }
    }

    /// The current line.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Number of the current line, from 1; 0 before the first.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Bytes read so far, line ends included.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Moves on to the next line.
    pub(super) fn advance(&mut self) -> io::Result<Advance> {
        self.line.clear();
        let mut started = false;
        loop {
            let available = match self.inner.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(if started { Advance::Line } else { Advance::End });
            }
            if std::mem::take(&mut self.after_cr) && available[0] == b'\n' {
                self.inner.consume(1);
                self.consumed += 1;
                continue;
            }
            if !started {
                started = true;
                self.number += 1;
            }
            let end = available.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let text = &available[..end.unwrap_or(available.len())];
            let room = self.longest - self.line.len();
            if text.len() > room {
                self.line.extend_from_slice(&text[..room]);
                return Ok(Advance::TooLong);
            }
            self.line.extend_from_slice(text);
            let consumed = match end {
                Some(end) => {
                    self.after_cr = available[end] == b'\r';
                    end + 1
                }
                None => available.len(),
            };
            self.inner.consume(consumed);
            self.consumed += consumed as u64;
            if end.is_some() {
                return Ok(Advance::Line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(input: &[u8], capacity: usize) -> Vec<String> {
        let mut lines = Lines::new(io::BufReader::with_capacity(capacity, input), 100);
        let mut found = Vec::new();
        while lines.advance().unwrap() == Advance::Line {
            found.push(format!("{} {}", lines.number(), lines.line().escape_ascii()));
        }
        found
    }

    #[test]
    fn every_kind_of_line_end_counts_once() {
        for capacity in [1, 2, 3, 100] {
            assert_eq!(split(b"a\nb\rc\r\nd", capacity), ["1 a", "2 b", "3 c", "4 d"]);
            assert_eq!(split(b"a\r\r\n\nb\n", capacity), ["1 a", "2 ", "3 ", "4 b"]);
            assert_eq!(split(b"", capacity), [""; 0]);
            assert_eq!(split(b"\r\n", capacity), ["1 "]);
        }
    }

    #[test]
    fn a_line_over_the_limit_stops_there() {
        let mut lines = Lines::new(&b"abc\nabcd"[..], 3);
        assert_eq!(lines.advance().unwrap(), Advance::Line);
        assert_eq!(lines.advance().unwrap(), Advance::TooLong);
        assert_eq!((lines.line(), lines.number()), (&b"abc"[..], 2));
    }
}
