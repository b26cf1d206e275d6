//! What `--db` names: a skyblast database, a BLAST database or a FASTA file.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;

use super::makedb::{Warnings, read_sequences};
use crate::database::blastdb::{BlastDb, BlastDbError};
use crate::database::{Database, MANIFEST_FILE, ResidentVolume};
use crate::engine::{DatabaseTotals, Subjects};
use crate::sequence::fasta::Reader;
use crate::sequence::input::{Input, STDIN};

/// Environment variable with directories of BLAST databases, as for BLAST+.
const BLASTDB: &str = "BLASTDB";

/// Files of a BLAST database, which is named without them.
const BLAST_EXTENSIONS: [&str; 4] = ["pal", "pin", "phr", "psq"];

/// An open database of any kind.
pub(super) struct SearchedDatabase {
    /// What reports call it.
    pub(super) name: String,
    /// What its maker calls it.
    pub(super) title: String,
    /// When it was made, if it says so.
    pub(super) posted: Option<Timestamp>,
    /// The size that E-values refer to.
    pub(super) totals: DatabaseTotals,
    /// Length of the shortest sequence, if these were given with the queries (`--subject`).
    pub(super) shortest_given: Option<u64>,
    /// Its volumes, in the order of their sequences.
    pub(super) volumes: Vec<SearchedVolume>,
}

/// A volume and its place in the database.
pub(super) struct SearchedVolume {
    /// Ordinal of its first sequence.
    pub(super) first_ordinal: u64,
    /// Number of residues.
    pub(super) residues: u64,
    /// Its sequences.
    pub(super) subjects: Box<dyn Subjects>,
}

impl SearchedDatabase {
    /// Opens what `path` names.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if path.join(MANIFEST_FILE).is_file() {
            return Self::open_skyblast(path);
        }
        match open_blast_database(path) {
            Ok(database) => Ok(Self::from_blast(path, database)),
            Err(BlastDbError::NotFound { .. }) if path.is_file() || path.as_os_str() == STDIN => {
                Self::read_fasta(path)
            }
            // Says what is missing from the directory.
            Err(BlastDbError::NotFound { .. }) if path.is_dir() => Self::open_skyblast(path),
            Err(BlastDbError::NotFound { looked_for, .. }) => bail!(
                "no database {}: looked for {} (a skyblast database), {} (a BLAST database), and a FASTA file of \
                 that name; make a database with `skyblast makedb`",
                path.display(),
                path.join(MANIFEST_FILE).display(),
                looked_for.join(", "),
            ),
            Err(other) => Err(other.into()),
        }
    }

    /// Reads the sequences that `--subject` names. Like blastp, counts those without residues.
    ///
    /// With `masked_lower_case`, lower case is refused: blastp would mask it in these too.
    pub(super) fn read_subjects(path: &Path, masked_lower_case: bool) -> anyhow::Result<Self> {
        let mut volume = ResidentVolume::default();
        let mut warnings = Warnings::default();
        let mut shortest: Option<usize> = None;
        let input = Input::open(path)?;
        let name = input.name().to_owned();
        for record in Reader::new(&name, input) {
            let record = record?;
            ensure!(
                !masked_lower_case || record.lower_case.is_empty(),
                "{name}: {}: lower case in subjects cannot be masked; leave out --lcase-masking or write them in \
                 upper case",
                record.label()
            );
            warnings.note(&name, &record);
            // blastp takes no blanks before their ids into titles.
            volume.push(record.defline.trim_ascii_start(), &record.residues);
            let length = record.residues.len();
            shortest = Some(shortest.map_or(length, |shortest| shortest.min(length)));
        }
        warnings.print();
        let shortest = shortest.with_context(|| format!("{name} holds no sequence to search"))?;
        let stated = format!("User specified sequence set (Input: {})", path.display());
        let (title, shortest) = (format!("{stated}."), Some(shortest as u64));
        Ok(Self { shortest_given: shortest, ..Self::resident(stated, title, volume) })
    }

    /// Sequences in memory as a database.
    fn resident(name: String, title: String, volume: ResidentVolume) -> Self {
        let residues = volume.total_residues();
        let totals = DatabaseTotals { sequences: volume.len() as u64, residues };
        let only = SearchedVolume { first_ordinal: 0, residues, subjects: Box::new(volume) };
        Self { name, title, posted: None, totals, shortest_given: None, volumes: vec![only] }
    }

    fn open_skyblast(directory: &Path) -> anyhow::Result<Self> {
        let database = Database::open(directory)?;
        let manifest = database.manifest();
        let mut volumes = Vec::with_capacity(manifest.volumes.len());
        for (index, info) in manifest.volumes.iter().enumerate() {
            volumes.push(SearchedVolume {
                first_ordinal: info.first_ordinal,
                residues: info.residues,
                subjects: Box::new(database.volume(index)?),
            });
        }
        let totals = DatabaseTotals { sequences: manifest.sequences, residues: manifest.residues };
        // A folder may lie anywhere, and a server has none: its title is what both can call it.
        let (name, title) = (manifest.title.clone(), manifest.title.clone());
        Ok(Self { name, title, posted: Some(manifest.created), totals, shortest_given: None, volumes })
    }

    fn from_blast(path: &Path, database: BlastDb) -> Self {
        let (title, totals) = (database.title().to_owned(), database.totals());
        let mut first_ordinal = 0;
        let volumes = database.into_volumes().into_iter().map(|volume| {
            let place = first_ordinal;
            first_ordinal += volume.len() as u64;
            let residues = volume.total_residues();
            SearchedVolume { first_ordinal: place, residues, subjects: Box::new(volume) }
        });
        let name = path.display().to_string();
        Self { name, title, posted: None, totals, shortest_given: None, volumes: volumes.collect() }
    }

    fn read_fasta(path: &Path) -> anyhow::Result<Self> {
        if let Some(extension) = path.extension().and_then(|extension| extension.to_str())
            && BLAST_EXTENSIONS.contains(&extension)
        {
            let base = path.with_extension("");
            bail!(
                "{} is one file of a BLAST database; name the database: {}",
                path.display(),
                base.display()
            );
        }
        let mut volume = ResidentVolume::default();
        let mut warnings = Warnings::default();
        let input = Input::open(path)?;
        let name = input.name().to_owned();
        let read = read_sequences(input, &mut warnings, |defline, residues| {
            volume.push(defline, residues);
            Ok(())
        });
        warnings.print();
        read.with_context(|| format!("could not read {name} as a database"))?;
        ensure!(!volume.is_empty(), "{name} holds no sequence to search");
        Ok(Self::resident(name.clone(), name, volume))
    }
}

/// Opens a BLAST database, which may lie in a directory that `BLASTDB` names.
pub(super) fn open_blast_database(path: &Path) -> Result<BlastDb, BlastDbError> {
    let search_path: Vec<PathBuf> =
        env::var_os(BLASTDB).map(|list| env::split_paths(&list).collect()).unwrap_or_default();
    BlastDb::open(&path.to_string_lossy(), &search_path)
}
