//! Nobody else's: folders and files that only their owner may open, and links that are not followed.
//!
//! Storage holds secrets and other people's sequences. A link inside it would let whoever can make one
//! have files elsewhere read, listed, overwritten or deleted.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Permissions of a folder.
const FOLDER: u32 = 0o700;
/// Permissions of a file.
const FILE: u32 = 0o600;
/// What others may do.
const OTHERS: u32 = 0o077;

/// Creates a folder whose parent exists.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER).create(folder)
}

/// Opens a file for writing, and creates it if it is missing.
pub(super) fn open_or_create(file: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(FILE).open(file)
}

/// Refuses a link at `path` or at a folder on the way to it from `root`, which itself may be one.
pub(super) fn refuse_links(root: &Path, path: &Path) -> io::Result<()> {
    for place in path.ancestors().take_while(|place| *place != root) {
        if fs::symlink_metadata(place).is_ok_and(|metadata| metadata.is_symlink()) {
            let text = format!(
                "{} is a symbolic link, and links inside a storage are not followed; put what it leads to in \
                 its place",
                place.display()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
    }
    Ok(())
}

/// Takes from others what an earlier version let them do with `folder` and everything in it.
pub(super) fn close_to_others(folder: &Path) -> io::Result<()> {
    if fs::metadata(folder)?.permissions().mode() & OTHERS == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let closed = if kind.is_dir() {
            close_to_others(&entry.path())
        } else if kind.is_file() {
            fs::set_permissions(entry.path(), Permissions::from_mode(FILE))
        } else {
            Ok(())
        };
        // Another process may be deleting what is there.
        closed.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
    }
    // Last, so that one who was interrupted does it again.
    fs::set_permissions(folder, Permissions::from_mode(FOLDER))
}

/// The same for a single file, if there is one.
pub(super) fn close_file_to_others(file: &Path) -> io::Result<()> {
    match fs::metadata(file) {
        Ok(metadata) if metadata.permissions().mode() & OTHERS != 0 => {
            fs::set_permissions(file, Permissions::from_mode(FILE))
        }
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}
