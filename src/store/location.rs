//! Where a user's data is: a local folder or a storage account, from one text or from variables.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::azure::{AzureStore, Connection, ConnectionError, Identity, IdentitySource, Patience};
use super::local::LocalStore;
use super::{BlobStore, Queue, Result};

/// A folder or connection string of skyblast's own.
const STORAGE: &str = "SKYBLAST_STORAGE";
/// An account's endpoints, used by an identity.
const BLOB_ENDPOINT: &str = "SKYBLAST_BLOB_ENDPOINT";
const QUEUE_ENDPOINT: &str = "SKYBLAST_QUEUE_ENDPOINT";
/// The client id of a user-assigned identity, as the Azure libraries name it.
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
/// The storage of a Functions app: a connection string, or settings for an identity.
const HOST_STORAGE: &str = "AzureWebJobsStorage";
const HOST_ACCOUNT: &str = "AzureWebJobsStorage__accountName";
const HOST_BLOBS: &str = "AzureWebJobsStorage__blobServiceUri";
const HOST_QUEUES: &str = "AzureWebJobsStorage__queueServiceUri";
const HOST_CLIENT_ID: &str = "AzureWebJobsStorage__clientId";

/// Where containers and queues are. Neither `Debug` nor `Display` shows a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// An Azure Storage account.
    Account(Connection),
}

/// Why a location cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// The text is no storage location.
    #[error("the storage location is empty: give a folder or a connection string")]
    Empty,
    /// A web address stands where a folder or a connection string belongs.
    #[error(
        "{url} is an address: give a folder, or `BlobEndpoint=…;QueueEndpoint=…` with \
         the addresses of both services"
    )]
    Address {
        /// The address, without its query.
        url: String,
    },
    /// The text is a connection string with a mistake.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// A variable has a wrong value.
    #[error("the variable {variable} is wrong: {reason}")]
    Variable {
        /// The variable's name.
        variable: &'static str,
        /// What is wrong and what would be right.
        reason: Box<LocationError>,
    },
    /// Of two variables that belong together one is set.
    #[error("the variable {set} is set but {missing} is not: set both")]
    Incomplete {
        /// The one that is there.
        set: &'static str,
        /// The one that is not.
        missing: &'static str,
    },
}

impl Location {
    /// Parses a folder's path or a connection string. `lookup` gives the environment variables
    /// that tell which kind of identity this machine has.
    pub fn parse(
        text: &str,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> std::result::Result<Self, LocationError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        if Connection::looks_like_one(text) {
            return Ok(Self::Account(Connection::parse(text, IdentitySource::detect(lookup))?));
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            let url = text.split('?').next().unwrap_or_default().to_owned();
            return Err(LocationError::Address { url });
        }
        Ok(Self::Folder(text.into()))
    }

    /// Reads the variables that name a location, skyblast's own before those of the Functions
    /// host; `None` if there are none. An empty variable counts as not set.
    pub fn from_variables(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> std::result::Result<Option<Self>, LocationError> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        for variable in [STORAGE, HOST_STORAGE] {
            // Endpoints of skyblast's own also come before the host's variables.
            if variable == HOST_STORAGE
                && let Some(own) = from_endpoints(&lookup, BLOB_ENDPOINT, QUEUE_ENDPOINT, CLIENT_ID)?
            {
                return Ok(Some(own));
            }
            if let Some(text) = lookup(variable) {
                return Self::parse(&text, lookup).map(Some).map_err(|e| in_variable(variable, e));
            }
        }
        if let Some(account) = lookup(HOST_ACCOUNT) {
            let connection = Connection::with_account(&account, identity(&lookup, HOST_CLIENT_ID));
            return connection.map(|c| Some(Self::Account(c))).map_err(|e| in_variable(HOST_ACCOUNT, e));
        }
        from_endpoints(&lookup, HOST_BLOBS, HOST_QUEUES, HOST_CLIENT_ID)
    }

    /// Whether there is a storage, as far as can be told without contacting an account.
    pub fn exists(&self) -> bool {
        match self {
            Self::Folder(folder) => LocalStore::is_at(folder),
            Self::Account(_) => true,
        }
    }

    /// Opens the storage there. A folder is created if missing; an account is not contacted before
    /// it is used.
    pub fn open(&self) -> Result<Arc<Store>> {
        self.open_by(LocalStore::open)
    }

    /// Opens the storage there; [`ErrorKind::NotFound`](super::ErrorKind::NotFound) if a folder is none.
    pub fn open_existing(&self) -> Result<Arc<Store>> {
        self.open_by(LocalStore::open_existing)
    }

    fn open_by(&self, open_folder: impl FnOnce(&Path) -> Result<LocalStore>) -> Result<Arc<Store>> {
        let backend = match self {
            Self::Folder(folder) => Backend::Local(open_folder(folder)?),
            Self::Account(connection) => {
                Backend::Azure(AzureStore::open(connection.clone(), Patience::default())?)
            }
        };
        Ok(Arc::new(Store { backend }))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Account(connection) => write!(f, "{connection}"),
        }
    }
}

/// Opened storage: containers and queues by name.
#[derive(Debug)]
pub struct Store {
    backend: Backend,
}

#[derive(Debug)]
enum Backend {
    Local(LocalStore),
    Azure(AzureStore),
}

impl Store {
    /// The container `name`, 3 to 63 lower-case letters, digits and hyphens. It need not exist.
    pub fn blobs(&self, name: &str) -> Result<Arc<dyn BlobStore>> {
        Ok(match &self.backend {
            Backend::Local(store) => Arc::new(store.blobs(name)?),
            Backend::Azure(store) => Arc::new(store.blobs(name)?),
        })
    }

    /// The queue `name`, 3 to 63 lower-case letters, digits and hyphens. It need not exist.
    pub fn queue(&self, name: &str) -> Result<Arc<dyn Queue>> {
        Ok(match &self.backend {
            Backend::Local(store) => Arc::new(store.queue(name)?),
            Backend::Azure(store) => Arc::new(store.queue(name)?),
        })
    }
}

/// An account whose endpoints two variables give, used by an identity.
fn from_endpoints(
    lookup: &impl Fn(&str) -> Option<String>,
    blobs: &'static str,
    queues: &'static str,
    client_id: &str,
) -> std::result::Result<Option<Location>, LocationError> {
    match (lookup(blobs), lookup(queues)) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(LocationError::Incomplete { set: blobs, missing: queues }),
        (None, Some(_)) => Err(LocationError::Incomplete { set: queues, missing: blobs }),
        (Some(blob), Some(queue)) => {
            // Each address alone first, so that the error names the variable it came from.
            Connection::with_identity(&blob, &blob, identity(lookup, client_id))
                .map_err(|e| in_variable(blobs, e))?;
            let connection = Connection::with_identity(&blob, &queue, identity(lookup, client_id))
                .map_err(|e| in_variable(queues, e))?;
            Ok(Some(Location::Account(connection)))
        }
    }
}

fn identity(lookup: &impl Fn(&str) -> Option<String>, client_id: &str) -> Identity {
    Identity { client_id: lookup(client_id), source: IdentitySource::detect(lookup) }
}

fn in_variable(variable: &'static str, reason: impl Into<LocationError>) -> LocationError {
    LocationError::Variable { variable, reason: Box::new(reason.into()) }
}

#[cfg(test)]
#[path = "location_tests.rs"]
mod tests;
