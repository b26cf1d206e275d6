//! The pipeline on the local store: the same report whatever happens to messages, and an answer
//! whatever happens to blobs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

#[path = "pipeline/burst.rs"]
mod burst;
#[path = "pipeline/damage.rs"]
mod damage;
#[path = "pipeline/delivery.rs"]
mod delivery;
#[path = "pipeline/kept_volumes.rs"]
mod kept_volumes;
#[path = "pipeline/partial.rs"]
mod partial;
#[path = "pipeline/progress.rs"]
mod progress;
#[path = "pipeline/recovery.rs"]
mod recovery;
#[path = "pipeline/repeats.rs"]
mod repeats;
#[path = "pipeline/retention.rs"]
mod retention;
#[path = "pipeline/retry.rs"]
mod retry;
#[path = "pipeline/room.rs"]
mod room;
#[path = "pipeline/slices.rs"]
mod slices;
#[path = "pipeline/storms.rs"]
mod storms;
#[path = "pipeline/turns.rs"]
mod turns;
