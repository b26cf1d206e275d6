//! Listing a container in order of full names, one directory in memory at a time.

use std::fs;
use std::io;
use std::path::Path;
use std::vec;

use super::Result;
use super::errors::from_io;
use super::files::{Folder, info, note_of};
use crate::store::name::is_segment;
use crate::store::{BlobInfo, BlobName};

/// A listing of the blobs whose name starts with a prefix, in ascending order of bytes.
#[derive(Debug)]
pub(super) struct Walk {
    prefix: String,
    /// What is left of the directories under way, innermost last. Directories among it end in `/`.
    rest: Vec<vec::IntoIter<String>>,
}

impl Walk {
    /// Starts a listing. Blocks.
    pub(super) fn start(folder: &Folder, prefix: &str) -> Result<Self> {
        let mut walk = Self { prefix: prefix.to_owned(), rest: Vec::new() };
        // Start at the deepest directory that the prefix names. A prefix that is not the start of any
        // valid name (`../`) matches nothing and must not be followed.
        let directory = prefix.rfind('/').map_or("", |slash| &prefix[..slash]);
        if directory.is_empty() || directory.split('/').all(is_segment) {
            walk.enter(folder, directory).map_err(|e| walk.failed(&e, folder))?;
        }
        Ok(walk)
    }

    /// The next blobs, at most `most` of them; none at the end. Blocks.
    pub(super) fn next(&mut self, folder: &Folder, most: usize) -> Result<Vec<BlobInfo>> {
        let mut found = Vec::new();
        while found.len() < most
            && let Some(directory) = self.rest.last_mut()
        {
            match directory.next() {
                None => drop(self.rest.pop()),
                Some(entry) => {
                    let looked = match entry.strip_suffix('/') {
                        Some(directory) => self.enter(folder, directory).map(|()| None),
                        None => look_at(folder.root(), &entry),
                    };
                    found.extend(looked.map_err(|e| self.failed(&e, folder))?);
                }
            }
        }
        Ok(found)
    }

    /// Goes into a directory; `""` is the container itself.
    fn enter(&mut self, folder: &Folder, directory: &str) -> io::Result<()> {
        folder.refuse_links(&folder.root().join(directory))?;
        let entries = sorted_entries(folder.root(), directory, &self.prefix)?;
        self.rest.push(entries.into_iter());
        Ok(())
    }

    fn failed(&self, error: &io::Error, folder: &Folder) -> super::Error {
        from_io(error, "list", format!("blobs {}/{}", folder.container(), self.prefix))
    }
}

/// The blob `name`, if it still is one.
fn look_at(root: &Path, name: &str) -> io::Result<Option<BlobInfo>> {
    let Ok(blob) = BlobName::parse(name) else { return Ok(None) };
    let path = root.join(name);
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(info(blob, &metadata, note_of(&path)))),
        Ok(_) => Ok(None),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// The full names in `directory` that can lead to a blob starting with `prefix`, sorted.
/// Directories end in `/`: that puts their contents in their place among the files.
fn sorted_entries(root: &Path, directory: &str, prefix: &str) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(root.join(directory)) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(e) => return Err(e),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let file_name = entry.file_name();
        let Some(segment) = file_name.to_str().filter(|segment| is_segment(segment)) else { continue };
        let separator = if directory.is_empty() { "" } else { "/" };
        let kind = entry.file_type()?;
        let name = format!("{directory}{separator}{segment}{}", if kind.is_dir() { "/" } else { "" });
        if name.starts_with(prefix) || (kind.is_dir() && prefix.starts_with(&name)) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}
