//! Search: compares one shard and stores its hits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::attempt::Attempt;
use super::burst::Place;
use super::error::{Error, Result};
use super::hits;
use super::id::JobId;
use super::job::{Job, Plan};
use super::merger::Candidates;
use super::messages::{ChunkSearched, ShardPlanned, Stage};
use super::pipeline::Pipeline;
use super::shard;
use super::spill::{Spool, SpoolWriter};
use super::turn::{Clock, Halt, Halted, Standing};
use crate::database::ChosenSubjects;
use crate::engine::{Hit, Search};
use crate::sequence::names::Name;

/// What came of comparing a shard, and how long that took.
enum Compared {
    /// All its hits, in their stored form.
    Whole(Spool, Duration),
    /// It was stopped.
    Halted(Halted, Duration),
    /// Nothing that is wanted: somebody else has written its hits.
    TooLate(Duration),
}

impl Pipeline {
    /// A shard that cannot be compared however often it is tried is recorded as failed; that
    /// settles it too.
    pub(super) async fn search(
        &self,
        shard: ShardPlanned,
        attempt: Attempt,
        leaving: &CancellationToken,
    ) -> Result<()> {
        let ShardPlanned { job: id, chunk, volume, .. } = shard;
        if self.has_ended(shard.in_edition()).await? {
            return Ok(());
        }
        let (job, plan) = self.job_and_plan(shard.in_edition()).await?;
        check_shard(&plan, shard)?;
        if let Some(slice) = attempt.slice {
            // On the heap: it is seldom needed, and every shard would hold it.
            match Box::pin(self.announce_after(&job, &plan, slice, attempt.repeated)).await {
                Err(error) if attempt.may_follow(&error) => return Err(error),
                // It is no fault of the shard.
                Err(error) => {
                    tracing::error!(job = %id, %error, "could not announce further shards; sweep will")
                }
                Ok(_) => {}
            }
        }
        if attempt.repeated && self.ledger.has_hits(shard).await? {
            // Who compared it may have died before it told.
            if self.ledger.has_text(plan.edition_of(id, chunk), chunk).await? {
                return Ok(());
            }
            return self.announce_complete_row(&plan, id, chunk).await;
        }
        if leaving.is_cancelled() {
            return self.announce_where_it_was(&job, shard, attempt).await;
        }
        self.note_begun(id).await?;
        let mut standing = if attempt.repeated { self.standing(shard).await? } else { Standing::default() };
        let started = Instant::now();
        match self.compare(&job, &plan, shard, attempt, &mut standing, leaving).await {
            Ok(Compared::Whole(frame, spent)) => {
                // What was compared should not have to be compared again.
                let put = || self.ledger.put_hits(shard, in_milliseconds(spent), frame.pieces());
                let waited_for = self.patiently(put).await?;
                self.clear_up(shard, &standing).await;
                // Somebody else looks at the row, later.
                if !waited_for && !attempt.repeated && (volume as usize) + 1 < plan.volumes.len() {
                    return Ok(());
                }
            }
            Ok(Compared::Halted(halted, spent)) => {
                // Nothing is written for a job that has been removed meanwhile.
                if halted.why != Halt::JobOver || self.ledger.has_outcome(shard.in_edition()).await? {
                    self.book(shard, in_milliseconds(spent)).await;
                }
                match self.go_on_later(&job, shard, attempt, standing, halted).await? {
                    None => return Ok(()),
                    Some(reason) => self.patiently(|| self.record_failure(shard, &reason)).await?,
                }
            }
            Ok(Compared::TooLate(spent)) => self.book(shard, in_milliseconds(spent)).await,
            Err(error) => {
                if !error.is_retryable() {
                    self.book(shard, in_milliseconds(started.elapsed())).await;
                }
                if attempt.may_follow(&error) {
                    return Err(error);
                }
                if let Error::VolumeDamaged { .. } = error {
                    self.catalog.note_damage(&plan.volumes[volume as usize]).await?;
                }
                self.record_failure(shard, &error.to_string()).await?;
            }
        }
        self.announce_complete_row(&plan, id, chunk).await
    }

    /// Compares a shard, from where it stands, for a turn at most.
    async fn compare(
        &self,
        job: &Arc<Job>,
        plan: &Plan,
        shard: ShardPlanned,
        attempt: Attempt,
        standing: &mut Standing,
        leaving: &CancellationToken,
    ) -> Result<Compared> {
        let ShardPlanned { chunk, volume, .. } = shard;
        let started = Instant::now();
        let info = &plan.volumes[volume as usize];
        self.check_memory(&job.database, info)?;
        let queries = self.queries(job.id, chunk).await?;
        let subjects = self.catalog.volume(&job.database, info).await?;
        let in_cloud = attempt.burst || job.placement.place == Place::Cloud;
        let (threads, first_ordinal, rest) =
            (self.settings.threads, info.first_ordinal, standing.rest.take());
        let (id, options, totals, fetched) = (job.id, job.options, job.searched(), started.elapsed());
        let comparisons = queries.queries.len() as u64 * job.sequences_of(volume);
        tracing::debug!(job = %id, chunk, volume, "comparing a shard");
        let room = self.settings.room;
        let chosen = job.clone();
        let compare = move |clock: &Clock| {
            let search = Search::new(options, totals)?.on_threads(threads).within(room);
            let on_progress = |advance| clock.on_progress(advance);
            let mut found = Candidates::new(&options, room);
            let rest = match &chosen.chosen {
                None => {
                    let mut add = |list, hit| found.add(list, hit);
                    let first = first_ordinal;
                    shard::compare(&search, &queries, &*subjects, first, rest, &on_progress, &mut add)?
                }
                Some(chosen) => {
                    let search = search.in_given_subjects(chosen.shortest());
                    let keeps = |name: &Name<'_>, _| chosen.choice.keeps(&name.taxids);
                    let subjects = ChosenSubjects::new(&*subjects, keeps);
                    let places: Vec<_> = subjects.places().map(|place| place as u64).collect();
                    let mut add = |list, mut hit: Hit| {
                        // From here on it is a hit in the whole database.
                        let place = hit.preliminary.ordinal - first_ordinal;
                        hit.preliminary.ordinal = first_ordinal + places[place as usize];
                        found.add(list, hit)
                    };
                    shard::compare(&search, &queries, &subjects, first_ordinal, rest, &on_progress, &mut add)?
                }
            };
            Ok((found, rest))
        };
        let ((found, rest), why, has_moved) =
            self.compute_for_a_turn((shard, in_cloud), leaving, compare).await?;
        if let Some(rest) = rest {
            let seconds = (started.elapsed() - fetched).as_millis() as f64 / 1e3;
            tracing::info!(parent: None, job = %id, chunk, volume, seconds, ?why, "compared in part");
            return Ok(Compared::Halted(Halted { why, has_moved, found, rest }, started.elapsed()));
        }
        let Some(found) = self.with_earlier_runs(shard, &standing.runs, found).await? else {
            return Ok(Compared::TooLate(started.elapsed()));
        };
        let frame = Self::compute(move || {
            let mut frame = SpoolWriter::new(room / 4);
            hits::write_shard(found.finish()?, &mut frame)?;
            Ok(frame.finish())
        })
        .await?;
        let spent = started.elapsed();
        let (fetch_ms, hits_bytes) = (fetched.as_millis() as u64, frame.len());
        tracing::debug!(chunk, volume, fetch_ms, hits_bytes, "what a shard took and gave");
        // The one line of a shard, of which there may be millions; hence without a parent, which would add
        // function and trace: the job's other lines say them.
        let seconds = (spent - fetched).as_millis() as f64 / 1e3;
        tracing::info!(parent: None, job = %id, chunk, volume, seconds, comparisons, "compared");
        self.tally.shard_compared(comparisons, spent - fetched);
        Ok(Compared::Whole(frame, spent))
    }

    /// Announces a shard again in the place where it was taken up.
    pub(super) async fn announce_where_it_was(
        &self,
        job: &Job,
        shard: ShardPlanned,
        attempt: Attempt,
    ) -> Result<()> {
        if attempt.burst {
            self.announce_to_cloud(shard).await
        } else {
            self.announce_shard(job, shard, true).await
        }
    }

    /// Records that a shard was given up, and why.
    pub(super) async fn record_failure(&self, shard: ShardPlanned, reason: &str) -> Result<()> {
        let ShardPlanned { job: id, chunk, volume, .. } = shard;
        tracing::error!(job = %id, chunk, volume, reason, "a shard failed");
        self.tally.shard_failed();
        self.ledger.put_failed(shard, reason).await
    }

    /// Announces the merge of a chunk if all its shards are settled, or else sees to it that somebody looks at
    /// the row again: leaves word with a shard that is not, most likely the last. The word lies where its hits
    /// will, so that either it finds the word or its hits are found here. More than one shard may find that all
    /// are settled; merging twice does no harm.
    pub(super) async fn announce_complete_row(&self, plan: &Plan, id: JobId, chunk: u32) -> Result<()> {
        loop {
            let (edition, number) = (plan.edition(id), plan.remade.edition);
            let unsettled = self.ledger.unsettled(edition, chunk, plan.volumes.len()).await?;
            let Some(&volume) = unsettled.volumes.last() else {
                let message = ChunkSearched { job: id, edition: number, chunk };
                return self.announce(Stage::Merge, &message).await;
            };
            let shard = ShardPlanned { job: id, edition: number, chunk, volume };
            if unsettled.word_is_left || self.ledger.leave_word(shard).await? {
                return Ok(());
            }
        }
    }
}

/// Refuses a shard that the grid does not have.
pub(super) fn check_shard(plan: &Plan, shard: ShardPlanned) -> Result<()> {
    let ShardPlanned { job, chunk, volume, .. } = shard;
    if chunk < plan.chunks && (volume as usize) < plan.volumes.len() {
        return Ok(());
    }
    let reason = format!("job {job} has no shard {chunk}/{volume}");
    Err(Error::Message { stage: Stage::Search.function(), reason })
}

pub(super) fn in_milliseconds(time: Duration) -> u64 {
    time.as_micros().div_ceil(1_000) as u64
}
