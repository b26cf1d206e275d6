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
//! ```
//! use skyblast::database::{BuildOptions, Builder, Database, VolumeLimit};
//! use skyblast::engine::Subjects;
//! use skyblast::sequence::fasta::Reader;
//!
//! let folder = tempfile::tempdir()?;
//! let options = BuildOptions {
//!     title: "two proteins".to_owned(),
//!     volume_limit: VolumeLimit::Bytes(64 << 20),
//!     sources: Vec::new(),
//!     created: jiff::Timestamp::now(),
//! };
//! let mut builder = Builder::create(folder.path(), options)?;
//! for record in Reader::new("example", &b">a\nMKTAYIAKQR\n>b\nMSTNPKPQRK\n"[..]) {
//!     let record = record?;
//!     builder.push(&record.defline, &record.residues)?;
//! }
//! builder.finish()?;
//!
//! let database = Database::open(folder.path())?;
//! assert_eq!(database.manifest().sequences, 2);
//! assert_eq!(database.volume(0)?.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Databases of NCBI's BLAST+ are read by [`blastdb`].

pub mod blastdb;
pub mod layout;

mod build;
mod check;
mod chosen;
mod digest;
mod manifest;
mod map;
mod open;
mod resident;
mod volume;
mod writer;

pub use build::{BuildError, BuildOptions, Builder, VolumeLimit};
pub use chosen::ChosenSubjects;
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
