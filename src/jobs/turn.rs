//! Turns: a shard is compared for some minutes at a time, so that it holds nobody up for long, and no host ends
//! the call.
//!
//! When its turn is over, the shard puts aside what it has found and what is left to do, and announces itself
//! again; whoever takes it up then goes on from there. So does a shard whose process is told to stop. The hits of
//! all its runs, joined, are those of one run, to the byte.
//!
//! What is put aside is numbered, and of several copies of a message that ran at the same time the one that
//! wrote a number first has gone on; the others end there.

use std::convert::Infallible;
use std::future::pending;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::attempt::Attempt;
use super::edition::Edition;
use super::error::{Error, Result};
use super::frame::{self, Kind};
use super::hits;
use super::job::Job;
use super::ledger::reader;
use super::merger::Candidates;
use super::messages::ShardPlanned;
use super::pipeline::Pipeline;
use super::spill::SpoolWriter;
use super::underway::RENEWED;
use crate::engine::{Advance, Rest};

/// Turns after which a shard is given up.
const MOST_TURNS: u32 = 48;
/// How much longer a turn may take in which nothing has come to an end, not even one query with one subject. Both
/// together are less than the host's `functionTimeout`.
const OVERTIME: Duration = Duration::from_secs(900);
/// How often a shard that is being compared looks whether anybody waits for it.
const LOOK: Duration = Duration::from_secs(3);

/// After so many looks it says again that it is being compared.
const LOOKS_BETWEEN: u32 = (RENEWED.as_secs() / LOOK.as_secs()) as u32;

/// What was put aside of a shard; `turns/<chunk>/<volume>/<number>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PutAside {
    /// Tells it from others that may have wanted the same number.
    mark: u64,
    /// How many turns it has had to their end.
    turns: u32,
    /// Where the hits are that it has found.
    pub(super) runs: Vec<Run>,
    rest: Rest,
}

/// One run of a shard that has put its hits aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// Number of what was put aside then.
    pub(super) number: u32,
    /// Tells the runs apart that may have wanted the same number.
    pub(super) mark: u64,
}

/// Where a shard goes on from.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Number of what was put aside last; 0 if nothing was.
    number: u32,
    turns: u32,
    pub(super) runs: Vec<Run>,
    /// What is left to do; everything if that is not known.
    pub(super) rest: Option<Rest>,
}

/// Why a run ended before its shard was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// Its turn was over.
    TurnOver,
    /// The turn was over several times and nothing had come to an end.
    Stuck,
    /// The process is about to end.
    Leaving,
    /// Nobody waits for the shard any more.
    JobOver,
}

/// What a run that was stopped has come to.
#[derive(Debug)]
pub(super) struct Halted {
    pub(super) why: Halt,
    /// Whether it has done anything that need not be done again.
    pub(super) has_moved: bool,
    pub(super) found: Candidates,
    pub(super) rest: Rest,
}

/// What those who compare a shard, and those who may stop them, share.
#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    turn: Duration,
    has_moved: AtomicBool,
    is_leaving: AtomicBool,
    is_over: AtomicBool,
}

impl Clock {
    fn new(turn: Duration) -> Self {
        Self {
            started: Instant::now(),
            turn,
            has_moved: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        }
    }

    /// What the engine is answered.
    pub(super) fn on_progress(&self, advance: Advance) -> ControlFlow<()> {
        if advance != Advance::Working {
            self.has_moved.store(true, Ordering::Relaxed);
        }
        if self.halt(self.started.elapsed()).is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Why it has stopped a run.
    fn why(&self) -> Halt {
        self.halt(self.started.elapsed()).unwrap_or(Halt::TurnOver)
    }

    /// Whether anything has come to an end.
    fn has_moved(&self) -> bool {
        self.has_moved.load(Ordering::Relaxed)
    }

    /// Why a run should stop that has taken so long.
    fn halt(&self, elapsed: Duration) -> Option<Halt> {
        if self.is_over.load(Ordering::Relaxed) {
            return Some(Halt::JobOver);
        }
        if self.is_leaving.load(Ordering::Relaxed) {
            return Some(Halt::Leaving);
        }
        if self.has_moved.load(Ordering::Relaxed) {
            return (elapsed >= self.turn).then_some(Halt::TurnOver);
        }
        (elapsed >= self.turn + OVERTIME).then_some(Halt::Stuck)
    }
}

/// Stops a run that nobody waits for any more: one goes on after its step has been dropped.
struct StopWhenDropped(Arc<Clock>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

impl Pipeline {
    /// Where a shard stands that may have been worked on before.
    pub(super) async fn standing(&self, shard: ShardPlanned) -> Result<Standing> {
        let Some(number) = self.ledger.last_put_aside(shard).await? else { return Ok(Standing::default()) };
        match self.ledger.put_aside(shard, number).await {
            Ok(PutAside { turns, runs, rest, .. }) => Ok(Standing { number, turns, runs, rest: Some(rest) }),
            Err(error @ Error::Damaged { .. }) => {
                tracing::error!(job = %shard.job, %error, "comparing the shard from its beginning");
                Ok(Standing { number, turns: number, ..Standing::default() })
            }
            Err(error) => Err(error),
        }
    }

    /// Runs work that keeps cores busy, on a shard that was taken up in the cloud or not, as long as it should go on: it
    /// tells the clock of its progress. Returns also why it was stopped, if it was, and whether anything had come to an
    /// end.
    pub(super) async fn compute_for_a_turn<T: Send + 'static>(
        &self,
        taken: (ShardPlanned, bool),
        leaving: &CancellationToken,
        work: impl FnOnce(&Clock) -> Result<T> + Send + 'static,
    ) -> Result<(T, Halt, bool)> {
        let clock = Arc::new(Clock::new(self.settings.turn));
        let _guard = StopWhenDropped(clock.clone());
        let shared = clock.clone();
        let done = tokio::select! {
            done = Self::compute(move || work(&shared)) => done?,
            never = self.stop_when_it_should(taken, leaving, &clock) => match never {},
        };
        Ok((done, clock.why(), clock.has_moved()))
    }

    /// Stops a run when it should, and says meanwhile that somebody compares the shard.
    async fn stop_when_it_should(
        &self,
        (shard, in_cloud): (ShardPlanned, bool),
        leaving: &CancellationToken,
        clock: &Clock,
    ) -> Infallible {
        let edition = shard.in_edition();
        let leave = async {
            leaving.cancelled().await;
            clock.is_leaving.store(true, Ordering::Relaxed);
        };
        let look = async {
            for look in 0_u32.. {
                tokio::time::sleep(LOOK).await;
                match self.is_over(edition).await {
                    Ok(false) if look % LOOKS_BETWEEN == 0 => self.say_taken(shard, in_cloud).await,
                    Ok(false) => {}
                    Ok(true) => return clock.is_over.store(true, Ordering::Relaxed),
                    // It looks again soon.
                    Err(error) => {
                        tracing::debug!(job = %edition.job, %error, "could not look whether a job has ended")
                    }
                }
            }
        };
        tokio::join!(leave, look);
        pending().await
    }

    /// Whether nobody waits for the job any more: it has ended, or is removed.
    async fn is_over(&self, edition: Edition) -> Result<bool> {
        if self.ledger.is_active(edition).await? {
            return Ok(false);
        }
        Ok(self.ledger.has_outcome(edition).await?
            || matches!(self.ledger.job(edition.job).await, Err(Error::UnknownJob(_))))
    }

    /// Sees to it that a shard whose run was stopped goes on, unless nobody waits for it; `Some` reason if it
    /// should be given up.
    pub(super) async fn go_on_later(
        &self,
        job: &Job,
        shard: ShardPlanned,
        attempt: Attempt,
        standing: Standing,
        halted: Halted,
    ) -> Result<Option<String>> {
        match halted.why {
            Halt::JobOver => {
                self.look_again().await;
                return Ok(None);
            }
            Halt::Stuck => return Ok(Some(stuck(self.settings.turn))),
            // Each edition has turns of its own, from where the one before has left off.
            Halt::TurnOver
                if standing.turns + 1 >= MOST_TURNS.saturating_mul(shard.edition.saturating_add(1)) =>
            {
                return Ok(Some(too_long(self.settings.turn)));
            }
            Halt::TurnOver | Halt::Leaving => {}
        }
        // Another copy of the message has gone on from the same place, and told of it, or will when it comes back.
        let is_overtaken = halted.has_moved && !self.put_aside(shard, standing, halted).await?;
        if !is_overtaken {
            self.announce_where_it_was(job, shard, attempt).await?;
        }
        Ok(None)
    }

    /// Puts aside what a run has come to; `false` if another has from the same place.
    async fn put_aside(&self, shard: ShardPlanned, standing: Standing, halted: Halted) -> Result<bool> {
        let number = standing.number + 1;
        let mark = getrandom::u64().map_err(|error| Error::Internal(error.to_string()))?;
        let mut put_aside = PutAside {
            mark,
            turns: standing.turns + u32::from(halted.why == Halt::TurnOver),
            runs: standing.runs,
            rest: halted.rest,
        };
        let (found, room) = (halted.found, self.settings.room);
        let encode = move || {
            let mut found = found.finish()?.peekable();
            let mut hits = None;
            if found.peek().is_some() {
                let mut frame = SpoolWriter::new(room / 4);
                hits::write_shard(found, &mut frame)?;
                put_aside.runs.push(Run { number, mark });
                hits = Some(frame.finish());
            }
            Ok((hits, frame::encode(Kind::PutAside, &put_aside)?))
        };
        let (hits, put_aside) = Self::compute(encode).await?;
        let run = hits.as_ref().map(|_| Run { number, mark });
        if let (Some(hits), Some(run)) = (hits, run) {
            self.patiently(|| self.ledger.put_hits_of_run(shard, run, hits.pieces())).await?;
        }
        let first = self.patiently(|| self.ledger.put_put_aside(shard, number, put_aside.clone())).await?;
        if let (false, Some(run)) = (first, run)
            && let Err(error) = self.ledger.delete_hits_of_run(shard, run).await
        {
            tracing::debug!(job = %shard.job, %error, "could not remove hits that are not needed");
        }
        Ok(first)
    }

    /// What has been found of a shard, with the hits of its earlier runs; `None` if another copy of its message has
    /// written all hits meanwhile, and removed those.
    pub(super) async fn with_earlier_runs(
        &self,
        shard: ShardPlanned,
        runs: &[Run],
        mut found: Candidates,
    ) -> Result<Option<Candidates>> {
        for &run in runs {
            let added = match self.ledger.hits_of_run(shard, run).await {
                Ok((name, pieces)) => {
                    let input = reader(pieces);
                    let add = move || {
                        hits::read_shard(&name, input)?
                            .try_for_each(|item| item.and_then(|(list, hit)| found.add(list as usize, hit)))
                            .map(|()| found)
                    };
                    Self::compute(add).await
                }
                Err(error) => Err(error),
            };
            match added {
                Ok(all) => found = all,
                Err(Error::Damaged { .. }) if self.ledger.has_hits(shard).await? => return Ok(None),
                Err(error @ Error::Damaged { .. }) => {
                    // The next delivery begins at the beginning.
                    self.ledger.delete_put_aside(shard).await?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(found))
    }

    /// Removes what was put aside of a shard that has been compared.
    pub(super) async fn clear_up(&self, shard: ShardPlanned, standing: &Standing) {
        if standing.number == 0 {
            return;
        }
        if let Err(error) = self.ledger.delete_put_aside(shard).await {
            tracing::warn!(job = %shard.job, %error, "could not remove what was put aside of a shard");
        }
    }

    /// Books the time of a run that has not got the hits of its shard.
    pub(super) async fn book(&self, shard: ShardPlanned, milliseconds: u64) {
        // The report does not depend on it.
        if let Err(error) = self.ledger.put_spent(shard, milliseconds).await {
            let ShardPlanned { job, chunk, volume, .. } = shard;
            tracing::warn!(%job, chunk, volume, %error, "could not record what a shard cost");
        }
    }
}

fn too_long(turn: Duration) -> String {
    format!(
        "it takes longer than {MOST_TURNS} turns of {} s; search with fewer queries at a time, a lower evalue or \
         without use_sw_tback, make the database's volumes smaller (skyblast makedb --volume-size), or let turns \
         be longer (SKYBLAST_SHARD_SECONDS)",
        turn.as_secs()
    )
}

fn stuck(turn: Duration) -> String {
    format!(
        "one query with one sequence alone takes longer than {} s; search without use_sw_tback or with a lower \
         evalue, or let turns be longer (SKYBLAST_SHARD_SECONDS)",
        (turn + OVERTIME).as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: Duration = Duration::from_secs(300);

    #[test]
    fn a_turn_is_over_when_its_time_is_up_and_something_has_come_to_an_end() {
        let clock = Clock::new(TURN);
        assert_eq!(clock.halt(TURN + OVERTIME - Duration::from_secs(1)), None, "it may be about to");
        assert_eq!(clock.halt(TURN + OVERTIME), Some(Halt::Stuck));
        assert!(clock.on_progress(Advance::Working).is_continue() && !clock.has_moved());
        assert!(clock.on_progress(Advance::Aligned).is_continue() && clock.has_moved());
        assert_eq!(clock.halt(TURN - Duration::from_secs(1)), None);
        assert_eq!(clock.halt(TURN), Some(Halt::TurnOver));
    }

    #[test]
    fn whoever_need_not_or_must_not_go_on_stops_at_once() {
        let clock = Arc::new(Clock::new(TURN));
        clock.is_leaving.store(true, Ordering::Relaxed);
        assert_eq!(
            (clock.on_progress(Advance::Working), clock.why()),
            (ControlFlow::Break(()), Halt::Leaving)
        );
        drop(StopWhenDropped(clock.clone()));
        assert_eq!(clock.why(), Halt::JobOver);
    }

    #[test]
    fn reasons_say_what_to_change() {
        assert!(too_long(TURN).starts_with("it takes longer than 48 turns of 300 s; "), "{}", too_long(TURN));
        assert!(stuck(TURN).contains("longer than 1200 s; "), "{}", stuck(TURN));
    }
}
