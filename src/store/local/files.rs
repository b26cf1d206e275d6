//! The files of one container: written aside, made durable, then given their name in one step.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::errors::from_io;
use super::private::{create_folder, open_or_create, refuse_links};
use super::{Error, Result};
use crate::store::{BlobInfo, BlobName, ETag, Written};

/// Where the containers of a store lie.
pub(super) const BLOBS: &str = "blobs";
/// Where files wait until they are complete. `~` is in no blob name.
const PARTIAL: &str = "~partial";
/// The file whose lock orders replacements and deletions.
const LOCK: &str = "~lock";
/// A partial file of this age has lost its writer.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// How often to start over when a concurrent deletion removes the directory just made.
const DIRECTORY_RACES: u32 = 100;

/// One container's folder. All methods block.
#[derive(Debug)]
pub(super) struct Folder {
    /// The folder of the whole store.
    store: PathBuf,
    root: PathBuf,
    container: String,
}

impl Folder {
    /// The container of the store in the folder `store`.
    pub(super) fn new(store: &Path, container: &str) -> Self {
        let root = store.join(BLOBS).join(container);
        Self { store: store.to_owned(), root, container: container.to_owned() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The container's name.
    pub(super) fn container(&self) -> &str {
        &self.container
    }

    /// The blob's file, which may not exist, unless a link leads to it.
    pub(super) fn path(&self, name: &BlobName) -> io::Result<PathBuf> {
        let path = self.root.join(name.as_str());
        self.refuse_links(&path).map(|()| path)
    }

    /// Refuses a path that is a link or leads through one.
    pub(super) fn refuse_links(&self, path: &Path) -> io::Result<()> {
        refuse_links(&self.store, path)
    }

    /// Turns a file-system error into one that names the blob.
    pub(super) fn error(&self, error: &io::Error, action: &'static str, name: &BlobName) -> Error {
        from_io(error, action, format!("blob {}/{name}", self.container))
    }

    /// Opens the blob for reading.
    pub(super) fn open(&self, name: &BlobName) -> Result<(File, Metadata)> {
        let file = self.path(name).and_then(File::open).and_then(|file| {
            let metadata = file.metadata()?;
            if metadata.is_dir() { Err(io::ErrorKind::NotFound.into()) } else { Ok((file, metadata)) }
        });
        file.map_err(|e| self.error(&e, "read", name))
    }

    /// Writes a complete, durable, still nameless file for `name`.
    pub(super) fn write_partial(
        &self,
        name: &BlobName,
        fill: impl FnOnce(&mut File) -> Result<()>,
    ) -> Result<NamedTempFile> {
        let mut partial = self.begin_partial(name)?;
        fill(partial.as_file_mut())?;
        self.seal(name, &partial)?;
        Ok(partial)
    }

    /// Begins a nameless file for `name`.
    pub(super) fn begin_partial(&self, name: &BlobName) -> Result<NamedTempFile> {
        let folder = self.root.join(PARTIAL);
        let create = || {
            self.refuse_links(&folder)?;
            create_durable_dir(&folder)?;
            // For their owner alone, as temporary files are.
            tempfile::Builder::new().prefix("").tempfile_in(&folder)
        };
        create().map_err(|e| self.error(&e, "write", name))
    }

    /// Makes such a file, which is complete, durable.
    pub(super) fn seal(&self, name: &BlobName, partial: &NamedTempFile) -> Result<()> {
        let seal = || {
            partial.as_file().set_modified(unique_time()?)?;
            partial.as_file().sync_all()
        };
        seal().map_err(|e| self.error(&e, "write", name))
    }

    /// Gives `partial` its name unless that is taken, with a note if given.
    pub(super) fn publish_absent(
        &self,
        name: &BlobName,
        partial: &NamedTempFile,
        note: Option<u64>,
    ) -> Result<Written> {
        let link = |target: &Path| match fs::hard_link(partial.path(), target) {
            Ok(()) => Ok(Written::Created),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && !target.is_dir() => {
                Ok(Written::AlreadyExists)
            }
            Err(e) => Err(e),
        };
        let publish = || {
            let target = self.path(name)?;
            let Some(note) = note else { return self.in_parent_of(&target, || link(&target)) };
            // The note is there before the blob, and only if it is that blob's.
            let _lock = self.lock()?;
            self.in_parent_of(&target, || {
                if target.exists() {
                    return link(&target);
                }
                self.write_note(&target, note)?;
                let written = link(&target)?;
                if written == Written::AlreadyExists {
                    remove_note(&target)?;
                }
                Ok(written)
            })
        };
        publish().map_err(|e| self.error(&e, "write", name))
    }

    /// What was noted beside the blob.
    pub(super) fn note(&self, name: &BlobName) -> Option<u64> {
        note_of(&self.path(name).ok()?)
    }

    fn write_note(&self, target: &Path, note: u64) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix("").tempfile_in(self.root.join(PARTIAL))?;
        file.write_all(note.to_string().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(note_path(target)).map(|_| ()).map_err(|e| e.error)
    }

    /// Gives `partial` its name, replacing what had it; if `expected` is given, only if that still
    /// is its tag. Returns the new tag, or `None` if the tag was another.
    pub(super) fn publish_over(
        &self,
        name: &BlobName,
        partial: &NamedTempFile,
        expected: Option<&ETag>,
    ) -> Result<Option<ETag>> {
        let replace = || {
            let target = self.path(name)?;
            let _lock = self.lock()?;
            if let Some(expected) = expected
                && etag_at(&target)?.as_ref() != Some(expected)
            {
                return Ok(None);
            }
            let tag = etag(&partial.as_file().metadata()?);
            remove_note(&target)?;
            self.in_parent_of(&target, || fs::rename(partial.path(), &target))?;
            Ok(Some(tag))
        };
        replace().map_err(|e| self.error(&e, "write", name))
    }

    /// Gives the blob a new tag and time.
    pub(super) fn touch(&self, name: &BlobName) -> Result<bool> {
        let touch = || {
            let target = self.path(name)?;
            let _lock = self.lock()?;
            match File::options().write(true).open(&target) {
                Ok(file) => file.set_modified(unique_time()?).map(|()| true),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
                Err(e) => Err(e),
            }
        };
        touch().map_err(|e| self.error(&e, "touch", name))
    }

    /// Deletes the blob, only if it has the tag `expected` if that is given, and the directories
    /// that it leaves empty.
    pub(super) fn delete(&self, name: &BlobName, expected: Option<&ETag>) -> Result<bool> {
        let delete = || {
            let target = self.path(name)?;
            if !target.is_file() {
                return Ok(false);
            }
            let _lock = self.lock()?;
            if let Some(expected) = expected
                && etag_at(&target)?.as_ref() != Some(expected)
            {
                return Ok(false);
            }
            match fs::remove_file(&target) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(e) => return Err(e),
            }
            remove_note(&target)?;
            let mut parents = target.ancestors().skip(1).take_while(|parent| *parent != self.root);
            let kept = parents.find(|parent| fs::remove_dir(parent).is_err());
            sync_if_there(kept.unwrap_or(&self.root))?;
            Ok(true)
        };
        delete().map_err(|e| self.error(&e, "delete", name))
    }

    /// Removes partial files whose writers died long ago.
    pub(super) fn remove_stale_partials(&self) -> io::Result<()> {
        let folder = self.root.join(PARTIAL);
        self.refuse_links(&folder)?;
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e),
        };
        for entry in entries {
            let entry = entry?;
            // Another process may be cleaning as well, so a file that has gone is no error.
            let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
            if age.is_some_and(|age| age > STALE) {
                fs::remove_file(entry.path()).or_else(|e| match e.kind() {
                    io::ErrorKind::NotFound => Ok(()),
                    _ => Err(e),
                })?;
            }
        }
        Ok(())
    }

    /// Does `step` with the parent directory of `target` in place, and makes the change durable.
    fn in_parent_of<T>(&self, target: &Path, step: impl Fn() -> io::Result<T>) -> io::Result<T> {
        let parent = target.parent().unwrap_or(&self.root);
        let mut races = 0;
        loop {
            match create_durable_dir(parent).and_then(|()| step()) {
                Ok(value) => {
                    sync_if_there(parent)?;
                    return Ok(value);
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound && races < DIRECTORY_RACES => races += 1,
                Err(e) => return Err(e),
            }
        }
    }

    /// Waits for the container's lock; dropping the file releases it.
    fn lock(&self) -> io::Result<File> {
        create_durable_dir(&self.root)?;
        let path = self.root.join(LOCK);
        self.refuse_links(&path)?;
        let file = open_or_create(&path)?;
        file.lock()?;
        Ok(file)
    }
}

/// Where the note of the blob in the file `target` lies. `~` is in no blob name.
fn note_path(target: &Path) -> PathBuf {
    let mut name = OsString::from("~");
    name.push(target.file_name().unwrap_or_default());
    target.with_file_name(name)
}

/// What was noted beside the blob in the file `target`.
pub(super) fn note_of(target: &Path) -> Option<u64> {
    fs::read_to_string(note_path(target)).ok()?.parse().ok()
}

fn remove_note(target: &Path) -> io::Result<()> {
    match fs::remove_file(note_path(target)) {
        Err(e) if !matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Err(e),
        _ => Ok(()),
    }
}

/// What is known of the blob `name` from its file's metadata, and its note.
pub(super) fn info(name: BlobName, metadata: &Metadata, note: Option<u64>) -> BlobInfo {
    let seconds = modified_seconds(metadata);
    BlobInfo {
        name,
        length: metadata.len(),
        modified: Timestamp::from_second(i64::try_from(seconds).unwrap_or(i64::MAX))
            .unwrap_or(Timestamp::MAX),
        etag: etag(metadata),
        note,
    }
}

/// The tag of a blob: its time of modification (see [`unique_time`]) and its length.
pub(super) fn etag(metadata: &Metadata) -> ETag {
    let nanoseconds = modified(metadata).subsec_nanos();
    ETag(format!("\"{:x}-{nanoseconds:x}-{:x}\"", modified_seconds(metadata), metadata.len()))
}

fn etag_at(path: &Path) -> io::Result<Option<ETag>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(etag(&metadata))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn modified(metadata: &Metadata) -> Duration {
    metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default()
}

fn modified_seconds(metadata: &Metadata) -> u64 {
    modified(metadata).as_secs()
}

/// Now, in whole seconds, with random nanoseconds.
///
/// The kernel's own stamp is too coarse to tell two quick writes apart. The nanoseconds of the
/// file's time are where a version tag survives a rename and a copy without a second file.
fn unique_time() -> io::Result<SystemTime> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    let nanoseconds = getrandom::u32().map_err(io::Error::other)? % 1_000_000_000;
    Ok(UNIX_EPOCH + Duration::new(now.as_secs(), nanoseconds))
}

/// Creates `folder` and its missing parents so that they outlive a power loss.
fn create_durable_dir(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_durable_dir(parent)?;
        match create_folder(folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists || !folder.is_dir() => return Err(e),
            _ => sync_dir(parent)?,
        }
    }
    Ok(())
}

/// Like [`sync_dir`]; a directory that was removed after its last file has nothing to lose.
fn sync_if_there(folder: &Path) -> io::Result<()> {
    sync_dir(folder).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
}

fn sync_dir(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
