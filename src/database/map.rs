//! The one place that maps files into memory.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// Maps the whole of `file`, read-only.
///
/// An empty file cannot be mapped and is an error.
///
/// # Safety
/// While the mapping lives, nobody may change or truncate the file in place. A file that is replaced by
/// another of its name, or removed, keeps its pages.
#[expect(unsafe_code, reason = "maps a file")]
pub(super) unsafe fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: as the caller promises.
    unsafe { Mmap::map(file) }
}
