//! What every store must do, as code.
//!
//! Each function checks one promise of `BlobStore` or `Queue` and panics if it is broken. It expects a container
//! or queue of its own, empty at the start.

pub(crate) mod blobs;
pub(crate) mod queue;
