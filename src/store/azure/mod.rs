//! Azure Storage: block blobs and queues, through the official client crates.
//!
//! A [`Connection`] says where the account is and how to sign. Nothing is sent before the first
//! operation; a container or queue that is missing then is created by the first write. So a
//! process starts while storage is down, and its operations fail with a retryable error.
//!
//! Every request has a time limit and a bounded number of retries ([`Patience`]). The account must
//! not have a hierarchical namespace: its listings are sorted differently.

use std::sync::Arc;

use super::name::check_service_name;
use super::{Error, ErrorKind, Result};

mod blobs;
mod connection;
mod errors;
mod properties;
mod queue;
mod resume;
mod sas;
mod session;
mod shared_key;
mod upload;

pub use blobs::AzureBlobs;
pub use connection::{Connection, ConnectionError, Identity, IdentitySource};
pub use queue::AzureQueue;
pub use session::Patience;

use session::Session;

/// Containers and queues of one storage account.
#[derive(Clone, Debug)]
pub struct AzureStore {
    session: Arc<Session>,
}

impl AzureStore {
    /// Prepares to use the account, without sending anything.
    pub fn open(connection: Connection, patience: Patience) -> Result<Self> {
        Ok(Self { session: Arc::new(Session::new(connection, patience)?) })
    }

    /// The container `name`, 3 to 63 lower-case letters, digits and hyphens.
    pub fn blobs(&self, name: &str) -> Result<AzureBlobs> {
        check_service_name("container", name)?;
        AzureBlobs::new(Arc::clone(&self.session), name)
    }

    /// The queue `name`, 3 to 63 lower-case letters, digits and hyphens.
    pub fn queue(&self, name: &str) -> Result<AzureQueue> {
        check_service_name("queue", name)?;
        AzureQueue::new(Arc::clone(&self.session), name)
    }
}
