//! Bytes that a thread of its own makes while others take them, with a bounded part of them in memory.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::mpsc;

use super::error::{Error, Result};

/// Length of a piece, bytes.
const PIECE: usize = 1 << 20;
/// Pieces that may wait to be taken.
const WAITING: usize = 2;

/// What `make` writes, piece by piece, and its error if it fails. If nobody takes the pieces any more, `make`
/// cannot write any more.
pub(super) fn produced(
    make: impl FnOnce(&mut (dyn Write + Send)) -> Result<()> + Send + 'static,
) -> BoxStream<'static, Result<Bytes>> {
    let (pieces, taken) = mpsc::channel(WAITING);
    let made = tokio::task::spawn_blocking(move || {
        let mut out = Pieces { pieces, piece: BytesMut::new() };
        make(&mut out)?;
        Ok(out.flush()?)
    });
    let pieces = stream::unfold(taken, |mut taken| async { Some((Ok(taken.recv().await?), taken)) });
    let end = stream::once(made).filter_map(|made| async move {
        made.map_err(|e| Error::Internal(e.to_string())).and_then(|made| made).err().map(Err)
    });
    pieces.chain(end).boxed()
}

/// Where the pieces go.
struct Pieces {
    pieces: mpsc::Sender<Bytes>,
    /// What is too short to go by itself.
    piece: BytesMut,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fitting = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..fitting]);
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        Ok(fitting)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece).freeze();
        self.pieces.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn what_is_written_arrives_and_so_does_an_error() {
        let text: Vec<u8> = (0..3 * PIECE + 5).map(|place| (place % 251) as u8).collect();
        let written = text.clone();
        let pieces: Vec<Bytes> =
            produced(move |out| Ok(out.write_all(&written)?)).try_collect().await.expect("written");
        assert_eq!(pieces.concat(), text);
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE));

        let mut broken = produced(|out| {
            out.write_all(b"begun")?;
            Err(Error::Internal("and broken off".to_owned()))
        });
        let error = loop {
            match broken.next().await.expect("an error comes last") {
                Ok(_) => {}
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(error, "internal error: and broken off");
        assert!(broken.next().await.is_none());
    }

    #[tokio::test]
    async fn who_writes_for_nobody_is_told() {
        let (told, was_told) = std::sync::mpsc::channel();
        let mut pieces = produced(move |out| {
            let written = loop {
                if let Err(error) = out.write_all(&[7; PIECE]) {
                    break error.kind();
                }
            };
            told.send(written).map_err(|e| Error::Internal(e.to_string()))
        });
        assert!(pieces.next().await.is_some());
        drop(pieces);
        let told = tokio::task::spawn_blocking(move || was_told.recv()).await.expect("a thread");
        assert_eq!(told, Ok(io::ErrorKind::BrokenPipe));
    }
}
