//! Which storage a command works on.

use std::sync::Arc;

use super::exit::Exit;
use crate::jobs::{Pipeline, Settings};
use crate::store::{Location, Store};

/// The storage to use.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct StorageFlags {
    /// Storage: a folder, or a connection string of an Azure Storage account (such as
    /// UseDevelopmentStorage=true). Without it the environment decides: SKYBLAST_STORAGE, or
    /// SKYBLAST_BLOB_ENDPOINT and SKYBLAST_QUEUE_ENDPOINT, or the AzureWebJobsStorage settings of
    /// the Functions host
    #[arg(long, value_name = "WHERE")]
    storage: Option<String>,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl StorageFlags {
    /// Whether the flag itself is there.
    pub(super) fn is_given(&self) -> bool {
        self.storage.is_some()
    }

    /// Where the flag or the environment says storage is.
    pub(super) fn location(&self) -> anyhow::Result<Location> {
        match &self.storage {
            Some(text) => parse_location(text),
            None => match Location::from_variables(variable)? {
                Some(location) => Ok(location),
                None => Err(Exit::WrongCommandLine.because(
                    "no storage was named; give --storage FOLDER or --storage CONNECTION_STRING, \
                     or set SKYBLAST_STORAGE",
                )),
            },
        }
    }
}

/// The storage that `--storage` names.
pub(super) fn parse_location(text: &str) -> anyhow::Result<Location> {
    let parsed = Location::parse(text, variable);
    parsed.map_err(|error| Exit::WrongCommandLine.because(format_args!("--storage: {error}")))
}

/// A pipeline on the storage at `location`.
pub(super) fn open_pipeline(location: &Location, settings: Settings) -> anyhow::Result<Arc<Pipeline>> {
    let store: Arc<Store> = location.open()?;
    let pipeline = Pipeline::new(|name| store.blobs(name), |name| store.queue(name), settings)?;
    Ok(Arc::new(pipeline))
}
