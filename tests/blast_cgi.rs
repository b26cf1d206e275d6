//! NCBI's URL API at `/Blast.cgi`: what its clients read of each answer, byte by byte where they do.
//!
//! `tests/clients.rs` has the clients themselves.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

#[path = "blast_cgi/addresses.rs"]
mod addresses;
#[path = "http/described.rs"]
mod described;
#[path = "blast_cgi/failures.rs"]
mod failures;
#[path = "blast_cgi/gate.rs"]
mod gate;
#[allow(dead_code, reason = "that of the other API, which does more")]
#[path = "http/lab.rs"]
mod lab;
#[path = "blast_cgi/ncbi.rs"]
mod ncbi;
#[path = "blast_cgi/reports.rs"]
mod reports;
#[path = "blast_cgi/scripts.rs"]
mod scripts;
#[path = "blast_cgi/searches.rs"]
mod searches;
#[path = "blast_cgi/zip.rs"]
mod zip;
