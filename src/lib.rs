//! Exact protein search from shards: NCBI blastp's answer, to the byte, however the work was cut.

// They panic when nobody reads the output any more; `cli` has macros that do not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod database;
pub mod engine;
pub mod functions;
pub mod jobs;
pub mod report;
pub mod scoring;
pub mod sequence;
pub mod store;
