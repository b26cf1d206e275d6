//! Protein databases on disk: a manifest and immutable, content-addressed volumes.
//!
//! ```text
//! DIR/manifest.json        title, totals, the ordered list of volumes    [`Manifest`]
//! DIR/volumes/<digest>     sequences, in the order of the input          [`Volume`]
//! ```
//!
//! [`Builder`] writes a database, [`Database`] opens one. A volume is named by the BLAKE3 digest of
//! its bytes, so a volume that has its name's digest is whole, and equal volumes are one file. Its
//! bytes are described in [`layout`].
//!
//! Databases of NCBI's BLAST+ are read by [`blastdb`].

pub mod blastdb;
pub mod layout;

mod build;
mod check;
mod digest;
mod manifest;
mod map;
mod open;
mod resident;
mod volume;
mod writer;

pub use build::{BuildError, BuildOptions, Builder, VolumeLimit};
pub use digest::{Digest, DigestWriter, ParseDigestError};
pub use manifest::{Manifest, ManifestError, VolumeInfo};
pub use open::{Database, DatabaseError};
pub use resident::ResidentVolume;
pub use volume::{Volume, VolumeError};
pub use writer::{VolumeWriter, WriteError};

/// Name of the manifest inside a database's directory.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Name of the directory of volumes inside a database's directory.
pub const VOLUMES_DIRECTORY: &str = "volumes";
