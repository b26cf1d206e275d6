//! Messages that were given up: their job must learn of it, or it would wait for ever.

use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, MAX_DELIVERIES};
use super::edition::Edition;
use super::error::{Error, Result};
use super::job::State;
use super::merge::check_chunk;
use super::messages::{self, ChunkSearched, JobMerged, JobSubmitted, Message, ShardPlanned, Stage};
use super::pipeline::{Pipeline, in_trace_of};
use super::search::check_shard;

/// What the last delivery of a message met with; `trouble/<step>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trouble {
    /// Which delivery.
    pub(super) delivery: u32,
    /// What went wrong.
    pub(super) error: String,
}

impl Pipeline {
    /// Settles a message of `stage` that was delivered [`MAX_DELIVERIES`] times in vain: a shard is
    /// recorded as failed, any other step ends its job as failed.
    ///
    /// A body that is no message of ours belongs to no job; it is logged and dealt with.
    pub async fn handle_poison(&self, stage: Stage, body: &str) -> Result<()> {
        let settling = self.patiently(|| self.settle_poison(stage, body));
        match in_trace_of(stage.poison_function(), stage, body, settling).await {
            Err(error) if !error.is_retryable() => {
                tracing::error!(function = stage.poison_function(), %error, body, "dropped a poison message");
                Ok(())
            }
            other => other,
        }
    }

    async fn settle_poison(&self, stage: Stage, body: &str) -> Result<()> {
        if self.ledger.is_closed(edition_of(stage, body)?).await? {
            return Ok(());
        }
        let reason = self.why_given_up(stage, body).await?;
        self.settle_given_up(stage, body, &reason).await
    }

    /// Records a shard as failed for `reason`; any other step ends its job as failed.
    pub(super) async fn settle_given_up(&self, stage: Stage, body: &str, reason: &str) -> Result<()> {
        let edition = edition_of(stage, body)?;
        if stage == Stage::Search {
            let shard: ShardPlanned = messages::parse(stage, body)?;
            let (_, plan) = self.job_and_plan(edition).await?;
            check_shard(&plan, shard)?;
            self.record_failure(shard, reason).await?;
            return self.announce_complete_row(&plan, edition.job, shard.chunk).await;
        }
        self.ledger.job(edition.job).await?;
        if let (Stage::Merge, Some(plan)) = (stage, self.ledger.plan(edition).await?) {
            check_chunk(&plan, messages::parse(stage, body)?)?;
        }
        let reason = format!("step \"{}\" was {reason}", stage.function());
        self.close_without_report(edition, State::Failed, Some(reason)).await?;
        Ok(())
    }

    /// What there is to say about a message that was given up.
    async fn why_given_up(&self, stage: Stage, body: &str) -> Result<String> {
        let trouble = self.ledger.trouble(edition_of(stage, body)?, &step_of(stage, body)?).await?;
        let last = match trouble {
            Some(Trouble { delivery, error }) if delivery >= MAX_DELIVERIES => format!("the last failed: {error}"),
            Some(Trouble { delivery, error }) => format!(
                "attempt {delivery} failed: {error}; those after it ended without an answer, as when the process is \
                 killed, runs out of memory or takes longer than the host allows"
            ),
            None => "none ended with an answer, as when the process is killed, runs out of memory or takes longer \
                     than the host allows"
                .to_owned(),
        };
        Ok(format!("given up after {MAX_DELIVERIES} attempts; {last}"))
    }

    /// Deals with the failure of a delivery. One that may pass is noted and handed back. Otherwise the job of
    /// a step that damaged or missing blobs keep from ever succeeding is ended; any other error is handed
    /// back. (Shards record their failures themselves.)
    pub(super) async fn settle_failure(
        &self,
        stage: Stage,
        body: &str,
        delivery: u32,
        error: Error,
    ) -> Result<()> {
        let ours = !matches!(error, Error::Message { .. } | Error::UnknownJob(_) | Error::Internal(_));
        let attempt = Attempt { delivery, repeated: true, burst: false, slice: None };
        if !ours || stage == Stage::Search || attempt.may_follow(&error) {
            if error.may_pass() || matches!(error, Error::Internal(_)) {
                self.note_trouble(stage, body, Trouble { delivery, error: error.to_string() }).await;
            }
            return Err(error);
        }
        let edition = edition_of(stage, body)?;
        tracing::error!(job = %edition.job, function = stage.function(), %error, "a job failed");
        let reason = format!("step \"{}\" failed: {error}", stage.function());
        self.close_without_report(edition, State::Failed, Some(reason)).await?;
        Ok(())
    }

    /// Notes why a delivery failed, for whoever gives the message up. Storage that does not answer may not take
    /// that either.
    async fn note_trouble(&self, stage: Stage, body: &str, trouble: Trouble) {
        let noted = async {
            let (edition, step) = (edition_of(stage, body)?, step_of(stage, body)?);
            self.ledger.put_trouble(edition, &step, &trouble).await
        };
        if let Err(error) = noted.await {
            tracing::warn!(function = stage.function(), %error, "could not note why a message failed");
        }
    }
}

/// The function of a message and what it is about, for the name of a blob.
pub(super) fn step_of(stage: Stage, body: &str) -> Result<String> {
    Ok(match stage {
        Stage::Plan => "plan".to_owned(),
        Stage::Search => {
            let ShardPlanned { chunk, volume, .. } = messages::parse(stage, body)?;
            format!("search-{chunk}-{volume}")
        }
        Stage::Merge => format!("merge-{}", messages::parse::<ChunkSearched>(stage, body)?.chunk),
        Stage::Finish => "finish".to_owned(),
    })
}

/// The job that a message belongs to, in the edition that it is for.
pub(super) fn edition_of(stage: Stage, body: &str) -> Result<Edition> {
    Ok(match stage {
        Stage::Plan => messages::parse::<JobSubmitted>(stage, body)?.in_edition(),
        Stage::Search => messages::parse::<ShardPlanned>(stage, body)?.in_edition(),
        Stage::Merge => messages::parse::<ChunkSearched>(stage, body)?.in_edition(),
        Stage::Finish => messages::parse::<JobMerged>(stage, body)?.in_edition(),
    })
}
