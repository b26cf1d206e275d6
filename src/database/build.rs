//! Building a database.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::manifest::{FORMAT_VERSION, Manifest, ManifestError, PROTEIN, VolumeInfo};
use super::writer::{UNFINISHED, VolumeWriter, WriteError, unfinished_file};
use super::{Digest, MANIFEST_FILE, VOLUMES_DIRECTORY};

/// Held while a database is built, so that two builds do not remove each other's volumes.
const LOCK_FILE: &str = ".lock";

/// When a volume is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeLimit {
    /// Largest volume in bytes of its file; a sequence that exceeds it alone gets a volume alone.
    Bytes(u64),
    /// Most sequences of a volume; 0 counts as 1.
    Sequences(u64),
}

/// What a database is called and how it is cut.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Name for people and reports.
    pub title: String,
    /// When a volume is full.
    pub volume_limit: VolumeLimit,
    /// Names of the files it is made from.
    pub sources: Vec<String>,
    /// Time to record.
    pub created: Timestamp,
}

/// A database that could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The directory holds something that is not ours.
    #[error(
        "{} is not empty and not a skyblast database (it holds {found}); choose another directory or empty it",
        directory.display()
    )]
    Occupied {
        /// The directory.
        directory: PathBuf,
        /// Something that it holds.
        found: String,
    },
    /// Another process is building a database there.
    #[error("another process is building a database in {}; wait for it", directory.display())]
    Busy {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory has a manifest that cannot be read, so it may not be ours to replace.
    #[error("{source}; to replace it, remove {} first", directory.display())]
    UnreadableManifest {
        /// The directory.
        directory: PathBuf,
        /// What is wrong with the manifest.
        source: ManifestError,
    },
    /// The file system failed, or is full.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A volume could not be written.
    #[error(transparent)]
    Volume(#[from] WriteError),
    /// There was nothing to put into a database.
    #[error("no sequences: a database needs at least one")]
    NoSequences,
}

/// Writes a database, sequence by sequence; memory does not grow with the database, but for 16
/// bytes per sequence of the volume being written.
///
/// The manifest is written last: before [`finish`](Self::finish) the directory holds the database
/// that it held before, or none. The same sequences and limit give the same volumes.
#[derive(Debug)]
pub struct Builder {
    directory: PathBuf,
    options: BuildOptions,
    writer: Option<VolumeWriter>,
    volumes: Vec<VolumeInfo>,
    totals: Totals,
    /// Keeps the lock.
    _lock: File,
}

/// Of all finished volumes, and lengths of all sequences.
#[derive(Debug)]
struct Totals {
    sequences: u64,
    residues: u64,
    shortest: u64,
    longest: u64,
}

impl Builder {
    /// Starts a database in `directory`, which is created if it does not exist, and otherwise must
    /// be empty or hold a database, finished or not.
    pub fn create(directory: &Path, options: BuildOptions) -> Result<Self, BuildError> {
        let volumes = directory.join(VOLUMES_DIRECTORY);
        if directory.exists() {
            check_ours(directory)?;
        }
        fs::create_dir_all(&volumes).map_err(io_error("create", &volumes))?;
        Ok(Self {
            _lock: lock(directory)?,
            directory: directory.to_owned(),
            options,
            writer: None,
            volumes: Vec::new(),
            totals: Totals { sequences: 0, residues: 0, shortest: u64::MAX, longest: 0 },
        })
    }

    /// Adds a sequence: its whole definition line (without `>`), which may have [taxids](crate::sequence::taxids) in
    /// front, and its residue codes, of which there must be at least one.
    pub fn push(&mut self, defline: &[u8], residues: &[u8]) -> Result<(), BuildError> {
        if let Some(full) =
            self.writer.take_if(|writer| is_full(writer, self.options.volume_limit, defline, residues))
        {
            self.close(full)?;
        }
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => VolumeWriter::create(&self.directory.join(VOLUMES_DIRECTORY))?,
        };
        writer.push(defline, residues)?;
        self.writer = Some(writer);
        let length = residues.len() as u64;
        self.totals.shortest = self.totals.shortest.min(length);
        self.totals.longest = self.totals.longest.max(length);
        Ok(())
    }

    /// Completes the database: writes the manifest, then removes volumes that nothing refers to.
    pub fn finish(mut self) -> Result<Manifest, BuildError> {
        if let Some(last) = self.writer.take() {
            self.close(last)?;
        }
        if self.volumes.is_empty() {
            return Err(BuildError::NoSequences);
        }
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            title: self.options.title,
            version: Manifest::version_of(&self.volumes),
            created: self.options.created,
            alphabet: PROTEIN.to_owned(),
            sequences: self.totals.sequences,
            residues: self.totals.residues,
            shortest: self.totals.shortest,
            longest: self.totals.longest,
            sources: self.options.sources,
            volumes: self.volumes,
        };
        sync_directory(&self.directory.join(VOLUMES_DIRECTORY))?;
        write_manifest(&self.directory, &manifest)?;
        remove_unreferenced(&self.directory, &manifest)?;
        Ok(manifest)
    }

    fn close(&mut self, writer: VolumeWriter) -> Result<(), BuildError> {
        let written = writer.complete()?;
        self.volumes.push(VolumeInfo {
            digest: written.digest,
            sequences: written.sequences,
            residues: written.residues,
            bytes: written.bytes,
            first_ordinal: self.totals.sequences,
        });
        self.totals.sequences += written.sequences;
        self.totals.residues += written.residues;
        Ok(())
    }
}

/// Whether the volume has no room for one more sequence.
fn is_full(writer: &VolumeWriter, limit: VolumeLimit, defline: &[u8], residues: &[u8]) -> bool {
    match limit {
        VolumeLimit::Bytes(most) => writer.bytes_with(residues, defline) > most,
        VolumeLimit::Sequences(most) => writer.sequences() >= most,
    }
}

/// Refuses a directory that holds anything but a database, finished or not.
fn check_ours(directory: &Path) -> Result<(), BuildError> {
    let read_failed = io_error("read", directory);
    for entry in fs::read_dir(directory).map_err(&read_failed)? {
        let name = entry.map_err(&read_failed)?.file_name();
        let name = name.to_string_lossy();
        let ours =
            [MANIFEST_FILE, VOLUMES_DIRECTORY, LOCK_FILE].contains(&&*name) || name.starts_with(UNFINISHED);
        if !ours {
            return Err(BuildError::Occupied { directory: directory.to_owned(), found: name.into_owned() });
        }
    }
    match Manifest::read(&directory.join(MANIFEST_FILE)) {
        Ok(_) => Ok(()),
        Err(ManifestError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(BuildError::UnreadableManifest { directory: directory.to_owned(), source }),
    }
}

fn lock(directory: &Path) -> Result<File, BuildError> {
    let path = directory.join(LOCK_FILE);
    let open = File::options().create(true).truncate(false).write(true).open(&path);
    let file = open.map_err(io_error("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BuildError::Busy { directory: directory.to_owned() }),
        // Some network file systems have no locks; builds are rarely run at the same time.
        Err(TryLockError::Error(source)) if source.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
    }
}

/// Replaces the manifest in one step.
fn write_manifest(directory: &Path, manifest: &Manifest) -> Result<(), BuildError> {
    let path = directory.join(MANIFEST_FILE);
    let write = || {
        let mut file = unfinished_file(directory)?;
        file.write_all(manifest.to_json().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(io_error("write", &path))?;
    sync_directory(directory)
}

/// Makes renames inside a directory durable.
fn sync_directory(directory: &Path) -> Result<(), BuildError> {
    // Elsewhere a directory cannot be opened, and the file system orders renames itself.
    if cfg!(unix) {
        File::open(directory).and_then(|handle| handle.sync_all()).map_err(io_error("write", directory))?;
    }
    Ok(())
}

/// Removes volumes of earlier databases and leftovers of interrupted builds; nothing else.
fn remove_unreferenced(directory: &Path, manifest: &Manifest) -> Result<(), BuildError> {
    let referenced: HashSet<Digest> = manifest.volumes.iter().map(|volume| volume.digest).collect();
    remove_files(&directory.join(VOLUMES_DIRECTORY), |name| match name.parse::<Digest>() {
        Ok(digest) => !referenced.contains(&digest),
        Err(_) => name.starts_with(UNFINISHED),
    })?;
    remove_files(directory, |name| name.starts_with(UNFINISHED))
}

fn remove_files(directory: &Path, is_obsolete: impl Fn(&str) -> bool) -> Result<(), BuildError> {
    for entry in fs::read_dir(directory).map_err(io_error("read", directory))? {
        let entry = entry.map_err(io_error("read", directory))?;
        if is_obsolete(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path()).map_err(io_error("remove", &entry.path()))?;
        }
    }
    Ok(())
}

fn io_error(action: &'static str, path: &Path) -> impl Fn(io::Error) -> BuildError {
    let path = path.to_owned();
    move |source| BuildError::Io { action, path: path.clone(), source }
}
