//! Blobs of any size, read and written piece by piece.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::Ledger;
use crate::jobs::error::{Error, Result};
use crate::store::{self, BlobName, ErrorKind, Standing, Written};

/// What is shorter is written and held in one piece, bytes.
pub(super) const SHORT: usize = 8 << 20;

/// Bytes piece by piece, unless an error ends them.
pub(in crate::jobs) type Pieces = BoxStream<'static, Result<Bytes>>;

/// How some bytes begin.
pub(super) struct Start {
    pub(super) bytes: Bytes,
    /// Whether nothing comes after it.
    pub(super) is_all: bool,
}

/// Takes pieces until they are no longer short.
pub(super) async fn start_of(pieces: &mut Pieces) -> Result<Start> {
    let mut start = BytesMut::new();
    while start.len() <= SHORT {
        match pieces.try_next().await? {
            // Most have one piece.
            Some(piece) if start.is_empty() => start = piece.into(),
            Some(piece) => start.extend_from_slice(&piece),
            None => return Ok(Start { bytes: start.freeze(), is_all: true }),
        }
    }
    Ok(Start { bytes: start.freeze(), is_all: false })
}

/// Lets a thread that may wait read the pieces.
pub(in crate::jobs) fn reader(pieces: Pieces) -> impl Read + Send + 'static {
    SyncIoBridge::new(StreamReader::new(pieces.map_err(io::Error::from)))
}

impl Ledger {
    /// The content of a blob.
    pub(super) async fn pieces(&self, blob: &BlobName) -> Result<Pieces> {
        Ok(self.blobs.read(blob).await?.map_err(Error::from).boxed())
    }

    /// Writes a blob; one that is there stays or goes, and says which. Nothing is written if the pieces end with an
    /// error.
    pub(super) async fn put_pieces(
        &self,
        blob: &BlobName,
        mut pieces: Pieces,
        standing: Standing,
    ) -> Result<Written> {
        let start = start_of(&mut pieces).await?;
        match standing {
            Standing::Goes if start.is_all => {
                self.blobs.put(blob, start.bytes).await?;
                Ok(Written::Created)
            }
            Standing::Stays if start.is_all => Ok(self.blobs.put_if_absent(blob, start.bytes).await?),
            _ => {
                // The store knows its own errors only.
                let noted = Arc::new(Mutex::new(None));
                let trouble = noted.clone();
                let pieces = stream::iter([Ok(start.bytes)]).chain(pieces).map_err(move |error| {
                    let told = store::Error::new(ErrorKind::Permanent, "make", "a blob", error.to_string());
                    trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    told
                });
                let written = self.blobs.put_pieces(blob, pieces.boxed(), standing).await;
                if let Some(error) = noted.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    return Err(error);
                }
                Ok(written?)
            }
        }
    }
}
