//! Finding a database and everything that belongs to it.
//!
//! A base name stands for an alias file, `NAME.pal`, or else for a volume, `NAME.pin`. Names inside
//! an alias file are relative to its directory; if nothing is there, the search path is tried, as
//! for the name that the user gives. Volumes are ordered by file name, then by path, whatever order
//! the alias files have, and counted once: ordinals, and so the order of equally good hits, are
//! those of NCBI's programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::alias::{Alias, bad, split_quoted};
use super::error::BlastDbError;
use super::volume::{BlastVolume, with_extension};
use crate::engine::{DatabaseTotals, Subjects};

/// A protein database of NCBI's BLAST+ of version 4 or 5, opened for reading.
#[derive(Debug)]
pub struct BlastDb {
    title: String,
    volumes: Vec<BlastVolume>,
    totals: DatabaseTotals,
    parts: Vec<BlastDbPart>,
}

/// One of several databases that were opened as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlastDbPart {
    /// Its name: its alias file's, or those of its parts.
    pub title: String,
    /// When the youngest of its volumes was made.
    pub made: Option<Timestamp>,
    /// Its size, as that of a [`BlastDb`].
    pub totals: DatabaseTotals,
}

impl BlastDb {
    /// Opens the database with the base name `name`, or several: `"nr pdb"`. A relative name is
    /// looked for in the current directory, then in the directories of `search_path`.
    pub fn open(name: &str, search_path: &[PathBuf]) -> Result<Self, BlastDbError> {
        let node = find(name, &mut Finder::new(search_path))?;
        let mut paths = BTreeMap::new();
        node.volume_paths(&mut paths);
        let volumes = paths.into_values().map(|base| Ok((base, BlastVolume::open(base)?)));
        let volumes: Vec<_> = volumes.collect::<Result<_, BlastDbError>>()?;
        let opened: BTreeMap<&Path, &BlastVolume> =
            volumes.iter().map(|(base, volume)| (*base, volume)).collect();
        let BlastDbPart { title, totals, .. } = node.described(&opened);
        let parts = node.listed().iter().map(|part| part.described(&opened)).collect();
        Ok(Self { title, totals, parts, volumes: volumes.into_iter().map(|(_, volume)| volume).collect() })
    }

    /// The databases, if several were named.
    pub fn parts(&self) -> &[BlastDbPart] {
        &self.parts
    }

    /// All files of the database that [`open`](Self::open) would open, also those that it does not read.
    pub fn files(name: &str, search_path: &[PathBuf]) -> Result<Vec<PathBuf>, BlastDbError> {
        let mut finder = Finder::new(search_path);
        let node = find(name, &mut finder)?;
        let mut bases = BTreeMap::new();
        node.volume_paths(&mut bases);
        let parts = bases
            .into_values()
            .flat_map(|base| VOLUME_EXTENSIONS.map(|extension| with_extension(base, extension)));
        Ok(finder.read.into_iter().chain(parts.filter(|file| file.is_file())).collect())
    }

    /// Name of the database: its alias file's, or those of its parts.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// When the youngest of its volumes was made, by the clock of whoever made it, as if that had been in
    /// UTC.
    pub fn made(&self) -> Option<Timestamp> {
        self.volumes.iter().filter_map(BlastVolume::made).max()
    }

    /// The volumes, in the order of their sequences.
    pub fn volumes(&self) -> &[BlastVolume] {
        &self.volumes
    }

    /// The volumes, to be kept without the rest.
    pub fn into_volumes(self) -> Vec<BlastVolume> {
        self.volumes
    }

    /// Size that E-values refer to: what alias files say, else what the volumes hold.
    pub fn totals(&self) -> DatabaseTotals {
        self.totals
    }

    /// What the volumes hold, whatever alias files say.
    pub fn content(&self) -> DatabaseTotals {
        DatabaseTotals {
            sequences: self.volumes.iter().map(|volume| volume.len() as u64).sum(),
            residues: self.volumes.iter().map(BlastVolume::total_residues).sum(),
        }
    }
}

/// Endings of the files of a volume, of versions 4 and 5.
const VOLUME_EXTENSIONS: [&str; 19] = [
    "pin", "phr", "psq", "pdb", "pog", "pos", "pot", "ptf", "pto", "pjs", "ppi", "ppd", "pni", "pnd", "psi",
    "psd", "pti", "ptd", "pxm",
];

/// Finds the database with the base name `name`, or several.
fn find(name: &str, finder: &mut Finder<'_>) -> Result<Node, BlastDbError> {
    // A path may hold blanks; only a name that leads nowhere is a list.
    match finder.find(name, None) {
        Err(BlastDbError::NotFound { .. }) if split_quoted(name).len() > 1 => {
            let parts: Result<_, _> = split_quoted(name).iter().map(|name| finder.find(name, None)).collect();
            Ok(Node::Alias { alias: Alias::default(), parts: parts? })
        }
        found => found,
    }
}

/// An alias file or a volume.
#[derive(Debug)]
enum Node {
    Alias { alias: Alias, parts: Vec<Node> },
    Volume(PathBuf),
}

impl Node {
    /// The databases of a list that the user gave, which no alias file holds.
    fn listed(&self) -> &[Self] {
        match self {
            Self::Alias { alias, parts } if alias.parts.is_empty() => parts,
            _ => &[],
        }
    }

    /// What is said of the database; its volumes are `opened`.
    fn described(&self, opened: &BTreeMap<&Path, &BlastVolume>) -> BlastDbPart {
        let stated = |statistics: u64, sum: u64| if statistics > 0 { statistics } else { sum };
        let totals = DatabaseTotals {
            sequences: stated(
                self.sum(&|alias| alias.sequences_for_statistics, &|_| 0),
                self.sum(&|alias| alias.sequences, &|base| opened[base].len() as u64),
            ),
            residues: stated(
                self.sum(&|alias| alias.residues_for_statistics, &|_| 0),
                self.sum(&|alias| alias.residues, &|base| opened[base].total_residues()),
            ),
        };
        let mut paths = BTreeMap::new();
        self.volume_paths(&mut paths);
        let made = paths.into_values().filter_map(|base| opened[base].made()).max();
        BlastDbPart { title: self.titles(opened).join("; "), made, totals }
    }

    /// Base names of all volumes, by file name and path.
    fn volume_paths<'a>(&'a self, paths: &mut BTreeMap<(Vec<u8>, &'a Path), &'a Path>) {
        match self {
            Self::Volume(base) => {
                let name = base.file_name().unwrap_or_default().as_encoded_bytes().to_vec();
                paths.insert((name, base), base);
            }
            Self::Alias { parts, .. } => parts.iter().for_each(|part| part.volume_paths(paths)),
        }
    }

    fn titles<'a>(&'a self, volumes: &BTreeMap<&Path, &'a BlastVolume>) -> Vec<&'a str> {
        match self {
            Self::Volume(base) => vec![volumes[&**base].title()],
            Self::Alias { alias: Alias { title: Some(title), .. }, .. } => vec![title],
            // NCBI's programs go through nested alias files first.
            Self::Alias { parts, .. } => {
                let (aliases, volumes_here): (Vec<_>, Vec<_>) =
                    parts.iter().partition(|part| matches!(part, Self::Alias { .. }));
                aliases.into_iter().chain(volumes_here).flat_map(|part| part.titles(volumes)).collect()
            }
        }
    }

    /// Sum over the parts of what alias files state, or else of what volumes hold.
    fn sum(&self, stated: &impl Fn(&Alias) -> Option<u64>, held: &impl Fn(&Path) -> u64) -> u64 {
        match self {
            Self::Volume(base) => held(base),
            Self::Alias { alias, parts } => stated(alias).unwrap_or_else(|| {
                // A volume that one alias file names twice counts once.
                let mut seen: Vec<&Path> = Vec::new();
                let mut sum = 0_u64;
                for part in parts {
                    match part {
                        Self::Volume(base) if seen.contains(&&**base) => continue,
                        Self::Volume(base) => seen.push(base),
                        Self::Alias { .. } => {}
                    }
                    sum = sum.saturating_add(part.sum(stated, held));
                }
                sum
            }),
        }
    }
}

/// Looks names up.
struct Finder<'a> {
    search_path: &'a [PathBuf],
    /// Alias files that are being read, outermost first.
    ancestors: Vec<PathBuf>,
    /// Alias files that have been read.
    read: Vec<PathBuf>,
}

impl<'a> Finder<'a> {
    fn new(search_path: &'a [PathBuf]) -> Self {
        Self { search_path, ancestors: Vec::new(), read: Vec::new() }
    }

    /// Finds `name`, which the user gave or the alias file `parent` holds.
    fn find(&mut self, name: &str, parent: Option<&Path>) -> Result<Node, BlastDbError> {
        let mut looked_for = Vec::new();
        let start = parent.and_then(Path::parent).unwrap_or(Path::new(""));
        let places = std::iter::once(start).chain(self.search_path.iter().map(PathBuf::as_path));
        for base in places.map(|place| place.join(name)) {
            let alias = with_extension(&base, "pal");
            // Beside an alias file, its own name means the volume, not the file again.
            if alias.is_file() && parent != Some(&*alias) {
                return self.follow(&alias);
            }
            let index = with_extension(&base, "pin");
            if index.is_file() {
                return Ok(Node::Volume(resolved(&base)));
            }
            for nucleotide in ["nal", "nin"].map(|extension| with_extension(&base, extension)) {
                if nucleotide.is_file() {
                    return Err(BlastDbError::Nucleotide { file: nucleotide });
                }
            }
            looked_for.extend([alias, index].map(|file| file.display().to_string()));
        }
        let name = name.to_owned();
        Err(match parent {
            None => BlastDbError::NotFound { name, looked_for },
            Some(alias) => BlastDbError::MissingVolume { alias: alias.to_owned(), name, looked_for },
        })
    }

    fn follow(&mut self, path: &Path) -> Result<Node, BlastDbError> {
        if self.ancestors.iter().any(|ancestor| ancestor == path) || self.ancestors.len() >= MOST_LEVELS {
            return Err(bad(path, "it names itself, directly or through other alias files".to_owned()));
        }
        let alias = Alias::read(path)?;
        self.read.push(path.to_owned());
        self.ancestors.push(path.to_owned());
        let parts: Result<_, _> = alias.parts.iter().map(|name| self.find(name, Some(path))).collect();
        self.ancestors.pop();
        Ok(Node::Alias { alias, parts: parts? })
    }
}

/// Deepest nesting of alias files; a loop through `..` has ever new names.
const MOST_LEVELS: usize = 32;

/// The same base name by way of no links and no `..`, so that a volume is known again.
fn resolved(base: &Path) -> PathBuf {
    let directory = match base.parent() {
        Some(parent) if parent != Path::new("") => parent.canonicalize(),
        _ => Path::new(".").canonicalize(),
    };
    match (directory, base.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => base.to_owned(),
    }
}
