//! Which storage a command works on.

use anyhow::anyhow;

use super::exit::Exit;
use crate::jobs::{Pipeline, Settings};
use crate::store::local::LocalStore;
use crate::store::{ErrorKind, Location, Store};

/// The folder that is a storage unless another is named; also the default of `skyblast serve`.
pub(super) const USUAL_FOLDER: &str = "skyblast-data";

/// The storage to use.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct StorageFlags {
    /// Storage: a folder, or a connection string of an Azure Storage account (such as
    /// UseDevelopmentStorage=true). Without it the environment decides: SKYBLAST_STORAGE, or
    /// SKYBLAST_BLOB_ENDPOINT and SKYBLAST_QUEUE_ENDPOINT, or the AzureWebJobsStorage settings of
    /// the Functions host; else it is the folder skyblast-data, as for `skyblast serve`
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

    /// The text of the flag.
    pub(super) fn given(&self) -> Option<&str> {
        self.storage.as_deref()
    }

    /// The flag as it was given, for another process of this program.
    pub(super) fn as_arguments(&self) -> Vec<&str> {
        self.storage.iter().flat_map(|storage| ["--storage", storage]).collect()
    }

    /// Where the flag or the environment says storage is, or where it usually is.
    pub(super) fn location_or_usual(&self) -> anyhow::Result<Location> {
        let named = match &self.storage {
            Some(text) => Some(parse_location(text)?),
            None => Location::from_variables(variable)?,
        };
        Ok(named.unwrap_or_else(|| Location::Folder(USUAL_FOLDER.into())))
    }

    /// The same, but the usual folder only if it is a storage.
    pub(super) fn location(&self) -> anyhow::Result<Location> {
        if self.storage.is_some() || LocalStore::is_at(USUAL_FOLDER.as_ref()) {
            return self.location_or_usual();
        }
        Location::from_variables(variable)?.ok_or_else(|| {
            Exit::WrongCommandLine.because(format_args!(
                "no storage was named, and there is none in {USUAL_FOLDER}; give --storage FOLDER or \
                 --storage CONNECTION_STRING, or set SKYBLAST_STORAGE"
            ))
        })
    }
}

/// The storage that `--storage` names.
pub(super) fn parse_location(text: &str) -> anyhow::Result<Location> {
    let parsed = Location::parse(text, variable);
    parsed.map_err(|error| Exit::WrongCommandLine.because(format_args!("--storage: {error}")))
}

/// A pipeline on the storage at `location`, which must be there.
pub(super) fn open_pipeline(location: &Location, settings: Settings) -> anyhow::Result<Pipeline> {
    let opened = location.open_existing().map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!(
            "{error}; `skyblast databases add NAME --in FASTA --storage {location}` and `skyblast serve \
             --storage {location}` make a new one there"
        ),
        _ => error.into(),
    });
    let store = opened?;
    pipeline_on(&store, settings)
}

/// A pipeline on the storage at `location`; a folder that is none becomes one, which is said.
pub(super) fn open_or_make_pipeline(location: &Location, settings: Settings) -> anyhow::Result<Pipeline> {
    let is_new = !location.exists();
    let store = location.open()?;
    if is_new {
        errln!("made a new storage in the folder {location}");
    }
    pipeline_on(&store, settings)
}

fn pipeline_on(store: &Store, settings: Settings) -> anyhow::Result<Pipeline> {
    Ok(Pipeline::new(|name| store.blobs(name), |name| store.queue(name), settings)?)
}
