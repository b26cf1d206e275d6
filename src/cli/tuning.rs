//! Settings of a deployment that are rarely touched: when and in which pieces work is done. None of
//! them changes a report.

use std::time::Duration;

use bytesize::ByteSize;

use super::options::ThreadFlags;
use crate::functions::Limits;
use crate::jobs::Settings;

/// Hidden from the help: the defaults are right, but for tests and odd deployments.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct TuningFlags {
    /// Residues of queries per chunk, instead of what the volumes suggest
    #[arg(long, value_name = "N", env = "SKYBLAST_CHUNK_RESIDUES", hide = true)]
    chunk_residues: Option<u64>,

    /// How long a job may stand still before sweep announces its missing steps again
    #[arg(long, value_name = "SECONDS", env = "SKYBLAST_STALL_SECONDS", hide = true)]
    stall_seconds: Option<u64>,

    /// Memory for volumes that are kept open; the one in use is kept whatever its size
    #[arg(long, value_name = "SIZE", env = "SKYBLAST_VOLUME_CACHE", hide = true)]
    volume_cache: Option<ByteSize>,

    /// Longest body of a request, in bytes as sent
    #[arg(long, value_name = "BYTES", env = "SKYBLAST_BODY_LIMIT", hide = true)]
    body_limit: Option<u64>,
}

impl TuningFlags {
    /// The pipeline's settings.
    pub(super) fn settings(self, threads: ThreadFlags) -> Settings {
        let default = Settings::default();
        Settings {
            threads: threads.count(),
            volume_cache_bytes: self.volume_cache.map_or(default.volume_cache_bytes, |size| size.as_u64()),
            chunk_residues: self.chunk_residues,
            stall: self.stall_seconds.map_or(default.stall, Duration::from_secs),
            ..default
        }
    }

    /// The limits of requests.
    pub(super) fn limits(self) -> Limits {
        self.body_limit.map_or_else(Limits::default, |body_bytes| Limits { body_bytes })
    }
}
