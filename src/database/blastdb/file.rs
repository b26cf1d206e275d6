//! The bytes of one file of a database.

use std::fmt;
use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use super::super::map::map;
use super::error::BlastDbError;

/// A file in memory: mapped, or nothing if it is empty.
pub(super) struct FileBytes(Option<Mmap>);

impl FileBytes {
    /// Maps the file at `path`.
    #[expect(unsafe_code, reason = "maps a file")]
    pub(super) fn open(path: &Path) -> Result<Self, BlastDbError> {
        let file = File::open(path).map_err(BlastDbError::read(path))?;
        let length = file.metadata().map_err(BlastDbError::read(path))?.len();
        // Nothing to map.
        if length == 0 {
            return Ok(Self(None));
        }
        // SAFETY: like BLAST+, which maps them too, this relies on nobody writing to a database in place while it
        // is searched. A program that does so breaks the rule.
        let mapped = unsafe { map(&file) };
        mapped.map(|mapped| Self(Some(mapped))).map_err(BlastDbError::read(path))
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileBytes({} bytes)", self.as_slice().len())
    }
}
