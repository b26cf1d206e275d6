//! The commands as processes: what they print, where, with which exit code, and what they survive.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "cli/cluster.rs"]
mod cluster;
mod common;
#[path = "cli/compare.rs"]
mod compare;
#[path = "cli/demo.rs"]
mod demo;
#[path = "cli/disk.rs"]
mod disk;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/estimate.rs"]
mod estimate;
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/habits.rs"]
mod habits;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/identity.rs"]
mod identity;
#[path = "cli/makedb.rs"]
mod makedb;
#[path = "cli/memory.rs"]
mod memory;
#[path = "cli/outputs.rs"]
mod outputs;
#[path = "cli/patience.rs"]
mod patience;
#[path = "cli/pipes.rs"]
mod pipes;
#[path = "cli/refusals.rs"]
mod refusals;
#[path = "cli/search.rs"]
mod search;
#[path = "cli/sequences.rs"]
mod sequences;
#[path = "cli/server.rs"]
mod server;
#[path = "cli/sign_in.rs"]
mod sign_in;
#[path = "cli/stumbles.rs"]
mod stumbles;
#[path = "cli/unread.rs"]
mod unread;
#[path = "cli/uploads.rs"]
mod uploads;
