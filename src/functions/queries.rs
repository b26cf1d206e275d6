//! Queries of a request as they arrive: few are read by the request, which can then say how many they
//! are and what is odd about them; many are stored and read by a step, as uploads are.

use std::fmt;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use bytes::Bytes;

use super::body::Buffer;
use super::kind::Kind;
use super::options::DryRun;
use super::problem::Problem;
use super::services::App;
use crate::jobs::{Estimate, Job, JobId, Pipeline, Request, SubmitError, Submitter};
use crate::sequence::fasta::{FastaError, Limits, Reader, Total};
use crate::sequence::input::{Input, is_compressed};

/// Name of the queries in errors.
pub(super) const QUERY: &str = "query";

/// Most bytes, as sent, that the request reads.
const READ_AT_ONCE: usize = 1 << 20;
/// Most bytes, decompressed, that the request reads.
const EXPANDED_AT_ONCE: u64 = 32 << 20;
/// Bytes that are stored at a time.
const PART: usize = 4 << 20;

/// Queries that have arrived.
#[derive(Debug)]
pub(super) enum Queries {
    /// All of them, in memory.
    Held(Bytes),
    /// All of them, in storage.
    Stored(Stored),
}

impl Queries {
    /// Submits them.
    pub(super) async fn submit(
        self,
        pipeline: &Pipeline,
        submitter: &Submitter,
        request: &Request,
    ) -> Result<Job, SubmitError> {
        let stored = match self {
            Self::Held(bytes) => {
                let limits = pipeline.query_limits();
                return pipeline
                    .submit_by(submitter, request, move || open(Cursor::new(bytes), limits))
                    .await;
            }
            Self::Stored(stored) => stored,
        };
        let upload = (stored.id, stored.parts, stored.content);
        match pipeline.submit_stored(submitter, upload, request).await {
            Ok(job) => {
                if job.id != stored.id {
                    stored.discard(pipeline).await;
                }
                Ok(job)
            }
            // It may have been accepted all the same; if not, sweep removes what is stored.
            Err(error) if error.is_retryable() => Err(error.into()),
            Err(error) => {
                stored.discard(pipeline).await;
                Err(error.into())
            }
        }
    }
}

impl Queries {
    /// Says what a search with them will take, and keeps nothing of them.
    pub(super) async fn estimate(
        self,
        pipeline: &Pipeline,
        request: &Request,
        dry_run: DryRun,
    ) -> Result<Estimate, Problem> {
        let bytes = match self {
            Self::Held(bytes) => bytes,
            Self::Stored(stored) => {
                stored.discard(pipeline).await;
                let detail = format!(
                    "an estimate takes at most {READ_AT_ONCE} bytes of queries; send the beginning of them and say \
                     with of_queries and of_residues how many there are"
                );
                return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Kind::BodyTooLarge, detail)
                    .with("limit_bytes", READ_AT_ONCE));
            }
        };
        let limits = pipeline.query_limits();
        let open = move || open(Cursor::new(bytes), limits);
        Ok(pipeline.estimate(request, open, dry_run.whole, dry_run.workers).await?)
    }

    /// Removes what is stored of them: they will not be submitted.
    pub(super) async fn discard(self, pipeline: &Pipeline) {
        if let Self::Stored(stored) = self {
            stored.discard(pipeline).await;
        }
    }
}

/// Queries on their way in. Whoever fills a spool ends it with [`finish`](Self::finish).
pub(super) struct Spool {
    pipeline: Arc<Pipeline>,
    owner: Option<String>,
    buffer: Buffer,
    /// The beginning has been looked at, since they are too many to be read at once.
    looked: bool,
    stored: Option<Stored>,
    content: blake3::Hasher,
}

impl Spool {
    pub(super) fn new(app: &App, owner: Option<&str>) -> Result<Self, Problem> {
        let pipeline = app.pipeline()?.clone();
        let (owner, buffer) = (owner.map(str::to_owned), app.arrivals.buffer());
        Ok(Self { pipeline, owner, buffer, looked: false, stored: None, content: blake3::Hasher::new() })
    }

    /// Adds what comes next.
    pub(super) async fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        for piece in piece.chunks(READ_AT_ONCE) {
            self.buffer.push(piece)?;
            if !self.looked && self.buffer.len() > READ_AT_ONCE {
                let beginning = Bytes::copy_from_slice(&self.buffer.as_ref()[..READ_AT_ONCE]);
                self.look(beginning, false).await?;
                self.looked = true;
            }
            if self.buffer.len() >= PART {
                self.store().await?;
            }
        }
        Ok(())
    }

    /// What has arrived, unless `filled` says that it could not be read to its end: then nothing of it
    /// stays.
    pub(super) async fn finish(mut self, filled: Result<(), Problem>) -> Result<Queries, Problem> {
        let finished = match filled {
            Ok(()) => self.complete().await,
            Err(problem) => Err(problem),
        };
        match (finished, self.stored) {
            (Ok(Some(held)), _) => Ok(Queries::Held(held)),
            (Ok(None), Some(stored)) => Ok(Queries::Stored(stored)),
            (Ok(None), None) => Err(Problem::internal("queries were neither held nor stored")),
            (Err(problem), stored) => {
                if let Some(stored) = stored {
                    stored.discard(&self.pipeline).await;
                }
                Err(problem)
            }
        }
    }

    /// The queries if they are few; else the last of them is stored.
    async fn complete(&mut self) -> Result<Option<Bytes>, Problem> {
        if !self.looked {
            let held = Bytes::from(self.buffer.take());
            if !is_compressed(&held) || self.look(held.clone(), true).await? {
                return Ok(Some(held));
            }
            self.store_part(held).await?;
        } else if self.buffer.len() > 0 {
            self.store().await?;
        }
        Ok(None)
    }

    /// Reads the beginning of the queries, so that what are none is refused at once. Tells whether that
    /// was all.
    async fn look(&self, beginning: Bytes, whole: bool) -> Result<bool, Problem> {
        let limits = self.pipeline.query_limits();
        let looked = tokio::task::spawn_blocking(move || look(beginning, whole, limits)).await;
        Ok(looked.map_err(|e| Problem::internal(e.to_string()))?.map_err(SubmitError::Fasta)?)
    }

    async fn store(&mut self) -> Result<(), Problem> {
        let part = Bytes::from(self.buffer.take());
        self.store_part(part).await
    }

    async fn store_part(&mut self, part: Bytes) -> Result<(), Problem> {
        let stored = match &mut self.stored {
            Some(stored) => stored,
            none => {
                let id = self.pipeline.begin_upload(self.owner.as_deref()).await?.id;
                none.insert(Stored { id, parts: 0, content: self.content.finalize() })
            }
        };
        self.content.update(&part);
        self.pipeline.put_part(stored.id, self.owner.as_deref(), stored.parts, part).await?;
        stored.parts += 1;
        stored.content = self.content.finalize();
        Ok(())
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("buffer", &self.buffer)
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}

/// Queries in storage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    id: JobId,
    parts: u32,
    /// Digest of all parts.
    content: blake3::Hash,
}

impl Stored {
    async fn discard(self, pipeline: &Pipeline) {
        if let Err(error) = pipeline.give_up_upload(self.id).await {
            tracing::warn!(upload = %self.id, %error, "could not remove what was sent; sweep will");
        }
    }
}

fn open(reader: impl Read + Send + 'static, limits: Limits) -> Result<Reader<Input>, FastaError> {
    match Input::from_sender(QUERY, reader) {
        Ok(input) => Ok(Reader::with_limits(QUERY, input, limits)),
        Err(error) => Err(FastaError::unreadable(QUERY, error)),
    }
}

/// Reads the beginning of queries, or the `whole` of them, as far as it pays; tells whether it came to
/// their end.
fn look(beginning: Bytes, whole: bool, limits: Limits) -> Result<bool, FastaError> {
    let ended = Arc::new(AtomicBool::new(false));
    let watched = Watched { inner: Cursor::new(beginning), ended: ended.clone() };
    let few = Limits { bytes: limits.bytes.min(EXPANDED_AT_ONCE), ..limits };
    for record in open(watched, few)? {
        match record {
            Ok(_) => {}
            Err(FastaError::TooMuch { what: Total::Bytes, limit, .. }) if limit < limits.bytes => {
                return Ok(false);
            }
            // What is cut off looks wrong at its end.
            Err(_) if !whole && ended.load(Ordering::Relaxed) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(whole)
}

/// A reader that notes that it has come to its end.
struct Watched<R> {
    inner: R,
    ended: Arc<AtomicBool>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        // What was just given may be the last, and the reader looks ahead.
        if read < buffer.len() {
            self.ended.store(true, Ordering::Relaxed);
        }
        Ok(read)
    }
}
