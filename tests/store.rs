//! The store's contract on each implementation, and what only one of them can show.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

mod common;

#[path = "store/azure.rs"]
mod azure;
#[path = "store/contract.rs"]
mod contract;
#[path = "store/grants.rs"]
mod grants;
#[path = "store/local.rs"]
mod local;
#[path = "store/promises/mod.rs"]
mod promises;
#[path = "store/scripted.rs"]
mod scripted;
