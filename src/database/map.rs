//! The one place that maps files into memory.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// Maps the whole of `file`, read-only.
///
/// An empty file cannot be mapped and is an error.
#[allow(unsafe_code)]
pub(super) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is sound as long as nobody changes or truncates the file. Volumes are
    // written under a temporary name, renamed when complete, named by their content and never
    // opened for writing again; removing one keeps the mapped pages. Databases of BLAST+ are
    // mapped under the same condition, as BLAST+ does. A program that overwrites a mapped file in
    // place breaks that rule.
    unsafe { Mmap::map(file) }
}
