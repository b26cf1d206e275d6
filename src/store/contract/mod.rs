//! What every store must do, as code.
//!
//! Each function checks one promise of [`BlobStore`](super::BlobStore) or [`Queue`](super::Queue)
//! and panics if it is broken. It expects a container or queue of its own, empty at the start. The
//! tests of each implementation call them all.

#![expect(clippy::unwrap_used, reason = "a broken promise must fail the test that called")]

pub mod blobs;
pub mod queue;
