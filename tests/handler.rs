//! The whole job under the Functions host against Azure Storage: every report must be, byte for
//! byte, what `skyblast search` prints, whatever happens on the way.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "handler/apart.rs"]
mod apart;
#[path = "handler/bench.rs"]
mod bench;
mod common;
#[path = "handler/damage.rs"]
mod damage;
mod host;
#[path = "handler/jobs.rs"]
mod jobs;
#[path = "handler/kills.rs"]
mod kills;
#[path = "handler/lost.rs"]
mod lost;
#[path = "handler/outage.rs"]
mod outage;
#[path = "handler/packaged.rs"]
mod packaged;
#[path = "handler/questions.rs"]
mod questions;
#[path = "handler/scheduler.rs"]
mod scheduler;
#[path = "handler/slurm.rs"]
mod slurm;
#[path = "handler/telemetry.rs"]
mod telemetry;
#[path = "handler/traces.rs"]
mod traces;
#[path = "handler/workers.rs"]
mod workers;
