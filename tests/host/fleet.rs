//! The running instances: who takes the next call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::invoke::Invoker;
use super::process::State;

/// All instances; a slot is empty while its instance is away.
#[derive(Debug)]
pub(super) struct Fleet {
    slots: Mutex<Vec<Option<Arc<Invoker>>>>,
    turn: AtomicUsize,
}

impl Fleet {
    /// `size` empty slots.
    pub(super) fn new(size: usize) -> Self {
        Self { slots: Mutex::new(vec![None; size]), turn: AtomicUsize::new(0) }
    }

    /// Puts an instance into its slot.
    pub(super) fn join(&self, invoker: Arc<Invoker>) {
        let slot = invoker.instance;
        self.slots()[slot] = Some(invoker);
    }

    /// Empties a slot.
    pub(super) fn leave(&self, instance: usize) -> Option<Arc<Invoker>> {
        self.slots()[instance].take()
    }

    /// The instance in a slot.
    pub(super) fn get(&self, instance: usize) -> Option<Arc<Invoker>> {
        self.slots()[instance].clone()
    }

    /// The running instances take turns.
    pub(super) fn next(&self) -> Option<Arc<Invoker>> {
        self.running_from(self.turn.fetch_add(1, Ordering::Relaxed))
    }

    /// A running instance, another one than `instance` if there is any.
    pub(super) fn other_than(&self, instance: usize) -> Option<Arc<Invoker>> {
        self.running_from(instance + 1)
    }

    fn running_from(&self, first: usize) -> Option<Arc<Invoker>> {
        let slots = self.slots();
        (0..slots.len())
            .filter_map(|step| slots[(first + step) % slots.len()].as_ref())
            .find(|invoker| !matches!(invoker.handler.state(), State::Stopped(_)))
            .cloned()
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Option<Arc<Invoker>>>> {
        self.slots.lock().expect("no panic while holding the slots")
    }
}
