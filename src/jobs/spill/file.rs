//! A temporary file of frames, each of which can be read by itself while others are written.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::jobs::error::Result;
use crate::jobs::frame::{self, Frame, FrameReader, FrameWriter, Kind};

/// What errors call such a file.
const NAME: &str = "a temporary file";
/// Content of a block, bytes: there may be many readers at a time.
const BLOCK: usize = 64 << 10;

/// A temporary file without a name, made when it is first needed.
#[derive(Debug, Default)]
pub(in crate::jobs) struct Scratch {
    file: Option<Arc<File>>,
    length: u64,
}

/// A frame that has been written to a temporary file.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    file: Arc<File>,
    range: Range<u64>,
}

impl Scratch {
    /// Begins a frame behind all others; the next may begin when this one has been kept.
    pub(super) fn begin(&mut self) -> io::Result<FrameWriter<End>> {
        let file = match &self.file {
            Some(file) => file.clone(),
            None => self.file.insert(Arc::new(tempfile::tempfile()?)).clone(),
        };
        FrameWriter::new(Kind::Spilled, BLOCK, End { file, start: self.length, length: 0 })
    }

    /// Ends a frame.
    pub(super) fn keep(&mut self, frame: FrameWriter<End>) -> io::Result<Stored> {
        let End { file, start, length } = frame.finish()?;
        self.length = start + length;
        Ok(Stored { file, range: start..self.length })
    }
}

impl Stored {
    /// Reads the frame from its beginning.
    pub(super) fn read(&self) -> Result<FrameReader<Stored>> {
        match frame::open(Kind::Spilled, NAME, self.clone())? {
            Frame::Blocks(reader) => Ok(reader),
            Frame::Whole(_) => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        }
    }
}

/// What is left to read of a frame.
impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.file.read_at(&mut buffer[..wanted], self.range.start)?;
        self.range.start += read as u64;
        Ok(read)
    }
}

/// Where a frame is being written.
#[derive(Debug)]
pub(super) struct End {
    file: Arc<File>,
    start: u64,
    length: u64,
}

impl Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.start + self.length)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::error::Error;

    fn read(stored: &Stored) -> Result<Vec<u64>> {
        let mut reader = stored.read()?;
        std::iter::from_fn(|| reader.next().transpose()).collect()
    }

    #[test]
    fn frames_of_a_file_are_read_by_themselves_and_damage_is_noticed() {
        let mut scratch = Scratch::default();
        let mut write = |values: Range<u64>| {
            let mut frame = scratch.begin().expect("a file");
            values.for_each(|value| frame.push(&value).expect("room"));
            scratch.keep(frame).expect("room")
        };
        let (first, second) = (write(0..100_000), write(7..9));
        assert_eq!(read(&first).expect("whole"), (0..100_000).collect::<Vec<_>>());
        assert_eq!(read(&second).expect("whole"), [7, 8]);
        first.file.write_all_at(b"!", first.range.end - 30).expect("a file");
        assert!(matches!(read(&first), Err(Error::Damaged { .. })));
        assert_eq!(read(&second).expect("whole"), [7, 8]);
        second.file.set_len(second.range.end - 1).expect("a file");
        assert!(matches!(read(&second), Err(Error::Damaged { .. })));
    }
}
