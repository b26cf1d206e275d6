//! The manifest: what a database consists of.

use std::path::Path;
use std::{fs, io};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;

/// Version of the manifest that this code writes, and the newest that it reads.
pub(super) const FORMAT_VERSION: u32 = 1;

/// The only alphabet so far.
pub(super) const PROTEIN: &str = "protein";

/// Bytes of a version, of the 32 of its digest.
const VERSION_BYTES: usize = 16;

/// One volume of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeInfo {
    /// BLAKE3 digest of its bytes, and its name.
    pub digest: Digest,
    /// Number of sequences.
    pub sequences: u64,
    /// Number of residues.
    pub residues: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// Ordinal, in the whole database, of its first sequence; from 0.
    pub first_ordinal: u64,
}

/// What a database consists of; `manifest.json` in its directory.
///
/// Fields that this version does not know are ignored, so that later ones can be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub format_version: u32,
    /// Name for people and reports.
    pub title: String,
    /// Identifies the content: the same volumes in the same order have the same version, whenever
    /// they were made.
    pub version: String,
    /// When the database was made.
    pub created: Timestamp,
    /// `protein`.
    pub alphabet: String,
    /// Number of sequences in the whole database.
    pub sequences: u64,
    /// Number of residues in the whole database.
    pub residues: u64,
    /// Length of the shortest sequence.
    pub shortest: u64,
    /// Length of the longest sequence.
    pub longest: u64,
    /// Names of the files it was made from.
    pub sources: Vec<String>,
    /// The volumes, in the order of their sequences.
    pub volumes: Vec<VolumeInfo>,
}

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("could not read {manifest}: {source}")]
    Read {
        /// Path or name of the manifest.
        manifest: String,
        /// What the system said.
        source: io::Error,
    },
    /// The text is not a manifest.
    #[error("{manifest} is not a skyblast manifest: {source}")]
    NotAManifest {
        /// Path or name of the manifest.
        manifest: String,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
    /// The manifest was written by a newer skyblast.
    #[error(
        "{manifest} has format version {found}, but this program reads only up to version {supported}; \
         update skyblast or rebuild the database"
    )]
    Newer {
        /// Path or name of the manifest.
        manifest: String,
        /// Version found.
        found: u32,
        /// Newest version that can be read.
        supported: u32,
    },
    /// The manifest contradicts itself.
    #[error("{manifest} is damaged: {reason}; rebuild the database")]
    Inconsistent {
        /// Path or name of the manifest.
        manifest: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Manifest {
    /// Reads and checks the manifest at `path`.
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let manifest = path.display().to_string();
        match fs::read(path) {
            Ok(json) => Self::from_json(&manifest, &json),
            Err(source) => Err(ManifestError::Read { manifest, source }),
        }
    }

    /// Reads and checks a manifest; `name` stands for it in errors.
    pub fn from_json(name: &str, json: &[u8]) -> Result<Self, ManifestError> {
        /// What is read first: a newer format may differ in everything else.
        #[derive(Deserialize)]
        struct Format {
            format_version: u32,
        }
        let not_a_manifest = |source| ManifestError::NotAManifest { manifest: name.to_owned(), source };
        let Format { format_version: found } = serde_json::from_slice(json).map_err(not_a_manifest)?;
        if found > FORMAT_VERSION {
            let supported = FORMAT_VERSION;
            return Err(ManifestError::Newer { manifest: name.to_owned(), found, supported });
        }
        let manifest: Self = serde_json::from_slice(json).map_err(not_a_manifest)?;
        match manifest.inconsistency() {
            None => Ok(manifest),
            Some(reason) => Err(ManifestError::Inconsistent { manifest: name.to_owned(), reason }),
        }
    }

    /// The manifest as JSON text for people to read.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("numbers, texts and lists have a JSON form");
        json.push('\n');
        json
    }

    /// Version of a database of these volumes, in this order: 32 hexadecimal digits.
    pub fn version_of(volumes: &[VolumeInfo]) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"skyblast database 1\n");
        for volume in volumes {
            hasher.update(volume.digest.as_bytes());
            hasher.update(&volume.sequences.to_le_bytes());
            hasher.update(&volume.residues.to_le_bytes());
        }
        let digest = hasher.finalize();
        digest.as_bytes()[..VERSION_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn inconsistency(&self) -> Option<String> {
        if self.format_version == 0 {
            return Some("its format version is 0".to_owned());
        }
        if self.alphabet != PROTEIN {
            return Some(format!("its alphabet is {:?}, not {PROTEIN:?}", self.alphabet));
        }
        let (mut sequences, mut residues) = (0_u64, 0_u64);
        for (number, volume) in self.volumes.iter().enumerate() {
            if volume.first_ordinal != sequences {
                let found = volume.first_ordinal;
                return Some(format!("volume {number} starts at ordinal {found}, not {sequences}"));
            }
            sequences = sequences.saturating_add(volume.sequences);
            residues = residues.saturating_add(volume.residues);
        }
        if sequences != self.sequences {
            return Some(format!("its volumes hold {sequences} sequences, not {}", self.sequences));
        }
        if residues != self.residues {
            return Some(format!("its volumes hold {residues} residues, not {}", self.residues));
        }
        let version = Self::version_of(&self.volumes);
        (version != self.version).then(|| format!("its volumes make version {version}, not {}", self.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Manifest {
        let volume = |text: &str, first_ordinal| VolumeInfo {
            digest: Digest::of(text.as_bytes()),
            sequences: 2,
            residues: 30,
            bytes: 200,
            first_ordinal,
        };
        let volumes = vec![volume("a", 0), volume("b", 2)];
        Manifest {
            format_version: FORMAT_VERSION,
            title: "test".to_owned(),
            version: Manifest::version_of(&volumes),
            created: Timestamp::UNIX_EPOCH,
            alphabet: PROTEIN.to_owned(),
            sequences: 4,
            residues: 60,
            shortest: 10,
            longest: 20,
            sources: vec!["test.fa".to_owned()],
            volumes,
        }
    }

    fn refused(change: impl FnOnce(&mut Manifest)) -> String {
        let mut manifest = example();
        change(&mut manifest);
        Manifest::from_json("m.json", manifest.to_json().as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_reads_back_and_unknown_fields_are_ignored() {
        let json = example().to_json();
        assert_eq!(Manifest::from_json("m.json", json.as_bytes()).unwrap(), example());
        let later = json.replacen('{', "{ \"added_later\": [1],", 1);
        assert_eq!(Manifest::from_json("m.json", later.as_bytes()).unwrap(), example());
    }

    #[test]
    fn every_contradiction_is_named() {
        let rebuild = |reason: &str| format!("m.json is damaged: {reason}; rebuild the database");
        assert_eq!(refused(|m| m.format_version = 0), rebuild("its format version is 0"));
        assert_eq!(
            refused(|m| m.alphabet = "dna".into()),
            rebuild("its alphabet is \"dna\", not \"protein\"")
        );
        assert_eq!(refused(|m| m.sequences = 5), rebuild("its volumes hold 4 sequences, not 5"));
        assert_eq!(refused(|m| m.residues = 61), rebuild("its volumes hold 60 residues, not 61"));
        assert_eq!(
            refused(|m| m.volumes[1].first_ordinal = 3),
            rebuild("volume 1 starts at ordinal 3, not 2")
        );
        assert!(refused(|m| m.volumes[0].digest = Digest::of(b"c")).contains("its volumes make version"));
        assert!(refused(|m| m.volumes[0].sequences = u64::MAX).contains("starts at ordinal"));
    }

    #[test]
    fn a_newer_format_is_named_even_if_nothing_else_is_known() {
        let error = Manifest::from_json("m.json", br#"{"format_version": 9}"#).unwrap_err();
        assert!(matches!(error, ManifestError::Newer { found: 9, supported: FORMAT_VERSION, .. }));
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for json in ["", "[]", "{}", "{\"format_version\": 1}", "null", "{\"format_version\": -1}"] {
            let error = Manifest::from_json("m.json", json.as_bytes()).unwrap_err();
            assert!(matches!(error, ManifestError::NotAManifest { .. }), "{json}");
        }
    }

    #[test]
    fn the_version_depends_on_volumes_and_their_order_only() {
        let mut manifest = example();
        manifest.created = Timestamp::MAX;
        manifest.title = "other".to_owned();
        assert_eq!(Manifest::version_of(&manifest.volumes), example().version);
        manifest.volumes.swap(0, 1);
        assert_ne!(Manifest::version_of(&manifest.volumes), example().version);
    }
}
