//! Opening a database and its volumes.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{Manifest, ManifestError, VolumeInfo};
use super::volume::{Volume, VolumeError};
use super::{MANIFEST_FILE, VOLUMES_DIRECTORY};
use crate::engine::Subjects;

/// A database that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// There is no database there.
    #[error("{} is not a skyblast database (it has no {MANIFEST_FILE}); make one with `skyblast makedb`", directory.display())]
    NotADatabase {
        /// The directory.
        directory: PathBuf,
    },
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A volume cannot be used.
    #[error("volume {index} of database {}: {source}", directory.display())]
    Volume {
        /// Directory of the database.
        directory: PathBuf,
        /// Position of the volume, from 0.
        index: usize,
        /// What is wrong with it.
        source: VolumeError,
    },
}

/// A database in a directory. Volumes are opened when they are asked for.
#[derive(Clone, Debug)]
pub struct Database {
    directory: PathBuf,
    manifest: Manifest,
}

impl Database {
    /// Reads the manifest of the database in `directory`.
    pub fn open(directory: &Path) -> Result<Self, DatabaseError> {
        let path = directory.join(MANIFEST_FILE);
        if !path.exists() {
            return Err(DatabaseError::NotADatabase { directory: directory.to_owned() });
        }
        Ok(Self { directory: directory.to_owned(), manifest: Manifest::read(&path)? })
    }

    /// What the database consists of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// File of a volume.
    pub fn volume_path(&self, volume: &VolumeInfo) -> PathBuf {
        self.directory.join(VOLUMES_DIRECTORY).join(volume.digest.to_string())
    }

    /// Maps volume `index` into memory and checks all of it, its digest included.
    ///
    /// # Panics
    /// If `index` is not below the number of volumes in the manifest.
    pub fn volume(&self, index: usize) -> Result<Volume, DatabaseError> {
        let info = &self.manifest.volumes[index];
        self.open_volume(info).map_err(|source| DatabaseError::Volume {
            directory: self.directory.clone(),
            index,
            source,
        })
    }

    /// Checks every volume.
    pub fn verify(&self) -> Result<(), DatabaseError> {
        (0..self.manifest.volumes.len()).try_for_each(|index| self.volume(index).map(drop))
    }

    fn open_volume(&self, info: &VolumeInfo) -> Result<Volume, VolumeError> {
        let path = self.volume_path(info);
        let name = path.display().to_string();
        // A lost end is worth more than a digest that differs, even if the header is lost too.
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() < info.bytes => {
                let (expected, found) = (info.bytes, metadata.len());
                return Err(VolumeError::Truncated { volume: name, expected, found });
            }
            Ok(_) => {}
            Err(source) => return Err(VolumeError::Read { volume: name, source }),
        }
        let volume = Volume::open(&path, Some(&info.digest))?;
        let found = (volume.len() as u64, volume.total_residues());
        if found != (info.sequences, info.residues) {
            return Err(VolumeError::Damaged {
                volume: name,
                reason: format!(
                    "it holds {} sequences and {} residues, but the manifest says {} and {}",
                    found.0, found.1, info.sequences, info.residues
                ),
            });
        }
        Ok(volume)
    }
}
