//! Misfortunes that a host may bring upon its functions, on request (rule 10).

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which misfortunes to bring.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Share of messages, 0 to 1, that are delivered twice at the same time, to two instances if
    /// there are two. They are spread evenly: 0.5 is every second message.
    pub(crate) duplicate: f64,
    /// Seed of the order in which a listener works on the messages it holds; `None` keeps the
    /// queue's order.
    pub(crate) shuffle: Option<u64>,
    /// Which calls of `search`, counted from 1 over all instances, find their handler killed right after they
    /// were sent. A kill from outside may come when nothing is under way.
    pub(crate) kills: BTreeSet<u64>,
}

/// Brings them.
#[derive(Debug)]
pub(super) struct FaultSource {
    duplicate: f64,
    delivered: AtomicU64,
    shuffle: Option<Mutex<u64>>,
    kills: BTreeSet<u64>,
    searches: AtomicU64,
}

impl FaultSource {
    pub(super) fn new(faults: &Faults) -> Self {
        // Xorshift needs a state other than zero.
        let shuffle = faults.shuffle.map(|seed| Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1));
        Self {
            duplicate: faults.duplicate,
            delivered: AtomicU64::new(0),
            shuffle,
            kills: faults.kills.clone(),
            searches: AtomicU64::new(0),
        }
    }

    /// Whether the call of `function` that is sent now is the last thing its handler sees.
    pub(super) fn kills_next(&self, function: &str) -> bool {
        function == "search" && self.kills.contains(&(self.searches.fetch_add(1, Ordering::Relaxed) + 1))
    }

    /// Whether the next message is delivered twice.
    pub(super) fn duplicates_next(&self) -> bool {
        let before = self.delivered.fetch_add(1, Ordering::Relaxed) as f64;
        ((before + 1.0) * self.duplicate).floor() > (before * self.duplicate).floor()
    }

    /// Whether the order is changed.
    pub(super) fn shuffles(&self) -> bool {
        self.shuffle.is_some()
    }

    /// Changes the order of what a listener has received.
    pub(super) fn shuffle<T>(&self, items: &mut [T]) {
        let Some(state) = &self.shuffle else { return };
        let mut state = state.lock().expect("no panic while shuffling");
        for last in (1..items.len()).rev() {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            items.swap(last, (*state % (last as u64 + 1)) as usize);
        }
    }
}
