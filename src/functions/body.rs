//! Bodies of requests: while one arrives it holds no thread, it has to arrive at some pace, and it is
//! held to a limit. So are all bodies together.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::kind::Kind;
use super::problem::Problem;
use super::services::Limits;

/// How fast a body has to arrive. Only the time counts in which the server waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// In each such time …
    pub window: Duration,
    /// … at least so many bytes come, or the rest of the body.
    pub window_bytes: u64,
    /// All of it comes within this time.
    pub longest: Duration,
}

impl Default for Pace {
    /// 16 KiB in 30 seconds, and half an hour for all.
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            window_bytes: 16 << 10,
            longest: Duration::from_secs(30 * 60),
        }
    }
}

/// Why a body could not be read to its end.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// It is longer than allowed.
    #[error(
        "the body is larger than {limit} bytes; compress it with gzip or zstd, send it by POST /api/uploads as \
         skyblast submit does, split the FASTA into several searches, or use `skyblast search` on a machine that \
         has the file"
    )]
    TooLarge {
        /// Most bytes allowed.
        limit: u64,
    },
    /// The client sends nothing, or next to nothing.
    #[error(
        "the body arrives too slowly; at least {} bytes must come in {} seconds, and all of it in {} minutes",
        .0.window_bytes, .0.window.as_secs(), .0.longest.as_secs() / 60
    )]
    Slow(Pace),
    /// The connection broke, or its framing is wrong.
    #[error("the body ended too early: {0}")]
    Broken(String),
    /// Others are arriving.
    #[error("too many requests with a body are arriving at the same time; try again")]
    Busy,
}

/// Seconds after which a place is likely to be free.
const BUSY_RETRY_SECONDS: u32 = 10;

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let detail = error.to_string();
        match error {
            BodyError::TooLarge { limit } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, Kind::BodyTooLarge, detail)
                    .with("limit_bytes", limit)
            }
            BodyError::Slow(_) => Self::new(StatusCode::REQUEST_TIMEOUT, Kind::BodyIncomplete, detail),
            BodyError::Broken(_) => Self::bad_request(Kind::BodyIncomplete, detail),
            BodyError::Busy => Self::unavailable(Kind::Busy, detail).retry_after(BUSY_RETRY_SECONDS),
        }
    }
}

/// All bodies that are arriving, and the memory that they have together.
#[derive(Debug)]
pub(super) struct Arrivals {
    places: Arc<Semaphore>,
    /// In units of [`MEMORY_UNIT`].
    memory: Arc<Semaphore>,
    pace: Pace,
}

/// Memory is given out in pieces of this many bytes.
const MEMORY_UNIT: usize = 64 << 10;

impl Arrivals {
    pub(super) fn new(limits: &Limits) -> Self {
        let units = usize::try_from(limits.bodies_memory).unwrap_or(usize::MAX) / MEMORY_UNIT;
        Self {
            places: Arc::new(Semaphore::new(limits.bodies.min(Semaphore::MAX_PERMITS))),
            memory: Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))),
            pace: limits.pace,
        }
    }

    /// Lets `body` arrive, of which at most `limit` bytes are taken.
    pub(super) fn begin(&self, body: Body, limit: u64) -> Result<Arrival, BodyError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| BodyError::Busy)?;
        Ok(Arrival {
            pieces: body.into_data_stream(),
            _place: place,
            received: 0,
            limit,
            pace: self.pace,
            waited: Duration::ZERO,
            window: (Duration::ZERO, 0),
        })
    }

    /// Room for bytes that have arrived.
    pub(super) fn buffer(&self) -> Buffer {
        Buffer { bytes: Vec::new(), memory: self.memory.clone(), held: None }
    }

    /// The whole of `body` in memory, at most `limit` bytes.
    pub(super) async fn whole(&self, body: Body, limit: u64) -> Result<Buffer, BodyError> {
        let (mut arrival, mut buffer) = (self.begin(body, limit)?, self.buffer());
        while let Some(piece) = arrival.next().await? {
            buffer.push(&piece)?;
        }
        Ok(buffer)
    }
}

/// A body that is arriving.
#[derive(Debug)]
pub(super) struct Arrival {
    pieces: BodyDataStream,
    _place: OwnedSemaphorePermit,
    received: u64,
    limit: u64,
    pace: Pace,
    waited: Duration,
    /// Time waited for, and bytes received, since the pace was last found good.
    window: (Duration, u64),
}

impl Arrival {
    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let left = |whole: Duration, spent| whole.saturating_sub(spent);
        let patience = left(self.pace.window, self.window.0).min(left(self.pace.longest, self.waited));
        let begun = Instant::now();
        let next = timeout(patience, self.pieces.next()).await;
        self.waited += begun.elapsed();
        self.window.0 += begun.elapsed();
        let piece = match next {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(error))) => return Err(BodyError::Broken(error.to_string())),
            Err(_) => return Err(BodyError::Slow(self.pace)),
        };
        self.received += piece.len() as u64;
        if self.received > self.limit {
            return Err(BodyError::TooLarge { limit: self.limit });
        }
        self.window.1 += piece.len() as u64;
        if self.window.1 >= self.pace.window_bytes {
            self.window = (Duration::ZERO, 0);
        }
        Ok(Some(piece))
    }

    /// The body for whoever takes one, and where trouble with it will be noted.
    pub(super) fn into_body(self) -> (Body, Trouble) {
        let trouble = Trouble::default();
        let note = trouble.clone();
        let pieces = self.into_stream().inspect_err(move |error| {
            // The first trouble is the one that counts.
            let _ = note.0.set(error.clone());
        });
        (Body::from_stream(pieces), trouble)
    }

    fn into_stream(self) -> impl Stream<Item = Result<Bytes, BodyError>> {
        stream::try_unfold(self, |mut arrival| async move {
            Ok(arrival.next().await?.map(|piece| (piece, arrival)))
        })
    }
}

/// What stopped a body, for whoever is not holding it any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<OnceLock<BodyError>>);

impl Trouble {
    /// What went wrong, if anything did.
    pub(super) fn get(&self) -> Option<BodyError> {
        self.0.get().cloned()
    }
}

/// Bytes in memory, which count as long as this lives.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    memory: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Buffer {
    /// Adds `piece`, if there is memory.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), BodyError> {
        let needed = (self.bytes.len() + piece.len()).div_ceil(MEMORY_UNIT);
        let further = needed.saturating_sub(self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if further > 0 {
            let further = u32::try_from(further).map_err(|_| BodyError::Busy)?;
            let memory = self.memory.clone().try_acquire_many_owned(further).map_err(|_| BodyError::Busy)?;
            match &mut self.held {
                Some(held) => held.merge(memory),
                none => *none = Some(memory),
            }
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Number of bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the bytes out. The memory still counts, since they are still there.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}
