//! Bodies of requests: read on a thread that may block, never longer than the limit.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::stream::Fuse;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::problem::Problem;

/// A client that sends nothing for this long is given up.
const IDLE: Duration = Duration::from_secs(60);

/// Why a body could not be read to its end.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// It is longer than allowed.
    #[error(
        "the body is larger than {limit} bytes; compress it with gzip or zstd, split the FASTA into several \
         searches, or use `skyblast search` on a machine that has the file"
    )]
    TooLarge {
        /// Most bytes allowed.
        limit: u64,
    },
    /// The client has fallen silent.
    #[error("the body stopped arriving; nothing came for {} seconds", IDLE.as_secs())]
    Idle,
    /// The connection broke, or its framing is wrong.
    #[error("the body ended too early: {0}")]
    Broken(String),
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let detail = error.to_string();
        match error {
            BodyError::TooLarge { limit } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail).with("limit_bytes", limit)
            }
            BodyError::Idle => Self::new(StatusCode::REQUEST_TIMEOUT, "body-incomplete", detail),
            BodyError::Broken(_) => Self::bad_request("body-incomplete", detail),
        }
    }
}

/// What stopped a [`BodyReader`], for whoever is not holding it any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<OnceLock<BodyError>>);

impl Trouble {
    /// What went wrong, if anything did.
    pub(super) fn get(&self) -> Option<BodyError> {
        self.0.get().cloned()
    }
}

/// A body as a blocking reader, holding one piece of it at a time.
#[derive(Debug)]
pub(super) struct BodyReader {
    runtime: Handle,
    rest: Fuse<BodyDataStream>,
    piece: Bytes,
    received: u64,
    limit: u64,
    trouble: Trouble,
}

impl BodyReader {
    /// Waits for the first piece of `body`, of which at most `limit` bytes are accepted.
    pub(super) async fn open(body: Body, limit: u64) -> Result<Self, BodyError> {
        let mut reader = Self {
            runtime: Handle::current(),
            rest: body.into_data_stream().fuse(),
            piece: Bytes::new(),
            received: 0,
            limit,
            trouble: Trouble::default(),
        };
        reader.refill().await?;
        Ok(reader)
    }

    /// The first byte, if there is one.
    pub(super) fn first_byte(&self) -> Option<u8> {
        self.piece.first().copied()
    }

    /// Where trouble will be noted.
    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }

    /// The whole body.
    pub(super) async fn into_bytes(mut self) -> Result<Vec<u8>, BodyError> {
        let mut whole = Vec::new();
        while !self.piece.is_empty() {
            whole.extend_from_slice(&self.piece);
            self.piece.clear();
            self.refill().await?;
        }
        Ok(whole)
    }

    /// Waits until there is a piece or the body has ended.
    async fn refill(&mut self) -> Result<(), BodyError> {
        while self.piece.is_empty() {
            self.piece = match timeout(IDLE, self.rest.next()).await {
                Ok(None) => break,
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => return Err(BodyError::Broken(error.to_string())),
                Err(_) => return Err(BodyError::Idle),
            };
            self.received += self.piece.len() as u64;
            if self.received > self.limit {
                self.piece.clear();
                return Err(BodyError::TooLarge { limit: self.limit });
            }
        }
        Ok(())
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            let runtime = self.runtime.clone();
            runtime.block_on(self.refill()).map_err(|error| {
                // The first trouble is the one that counts.
                let _ = self.trouble.0.set(error.clone());
                io::Error::other(error)
            })?;
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
