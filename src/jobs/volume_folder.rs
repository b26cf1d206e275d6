//! Volumes kept in a folder of this machine, so that a worker that starts need not fetch them from storage again.
//!
//! ```text
//! <folder>/<digest>      a volume
//! <folder>/.fetch…       one that is being fetched
//! ```
//!
//! Any number of workers may share the folder: a volume gets its name when it is whole, and is checked against
//! it whenever it is opened. One that is not what its name says is deleted. Volumes that were not opened for the
//! longest time make room for others; whoever has one open keeps it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use tempfile::NamedTempFile;

use super::error::{Error, Result};
use super::pipeline::Pipeline;
use crate::database::{Digest, Volume, VolumeError, VolumeInfo};
use crate::store;

/// What names of unfinished files begin with.
const UNFINISHED: &str = ".fetch";
/// Age from which on an unfinished file is what a killed worker has left.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// A folder of volumes and how many bytes they may take.
#[derive(Clone, Debug)]
pub struct VolumeFolder {
    folder: PathBuf,
    limit: u64,
}

impl VolumeFolder {
    /// Keeps volumes of `limit` bytes together in `folder`, which is made if there is none.
    ///
    /// # Errors
    /// If it cannot be made, or not be written to.
    pub fn open(folder: &Path, limit: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        unfinished(folder)?;
        Ok(Self { folder: folder.to_owned(), limit })
    }

    /// Whether a volume has room in it.
    pub(super) fn takes(&self, info: &VolumeInfo) -> bool {
        info.bytes <= self.limit
    }

    /// A volume that is there and whole.
    pub(super) async fn get(&self, digest: Digest) -> Result<Option<Volume>> {
        let path = self.path(&digest);
        Pipeline::compute(move || {
            if !path.exists() {
                return Ok(None);
            }
            match Volume::open(&path, Some(&digest)) {
                Ok(volume) => {
                    // Only its age for others depends on it.
                    if let Err(error) =
                        File::open(&path).and_then(|file| file.set_modified(SystemTime::now()))
                    {
                        tracing::debug!(%error, "could not note that a volume was used");
                    }
                    Ok(Some(volume))
                }
                Err(error) => {
                    tracing::warn!(%error, "a volume in the cache cannot be used; it is fetched again");
                    let _ = fs::remove_file(&path);
                    Ok(None)
                }
            }
        })
        .await
    }

    /// Writes a volume down as it comes, and opens it.
    ///
    /// # Errors
    /// What storage says; [`Error::Scratch`] if the folder does not take it.
    pub(super) async fn keep(
        &self,
        info: &VolumeInfo,
        mut content: impl Stream<Item = store::Result<Bytes>> + Unpin,
    ) -> Result<Volume, Unkept> {
        let scratch = |error| Unkept::NoRoom(Box::new(Error::Scratch(error)));
        let mut file = unfinished(&self.folder).map_err(scratch)?;
        while let Some(piece) =
            content.try_next().await.map_err(|error| Unkept::Failed(Box::new(error.into())))?
        {
            file = Pipeline::compute(move || {
                file.write_all(&piece)?;
                Ok(file)
            })
            .await
            .map_err(|error| Unkept::NoRoom(Box::new(error)))?;
        }
        let (folder, path, digest) = (self.clone(), self.path(&info.digest), info.digest);
        Pipeline::compute(move || {
            // Before it gets its name: what arrived damaged should not lie there.
            let whole = Volume::open(file.path(), Some(&digest));
            let kept = whole.is_ok().then(|| file.persist(&path).map_err(|error| error.error));
            folder.make_room(&path);
            Ok((whole, kept.transpose()))
        })
        .await
        .map_err(|error| Unkept::Failed(Box::new(error)))
        .and_then(|(whole, kept)| {
            kept.map_err(scratch)?;
            whole.map_err(|error| Unkept::Damaged(Box::new(error)))
        })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    /// Deletes the volumes used longest ago until the others fit, but not the one that has just come. Others may do the
    /// same at the same time.
    fn make_room(&self, newest: &Path) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let now = SystemTime::now();
        let mut volumes = Vec::new();
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified().unwrap_or(now);
            let name = entry.file_name();
            let is_left = now.duration_since(used).is_ok_and(|age| age > LEFT_BEHIND);
            if name.to_string_lossy().starts_with(UNFINISHED) {
                if is_left {
                    let _ = fs::remove_file(entry.path());
                }
            } else if name.to_str().is_some_and(|name| name.parse::<Digest>().is_ok()) {
                volumes.push((entry.path() == newest, used, metadata.len(), entry.path()));
            }
        }
        volumes.sort();
        let mut taken: u64 = volumes.iter().map(|(_, _, bytes, _)| bytes).sum();
        for (is_newest, _, bytes, path) in volumes {
            if is_newest || taken <= self.limit {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                taken -= bytes;
            }
        }
    }
}

/// Why a volume was not kept.
#[derive(Debug)]
pub(super) enum Unkept {
    /// The folder does not take it.
    NoRoom(Box<Error>),
    /// It is not what its name says.
    Damaged(Box<VolumeError>),
    /// It could not be fetched.
    Failed(Box<Error>),
}

fn unfinished(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures::stream;

    use super::*;
    use crate::database::{BuildOptions, Builder, Database, VolumeLimit};

    /// A volume of one sequence of so many letters.
    fn volume(letters: usize) -> (VolumeInfo, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let options = BuildOptions {
            title: String::new(),
            volume_limit: VolumeLimit::Sequences(1),
            sources: Vec::new(),
            created: jiff::Timestamp::UNIX_EPOCH,
        };
        let mut builder = Builder::create(&folder.path().join("db"), options).unwrap();
        builder.push(b"a", &vec![1; letters]).unwrap();
        let info = builder.finish().unwrap().volumes.remove(0);
        let database = Database::open(&folder.path().join("db")).unwrap();
        let bytes = fs::read(database.volume_path(&info)).unwrap();
        (info, bytes)
    }

    async fn keep(folder: &VolumeFolder, info: &VolumeInfo, bytes: &[u8]) -> Result<Volume, Unkept> {
        let pieces: Vec<_> = bytes.chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        folder.keep(info, stream::iter(pieces)).await
    }

    fn names(folder: &Path) -> BTreeSet<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn what_is_kept_is_found_by_others_and_what_is_damaged_is_not() {
        let place = tempfile::tempdir().unwrap();
        let open = || VolumeFolder::open(&place.path().join("cache"), 1 << 20).unwrap();
        let (info, bytes) = volume(10);
        assert!(open().get(info.digest).await.unwrap().is_none());
        assert_eq!(keep(&open(), &info, &bytes).await.unwrap().total_residues(), 10);
        assert_eq!(open().get(info.digest).await.unwrap().unwrap().total_residues(), 10);

        let file = place.path().join("cache").join(info.digest.to_string());
        fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
        assert!(open().get(info.digest).await.unwrap().is_none());
        assert!(!file.exists(), "it is fetched again");
        let (_, other) = volume(11);
        assert!(matches!(keep(&open(), &info, &other).await, Err(Unkept::Damaged(_))));
        assert_eq!(names(&place.path().join("cache")), BTreeSet::new(), "nothing of it stays");
    }

    #[tokio::test]
    async fn the_volumes_used_longest_ago_make_room_and_what_killed_workers_left_goes() {
        let place = tempfile::tempdir().unwrap();
        let volumes: Vec<_> = (10..14).map(volume).collect();
        let bytes = volumes[0].0.bytes;
        let folder = VolumeFolder::open(place.path(), bytes * 5 / 2).unwrap();
        let hours_ago = |name: &str, hours: u64| {
            let file = File::options().append(true).open(place.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3_600)).unwrap();
        };
        for (info, content) in &volumes[..2] {
            keep(&folder, info, content).await.unwrap();
        }
        for name in [".fetch-old", ".fetch-new", "notes"] {
            fs::write(place.path().join(name), vec![0; 100]).unwrap();
        }
        hours_ago(".fetch-old", 2);
        hours_ago("notes", 2);
        hours_ago(&volumes[0].0.digest.to_string(), 3);
        hours_ago(&volumes[1].0.digest.to_string(), 2);
        let held = folder.get(volumes[1].0.digest).await.unwrap().unwrap();
        folder.get(volumes[0].0.digest).await.unwrap();
        hours_ago(&volumes[1].0.digest.to_string(), 1);
        keep(&folder, &volumes[2].0, &volumes[2].1).await.unwrap();
        let digest = |place: usize| volumes[place].0.digest.to_string();
        let expected = [digest(0), digest(2), ".fetch-new".to_owned(), "notes".to_owned()];
        assert_eq!(names(place.path()), expected.into_iter().collect());
        assert_eq!(held.total_residues(), 11, "who has it open keeps it");
        assert!(folder.takes(&volumes[0].0));
        assert!(!VolumeFolder::open(place.path(), bytes - 1).unwrap().takes(&volumes[0].0));
    }
}
