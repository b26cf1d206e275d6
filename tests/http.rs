//! The HTTP API and the host's triggers, on the router itself and a local store.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

#[path = "http/answers.rs"]
mod answers;
#[path = "http/bad_requests.rs"]
mod bad_requests;
#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/browse.rs"]
mod browse;
#[path = "http/described.rs"]
mod described;
#[path = "http/description.rs"]
mod description;
#[path = "http/estimate.rs"]
mod estimate;
#[path = "http/expansion.rs"]
mod expansion;
#[path = "http/faults.rs"]
mod faults;
#[path = "http/forms.rs"]
mod forms;
#[path = "http/hostile.rs"]
mod hostile;
#[path = "http/invocations.rs"]
mod invocations;
#[path = "http/keys.rs"]
mod keys;
#[path = "http/lab.rs"]
mod lab;
#[path = "http/lists.rs"]
mod lists;
#[path = "http/page.rs"]
mod page;
#[path = "host/recorded.rs"]
mod recorded;
#[path = "http/sequences.rs"]
mod sequences;
#[path = "http/sign_in.rs"]
mod sign_in;
#[path = "http/strangers.rs"]
mod strangers;
#[path = "http/taxa.rs"]
mod taxa;
#[path = "http/traces.rs"]
mod traces;
#[path = "http/transfer.rs"]
mod transfer;
#[path = "http/uploads.rs"]
mod uploads;
