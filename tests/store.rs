//! The store's contract on each implementation, and what only one of them can show.

#[path = "store/contract.rs"]
mod contract;
#[path = "store/local.rs"]
mod local;
