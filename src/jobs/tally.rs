//! What this process has done since it started, for whoever watches it. Nothing depends on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::job::State;
use super::pipeline::Pipeline;

/// Numbers that only grow.
#[derive(Debug, Default)]
pub struct Tally {
    shards: AtomicU64,
    failed_shards: AtomicU64,
    comparisons: AtomicU64,
    comparing_milliseconds: AtomicU64,
    ended: [AtomicU64; State::ALL.len()],
}

impl Tally {
    /// Shards that were compared to their end.
    pub fn shards(&self) -> u64 {
        self.shards.load(Ordering::Relaxed)
    }

    /// Shards that were recorded as failed.
    pub fn failed_shards(&self) -> u64 {
        self.failed_shards.load(Ordering::Relaxed)
    }

    /// Query–subject pairs of the shards that were compared.
    pub fn comparisons(&self) -> u64 {
        self.comparisons.load(Ordering::Relaxed)
    }

    /// Time that these shards took, without that for fetching their volumes.
    pub fn comparing(&self) -> Duration {
        Duration::from_millis(self.comparing_milliseconds.load(Ordering::Relaxed))
    }

    /// Jobs that have ended here, by their state.
    pub fn ended(&self) -> impl Iterator<Item = (State, u64)> {
        let count = |(state, ended): (State, &AtomicU64)| (state, ended.load(Ordering::Relaxed));
        State::ALL.into_iter().zip(&self.ended).map(count).filter(|(state, _)| state.is_final())
    }

    pub(super) fn shard_compared(&self, comparisons: u64, took: Duration) {
        self.shards.fetch_add(1, Ordering::Relaxed);
        self.comparisons.fetch_add(comparisons, Ordering::Relaxed);
        self.comparing_milliseconds.fetch_add(took.as_millis() as u64, Ordering::Relaxed);
    }

    pub(super) fn shard_failed(&self) {
        self.failed_shards.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn job_ended(&self, state: State) {
        if let Some(place) = State::ALL.iter().position(|known| *known == state) {
            self.ended[place].fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Pipeline {
    /// What this process has done.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}
