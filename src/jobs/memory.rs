//! Whether a shard fits into memory.

use super::error::{Error, Result};
use super::job::DatabaseRef;
use super::names;
use super::pipeline::Pipeline;
use crate::database::VolumeInfo;

/// What a shard takes beside its volume, bytes: 38 MB were measured for a chunk of 400,000 residues, twice the
/// most that a chunk has, with two threads; the rest is for hits.
const BESIDE_VOLUME: u64 = 96 << 20;

impl Pipeline {
    /// Refuses a volume that would take more memory than there is: who tries is killed, and everything with it.
    /// A volume that lies in a file, or will, is mapped and takes none.
    pub(super) fn check_memory(&self, database: &DatabaseRef, volume: &VolumeInfo) -> Result<()> {
        let Some(there) = self.settings.memory else { return Ok(()) };
        let needed = volume.bytes + BESIDE_VOLUME;
        let digest = volume.digest.to_string();
        if needed <= there
            || self.catalog.cache.maps(volume)
            || self.catalog.blobs.as_file(&names::volume(&digest)?).is_some()
        {
            return Ok(());
        }
        Err(Error::TooLarge { database: database.to_string(), digest, needed, there })
    }
}
