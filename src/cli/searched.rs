//! What `--db` names: a skyblast database, a BLAST database or a FASTA file.

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;

use super::listed::{ListContent, Listed};
use super::makedb::{Warnings, read_sequences};
use super::origins::Origins;
use super::taxids::TaxidSource;
use crate::database::blastdb::{BlastDb, BlastDbError, BlastDbPart};
use crate::database::{ChosenSubjects, Database, MANIFEST_FILE, ResidentVolume};
use crate::engine::{DatabaseTotals, QueryLocation, Subjects};
use crate::report::DatabasePart;
use crate::sequence::fasta::Reader;
use crate::sequence::input::{Input, STDIN};
use crate::taxonomy::Purpose;

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
    /// Which version of it this is, if it has versions.
    pub(super) version: Option<String>,
    /// When it was made, if it says so.
    pub(super) posted: Option<Timestamp>,
    /// Its size.
    pub(super) totals: DatabaseTotals,
    /// The size of what is searched of it, which E-values refer to.
    pub(super) searched: DatabaseTotals,
    /// What it consists of, if the user named several.
    pub(super) parts: Vec<DatabasePart>,
    /// What is searched of it.
    pub(super) origins: Arc<Origins>,
    /// Whether its sequences were given with the queries (`--subject`).
    pub(super) is_given: bool,
    /// Length of the shortest sequence, if cutoffs depend on it: they do unless a database is searched
    /// as a whole.
    pub(super) shortest: Option<u64>,
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
            Err(BlastDbError::NotFound { .. }) if is_stream(path) || path.as_os_str() == STDIN => {
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

    /// Reads the sequences that `--subject` names, and of each only `part` if there is one. Like blastp,
    /// counts those without residues.
    ///
    /// With `masked_lower_case`, lower case is refused: blastp would mask it in these too.
    pub(super) fn read_subjects(
        path: &Path,
        part: Option<QueryLocation>,
        masked_lower_case: bool,
    ) -> anyhow::Result<Self> {
        let mut lengths = Vec::new();
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
            let whole = record.residues.len();
            ensure!(
                !part.is_some_and(|part| part.within(whole).is_empty()),
                "{name}: {}: has {whole} residues, so --subject-loc {} is not in it",
                record.label(),
                part.map(|part| part.to_string()).unwrap_or_default(),
            );
            let searched = &record.residues[part.map_or(0..whole, |part| part.within(whole))];
            lengths.push(whole as u32);
            // blastp takes no blanks before their ids into titles.
            volume.push(record.defline.trim_ascii_start(), searched);
            let length = searched.len();
            shortest = Some(shortest.map_or(length, |shortest| shortest.min(length)));
        }
        warnings.print();
        let shortest = shortest.with_context(|| format!("{name} holds no sequence to search"))?;
        let stated = format!("User specified sequence set (Input: {})", path.display());
        let (title, shortest) = (format!("{stated}."), Some(shortest as u64));
        let origins = match part {
            None => Origins::Whole,
            Some(part) => Origins::Parts { skipped: part.skipped(), lengths },
        };
        Ok(Self {
            is_given: true,
            shortest,
            origins: Arc::new(origins),
            ..Self::resident(stated, title, volume)
        })
    }

    /// Searches only the sequences that are listed, or all but these. Of several names of a sequence, only those
    /// that are listed, or are not, are reported.
    ///
    /// # Errors
    /// Unless some sequences are left, and some entries of the list mean a sequence: a list that leaves out
    /// nothing is a list for another database.
    pub(super) fn restrict(self, list: &Listed) -> anyhow::Result<Self> {
        let mut found = HashSet::new();
        let mut searched = DatabaseTotals { sequences: 0, residues: 0 };
        let (mut ordinals, mut volumes, mut shortest) = (Vec::new(), Vec::new(), u64::MAX);
        for SearchedVolume { first_ordinal, subjects, .. } in self.volumes {
            let chosen =
                ChosenSubjects::new(subjects, |name, is_parsed| list.keeps(name, is_parsed, &mut found));
            ordinals.extend(chosen.places().map(|place| first_ordinal + place as u64));
            shortest = shortest.min(chosen.shortest().unwrap_or(u64::MAX));
            let (first_ordinal, residues) = (searched.sequences, chosen.total_residues());
            searched.sequences += chosen.len() as u64;
            searched.residues += residues;
            volumes.push(SearchedVolume { first_ordinal, residues, subjects: Box::new(chosen) });
        }
        let source = &list.source;
        let (listed, missing) = (list.count(), list.len() - found.len());
        ensure!(
            !matches!(list.content, ListContent::Taxa(_)) || !found.is_empty(),
            "{source}: none of its {listed} is in {}; a taxid stands for itself alone, so name species, or what \
             the database has below them",
            self.name
        );
        ensure!(
            list.purpose() == Purpose::Include || !found.is_empty(),
            "{source}: none of its {listed} is in {}, so it leaves nothing out; is it a list for another database?",
            self.name
        );
        ensure!(searched.sequences > 0, "{source}: leaves no sequence of {} to search", self.name);
        if missing > 0 {
            errln!(
                "warning: {source}: {missing} of {listed} {} not in {}",
                if missing == 1 { "is" } else { "are" },
                self.name
            );
        }
        Ok(Self {
            searched,
            origins: Arc::new(Origins::Chosen(ordinals)),
            shortest: Some(shortest),
            volumes,
            ..self
        })
    }

    /// A database that is searched as a whole.
    fn whole(name: String, title: String, totals: DatabaseTotals, volumes: Vec<SearchedVolume>) -> Self {
        let (searched, origins) = (totals, Arc::new(Origins::Whole));
        Self {
            name,
            title,
            version: None,
            posted: None,
            totals,
            searched,
            parts: Vec::new(),
            origins,
            is_given: false,
            shortest: None,
            volumes,
        }
    }

    /// Sequences in memory as a database.
    fn resident(name: String, title: String, volume: ResidentVolume) -> Self {
        let residues = volume.total_residues();
        let totals = DatabaseTotals { sequences: volume.len() as u64, residues };
        let only = SearchedVolume { first_ordinal: 0, residues, subjects: Box::new(volume) };
        Self::whole(name, title, totals, vec![only])
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
        let (version, posted) = (Some(manifest.version.clone()), Some(manifest.created));
        Ok(Self { version, posted, ..Self::whole(name, title, totals, volumes) })
    }

    fn from_blast(path: &Path, database: BlastDb) -> Self {
        let (title, totals, posted) = (database.title().to_owned(), database.totals(), database.made());
        let part = |BlastDbPart { title, made: posted, totals }| DatabasePart { title, posted, totals };
        let parts = database.parts().iter().cloned().map(part).collect();
        let mut first_ordinal = 0;
        let volumes = database.into_volumes().into_iter().map(|volume| {
            let place = first_ordinal;
            first_ordinal += volume.len() as u64;
            let residues = volume.total_residues();
            SearchedVolume { first_ordinal: place, residues, subjects: Box::new(volume) }
        });
        let name = path.display().to_string();
        Self { posted, parts, ..Self::whole(name, title, totals, volumes.collect()) }
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
        let mut taxids = TaxidSource::titles();
        let read = read_sequences(input, &mut warnings, |defline, residues| {
            volume.push(&taxids.label(defline), residues);
            Ok(())
        });
        warnings.print();
        read.with_context(|| format!("could not read {name} as a database"))?;
        ensure!(!volume.is_empty(), "{name} holds no sequence to search");
        Ok(Self::resident(name.clone(), name, volume))
    }
}

/// Whether a path leads to something that can be read from start to end, a pipe included.
fn is_stream(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_dir())
}

/// The file of a list, which like a database may lie in a directory that `BLASTDB` names.
pub(super) fn find_list(list: &Path) -> PathBuf {
    let places = std::iter::once(PathBuf::new()).chain(blast_directories());
    places.map(|place| place.join(list)).find(|path| path.exists()).unwrap_or(list.to_owned())
}

/// Opens a BLAST database, which may lie in a directory that `BLASTDB` names.
pub(super) fn open_blast_database(path: &Path) -> Result<BlastDb, BlastDbError> {
    BlastDb::open(&path.to_string_lossy(), &blast_directories())
}

/// The files of such a database, or none if there is no such database.
pub(super) fn blast_database_files(path: &Path) -> Vec<PathBuf> {
    BlastDb::files(&path.to_string_lossy(), &blast_directories()).unwrap_or_default()
}

/// The directories that `BLASTDB` names.
pub(super) fn blast_directories() -> Vec<PathBuf> {
    env::var_os(BLASTDB).map(|list| env::split_paths(&list).collect()).unwrap_or_default()
}
