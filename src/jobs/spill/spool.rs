//! Bytes that are made before anybody takes them, and may have to be taken more than once.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use crate::jobs::error::{Error, Result};

/// Length of a piece, bytes.
const PIECE: usize = 1 << 20;

/// Takes bytes; what takes more than some memory goes to a temporary file.
#[derive(Debug)]
pub(in crate::jobs) struct SpoolWriter {
    room: usize,
    held: Vec<u8>,
    file: Option<File>,
    length: u64,
}

/// The bytes.
#[derive(Clone, Debug)]
pub(in crate::jobs) enum Spool {
    /// In memory.
    Held(Bytes),
    /// In a file, of this length.
    Stored(Arc<File>, u64),
}

impl SpoolWriter {
    /// Nothing yet, with `room` bytes of memory for it.
    pub(in crate::jobs) fn new(room: usize) -> Self {
        Self { room, held: Vec::new(), file: None, length: 0 }
    }

    /// All that was written.
    pub(in crate::jobs) fn finish(self) -> Spool {
        match self.file {
            Some(file) => Spool::Stored(Arc::new(file), self.length),
            None => Spool::Held(self.held.into()),
        }
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.held.len() + bytes.len() > self.room {
            let mut file = tempfile::tempfile()?;
            file.write_all(&std::mem::take(&mut self.held))?;
            self.file = Some(file);
        }
        let written = match &mut self.file {
            Some(file) => file.write(bytes)?,
            None => self.held.write(bytes)?,
        };
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Spool {
    /// Number of bytes.
    pub(in crate::jobs) fn len(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Stored(_, length) => *length,
        }
    }

    /// The bytes, piece by piece.
    pub(in crate::jobs) fn pieces(&self) -> BoxStream<'static, Result<Bytes>> {
        let spool = self.clone();
        let starts = stream::iter((0..self.len()).step_by(PIECE));
        starts
            .then(move |start| {
                let (spool, length) = (spool.clone(), spool.len());
                let end = length.min(start + PIECE as u64);
                async move {
                    match spool {
                        Self::Held(bytes) => Ok(bytes.slice(start as usize..end as usize)),
                        Self::Stored(file, _) => {
                            let mut piece = vec![0; (end - start) as usize];
                            let read = move || file.read_exact_at(&mut piece, start).map(|()| piece.into());
                            let read = tokio::task::spawn_blocking(read).await;
                            Ok(read.map_err(|e| Error::Internal(e.to_string()))??)
                        }
                    }
                }
            })
            .boxed()
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_twice_from_memory_and_from_a_file() {
        let text: Vec<u8> = (0..2 * PIECE + 5).map(|place| (place % 251) as u8).collect();
        for room in [0, PIECE, 3 * PIECE] {
            let mut writer = SpoolWriter::new(room);
            text.chunks(7_777).for_each(|part| writer.write_all(part).expect("room"));
            let spool = writer.finish();
            assert_eq!(matches!(spool, Spool::Stored(..)), room < text.len());
            for _ in 0..2 {
                let pieces: Vec<Bytes> = spool.pieces().try_collect().await.expect("pieces");
                assert!(pieces.concat() == text && pieces.iter().all(|piece| piece.len() <= PIECE));
            }
        }
    }
}
