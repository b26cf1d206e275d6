//! Listing a container in order of full names, one directory in memory at a time.

use std::fs;
use std::io;
use std::path::Path;

use super::Result;
use super::errors::from_io;
use super::files::{Folder, info};
use crate::store::name::is_segment;
use crate::store::{BlobInfo, BlobName};

/// Calls `visit` for each blob whose name starts with `prefix`, in ascending order of bytes, until
/// it returns `false`. Blocks.
pub(super) fn walk(folder: &Folder, prefix: &str, visit: &mut dyn FnMut(BlobInfo) -> bool) -> Result<()> {
    // Start at the deepest directory that the prefix names. A prefix that is not the start of any
    // valid name (`../`) matches nothing and must not be followed.
    let directory = prefix.rfind('/').map_or("", |slash| &prefix[..slash]);
    if !directory.is_empty() && !directory.split('/').all(is_segment) {
        return Ok(());
    }
    visit_directory(folder.root(), directory, prefix, visit)
        .map(|_| ())
        .map_err(|e| from_io(&e, "list", format!("blobs {}/{prefix}", folder.container())))
}

/// Visits one directory (`""` is the container itself); `false` means that `visit` wants no more.
fn visit_directory(
    root: &Path,
    directory: &str,
    prefix: &str,
    visit: &mut dyn FnMut(BlobInfo) -> bool,
) -> io::Result<bool> {
    for entry in sorted_entries(root, directory, prefix)? {
        let goes_on = match entry.strip_suffix('/') {
            Some(subdirectory) => visit_directory(root, subdirectory, prefix, visit)?,
            None => visit_file(root, &entry, visit)?,
        };
        if !goes_on {
            return Ok(false);
        }
    }
    Ok(true)
}

fn visit_file(root: &Path, name: &str, visit: &mut dyn FnMut(BlobInfo) -> bool) -> io::Result<bool> {
    let Ok(blob) = BlobName::parse(name) else { return Ok(true) };
    match fs::metadata(root.join(name)) {
        Ok(metadata) => Ok(visit(info(blob, &metadata))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
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
