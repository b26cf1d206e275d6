//! Storage in memory, under the clock of the runtime.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use skyblast::store::{BlobStore, Queue};

use super::memory_blobs::MemoryBlobs;
use super::memory_queue::{Clock, MemoryQueue};

/// Containers and queues that live as long as the last of its clones.
#[derive(Clone, Debug)]
pub(crate) struct MemoryStore {
    clock: Clock,
    containers: Arc<Mutex<HashMap<String, Arc<MemoryBlobs>>>>,
    queues: Arc<Mutex<HashMap<String, Arc<MemoryQueue>>>>,
}

impl MemoryStore {
    pub(crate) fn new() -> Self {
        Self { clock: Clock::start(), containers: Arc::default(), queues: Arc::default() }
    }

    pub(crate) fn blobs(&self, name: &str) -> Arc<dyn BlobStore> {
        let mut containers = self.containers.lock().unwrap();
        containers.entry(name.to_owned()).or_insert_with(|| Arc::new(MemoryBlobs::new(self.clock))).clone()
    }

    pub(crate) fn queue(&self, name: &str) -> Arc<dyn Queue> {
        let mut queues = self.queues.lock().unwrap();
        queues.entry(name.to_owned()).or_insert_with(|| Arc::new(MemoryQueue::at(self.clock, name))).clone()
    }
}
