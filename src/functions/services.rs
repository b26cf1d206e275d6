//! What every function is given: the pipeline, if there is one, and limits.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::problem::Problem;
use crate::jobs::Pipeline;

/// The pipeline that the functions work on.
#[derive(Clone, Debug)]
pub enum Services {
    /// The pipeline. Its storage may still be out of reach.
    Ready(Arc<Pipeline>),
    /// There is none, for example because storage is not configured; the text says what to do.
    ///
    /// The functions answer all the same, so that whoever calls them learns why.
    Unavailable(String),
}

/// What a request may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest body of a request, bytes as sent (compressed, if it is).
    pub body_bytes: u64,
}

impl Default for Limits {
    /// 100 MB: a little less than the Functions host takes (104,857,600 bytes), so that the refusal is
    /// ours, which says what to do.
    fn default() -> Self {
        Self { body_bytes: 100_000_000 }
    }
}

/// State of the router.
#[derive(Debug)]
pub(super) struct App {
    services: Services,
    pub(super) limits: Limits,
    /// Held while a shard is compared: one shard keeps all cores busy, and two would need twice
    /// the memory.
    pub(super) comparing: Mutex<()>,
}

impl App {
    pub(super) fn new(services: Services, limits: Limits) -> Self {
        Self { services, limits, comparing: Mutex::default() }
    }

    /// The pipeline, or why there is none.
    pub(super) fn pipeline(&self) -> Result<&Arc<Pipeline>, Unavailable<'_>> {
        match &self.services {
            Services::Ready(pipeline) => Ok(pipeline),
            Services::Unavailable(reason) => Err(Unavailable(reason)),
        }
    }
}

/// Why there is no pipeline.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("storage is not set up: {0}")]
pub(super) struct Unavailable<'a>(&'a str);

impl From<Unavailable<'_>> for Problem {
    fn from(unavailable: Unavailable<'_>) -> Self {
        Self::unavailable("storage-not-set-up", unavailable.to_string())
    }
}
