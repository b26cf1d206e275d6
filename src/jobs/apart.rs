//! Working apart: where the last delivery of a message ended without an answer, the next is worked on in a process
//! of its own.
//!
//! Work that ends its process, as when memory runs out, would end the next as well; the Functions host
//! stops with the third that dies within half an hour, and keeps hidden for ten minutes what it was
//! doing. A process of its own has one thread and the memory to itself, and if it dies, somebody is left to tell.

use std::fmt::Debug;
use std::time::Instant;

use async_trait::async_trait;

use super::error::{Error, Result};
use super::messages::{self, ShardPlanned, Stage};
use super::pipeline::Pipeline;
use super::poison::{edition_of, step_of};
use super::search::in_milliseconds;

/// How work in a process of its own ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The message is dealt with.
    Settled,
    /// It is not, and may be tried again; what went wrong is noted in storage.
    Failed,
    /// The process ended otherwise; how, as in "was killed by signal 9".
    Died(String),
}

/// Starts processes for a delivery that a process of its own may end without harm to others.
#[async_trait]
pub trait Apart: Debug + Send + Sync {
    /// Has a process of its own handle a delivery of a message of `stage`, as [`Pipeline::deliver`] would, and waits
    /// for its end. Should the caller lose interest, the process is ended.
    async fn work(&self, stage: Stage, body: &str, delivery: u32) -> std::io::Result<Ending>;
}

impl Pipeline {
    /// The same pipeline, which works apart on what may have ended a process.
    pub fn with_apart(mut self, apart: impl Apart + 'static) -> Self {
        self.apart = Some(Box::new(apart));
        self
    }

    /// Whether a delivery is to be worked on apart: it is of a step that takes memory, there is nothing yet to show
    /// for it, and the one before was neither answered nor its failure noted.
    pub(super) async fn is_for_apart(&self, stage: Stage, body: &str, delivery: u32) -> Result<bool> {
        if self.apart.is_none() || delivery < 2 || !matches!(stage, Stage::Search | Stage::Merge) {
            return Ok(false);
        }
        let (Ok(edition), Ok(step)) = (edition_of(stage, body), step_of(stage, body)) else {
            return Ok(false);
        };
        let noted = self.ledger.trouble(edition, &step).await?;
        if noted.is_some_and(|trouble| trouble.delivery + 1 >= delivery) {
            return Ok(false);
        }
        match stage {
            Stage::Search => Ok(!self.ledger.has_hits(messages::parse(stage, body)?).await?),
            _ => Ok(true),
        }
    }

    /// Works apart on a delivery of a message of `stage`. If that ends without an answer too, the shard is recorded as
    /// failed with the reason; a merge ends its job.
    pub(super) async fn work_apart(&self, stage: Stage, body: &str, delivery: u32) -> Result<()> {
        let Some(apart) = &self.apart else { return Ok(()) };
        let (edition, step) = (edition_of(stage, body)?, step_of(stage, body)?);
        let id = edition.job;
        tracing::warn!(job = %id, step, delivery, "the last attempt ended without an answer; working apart");
        self.forget().await;
        let started = Instant::now();
        let ended = apart.work(stage, body, delivery).await;
        let ended = ended.map_err(|error| Error::Internal(format!("could not start a process: {error}")))?;
        match ended {
            Ending::Settled => Ok(()),
            Ending::Failed => {
                let noted = self.ledger.trouble(edition, &step).await?;
                let reason = noted.map_or_else(|| "it is not known why".to_owned(), |trouble| trouble.error);
                Err(Error::Apart(reason))
            }
            Ending::Died(how) => {
                if stage == Stage::Search {
                    let shard: ShardPlanned = messages::parse(stage, body)?;
                    self.ledger.put_spent(shard, in_milliseconds(started.elapsed())).await?;
                }
                let reason = format!(
                    "given up, as it has ended its process twice; the second one, with one thread and nothing else to do, \
                     {how}. If that was for want of memory, larger instances or smaller volumes help"
                );
                self.settle_given_up(stage, body, &reason).await
            }
        }
    }
}
